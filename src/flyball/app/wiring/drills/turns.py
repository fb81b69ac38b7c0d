"""One drill after the other: what cannot be made here is left out, and each begins on a service that is well.

What the one before has left goes by itself: a relief is held for a while, and a remedy has its time to help. On the
drill's own service that is waited for as part of the drill, and mended by hand where it does not go; on one that others
use it is waited for between two drills, by nobody's hand.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.app.drills.fault import DrillFault, Stage
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.lease import standing_word, take_away
from flyball.app.drills.may import obstacles
from flyball.app.drills.report import DrillRow, LeftOut
from flyball.app.people import Person, approve, may, reject
from flyball.app.subjects import Reading
from flyball.app.wiring.drills.driver import QUIET_S, Driver
from flyball.app.wiring.drills.underway import aborted
from flyball.control.drilling import spent
from flyball.control.explained import TRACES_S
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import NotFound, Refused, Unavailable
from flyball.core.ledger import Entry, Ledger
from flyball.core.record import Record

Word = Callable[[Ledger, str, Person, str], Sequence[Entry]]
OWN_WITHIN_S, RUNNING_WITHIN_S = 60.0, 600.0
WATCHED_S = 1_200.0  # of a running service's recovery: the objective of 15 minutes, and 5 to be sure that it is over
CALM_WITHIN_S = TRACES_S  # of a running service, before its next drill
LOOK_S = 0.5
OVER = "the drill is over"
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
        """What was made, and what was not. Raises: Refused, Unavailable: something stands against the first, or
        it cannot be made ready."""
        rows: list[DrillRow] = []
        left_out: list[LeftOut] = []
        for place, name in enumerate(wanted.faults):
            fault = FAULTS[name]
            if why := self._stage.why_not().get(name):
                left_out.append(LeftOut(fault=name, why=why))
                continue
            try:
                if rows and not self._own:
                    await self._calm(fault)
                self._ready()
                row = await self._one(fault, wanted)
            except Refused as error:
                if not rows:
                    raise
                left_out += _not_made(wanted.faults[place:], f"{error}, when its turn came")
                break
            except Unavailable as error:  # what this one needs could not be made ready; the others may do without
                if not rows:
                    raise
                left_out += _not_made((name,), str(error))
                continue
            rows.append(row)
            if row.outcome == "aborted":
                left_out += _not_made(wanted.faults[place + 1 :], f"{name} was aborted before it")
                break
        return tuple(rows), tuple(left_out)

    async def _one(self, fault: DrillFault, wanted: Wanted) -> DrillRow:
        within_s = wanted.within_s or (OWN_WITHIN_S if self._own else RUNNING_WITHIN_S)
        if not self._own and fault.running_s is not None:
            within_s = min(within_s, fault.running_s)
        share = fault.share if wanted.share is None else wanted.share
        self._say(f"{fault.name}: {fault.what}, on {share:.0%} of the traffic at most")
        mended = self._mended if self._own else None
        watched_s = None if self._own or wanted.within_s else WATCHED_S
        row = await self._driver.drill(
            fault, self._ids.new("dr"), share=share, within_s=within_s, watched_s=watched_s, mended=mended
        )
        seen = "not seen" if row.detected_s is None else f"seen after {row.detected_s:.1f} s ({row.detected_by})"
        over = "not over" if row.recovered_s is None else f"over after {row.recovered_s:.1f} s"
        how = "aborted; " if row.outcome == "aborted" else ""
        self._say(f"{fault.name}: {how}{seen}, {over}, {row.answers_failed} answers failed")
        return row

    def _ready(self) -> None:
        """Raises: as `ready`."""
        ready(self._ledger, self._reading, self._stage.service, self._driver.lease, self._person, own=self._own)

    async def _calm(self, fault: DrillFault) -> None:
        """On a service that others use nobody mends what the drill before has left: it goes by itself, or stands for
        longer than the traces of a drill may, and then it counts against the next one."""
        deadline, said = time.monotonic() + CALM_WITHIN_S, ""
        while time.monotonic() < deadline:
            state = self._state()
            left = obstacles(state, time.time(), strikes=False)
            if not left or any(spent(state)):  # a budget that is spent comes back in days
                return
            if (waits := "; ".join(left)) != said:
                self._say(f"{fault.name} waits, {CALM_WITHIN_S / 60:.0f} min at most: {waits}")
                said = waits
            await asyncio.sleep(LOOK_S)

    async def _mended(self) -> str:
        """What a person had to do before the drill's own service was well again, but for the drill; empty: nothing."""
        deadline = time.monotonic() + QUIET_S
        state = self._state()
        while time.monotonic() < deadline:
            alone = replace(state, healing=replace(state.healing, drill=None))
            if not obstacles(alone, time.time()) and not state.signals.keys() & _CALLING:
                return ""
            await asyncio.sleep(LOOK_S)
            state = self._state()
        done: list[str] = []
        if state.incident is not None:
            done += self._by_hand(approve, state.incident.incident, "the data were accepted")
        if state.rollout is not None:
            done += self._by_hand(reject, state.rollout.rollout, "the rollout was rejected")
        return "; ".join(done)

    def _by_hand(self, word: Word, subject: str, done: str) -> list[str]:
        """What was done, or why it could not be; nothing where it was over by itself a moment ago."""
        try:
            return [done] if word(self._ledger, subject, HAND, OVER) else []
        except NotFound:
            return []
        except Refused as error:
            return [f"not mended: {error}"]

    def _state(self) -> ServiceState:
        return self._reading.states()[self._stage.service]


def _not_made(faults: Sequence[str], why: str) -> list[LeftOut]:
    return [LeftOut(fault=name, why=why, refused=True) for name in faults]


_CALLING = frozenset({"error", "latency", "capture", "quality"})  # signals that the next drill would be taken for


def ready(
    ledger: Ledger, reading: Reading, service: str, lease: Path, person: Person, *, own: bool, strikes: bool = True
) -> None:
    """Whether a drill may begin. `own`: the service is the drill's own. `strikes`: as in `obstacles`.

    Raises: Refused: the service is not well, or a drill runs. NotAllowed: the person may not. NotFound: no such one.
    """
    if not own:
        may(reading.find(service)[1], person, ("operator", "approver"))
    drill = reading.states()[service].healing.drill
    end_left_over(ledger, drill, lease)
    against = obstacles(reading.states()[service], time.time(), strikes=strikes)
    if not against and (word := standing_word(lease)) is not None:  # its driver lives
        against = (f"drill {word.drill} ({word.fault}) of {word.service} runs here",)
    if against:
        raise Refused(
            f"{service} is not drilled now: {'; '.join(against)}",
            hint=f"flyball status {service}",
        )


def end_left_over(ledger: Ledger, drill: e.DrillBegun | None, lease: Path) -> None:
    """A drill whose driver was killed: its word is taken away, so that its fault ends now, and the ledger says so."""
    word = standing_word(lease)
    if word is not None and lives(word.driver):
        return
    take_away(lease)
    if drill is not None and (word is not None or time.time() >= moment(drill.until).timestamp()):
        ledger.append([aborted(drill.service, drill.drill, drill.fault, "its driver left without a word")])


def abort(ledger: Ledger, lease: Path, person: Person) -> DrillLease:
    """End the drill that runs, at once. Raises: Refused: none runs."""
    word = standing_word(lease)
    if word is None:
        raise Refused("no drill runs here", hint="flyball status tells of the home by --home or FLYBALL_HOME")
    take_away(lease)  # whatever reads it stops now; so does its driver, who ends the rest
    if not lives(word.driver):
        why = f"{person.name} aborted it; its driver was gone"
        ledger.append([aborted(word.service, word.drill, word.fault, why)])
    return word


def lives(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
