"""The service levels of a contract, judged now: from the table's times, and from what a home knows of its service."""

from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import replace

import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.segments import Segments
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.loop.live import BehindSource
from flyball.contracts.tables.level_evidence import incidents, watched
from flyball.contracts.tables.levels import LevelResult, Observed, judge, observe
from flyball.core.clock import Clock
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault
from flyball.core.ledger import Entry
from flyball.core.ports import Segment
from flyball.core.prediction import NO_ANSWER
from flyball.registry.releases import Registry, fold

OPERATED = frozenset({"availability", "errorRate", "timeToDetect", "timeToNotify", "timeToRepair"})


def standing(
    table: pl.DataFrame,
    contract: DataContract,
    clock: Clock | None = None,
    *,
    home: Home | None = None,
    service: str | None = None,
) -> tuple[LevelResult, ...]:
    """What the table's own times say of each level, and of a service that runs its ledger and its prediction log.

    Args: home: None, or one without the service: what only an operator knows is UNKNOWN. service: None: the only one
        of the home.

    Raises: BadInput: the home holds several services, and none is named.
    """
    seen = observe(table, contract)
    if home is not None and home.has_ledger and OPERATED & {level.name for level in contract.levels}:
        seen = _operated(seen, home, service)
    return judge(contract.levels, seen, (clock or SystemClock()).now())


def _operated(seen: Observed, home: Home, service: str | None) -> Observed:
    """With what is known of the service's life."""
    with closing(open_ledger(home, told=False)) as ledger:
        entries = list(ledger.read())
    name = _named(service, sorted({entry.subject for entry in entries}))
    entries = [entry for entry in entries if entry.subject == name]
    if not entries:
        why = f"the home has no service {name}".rstrip()
        return replace(seen, unknown=dict.fromkeys(OPERATED, why))
    facts = watched(entries)
    telemetry = BehindSource(Segments(home.telemetry(name).parent), source_rows(entries))
    failed, received, arrived = _accounts(telemetry.sealed(name, -1), {each.row for each in facts.episodes})
    found, unknown = incidents(facts, arrived)
    if not received:
        unknown |= dict.fromkeys(("availability", "errorRate"), "the gateway has written down no request in this home")
    return replace(
        seen, incidents=found, up=(received - failed, received), requests=(failed, received), unknown=unknown
    )


def _accounts(segments: Iterable[Segment], rows: Collection[int]) -> tuple[int, int, dict[int, float]]:
    """Rows without an answer, rows received, and when each of these rows came. A row without a record has an answer."""
    failed = received = 0
    arrived: dict[int, float] = {}
    for segment in segments:
        pane, table = segment.pane, segment.predictions
        received += pane.received
        failed += int(table["outcome"].is_in(NO_ANSWER).sum())
        for row in rows:
            place = row - pane.first_row
            if 0 <= place < table.height:
                arrived[row] = float(table["at"][place])
    return failed, received, arrived


def source_rows(entries: Iterable[Entry]) -> int:
    """Rows of the source that the first champion learned from: the stream counts on from them."""
    registry = Registry()
    for entry in entries:
        registry = fold(registry, entry)
    if not registry.terms:
        return 0
    return registry.snapshots[registry.releases[registry.terms[0].release].release.snapshot].rows


def _named(service: str | None, known: list[str]) -> str:
    if service is not None:
        return service
    if len(known) == 1:
        return known[0]
    if not known:
        return ""
    expected = f"one of {', '.join(known)}"
    fault = Fault(where="command line", path="--service", expected=expected, found="none named", fix="name it")
    raise BadInput(f"The home has {len(known)} services.", (fault,))
