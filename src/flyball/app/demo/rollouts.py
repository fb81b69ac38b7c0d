"""A rollout as the demo follows it, from the offer to its end, and the word of the simulated approver."""

from collections.abc import Callable

from flyball.app.demo.observe import NotSeen
from flyball.app.demo.world import SERVICE, Config, World
from flyball.core import events as e
from flyball.core.ids import short
from flyball.core.routing import WHOLE

WITHIN_S = 60.0

Unless = Callable[[e.Fact], str | None]


async def offered(world: World, chapter: str, config: Config, branch: str | None = None) -> e.RolloutOpened:
    """Train a release and see its rollout open."""
    after = world.follow.seq
    trained = await world.offer(config, branch)
    root = trained["release"]
    auc = trained["metrics"]["roc_auc"]["value"]
    world.tell(
        chapter,
        f"release {short(root)} is trained, signed and registered; all {len(trained['gates'])} gates passed",
        release=root,
        roc_auc=round(auc, 4),
    )
    return await opened(world, root, after)


async def opened(world: World, root: str, after: int) -> e.RolloutOpened:
    return await world.follow.until(
        e.RolloutOpened, lambda fact: fact.release == root, what=f"a rollout of {short(root)}", after=after
    )


async def approved(world: World, chapter: str, rollout: e.RolloutOpened) -> e.ApprovalGiven:
    """See the shadow step pass, the rollout wait for a person, and give the word."""
    after = world.follow.seq_of(rollout)
    shadow = await step(world, rollout, "shadow", after)
    asked = await world.follow.until(
        e.ApprovalRequested,
        lambda fact: fact.rollout == rollout.rollout,
        what="the rollout to ask for an approval",
        after=after,
        within_s=WITHIN_S,
        unless=ended(rollout),
    )
    judged = world.follow.find(
        e.StepJudged, lambda fact: fact.rollout == rollout.rollout and fact.step == shadow.step, after=after
    )
    if not judged or live_steps(world, rollout):
        raise NotSeen("a rollout that waits for its approval before any live traffic")
    counts = judged[-1].counts
    pairs, differing = (counts.pairs, counts.disagreements) if counts else (0, 0)
    world.tell(
        chapter,
        f"shadow: {pairs} requests answered beside the champion, {differing} of them otherwise; it waits for a person",
        pairs=pairs,
        disagreements=differing,
    )
    why = f"demo: {pairs} shadow pairs seen, evidence {short(asked.evidence)}"
    await world.follow.wait(lambda: world.approve(SERVICE, why) or None, what="a moment to write the approval")
    given = await world.follow.until(
        e.ApprovalGiven,
        lambda fact: fact.rollout == rollout.rollout and fact.evidence == asked.evidence,
        what="the approval on the ledger",
        after=after,
    )
    world.tell(chapter, f"approved by {given.by} ({given.proof})", by=given.by, proof=given.proof)
    return given


async def step(
    world: World, rollout: e.RolloutOpened, kind: str, after: int, weight: float | None = None
) -> e.StepStarted:
    """See the next step of a kind come into force at the gateway."""
    name = f"{kind} at {weight:.0%}" if weight is not None else kind
    started = await world.follow.until(
        e.StepStarted,
        lambda fact: (
            fact.rollout == rollout.rollout
            and fact.kind == kind
            and (weight is None or fact.routing.weight == round(weight * WHOLE))
        ),
        what=f"the step {name}",
        after=after,
        within_s=WITHIN_S,
        unless=ended(rollout),
    )
    await applied(world, started.routing.epoch, after)
    return started


async def applied(world: World, epoch: int, after: int) -> e.RoutingApplied:
    return await world.follow.until(
        e.RoutingApplied, lambda fact: fact.epoch == epoch, what=f"the gateway to confirm epoch {epoch}", after=after
    )


async def promoted(world: World, chapter: str, rollout: e.RolloutOpened) -> None:
    """See the canary steps pass, the release become champion, and clients get its answers as such."""
    after = world.follow.seq_of(rollout)
    await world.follow.until(
        e.ChampionAppointed,
        lambda fact: fact.release == rollout.release,
        what=f"{short(rollout.release)} to become champion",
        after=after,
        within_s=90.0,
        unless=ended(rollout),
    )
    live = sum(
        fact.counts.candidate.requests
        for fact in world.follow.find(e.StepJudged, lambda fact: fact.rollout == rollout.rollout, after=after)
        if fact.counts is not None
    )
    before = world.traffic.arm(rollout.release, "champion").answers
    await world.follow.wait(
        lambda: world.traffic.arm(rollout.release, "champion").answers > before or None,
        what=f"answers of {short(rollout.release)} as champion",
    )
    world.tell(chapter, f"canary: {live} live requests without a finding; promoted", requests=live)


def live_steps(world: World, rollout: e.RolloutOpened) -> list[e.StepStarted]:
    return world.follow.find(
        e.StepStarted, lambda fact: fact.rollout == rollout.rollout and fact.kind in ("canary", "promote")
    )


def ended(rollout: e.RolloutOpened) -> Unless:
    """Words for the end of a rollout that was to go on."""
    return lambda fact: (
        f"the rollout closed as {fact.outcome}: {fact.reason}"
        if isinstance(fact, e.RolloutClosed) and fact.rollout == rollout.rollout and fact.outcome != "promoted"
        else None
    )


async def answers(world: World, release: str, at_least: int) -> None:
    """See clients get so many answers of a champion."""
    await world.follow.wait(
        lambda: world.traffic.arm(release, "champion").answers >= at_least or None,
        what=f"{at_least} answers of {short(release)}",
    )


async def gone(world: World, release: str) -> None:
    """See that clients get nothing from a candidate any more: every request sent from now on goes elsewhere."""
    sent = world.traffic.counts.sent
    await world.follow.wait(
        lambda: world.traffic.oldest_waiting > sent or None, what="the answers that were on their way"
    )
    before, answered = world.traffic.arm(release, "candidate").answers, world.traffic.counts.answered
    await world.follow.wait(
        lambda: world.traffic.counts.answered >= answered + 100 or None, what="100 answers after the rollback"
    )
    if world.traffic.arm(release, "candidate").answers != before:
        raise NotSeen(f"no live traffic for {short(release)} after its rollback")
