"""Orders that only take traffic away: which they are, and that nobody who hangs keeps them from the others."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, SPLITS, arm_release, routing, split
from tests.serving.serve.workers.test_supervisor import OTHER, Choosy, shop

from flyball.adapters.clock import SystemClock
from flyball.core.errors import StaleEpoch
from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import ArmStop, Observed, Routing, StepCounts, Stopped, Verdict
from flyball.serving.orders import Prepare
from flyball.serving.routing.allotment import allotted
from flyball.serving.routing.lowering import lowers
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.workers.body import OneProcess
from flyball.serving.serve.workers.supervisor import Supervisor
from flyball.serving.serve.workers.table import Table, TableMap, read_table
from flyball.serving.serve.workers.worker import Follower

HALF = routing(weight=5000, shadow=0.5)
ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None, "salt": ""}
TABLES = st.builds(
    lambda **changes: routing(**changes),
    champion=st.sampled_from([CHAMPION, OTHER]),
    previous=st.sampled_from([PREVIOUS, None]),
    candidate=st.sampled_from([CANDIDATE, OTHER, None]),
    weight=st.sampled_from([0, 5000, 10_000]),
    shadow=st.sampled_from([0.0, 0.5]),
    rollout=st.sampled_from([RolloutId("ro-1"), RolloutId("ro-2")]),
)


@given(TABLES, TABLES)
def test_what_lowers_names_nothing_new_and_gives_no_candidate_more(held: Routing, ordered: Routing) -> None:
    if lowers(held, ordered):
        assert (ordered.champion, ordered.previous) == (held.champion, held.previous)
        assert ordered.candidate in (held.candidate, None)
        assert ordered.weight <= held.weight
        assert ordered.shadow <= held.shadow
        assert ordered.rollout == held.rollout or (ordered.weight, ordered.shadow) == (0, 0.0)
    assert lowers(held, held) == (held.candidate is not None or (held.weight, held.shadow) == (0, 0.0))
    assert lowers(held, msgspec.structs.replace(held, candidate=None, weight=0, shadow=0.0))


@given(SPLITS, SPLITS)
def test_arms_are_lowered_where_none_gets_a_bucket_more(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    held = split(*before)
    ordered = msgspec.structs.replace(held, arms_=allotted(held.arms, dict(zip("bcd", after, strict=True))))
    assert lowers(held, ordered) == all(new <= old for old, new in zip(before, after, strict=True))
    assert lowers(held, routing(**ALONE))
    assert lowers(routing(**ALONE), held) == (sum(before) == 0)
    dealt_anew = msgspec.structs.replace(ordered, rollout=RolloutId("ab-2"), salt="ab-2")
    assert lowers(held, dealt_anew) == (sum(after) == 0)


def hold(routing: Routing, counts: StepCounts) -> Verdict:
    return Verdict(kind="HOLD", reason="nothing to judge")


class Stuck:
    """A body one of whose workers never answers, once it is told to hang."""

    stopped: Stopped | None = None

    def __init__(self) -> None:
        self.followed: list[Routing] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        await self.goes_on.wait()

    def follow(self, routing: Routing, stopped: Stopped | None) -> None:
        self.followed.append(routing)

    async def settle(self) -> None:
        await self.goes_on.wait()

    def refuse(self, why: str) -> None:
        return

    async def forget(self) -> None:
        return

    def observe(self) -> Observed:
        return Observed(routing=self.followed[-1], counts=None)

    def ask_judge(self, *_: object, **__: object) -> None:
        return

    def tend(self) -> None:
        return


@pytest.mark.parametrize("changes", [{"weight": 0, "shadow": 0.0}, ALONE])
def test_an_order_to_weight_0_waits_for_no_worker_and_for_no_earlier_order(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    async def story() -> None:
        body = Stuck()
        supervisor = Supervisor({"shop": body}, {"shop": tmp_path}, hold, SystemClock(), print)
        await supervisor.apply("half", HALF)
        body.goes_on.clear()
        more = asyncio.create_task(supervisor.apply("all", routing(weight=10_000, epoch=Epoch(2))))
        await asyncio.sleep(0)
        none = routing(**({"weight": 0, "epoch": Epoch(3)} | changes))
        back = asyncio.create_task(supervisor.apply("none", none))
        for _ in range(5):
            await asyncio.sleep(0)
        assert body.followed == [HALF, none]
        assert not back.done()  # it has come into force; whether everybody goes by it is not known yet
        body.goes_on.set()
        with pytest.raises(StaleEpoch):  # and the order that was overtaken does not give it back
            await more
        await back
        await supervisor.apply("none", none)
        assert body.followed == [HALF, none]

    asyncio.run(story())


def test_a_worker_takes_a_lower_weight_that_it_was_not_prepared_for(tmp_path: Path) -> None:
    async def story() -> None:
        served, table = shop(Choosy()), TableMap(tmp_path / "map")
        follower = Follower(served, table)
        await follower.prepare(Prepare(number=1, routing=HALF))
        table.publish(Table(routing=HALF))
        follower.look()
        other = routing(champion=OTHER, previous=CHAMPION, weight=0, epoch=Epoch(2))
        await follower.prepare(Prepare(number=2, routing=other))  # an order that another worker kept back
        assert served.arms.prepared(OTHER, other) is not None
        none = routing(epoch=Epoch(3), **ALONE)
        table.publish(Table(routing=none))
        follower.look()
        assert served.core.routing == none
        assert served.arms.releases[0] == CHAMPION
        more = routing(weight=6000, epoch=Epoch(4))
        table.publish(Table(routing=more))
        follower.look()
        assert served.core.routing == none  # that one has to be loaded first
        await follower.forget()
        assert served.arms.prepared(OTHER, other) is None
        await follower.settle()
        assert served.arms.releases == (CHAMPION, PREVIOUS)
        await served.arms.close()

    asyncio.run(story())


class Preparing(OneProcess):
    """Knows for which orders it was asked to load; `sick` is whom the judge stops."""

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.prepared: list[RolloutId | None] = []
        self.sick: set[str] = set()

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        self.prepared.append(routing.rollout)
        await super().prepare(routing, patient=patient)

    def judge(self, routing: Routing, counts: StepCounts) -> Verdict:
        return Verdict(kind="ROLL_BACK" if routing.candidate in self.sick else "HOLD", reason="told so", cause="errors")


def test_a_rollout_that_gives_a_stopped_candidate_weight_is_prepared_and_on_disk_before_it_is_in_force(
    tmp_path: Path,
) -> None:
    """A controller that was down at the stop orders the next rollout without one to weight 0 in between."""

    async def story() -> None:
        body = Preparing(shop())
        body.sick = {CANDIDATE}
        supervisor = Supervisor({"shop": body}, {"shop": tmp_path}, body.judge, SystemClock(), print)
        await supervisor.apply("one", routing(weight=5000))
        assert supervisor.observe("shop").stopped is not None
        body.sick = set()
        again = routing(weight=5000, epoch=Epoch(2), rollout=RolloutId("ro-2"), salt="ro-2")
        await supervisor.apply("two", again)
        assert body.prepared == ["ro-1", "ro-2"]
        assert (on_disk := read_table(tmp_path)) is not None
        assert on_disk.routing == supervisor.observe("shop").routing == again
        await body._served.arms.close()

    asyncio.run(story())


def test_a_test_that_begins_with_an_arm_that_was_stopped_loads_it_first(tmp_path: Path) -> None:
    async def story() -> None:
        body = Preparing(shop())
        arms = body._served.arms
        body.sick = {arm_release("b")}
        supervisor = Supervisor({"shop": body}, {"shop": tmp_path}, body.judge, SystemClock(), print)
        held = split(2500, 2500)
        await supervisor.apply("held", held)
        stopped = supervisor.observe("shop").stopped
        assert stopped is not None
        assert [each.arm for each in stopped.arms] == ["b"]
        lower = msgspec.structs.replace(held, arms_=allotted(held.arms, {"c": 2000}), epoch=Epoch(2))
        await supervisor.apply("lower", lower)
        assert body.prepared == ["ab-1"]  # b is named still, and has nothing: nobody waits
        assert arms.process(arm_release("b")) is None
        body.sick = set()
        await supervisor.apply(
            "next", msgspec.structs.replace(lower, epoch=Epoch(3), rollout=RolloutId("ab-2"), salt="ab-2")
        )
        assert body.prepared == ["ab-1", "ab-2"]
        assert arms.process(arm_release("b")) is not None
        await arms.close()

    asyncio.run(story())


@pytest.mark.parametrize("same", [True, False])
def test_a_worker_takes_no_table_that_gives_a_stopped_arm_its_buckets_back(same: bool, tmp_path: Path) -> None:
    async def story() -> None:
        served, table = shop(), TableMap(tmp_path / "map")
        follower = Follower(served, table)
        held = split(2500, 2500)
        await follower.prepare(Prepare(number=1, routing=held))
        table.publish(Table(routing=held))
        follower.look()
        b = ArmStop(arm="b", release=arm_release("b"), verdict=Verdict(kind="ROLL_BACK", reason="x"), at="x")
        counts = StepCounts(service=held.service, epoch=1, rollout=held.rollout, step=None)
        stopped = Stopped(rollout=RolloutId("ab-1"), epoch=1, verdict=b.verdict, counts=counts, at="x", arms_=(b,))
        table.publish(Table(routing=held, stopped=stopped))
        await follower.settle()
        assert served.arms.process(arm_release("b")) is None
        test = RolloutId("ab-1" if same else "ab-2")
        more = msgspec.structs.replace(held, epoch=Epoch(2), rollout=test)
        table.publish(Table(routing=more, stopped=stopped if same else None))
        follower.look()
        assert served.core.routing is not None
        assert (served.core.routing.epoch == 2) == same  # of the same test: b stays stopped, nobody waits
        assert served.core.routing.arms[0].buckets == ()
        await served.arms.close()

    asyncio.run(story())
