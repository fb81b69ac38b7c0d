"""Where a history stands: a home, its ledger's file, or the prediction log of one of its services."""

from pathlib import Path

from flyball.app.home import Home
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.core.record import Record


class Place(Record):
    """What `--history` names."""

    home: str
    service: str | None = None  # None: of the whole home
    rows: bool = False  # the rows of the log are wanted, not the windows that were kept


def place(history: Path) -> Place:
    """Raises: BadInput: it is none of the three. Unavailable: a prediction log outside its home."""
    path = history.resolve()
    if path.is_file() and path.name == "ledger.db":
        return Place(home=str(path.parent))
    if path.is_dir() and Home(path).has_ledger:
        return Place(home=str(path))
    if path.is_dir() and path.parent.name == "telemetry":
        home = Home(path.parent.parent)
        if home.has_ledger:
            return Place(home=str(home.root), service=path.name, rows=True)
        raise Unavailable(
            f"{history}: a prediction log without the ledger and the releases of its home: nobody knows what is normal",
            hint="give the home, or a copy of it with ledger.db, releases/, blobs/, keys/ and telemetry/",
        )
    fault = Fault(
        where="command line",
        path="--history",
        expected="a home, its ledger.db, or telemetry/SERVICE of a home",
        found=f"{history}{'' if path.exists() else ', which is not there'}",
    )
    raise BadInput("There is no such history.", (fault,))
