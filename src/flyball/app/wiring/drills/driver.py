"""One drill from its first fact to its report: begin, make the fault, watch, end the fault, watch on, end.

Crash points, for a driver that is killed between any two lines:

- after `drill.begun`, before the word is written: nothing was done; the controller ends the drill at its `until`.
- while the fault is made: requests end with the driver, a ledger's lock is the kernel's and goes with it, whatever
  reads the word stops at `until` by its own clock; then as above.
- after the word was taken away, before `drill.withdrawn` or `drill.ended`: as above.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from flyball.app.drills.fault import DrillFault, Stage
from flyball.app.drills.judge import Judged, judged
from flyball.app.drills.lease import put, read_lease, watched_path
from flyball.app.drills.report import DrillRow, outcome_of, with_hand
from flyball.app.drills.seen import Change, FactReader
from flyball.app.drills.watchers import Watchers
from flyball.app.people import Person
from flyball.app.wiring.drills.underway import underway
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import Refused
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger

POLL_S = 0.1
HOLD_S = 2.0  # a fault that was seen is left for so long, as it would be
CALM_S = 3.0  # nothing new for so long: it is over
QUIET_S = 45.0  # what a drill has left may take so long to go by itself, before the next one
SPARE_S, PREPARE_S = 30.0, 180.0  # that a driver may need beside the time of the fault and of the watch
NAMES = ("ok", "fallback", "refused", "shed", "failed")


class Driver:
    """Makes drills on one stage, one after the other."""

    def __init__(
        self, stage: Stage, ledger: Ledger, lease: Path, person: Person, watchers: Callable[[], Watchers]
    ) -> None:
        self._stage, self._ledger, self.lease, self._person = stage, ledger, lease, person
        self._watchers = watchers

    async def drill(
        self,
        fault: DrillFault,
        name: str,
        *,
        share: float,
        within_s: float,
        watched_s: float | None = None,
        mended: Callable[[], Awaitable[str]] | None = None,
    ) -> DrillRow:
        """One drill. `within_s`: after so long the fault ends. `watched_s`: after as long again, or after so long where
        it is said, nobody waits for the rest.
        `mended`: waits until what is left has gone, for `QUIET_S` at most, and says what a person had to do for that:
        it is part of the drill."""
        stage = self._stage
        watched_s = within_s if watched_s is None else watched_s
        latest = time.time() + within_s + watched_s + (SPARE_S if fault.prepare is None else SPARE_S + PREPARE_S)
        latest += QUIET_S if mended is not None else 0.0
        begun = e.DrillBegun(
            service=ServiceName(stage.service),
            drill=name,
            fault=fault.name,
            share=share,
            until=timestamp(datetime.fromtimestamp(latest, UTC)),
            by=self._person.name,
            proof=self._person.proof,
            own=stage.clients.honest,
        )
        with underway(self._ledger, begun):
            row = await self._drill(fault, name, share, within_s, watched_s, mended)
            self._ledger.append([_ended(stage.service, row)])
        return row

    async def _drill(
        self,
        fault: DrillFault,
        name: str,
        share: float,
        within_s: float,
        watched_s: float,
        mended: Callable[[], Awaitable[str]] | None,
    ) -> DrillRow:
        stage = self._stage
        if fault.prepare is not None:
            await self._prepared(fault.prepare, fault, name)
        stage.clients.anew()
        stage.found.clear()
        ends = time.time() + within_s
        watch = Watch(self._ledger, stage, fault, self._watchers())
        word = DrillLease(
            drill=name, fault=fault.name, service=stage.service, share=share, until=ends, driver=os.getpid()
        )
        watch.begin(time.time())
        put(self.lease, stage.aim(word))
        aborted, ended_s = await self._under_fault(watch, fault, share, ends)
        self._ledger.append([e.DrillWithdrawn(service=ServiceName(stage.service), drill=name)])
        if not aborted:
            aborted = await self._recovering(watch, word, watched_s)
        row = self._row(watch, fault, name, share, ended_s, aborted=aborted)
        return row if aborted or mended is None else with_hand(row, await mended())

    async def _prepared(self, prepare: Callable[[Stage], Awaitable[None]], fault: DrillFault, name: str) -> None:
        """Under a word that strikes nothing (a share of 0), so that it can be taken away. Raises: Refused: it was."""
        stage, until = self._stage, time.time() + PREPARE_S
        word = DrillLease(
            drill=name, fault=fault.name, service=stage.service, share=0.0, until=until, driver=os.getpid()
        )
        put(self.lease, word)
        making = asyncio.ensure_future(prepare(stage))
        try:
            while not making.done():
                if self._gone():
                    raise Refused("somebody aborted it before the fault was made")
                await asyncio.wait({making}, timeout=POLL_S)
            await making
        finally:
            making.cancel()
            self.lease.unlink(missing_ok=True)

    async def _under_fault(
        self, watch: "Watch", fault: DrillFault, share: float, ends: float
    ) -> tuple[bool, float | None]:
        """Whether somebody has aborted it, and when the fault was ended, seconds from its beginning."""
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(fault.inject(self._stage, share))
                over = _dealt_with if fault.ends == "recovered" else _seen_for_a_while
                await watch.until(
                    lambda found: over(found, watch), within_s=ends - time.time(), stop=lambda: self._gone()
                )
                aborted = self._gone()
        finally:
            self.lease.unlink(missing_ok=True)
        ended_s = round(time.time() - watch.injected_at, 2)
        return aborted, ended_s

    async def _recovering(self, watch: "Watch", word: DrillLease, within_s: float) -> bool:
        """Whether somebody has aborted it, while nothing is struck any more and only the rest is waited for."""
        watched = watched_path(self.lease)
        put(watched, replace(word, share=0.0, until=time.time() + within_s))
        try:
            await watch.until(
                lambda found: found.recovered_s is not None and watch.calm,
                within_s=within_s,
                stop=lambda: read_lease(watched) is None,
            )
            return read_lease(watched) is None
        finally:
            watched.unlink(missing_ok=True)

    def _gone(self) -> bool:
        """Whether the word was taken away: `flyball drill abort`."""
        return read_lease(self.lease) is None

    def _row(
        self, watch: "Watch", fault: DrillFault, name: str, share: float, ended_s: float | None, *, aborted: bool
    ) -> DrillRow:
        found, stage, clients = watch.found, self._stage, self._stage.clients
        row = DrillRow(
            fault=fault.name,
            detected_s=found.detected_s,
            recovered_s=found.recovered_s,
            answers_failed=clients.outcome("failed"),
            answers_shed=clients.outcome("shed"),
            automatic=found.recovered_s is not None and not aborted,
            injected=fault.injected,
            detected_by=found.detected_by,
            ended_s=ended_s,
            waited_s=round(time.time() - watch.injected_at, 2),
            share=share,
            answers={each: clients.outcome(each) for each in NAMES},
            drill=name,
            remedies=tuple(watch.remedies),
            figures=stage.found | {"repeated": float(clients.repeated)},
        )
        outcome, why = ("aborted", "somebody aborted it") if aborted else outcome_of(row, fallback=stage.fallback)
        if found.standing and not aborted:
            why += f" ({', '.join(found.standing)} still stands)"
        return replace(row, outcome=outcome, why=why)


class Watch:
    """What was seen of one drill so far."""

    def __init__(self, ledger: Ledger, stage: Stage, fault: DrillFault, watchers: Watchers) -> None:
        self._ledger, self._stage, self._fault, self._watchers = ledger, stage, fault, watchers
        self._reader = FactReader()
        self._seq = 0
        self.changes: list[Change] = []
        self.remedies: list[str] = []  # that the loop took by itself
        self.injected_at = time.time()
        self.found = Judged()
        self._look()
        self.changes.clear()  # what was so before is not of this drill

    def begin(self, now: float) -> None:
        """The fault is there from now on."""
        self.injected_at = now

    @property
    def calm(self) -> bool:
        """Nothing that counts has changed for a while, and nobody went without an answer."""
        return self._since_s(self.found.recovered_s) >= CALM_S

    @property
    def seen_for_s(self) -> float:
        return self._since_s(self.found.detected_s)

    async def until(
        self, over: Callable[[Judged], bool], *, within_s: float, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Look at everything again and again until it is over, somebody stops it, or so much time has passed."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not stop():
            self._look()
            if over(self.found):
                return
            await asyncio.sleep(POLL_S)

    def _look(self) -> None:
        for entry in self._ledger.read(self._seq, subject=self._stage.service):
            self._seq = entry.seq
            if isinstance(entry.fact, e.RemedyBegun) and moment(entry.at).timestamp() >= self.injected_at:
                self.remedies.append(entry.fact.kind)
            self.changes.extend(self._reader.take(entry))
        self.changes.extend(self._watchers.look(time.time()))
        self._stage.clients.check()
        self.found = judged(
            self.changes,
            self._fault.tells,
            injected_at=self.injected_at,
            failures=self._stage.clients.failures,
        )

    def _since_s(self, after_s: float | None) -> float:
        return 0.0 if after_s is None else time.time() - self.injected_at - after_s


def _seen_for_a_while(found: Judged, watch: Watch) -> bool:
    return found.detected_s is not None and watch.seen_for_s >= HOLD_S


def _dealt_with(found: Judged, watch: Watch) -> bool:
    return found.recovered_s is not None and watch.calm


def _ended(service: str, row: DrillRow) -> e.DrillEnded:
    return e.DrillEnded(
        service=ServiceName(service),
        drill=row.drill,
        fault=row.fault,
        outcome=row.outcome,
        detected_s=row.detected_s,
        recovered_s=row.recovered_s,
        answers_failed=row.answers_failed,
        automatic=row.automatic,
        injected=row.injected,
        why=row.why,
        figures=row.figures,
    )
