"""The log of a service as its backfills have left it: what the monitor learns from, and the trainings behind it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from flyball.adapters.prediction_log.repairs import Repair, mended, repair_of
from flyball.core.events import BackfillDone
from flyball.core.ledger import Ledger
from flyball.core.ports import Segment, Telemetry
from flyball.monitor.labels import AT


def backfills_of(ledger: Ledger, service: str) -> tuple[BackfillDone, ...]:
    """In the order of the ledger, those that made rows again."""
    facts = (entry.fact for entry in ledger.read(subject=service))
    return tuple(fact for fact in facts if isinstance(fact, BackfillDone) and fact.rows)


class Mended:
    """`core.ports.Telemetry` with the repaired rows in their place."""

    def __init__(self, telemetry: Telemetry, repairs: Sequence[Repair]) -> None:
        self._telemetry, self._repairs = telemetry, tuple(repairs)

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        for segment in self._telemetry.sealed(service, after):
            yield mended(segment, self._repairs)

    def inside(self, captured: pl.DataFrame) -> tuple[str, ...]:
        """Digests of the backfills whose rows are among captured ones, by the time of each row."""
        if AT not in captured.columns:
            return ()
        at = captured[AT]
        spans = [each.header for each in self._repairs]
        return tuple(each.backfill for each in spans if ((at >= each.since) & (at < each.until)).any())


def repairs_of(folder: Path, done: Sequence[BackfillDone]) -> tuple[Repair, ...]:
    """`folder`: of the service's log. Raises: Untrusted: rows that the ledger names are gone."""
    return tuple(repair_of(folder, fact.backfill) for fact in done)
