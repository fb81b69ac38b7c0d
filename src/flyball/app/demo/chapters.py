"""The chapters of the demo but the last: two good releases, a death, two bad ones. Each sees, or raises `NotSeen`."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flyball.app.demo.observe import NotSeen
from flyball.app.demo.report import Kill, Rollback
from flyball.app.demo.rollouts import (
    answers,
    applied,
    approved,
    gone,
    live_steps,
    offered,
    promoted,
    step,
)
from flyball.app.demo.world import Config, World
from flyball.core import events as e
from flyball.core.ids import short

SECOND: Config = {"trees": 60, "leaves": 6}
FAULTY: dict[str, Config] = {
    "errors": {"trees": 70, "leaves": 6, "fault": "errors"},
    "slow": {"trees": 80, "leaves": 6, "fault": "slow"},
}


async def first_release(world: World) -> str:
    """Train with no champion: the release that passes its gates serves at once. Returns its root."""
    chapter = "first release"
    world.tell(chapter, "a table of transactions is generated; flyball train")
    trained = await world.processes.train(world.service_file)
    root: str = trained["release"]
    await world.follow.until(
        e.ChampionAppointed,
        lambda fact: fact.release == root and fact.previous is None,
        what="the first release to become champion",
    )
    auc = trained["metrics"]["roc_auc"]["value"]
    world.tell(chapter, f"release {short(root)} passed its gates and is champion", release=root, roc_auc=round(auc, 4))
    return root


async def traffic_begins(world: World, champion: str) -> None:
    """Clients get answers of the champion."""
    await answers(world, champion, 200)
    world.tell("first release", f"clients are answered at {world.traffic.rate:g} requests a second")


async def second_release(world: World) -> str:
    """Another configuration through shadow, approval and canary to promotion; the controller dies on the way."""
    chapter = "second release"
    rollout = await offered(world, chapter, SECOND)
    await approved(world, chapter, rollout)
    canary = await step(world, rollout, "canary", world.follow.seq_of(rollout))
    world.tell(chapter, f"canary: {canary.routing.weight / 100:g} % of the cards meet the new release")
    await controller_dies(world, rollout, canary)
    await promoted(world, chapter, rollout)
    return rollout.release


async def controller_dies(world: World, rollout: e.RolloutOpened, canary: e.StepStarted) -> None:
    """`kill -9` in the middle of a canary step: clients notice nothing, and a new controller moves the rollout on."""
    chapter = "controller killed"
    pid = world.processes.pid("controller")
    if pid is None:
        raise NotSeen("a controller that runs")
    world.follow.catch_up()
    before, began, counts = world.follow.seq, world.now(), world.traffic.counts
    answered, failed = counts.answered, counts.failed
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    world.tell(chapter, f"kill -9 {pid}, during the canary at {canary.routing.weight / 100:g} %", pid=pid)
    new = await world.follow.wait(
        lambda: ((found := world.processes.pid("controller")) != pid and found) or None, what="a new controller"
    )
    moved = await world.follow.until(
        e.StepJudged,
        lambda fact: fact.rollout == rollout.rollout,
        what="the new controller to move the rollout on",
        after=before,
        within_s=60.0,
        unless=lambda fact: "the rollout ended" if isinstance(fact, e.RolloutClosed) else None,
    )
    seen = Kill(
        during=f"canary at {canary.routing.weight / 100:g} %",
        answered=counts.answered - answered,
        failed=counts.failed - failed,
        seconds=round(world.now() - began, 1),
    )
    if not seen.answered:
        raise NotSeen("requests answered while there was no controller")
    world.report.kill = seen
    world.tell(
        chapter,
        f"{seen.answered} requests answered meanwhile, {seen.failed} failed; after {seen.seconds:g} s process {new} "
        f"took the rollout up at step {moved.step}",
        answered=seen.answered,
        failed=seen.failed,
        seconds=seen.seconds,
    )


async def faulty_release(world: World, cause: str) -> None:
    """A candidate that is sound until it takes live traffic; the gateway takes it back by itself."""
    chapter = {"errors": "a release that fails", "slow": "a release that is slow"}[cause]
    rollout = await offered(world, chapter, FAULTY[cause], cause)
    await approved(world, chapter, rollout)
    after = world.follow.seq_of(rollout)
    canary = await step(world, rollout, "canary", after)
    async with planted(world, cause):
        world.tell(chapter, f"canary: {canary.routing.weight / 100:g} % of the cards; now its planted fault shows")
        begin = world.now()
        back = await world.follow.until(
            e.RolledBack,
            lambda fact: fact.rollout == rollout.rollout,
            what="the candidate to be rolled back",
            after=after,
            within_s=60.0,
            unless=lambda fact: "it was promoted" if isinstance(fact, e.ChampionAppointed) else None,
        )
        recorded = world.now()
        await applied(world, back.epoch, after)
        await gone(world, rollout.release)
    if len(live_steps(world, rollout)) != 1:
        raise NotSeen("a candidate that is caught in its first canary step")
    _told(world, chapter, cause, back, world.traffic.failed_between(begin, recorded))


def _told(world: World, chapter: str, cause: str, back: e.RolledBack, failed: int) -> None:
    """The rollback as the ledger and the clients saw it. Raises: NotSeen: it is not the one that was planted."""
    counts = back.counts
    if back.cause != cause or back.by != "gateway" or counts is None:
        raise NotSeen(f"a rollback by the gateway for {cause}: it was by {back.by} for {back.cause}")
    mine = counts.rollout_candidate
    seen = Rollback(
        cause=back.cause,
        requests=mine.requests,
        seconds=round(back.seconds, 2),
        failed_answers=max(failed, mine.failed),
        events=mine.errors if cause == "errors" else mine.slow,
        stood_in=world.traffic.arm(back.release, "candidate").stood_in,
        by=back.by,
    )
    world.report.rollbacks.append(seen)
    what = "errors" if cause == "errors" else "slow answers"
    world.tell(
        chapter,
        f"the gateway took it back after {seen.requests} of its requests and {seen.seconds:g} s: {seen.events} {what}, "
        f"{seen.failed_answers} clients without an answer",
        requests=seen.requests,
        seconds=seen.seconds,
        failed_answers=seen.failed_answers,
    )


@asynccontextmanager
async def planted(world: World, cause: str) -> AsyncIterator[None]:
    """The fault shows while the block runs."""
    switch = world.faults / cause
    switch.touch()
    try:
        yield
    finally:
        switch.unlink()
