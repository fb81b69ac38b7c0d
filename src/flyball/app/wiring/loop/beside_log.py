"""What lies beside a prediction log and holds rows of it goes by the retention of the log: examples, repairs.

Example rows of an incident go when the day that it was opened in is beyond the retention: they are of the time before.
Its other files hold no rows, and stay. The rows of a backfill go when its span is beyond it, and after all rows of the
log that they stand for: else these would be read as they came.

Each is told first (once, by its place) and then deleted. Killed in between, the next run finds it again and goes on.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from flyball.adapters.prediction_log.files import Sealed
from flyball.adapters.prediction_log.repairs import remove_repair, repairs_over, sweep_repairs
from flyball.adapters.prediction_log.upkeep import is_beyond
from flyball.app.home import Home
from flyball.core.clock import moment
from flyball.core.events import IncidentOpened
from flyball.core.facts.storage import EXAMPLES, Deleted, StorageCollected, examples_place, repair_place
from flyball.core.ids import ServiceName
from flyball.core.ledger import Entry, Ledger

_DRAFTS_TOO = f"*{EXAMPLES}*"  # what a killed writer has left holds rows as well


def examples_over(home: Home, service: str, ledger: Ledger | None, *, retention_s: float, now: float) -> list[Deleted]:
    """Example rows of incidents of one service that are beyond the retention. `ledger`: None: there is none."""
    if ledger is None or not any(home.incidents.glob(f"*/{_DRAFTS_TOO}")):
        return []  # the ledger is not read for nothing
    return list(_examples(home, ledger.read(subject=service), retention_s, now))


def _examples(home: Home, entries: Iterable[Entry], retention_s: float, now: float) -> Iterator[Deleted]:
    for entry in entries:
        if isinstance(entry.fact, IncidentOpened) and is_beyond(retention_s, now, moment(entry.at).timestamp()):
            name = entry.fact.incident
            files = list(home.incident(name).glob(_DRAFTS_TOO))
            if files:
                size = sum(file.stat().st_size for file in files)
                yield Deleted(kind="examples", name=examples_place(name), size=size)


def repairs_beyond(
    home: Home, service: str, left: Sequence[Sealed], *, retention_s: float, now: float
) -> list[Deleted]:
    """Rows of backfills that are beyond the retention. `left`: what there is of the log, oldest first."""
    first = left[0].panes()[0].start if left else now
    beyond = partial(is_beyond, retention_s, now)
    found = repairs_over(home.telemetry(service), lambda until: beyond(until) and until < first)
    return [
        Deleted(
            kind="repair",
            name=repair_place(service, place.name),
            size=sum(file.stat().st_size for file in place.iterdir()),
        )
        for place in found
    ]


def delete(home: Home, service: str, ledger: Ledger, over: Sequence[Deleted], *, retention_s: float) -> None:
    """Tell it, then do it."""
    if over:
        _tell(ledger, service, over, retention_s)
    for each in over:  # crash point: told, and still there
        place = home.root / each.name
        if each.kind == "repair":
            remove_repair(place)
        else:
            for file in place.parent.glob(_DRAFTS_TOO):
                file.unlink(missing_ok=True)
    sweep_repairs(home.telemetry(service))


def _tell(ledger: Ledger, service: str, over: Sequence[Deleted], retention_s: float) -> None:
    names = [f"retention:{service}:{each.name}" for each in over]
    what = {"examples": "example rows of an incident that was opened", "repair": "rows of a backfill whose span ended"}
    facts = [
        StorageCollected(
            service=ServiceName(service),
            sweep=name,
            deleted=(each,),
            size=each.size,
            why=f"{what[each.kind]} more than {retention_s / 86_400:g} days ago",
        )
        for name, each in zip(names, over, strict=True)
    ]
    ledger.append(facts, ids=names)
