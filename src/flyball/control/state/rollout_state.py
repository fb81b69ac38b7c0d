"""Where a rollout stands: a fold over its facts."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ids import ReleaseRoot, RolloutId
from flyball.core.metric_evidence import MetricTrial
from flyball.core.record import Record
from flyball.core.rollout_power import Power
from flyball.core.routing import Routing, Verdict
from flyball.decide.evidence import valid


class StepState(Record):
    """The running step of a rollout."""

    index: int
    kind: str
    key: str  # of the order to the gateway
    routing: Routing
    started_at: str
    first_epoch: int  # of the routing that it began with; others follow where its shares change
    applied: bool = False
    refused: str | None = None  # why the gateway will not have it
    verdict: Verdict | None = None


class RolloutState(Record):
    """A rollout that is open."""

    rollout: str
    release: str
    champion: str
    policy: str
    salt: str
    reason: str
    opened_at: str
    exceptions: tuple[str, ...] = ()  # that it stands on
    power: Power | None = None  # what was foretold of its steps; None: nobody looked
    drill: str = ""  # whose candidate it tries: it goes back with the drill at the latest
    weak: tuple[str, ...] = ()  # names of its steps that cannot answer in their time, accepted by somebody
    step: StepState | None = None
    asked: e.ApprovalRequested | None = None
    approvals: tuple[e.ApprovalGiven, ...] = ()  # of exactly what is asked for, one a person
    approved: e.ApprovalGiven | None = None  # the one that made the quorum
    rejected: e.ApprovalRejected | None = None
    paused: e.RolloutPaused | None = None
    skipped: tuple[e.StepSkipped, ...] = ()  # steps that a person ended, in their order
    verdicts: tuple[tuple[int, Verdict], ...] = ()  # the closing verdict of each step passed
    rolled_back: e.RolledBack | None = None
    weights: tuple[tuple[int, int], ...] = ()  # of each routing: its epoch, and the candidate's share of 10,000


def advanced(rollout: RolloutState | None, fact: e.AnyFact, at: str) -> RolloutState | None:
    """One fact further. A fact of another rollout changes nothing."""
    if isinstance(fact, e.RolloutOpened):
        return RolloutState(
            rollout=fact.rollout,
            release=fact.release,
            champion=fact.champion,
            policy=fact.policy,
            salt=fact.salt,
            reason=fact.reason,
            opened_at=at,
            exceptions=fact.exceptions,
            drill=fact.drill,
            power=fact.power.verdict if fact.power is not None else None,
            weak=tuple(each.step for each in fact.power.steps) if fact.power is not None else (),
        )
    if rollout is None:
        return None
    match fact:
        case e.StepStarted():
            again = rollout.step if rollout.step and rollout.step.index == fact.step else None  # with other shares
            step = StepState(
                index=fact.step,
                kind=fact.kind,
                key=fact.key,
                routing=fact.routing,
                started_at=again.started_at if again else at,
                first_epoch=again.first_epoch if again else fact.routing.epoch,
            )
            weights = (*rollout.weights, (fact.routing.epoch, fact.routing.weight))
            return replace(rollout, step=step, weights=weights)
        case e.RoutingApplied() | e.RoutingRefused() | e.StepJudged() if rollout.step is not None:
            return _in_step(rollout, rollout.step, fact)
        case e.ApprovalRequested():
            return replace(rollout, asked=fact, approved=None, approvals=())
        case e.ApprovalGiven() if fact.rollout == rollout.rollout and _in_time(rollout, at):
            return _approved(rollout, fact)
        case e.ApprovalRejected() if fact.rollout == rollout.rollout:
            return replace(rollout, rejected=fact)
        case e.RolloutPaused() if fact.rollout == rollout.rollout:
            return replace(rollout, paused=fact)
        case e.RolloutResumed() if fact.rollout == rollout.rollout:
            return replace(rollout, paused=None)
        case e.StepSkipped() if fact.rollout == rollout.rollout:
            return replace(rollout, skipped=(*rollout.skipped, fact))
        case e.RolledBack():
            return replace(rollout, rolled_back=fact)
        case e.RolloutClosed():
            return None
        case _:
            return rollout


def trial_of(rollout: RolloutState | None) -> MetricTrial | None:
    """What the monitor has to know of a running rollout to compare its arms; None: no step has begun."""
    if rollout is None or rollout.step is None:
        return None
    return MetricTrial(
        rollout=RolloutId(rollout.rollout),
        candidate=ReleaseRoot(rollout.release),
        epoch=rollout.step.first_epoch,
        weights=dict(rollout.weights),
    )


def _approved(rollout: RolloutState, given: e.ApprovalGiven) -> RolloutState:
    """A person's word counts once, and only of what is asked for now. The policy's is enough where nobody is asked."""
    asked = rollout.asked
    if asked is None or not valid(given, asked) or any(one.by == given.by for one in rollout.approvals):
        return rollout
    if given.proof == "policy":
        return replace(rollout, approved=given) if asked.alone else rollout
    approvals = (*rollout.approvals, given)
    return replace(rollout, approvals=approvals, approved=given if len(approvals) >= asked.quorum else None)


def _in_time(rollout: RolloutState, at: str) -> bool:
    """What came after the request had expired approves nothing."""
    return rollout.asked is None or moment(at) <= moment(rollout.asked.expires_at)


def _in_step(
    rollout: RolloutState, step: StepState, fact: e.RoutingApplied | e.RoutingRefused | e.StepJudged
) -> RolloutState:
    match fact:
        case e.RoutingApplied(key=key) if key == step.key:
            return replace(rollout, step=replace(step, applied=True))
        case e.RoutingRefused(key=key, error=error) if key == step.key:
            return replace(rollout, step=replace(step, refused=error))
        case e.StepJudged(step=index, verdict=verdict) if index == step.index:
            judged = replace(step, verdict=verdict)
            return replace(rollout, step=judged, verdicts=(*rollout.verdicts, (index, verdict)))
        case _:
            return rollout
