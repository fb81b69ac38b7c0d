"""The gateway's own authority: to set the weight of a candidate, or of an arm, to 0, never to raise one. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from flyball.core.clock import timestamp
from flyball.core.ports import Judge
from flyball.core.routing import ArmStop, Routing, StepCounts, Stopped, Verdict
from flyball.serving.routing.beside_champion import beside_champion


def told_to_stop(
    judge: Judge,
    ordered: Routing,
    stopped: Stopped | None,
    *,
    counts: Callable[[Routing], StepCounts],
    first: Callable[[Routing], float | None],
    at: float,
) -> Stopped | None:
    """What the judge's word comes to; None: nothing new.

    Args: ordered: the table as it was ordered. stopped: what was stopped of it before. counts: of a table. first: when
        another arm than the champion answered first, None: never. at: now, both in seconds since the epoch.
    """
    if ordered.guardrails is None:
        return None
    if ordered.arms:
        return _arms_stopped(judge, ordered, stopped, counts=counts, first=first, at=at)
    if stopped is not None or ordered.candidate is None:
        return None
    seen = counts(ordered)
    return stopped_by(judge(ordered, seen), ordered, seen, at=at, first=first(ordered))


def stopped_by(
    verdict: Verdict, routing: Routing, counts: StepCounts, *, at: float, first: float | None
) -> Stopped | None:
    """What the gateway does about a verdict: on ROLL_BACK the candidate goes; any other kind is the controller's.

    Args: at: now. first: when the candidate answered first, None: never. Both in seconds since the epoch.
    """
    if verdict.kind != "ROLL_BACK" or routing.rollout is None:
        return None
    return Stopped(
        rollout=routing.rollout,
        epoch=routing.epoch,
        verdict=verdict,
        counts=counts,
        at=timestamp(datetime.fromtimestamp(at, UTC)),
        seconds=at - first if first is not None else 0.0,
    )


def effective(routing: Routing, stopped: Stopped | None) -> Routing:
    """The table that is obeyed: once a rollout is stopped its candidate gets neither weight nor mirrored rows; of an
    A/B test the buckets of arms that were stopped are the champion's."""
    if stopped is None or stopped.rollout != routing.rollout:
        return routing
    if routing.arms:
        gone = {each.arm for each in stopped.arms}
        arms = tuple(msgspec.structs.replace(arm, buckets=()) if arm.name in gone else arm for arm in routing.arms)
        return msgspec.structs.replace(routing, arms_=arms)
    return msgspec.structs.replace(routing, weight=0, shadow=0.0)


def counted(ordered: Routing, stopped: Stopped | None) -> Routing:
    """The table whose step is counted. Of a rollout the ordered one: nothing is judged after its stop. Of an A/B test
    the one that is obeyed: the other arms go on with other shares, and that is another step."""
    return effective(ordered, stopped) if ordered.arms else ordered


def _arms_stopped(
    judge: Judge,
    ordered: Routing,
    stopped: Stopped | None,
    *,
    counts: Callable[[Routing], StepCounts],
    first: Callable[[Routing], float | None],
    at: float,
) -> Stopped | None:
    """Each arm that goes on is judged beside the champion alone; those that go are added to those that have gone."""
    before = stopped.arms if stopped is not None and stopped.rollout == ordered.rollout else ()
    gone = {each.arm for each in before}
    table = counted(ordered, stopped)
    seen = counts(table)
    found = []
    for arm in ordered.arms:
        if arm.name in gone:
            continue
        verdict = judge(*beside_champion(table, seen, arm.name))
        if (one := stopped_by(verdict, ordered, seen, at=at, first=first(ordered))) is not None:
            verdict = msgspec.structs.replace(verdict, reason=f"arm {arm.name}: {verdict.reason}")
            found.append(
                (one, ArmStop(arm=arm.name, release=arm.release, verdict=verdict, at=one.at, seconds=one.seconds))
            )
    if not found:
        return None
    newest, last = found[-1]
    return msgspec.structs.replace(newest, verdict=last.verdict, arms_=(*before, *(each for _, each in found)))
