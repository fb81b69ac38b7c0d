"""`flyball drill abort` of a drill whose driver lives: it stops at its next look, under the fault and after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.app.drills.test_lease import ADA, ended
from tests.control.world import FIRST, NAME, first_champion

from flyball.adapters.clock import SystemClock
from flyball.adapters.drill_word import DrillWord
from flyball.adapters.ledger.memory import MemoryLedger
from flyball.app.drills.clients import Clients
from flyball.app.drills.fault import DrillFault, Stage
from flyball.app.drills.lease import lease_path, standing_word
from flyball.app.drills.report import DrillRow
from flyball.app.drills.watchers import Watchers
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.drills import driver as driving
from flyball.app.wiring.drills.driver import POLL_S, Driver, Watch
from flyball.app.wiring.drills.turns import abort
from flyball.core import events as e
from flyball.core.watching import Signal
from flyball.registry import chain

HOUR_S = 3600.0
DRIFT = e.SignalRaised(
    service=NAME,
    signal=Signal(
        signal="psi", level="act", value=0.4, limit=0.25, release=FIRST, window=1, first_row=0, last_row=9, feature="a"
    ),
)


class Story:
    """A real driver, word and ledger; the fault is one that only the ledger tells of."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder).made()
        self.ledger = MemoryLedger(sealer=chain, clock=SystemClock())  # the driver looks at the time of day, too
        self.ledger.append(first_champion())
        self.begun, self.over = asyncio.Event(), asyncio.Event()
        self.seen: tuple[e.AnyFact, ...] = ()
        self.word = DrillWord(lease_path(self.home), NAME, look_s=0.0)

    @asynccontextmanager
    async def inject(self, _: Stage, __: float) -> AsyncIterator[None]:
        self.ledger.append(self.seen)
        self.begun.set()
        try:
            yield
        finally:
            self.over.set()

    def drill(self) -> asyncio.Task[DrillRow]:
        dice = np.random.default_rng(0)
        nobody: Any = None  # the hands of other faults
        clients = Clients("http://127.0.0.1:1", NAME, nobody, dice, rate=1.0, honest=True, key=None)
        stage = Stage(
            service=NAME,
            contract=nobody,
            label="label",
            fallback=False,
            clients=clients,
            lock_ledger=nobody,
            workers=dict,
            bad_key=str,
            offer=nobody,
            shift=nobody,
            why_not=dict,
            aim=lambda word: word,
        )
        made = Driver(stage, self.ledger, lease_path(self.home), ADA, lambda: Watchers(self.home, kept_at=lambda: None))
        fault = DrillFault(name="latency", what="a fault", share=0.1, told_by=("signal/psi",), inject=self.inject)
        return asyncio.ensure_future(made.drill(fault, "dr-1", share=0.1, within_s=HOUR_S))

    async def aborted(self, drill: asyncio.Task[DrillRow]) -> tuple[DrillRow, int]:
        """The row, and how often the driver has looked since: ten times a second, where the machine lets it."""
        looks, look = list[None](), Watch._look

        def counted(watch: Watch) -> None:
            looks.append(None)
            look(watch)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Watch, "_look", counted)
            assert abort(self.ledger, lease_path(self.home), ADA).drill == "dr-1"
            return await asyncio.wait_for(drill, 60), len(looks)


def is_over(ledger: MemoryLedger, home: Home) -> bool:
    """With one word of its end, and nothing left behind."""
    outcomes = [each.outcome for each in ended(ledger)]
    return (outcomes, states_of(ledger)[NAME].healing.drill, standing_word(lease_path(home))) == (
        ["aborted"],
        None,
        None,
    )


def test_under_the_fault_it_takes_the_fault_back_and_ends(tmp_path: Path) -> None:
    async def told() -> None:
        story = Story(tmp_path)
        drill = story.drill()
        await asyncio.wait_for(story.begun.wait(), 60)
        assert story.word() is not None
        row, looks = await story.aborted(drill)
        assert (row.outcome, row.automatic, story.over.is_set(), story.word()) == ("aborted", False, True, None)
        assert (looks + 1) * POLL_S < 1.0
        assert is_over(story.ledger, story.home)

    asyncio.run(told())


def test_after_the_fault_it_ends_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red before, with the word of the fault itself: `flyball drill abort` said that no drill runs, and it ran on."""
    monkeypatch.setattr(driving, "HOLD_S", 0.0)

    async def told() -> None:
        story = Story(tmp_path)
        story.seen = (DRIFT,)
        drill = story.drill()
        await asyncio.wait_for(story.over.wait(), 60)
        assert story.word() is None, "its time is over: nothing is struck any more"
        row, looks = await story.aborted(drill)
        assert (row.outcome, row.detected_s is not None, row.recovered_s) == ("aborted", True, None)
        assert (looks + 1) * POLL_S < 1.0
        assert is_over(story.ledger, story.home)

    asyncio.run(told())
