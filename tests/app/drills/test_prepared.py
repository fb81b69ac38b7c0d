"""What is made ready before a fault can be aborted, and neither that nor the watch after it leaves a word behind."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from tests.control.world import NAME

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.judge import Judged
from flyball.app.drills.lease import read_lease, standing_word
from flyball.app.people import Person
from flyball.app.wiring.drills.driver import Driver, Watch
from flyball.app.wiring.drills.turns import abort
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import Refused, Unavailable
from flyball.registry import chain

ADA = Person(name="ada", proof="os_user")


class Place:
    """As much of a stage as this needs."""

    service = NAME


def driver(place: Path) -> tuple[Driver, MemoryLedger]:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    stage: Any = Place()
    return Driver(stage, ledger, place / "drill.json", ADA, lambda: None), ledger  # type: ignore[arg-type,return-value]


def test_an_abort_reaches_a_drill_that_is_only_being_prepared(tmp_path: Path) -> None:
    """Red before: `flyball drill abort` said that no drill runs, and the candidate went live."""
    made, ledger = driver(tmp_path)

    async def story() -> None:
        begun = asyncio.Event()

        async def for_ever(_: Any) -> None:
            begun.set()
            await asyncio.Event().wait()

        preparing = asyncio.ensure_future(made._prepared(for_ever, FAULTS["bad_candidate"], "dr-1"))
        await begun.wait()
        word = read_lease(made.lease)
        assert word is not None
        assert not word.strikes({"card": "drill-001"}), "it strikes nothing yet"
        assert abort(ledger, made.lease, ADA).drill == "dr-1"
        with pytest.raises(Refused, match="aborted"):
            await asyncio.wait_for(preparing, 60)

    asyncio.run(story())
    assert read_lease(made.lease) is None


def test_what_cannot_be_prepared_leaves_no_word(tmp_path: Path) -> None:
    made, _ = driver(tmp_path)

    async def away(_: Any) -> None:
        raise Unavailable("no gateway")

    with pytest.raises(Unavailable, match="no gateway"):
        asyncio.run(made._prepared(away, FAULTS["bad_candidate"], "dr-1"))
    assert read_lease(made.lease) is None


def word() -> DrillLease:
    until = time.time() + 60
    return DrillLease(drill="dr-1", fault="latency", service=NAME, share=0.1, until=until, driver=os.getpid())


class NeverOver(Watch):
    """A fault that was ended and whose traces do not go."""

    def __init__(self) -> None: ...

    def _look(self) -> None:
        self.found = Judged(detected_s=1.0)


def test_whoever_is_not_aborted_waits_to_the_end_and_leaves_no_word(tmp_path: Path) -> None:
    made, _ = driver(tmp_path)

    async def story() -> bool:
        return await made._recovering(NeverOver(), word(), 0.5)

    assert not asyncio.run(story())
    assert standing_word(made.lease) is None
