"""The log of a service as its backfills have left it: what the monitor learns from, and the trainings behind it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from flyball.adapters.prediction_log.repairs import Repair, mended, repair_of
from flyball.core.clock import moment
from flyball.core.errors import Untrusted
from flyball.core.events import BackfillDone
from flyball.core.facts.storage import StorageCollected, repair_place
from flyball.core.ledger import Ledger
from flyball.core.ports import Segment, Telemetry
from flyball.monitor.labels import AT

AGAIN_S = 30.0  # how often a controller looks whether rows that were gone are back


def backfills_of(ledger: Ledger, service: str) -> tuple[BackfillDone, ...]:
    """In the order of the ledger, those that made rows again."""
    facts = (entry.fact for entry in ledger.read(subject=service))
    return tuple(fact for fact in facts if isinstance(fact, BackfillDone) and fact.rows)


def taken_of(ledger: Ledger, service: str) -> frozenset[str]:
    """Places of the repairs that the retention of the log has deleted."""
    facts = (entry.fact for entry in ledger.read(subject=service))
    told = (each for fact in facts if isinstance(fact, StorageCollected) for each in fact.deleted)
    return frozenset(each.name for each in told if each.kind == "repair")


class Mended:
    """`core.ports.Telemetry` with the repaired rows in their place."""

    def __init__(
        self,
        telemetry: Telemetry,
        repairs: Sequence[Repair],
        lost: Sequence[BackfillDone] = (),
        taken: Sequence[BackfillDone] = (),
    ) -> None:
        """`lost`: whose rows are gone: their span is read as it came, and nothing is trained on it. `taken`: by the
        retention, after all rows of their span: what a checkpoint still has of it was read through them."""
        self._telemetry, self._repairs, self._lost = telemetry, tuple(repairs), tuple(lost)
        self._spans = (
            *((each.backfill, moment(each.since).timestamp(), moment(each.until).timestamp()) for each in taken),
            *((each.header.backfill, each.header.since, each.header.until) for each in self._repairs),
        )

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        for segment in self._telemetry.sealed(service, after):
            yield mended(segment, self._repairs)

    def inside(self, captured: pl.DataFrame) -> tuple[str, ...]:
        """Digests of the backfills whose rows are among captured ones, by the time of each row.

        Raises: Untrusted: among them are rows that were repaired, and the repair is gone."""
        if AT not in captured.columns:
            return ()
        at = captured[AT]
        for each in self._lost:
            since, until = moment(each.since).timestamp(), moment(each.until).timestamp()
            if ((at >= since) & (at < until)).any():
                raise Untrusted(
                    f"the rows to train on reach into {each.since} to {each.until}, whose repair is gone: "
                    f"backfill {each.backfill}",
                    hint="run the same `flyball backfill` again, which writes its rows again",
                )
        return tuple(name for name, since, until in self._spans if ((at >= since) & (at < until)).any())

    def repaired(self, captured: pl.DataFrame) -> pl.Series | None:
        """Which captured rows a backfill has put there, by the time of each; None: none of them."""
        if AT not in captured.columns or not self._spans:
            return None
        at, found = captured[AT], pl.repeat(value=False, n=captured.height, eager=True)
        for _, since, until in self._spans:
            found = found | ((at >= since) & (at < until))
        return found


def repairs_of(folder: Path, done: Sequence[BackfillDone], taken: frozenset[str] = frozenset()) -> tuple[Repair, ...]:
    """`folder`: of the service's log. Raises: Untrusted: rows that the ledger names are gone, and not `taken`."""
    left = [fact for fact in done if repair_place(fact.service, fact.backfill) not in taken]
    return tuple(repair_of(folder, fact.backfill) for fact in left)


class Repairs:
    """Those of a service that a controller can read. One that is gone must not take the service out of control."""

    def __init__(
        self,
        folder: Path,
        done: Sequence[BackfillDone],
        complain: Callable[[str], None],
        taken: frozenset[str] = frozenset(),
    ) -> None:
        """`taken`: places of those that the retention of the log has deleted: these are not lost."""
        self._folder = folder
        there: list[Repair] = []
        lost: list[BackfillDone] = []
        gone: list[BackfillDone] = []
        for fact in done:
            try:
                there.append(repair_of(folder, fact.backfill))
            except Untrusted as error:
                if repair_place(fact.service, fact.backfill) in taken:
                    gone.append(fact)
                    continue
                complain(f"{error}; its span is read as it came, and nothing is trained on it")
                lost.append(fact)
        self.there, self.lost, self.taken = tuple(there), tuple(lost), tuple(gone)
        unread = {fact.backfill for fact in lost}
        self.known = tuple(fact.backfill for fact in done if fact.backfill not in unread)  # digests
        self._due = time.monotonic() + AGAIN_S

    def came_back(self, now: float) -> bool:
        """Whether one that was gone can be read again; asked now and then only. Args: now: monotonic seconds."""
        if not self.lost or now < self._due:
            return False
        self._due = now + AGAIN_S
        return any(_readable(self._folder, fact.backfill) for fact in self.lost)


def _readable(folder: Path, backfill: str) -> bool:
    try:
        repair_of(folder, backfill)
    except Untrusted:
        return False
    return True
