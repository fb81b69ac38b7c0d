"""Where a history stands: a home, its ledger's file, the prediction log of one of its services, or a log on its own."""

from pathlib import Path

from flyball.adapters.prediction_log.files import sealed
from flyball.app.home import Home
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record


class Place(Record):
    """What `--history` names."""

    home: str  # or the folder of a log on its own
    service: str | None = None  # None: of the whole home
    rows: bool = False  # the rows of the log are wanted, not the windows that were kept
    alone: bool = False  # there is no ledger


def place(history: Path) -> Place:
    """Raises: BadInput: it is none of these."""
    path = history.resolve()
    if path.is_file() and path.name == "ledger.db":
        return Place(home=str(path.parent))
    if path.is_dir() and Home(path).has_ledger:
        return Place(home=str(path))
    if path.is_dir() and path.parent.name == "telemetry":
        home = Home(path.parent.parent)
        if home.has_ledger:
            return Place(home=str(home.root), service=path.name, rows=True)
    if sealed(path):
        return Place(home=str(path), rows=True, alone=True)
    fault = Fault(
        where="command line",
        path="--history",
        expected="a home, its ledger.db, telemetry/SERVICE of a home, or the folder of a prediction log on its own",
        found=f"{history}{'' if path.exists() else ', which is not there'}",
        fix=_below(path),
    )
    raise BadInput("There is no such history.", (fault,))


def _below(path: Path) -> str:
    """A home or log that was perhaps meant."""
    if not path.is_dir():
        return ""
    meant = sorted(each for each in path.iterdir() if each.is_dir() and (Home(each).has_ledger or sealed(each)))
    return f"perhaps {meant[0]}" if meant else ""
