"""One drill after the other: what cannot be made here is left out, and each begins on a service that is well."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.app.drills.fault import DrillFault, Stage
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.lease import read_lease
from flyball.app.drills.may import obstacles
from flyball.app.drills.report import DrillRow, LeftOut
from flyball.app.people import Person, approve, may, reject
from flyball.app.subjects import Reading
from flyball.app.wiring.drills.driver import Driver
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import FlyballError, Refused
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record

OWN_WITHIN_S, RUNNING_WITHIN_S = 60.0, 600.0
QUIET_S = 45.0  # what a drill has left may take so long to go by itself, before the next one
LOOK_S = 0.5
HAND = Person(name="drill", proof="simulated", every_role=True)  # mends the drill's own service between two drills


class Wanted(Record):
    """What was asked for."""

    faults: tuple[str, ...]  # names
    share: float | None = None  # of the traffic; None: each fault's own
    within_s: float | None = None
    rate: float = 120.0  # requests a second of the drill's own service
    warm_s: float = 12.0  # of traffic before its first drill: some windows have to be known
    small: bool = False  # one process of it answers, where no fault is about several


class Turns:
    """Of one stage. `own`: the service is the drill's own, and nobody else is served by it."""

    def __init__(
        self, ledger: Ledger, stage: Stage, driver: Driver, person: Person, say: Callable[[str], None], *, own: bool
    ) -> None:
        self._ledger, self._stage, self._driver = ledger, stage, driver
        self._person, self._say, self._own = person, say, own
        self._reading, self._ids = Reading(ledger), TimeIds(SystemClock())

    async def all(self, wanted: Wanted) -> tuple[tuple[DrillRow, ...], tuple[LeftOut, ...]]:
        """Raises: Refused: on a service that is not the drill's own, something stands against it."""
        rows: list[DrillRow] = []
        left_out: list[LeftOut] = []
        for name in wanted.faults:
            fault = FAULTS[name]
            if not self._own and fault.needs != "any service":
                why = f"it takes {fault.needs}; where no flyball up runs, flyball drill starts them"
                left_out.append(LeftOut(fault=name, why=why))
                continue
            await self._ready()
            row = await self._one(fault, wanted)
            rows.append(replace(row, by_hand=await self._mended()) if self._own else row)
            if row.outcome == "aborted":
                break
        return tuple(rows), tuple(left_out)

    async def _one(self, fault: DrillFault, wanted: Wanted) -> DrillRow:
        within_s = wanted.within_s or (OWN_WITHIN_S if self._own else RUNNING_WITHIN_S)
        share = fault.share if wanted.share is None else wanted.share
        self._say(f"{fault.name}: {fault.what}, on {share:.0%} of the traffic at most")
        row = await self._driver.drill(fault, self._ids.new("dr"), share=share, within_s=within_s)
        seen = "not seen" if row.detected_s is None else f"seen after {row.detected_s:.1f} s ({row.detected_by})"
        over = "not over" if row.recovered_s is None else f"over after {row.recovered_s:.1f} s"
        self._say(f"{fault.name}: {seen}, {over}, {row.answers_failed} answers failed")
        return row

    async def _ready(self) -> None:
        """Raises: Refused: the service is not well, or a drill runs. NotAllowed: the person may not."""
        if not self._own:
            may(self._reading.find(self._stage.service)[1], self._person, ("operator", "approver"))
        end_left_over(self._ledger, self._state().healing.drill, self._driver.lease)
        if against := obstacles(self._state(), time.time()):
            raise Refused(
                f"{self._stage.service} is not drilled now: {'; '.join(against)}",
                hint=f"flyball status {self._stage.service}",
            )

    async def _mended(self) -> str:
        """What a person had to do before the drill's own service was well again; empty: nothing."""
        deadline = time.monotonic() + QUIET_S
        while time.monotonic() < deadline:
            state = self._state()
            if not obstacles(state, time.time()) and not state.signals.keys() & _CALLING:
                return ""
            await asyncio.sleep(LOOK_S)
        done: list[str] = []
        for what, word in (("the data were accepted", approve), ("the rollout was rejected", reject)):
            try:
                if word(self._ledger, self._stage.service, HAND, "the drill is over"):
                    done.append(what)
            except FlyballError:  # there was nothing of the kind
                continue
        return "; ".join(done)

    def _state(self) -> ServiceState:
        return self._reading.states()[self._stage.service]


_CALLING = frozenset({"error", "latency", "capture", "quality"})  # signals that the next drill would be taken for


def end_left_over(ledger: Ledger, drill: e.DrillBegun | None, lease: Path) -> None:
    """A drill whose driver was killed: its word is taken away, so that its fault ends now, and the ledger says so."""
    word = read_lease(lease)
    if word is not None and lives(word.driver):
        return
    lease.unlink(missing_ok=True)
    if drill is not None and (word is not None or time.time() >= moment(drill.until).timestamp()):
        ledger.append([_aborted(drill.service, drill.drill, drill.fault, "its driver left without a word")])


def abort(ledger: Ledger, lease: Path, person: Person) -> DrillLease:
    """End the drill that runs, at once. Raises: Refused: none runs."""
    word = read_lease(lease)
    if word is None:
        raise Refused("no drill runs here", hint="flyball status tells of the home by --home or FLYBALL_HOME")
    lease.unlink(missing_ok=True)  # whatever reads it stops now; so does its driver, who ends the rest
    if not lives(word.driver):
        why = f"{person.name} aborted it; its driver was gone"
        ledger.append([_aborted(word.service, word.drill, word.fault, why)])
    return word


def lives(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _aborted(service: str, drill: str, fault: str, why: str) -> e.DrillEnded:
    return e.DrillEnded(service=ServiceName(service), drill=drill, fault=fault, outcome="aborted", why=why)
