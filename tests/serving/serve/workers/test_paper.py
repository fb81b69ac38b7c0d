"""A disk that is full or hangs: weight is taken from a candidate all the same, and given to nobody."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.serving.parts import routing
from tests.serving.serve.workers.test_supervisor import roll_back, shop
from tests.serving.stage import PATIENCE_S

from flyball.adapters.clock import SystemClock
from flyball.adapters.messages.gateway_socket import waiting
from flyball.core.errors import StaleEpoch, Unavailable
from flyball.core.ids import Epoch
from flyball.core.ports import Judge
from flyball.core.routing import Routing, StepCounts, Verdict
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.workers import paper as papers
from flyball.serving.serve.workers import supervisor as supervisors
from flyball.serving.serve.workers.body import OneProcess
from flyball.serving.serve.workers.paper import Paper
from flyball.serving.serve.workers.supervisor import Supervisor
from flyball.serving.serve.workers.table import Table, read_table, write_table

LOADED = routing(weight=5000, epoch=Epoch(1))
LOWERED = routing(weight=0, epoch=Epoch(3))
RAISED = routing(weight=7000, epoch=Epoch(2))


def go_on(routing: Routing, counts: StepCounts) -> Verdict:
    return Verdict(kind="HOLD", reason="all is well")


class Disk:
    """The real one, until it is told to hang or to refuse."""

    def __init__(self) -> None:
        self.free, self.full = threading.Event(), False
        self.free.set()
        self.entered = threading.Event()  # somebody waits for it

    def __call__(self, folder: Path, table: Table) -> None:
        self.entered.set()
        assert self.free.wait(PATIENCE_S)
        if self.full:
            raise OSError(28, "No space left on device")
        write_table(folder, table)


class Rig:
    """A supervisor of one service over this disk."""

    def __init__(self, folder: Path, judge: Judge = go_on) -> None:
        self.disk, self.said, self.folder = Disk(), list[str](), folder / "shop"
        self.served: Served = shop()
        bodies, folders = {"shop": OneProcess(self.served)}, {"shop": self.folder}
        self.supervisor = Supervisor(bodies, folders, judge, SystemClock(), self.said.append, write=self.disk)

    @property
    def weight(self) -> int:
        """In force."""
        assert self.served.core.routing is not None
        return self.served.core.routing.weight

    def written(self) -> Table:
        table = read_table(self.folder)
        assert table is not None
        return table

    async def settled(self) -> None:
        """The next ticks are here: the disk has what is in force."""
        paper = self.supervisor._paper("shop")
        async with asyncio.timeout(PATIENCE_S):
            while not paper._settled():
                paper.catch_up()
                await paper.settled(PATIENCE_S)


def told(story: Callable[[Rig], object], rig: Callable[[], Rig]) -> None:
    async def run() -> None:
        made = rig()
        await made.supervisor.apply("loaded", LOADED)
        await story(made)  # type: ignore[misc]
        made.disk.free.set()
        await made.served.arms.close()

    asyncio.run(run())


def test_a_full_disk_does_not_keep_weight_from_being_lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "LOWERED_S", PATIENCE_S)  # so that the disk has said that it is full

    async def story(rig: Rig) -> None:
        rig.disk.full = True
        await rig.supervisor.apply("lowered", LOWERED)
        assert rig.weight == 0
        assert rig.written().routing == LOADED
        assert any("cannot be written" in line for line in rig.said)
        await rig.supervisor.apply("lowered", LOWERED)  # the same order again is the same order
        rig.disk.full = False
        await rig.settled()
        assert rig.written().routing == LOWERED
        assert rig.written().keys == ("loaded", "lowered")

    told(story, lambda: Rig(tmp_path))


def test_a_disk_that_hangs_delays_neither_the_lowering_nor_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisors, "LOWERED_S", 0.01)

    async def story(rig: Rig) -> None:
        rig.disk.free.clear()
        await rig.supervisor.apply("lowered", LOWERED)
        assert (rig.weight, rig.written().routing) == (0, LOADED)
        rig.disk.free.set()
        await rig.settled()
        assert rig.written().routing == LOWERED

    told(story, lambda: Rig(tmp_path))


def test_the_judges_stop_waits_for_no_disk_either(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.disk.free.clear()
        assert rig.supervisor.observe("shop").stopped is not None
        assert rig.weight == 0
        assert rig.written().stopped is None
        assert list(waiting(rig.folder / "spool")) == []
        rig.disk.free.set()
        await rig.settled()
        assert rig.written().stopped is not None
        assert [fact.rollout for _, fact in waiting(rig.folder / "spool")] == ["ro-1"]
        assert len([line for line in rig.said if "stopped" in line]) == 1

    told(story, lambda: Rig(tmp_path, roll_back))


def test_weight_is_not_raised_before_the_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "AHEAD_S", PATIENCE_S)

    async def story(rig: Rig) -> None:
        rig.disk.full = True
        with pytest.raises(OSError, match="No space"):
            await rig.supervisor.apply("raised", RAISED)
        rig.disk.full = False
        rig.disk.free.clear()
        monkeypatch.setattr(papers, "AHEAD_S", 0.01)
        with pytest.raises(Unavailable, match="the table of shop"):
            await rig.supervisor.apply("raised", RAISED)
        assert rig.weight == 5000
        rig.disk.free.set()  # too late: what is in force is written over it
        await rig.settled()
        assert rig.written().routing == LOADED

    told(story, lambda: Rig(tmp_path))


def test_a_lowering_overtakes_a_raise_that_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "LOWERED_S", 0.01)

    async def story(rig: Rig) -> None:
        rig.disk.free.clear()
        rig.disk.entered.clear()
        raising = asyncio.create_task(rig.supervisor.apply("raised", RAISED))
        async with asyncio.timeout(PATIENCE_S):
            while not rig.disk.entered.is_set():
                await asyncio.sleep(0.001)
        lowering = asyncio.create_task(rig.supervisor.apply("lowered", LOWERED))
        await asyncio.sleep(0)
        assert rig.weight == 0
        rig.disk.free.set()
        with pytest.raises(StaleEpoch):
            await raising
        await lowering
        await rig.settled()
        assert (rig.weight, rig.written().routing) == (0, LOWERED)

    told(story, lambda: Rig(tmp_path))


def test_a_stop_that_was_written_is_left_again_and_not_told_again(tmp_path: Path) -> None:
    said: list[str] = []
    stopped = Rig(tmp_path, roll_back)

    async def before(rig: Rig) -> None:
        assert rig.supervisor.observe("shop").stopped is not None
        await rig.settled()

    told(before, lambda: stopped)
    (fact,) = (stopped.folder / "spool").glob("stopped-*.json")
    fact.unlink()  # the controller took it, or a kill came before it was left

    async def again() -> None:
        paper = Paper("shop", stopped.folder, Complaints(said.append))
        assert paper.read() == stopped.written()
        await paper.settled(PATIENCE_S)

    asyncio.run(again())
    assert fact.exists()
    assert said == []
