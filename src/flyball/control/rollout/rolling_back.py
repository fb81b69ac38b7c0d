"""How a release goes: because the gateway stopped it, because the evidence says so, or because a person does. Pure.

Nothing here asks for approval, and a freeze does not stop it.
"""

from flyball.control.decision import Decision, Situation, order
from flyball.control.rollout.steps import settled
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName, short
from flyball.core.routing import Cause, Routing, StepCounts, Stopped, Verdict


def plan_rollback(situation: Situation) -> Decision | None:
    """The way back, if there is a reason to take it."""
    state, observed = situation.state, situation.observed
    rollout = state.rollout
    if rollout is not None:
        stopped = observed.stopped if observed else None
        if stopped is not None and stopped.rollout == rollout.rollout:
            return _stopped(state, rollout, stopped)
        if rollout.rejected is not None:
            return _vetoed(state, rollout, rollout.rejected)
        if rollout.step is not None and rollout.step.refused is not None:
            reason = f"the gateway refuses the release: {rollout.step.refused}"
            refused = Verdict(kind="ROLL_BACK", reason=reason, cause="refused")
            return _back(state, rollout, refused, by="controller", counts=None)
        verdict = situation.outlook.verdict
        if verdict is not None and verdict.kind == "ROLL_BACK":
            counts = observed.counts if observed else None
            return _back(state, rollout, verdict, by="controller", counts=counts)
        if state.rollback_ordered is not None:
            ordered = state.rollback_ordered
            cause: Cause = "health" if ordered.proof == "policy" else "none"
            verdict = Verdict(kind="ROLL_BACK", reason=f"{ordered.by}: {ordered.why}", cause=cause)
            return _back(state, rollout, verdict, by=ordered.by, counts=None)
    elif state.rollback_ordered is not None:
        return _undo(state, state.rollback_ordered)
    return None


def way_back(state: ServiceState, why: str) -> tuple[Routing, e.RoutingOrdered]:
    """The routing that gives everything to the champion, and the fact that orders it."""
    assert state.champion is not None
    routing = settled(state, champion=state.champion, previous=state.previous)
    fact = e.RoutingOrdered(service=ServiceName(state.service), key=order(routing).key, routing=routing, why=why)
    return routing, fact


def _stopped(state: ServiceState, rollout: RolloutState, stopped: Stopped) -> Decision:
    """The gateway acted by the authority that the step's start gave it; here it goes on record."""
    return _back(state, rollout, stopped.verdict, by="gateway", counts=stopped.counts, seconds=stopped.seconds)


def _vetoed(state: ServiceState, rollout: RolloutState, rejected: e.ApprovalRejected) -> Decision:
    """A person may always say no, at any step and under a freeze."""
    why = f"{rejected.by}: {rejected.why}"
    routing, ordered = way_back(state, why)
    closed = e.RolloutClosed(
        service=ServiceName(state.service), rollout=RolloutId(rollout.rollout), outcome="rejected", reason=why
    )
    return Decision(
        action="rollback",
        what=f"release {short(rollout.release)} is rejected",
        why=why,
        facts=(ordered, closed),
        commands=(order(routing),),
    )


def _back(
    state: ServiceState,
    rollout: RolloutState,
    verdict: Verdict,
    *,
    by: str,
    counts: StepCounts | None,
    seconds: float = 0.0,
) -> Decision:
    routing, ordered = way_back(state, verdict.reason)
    assert state.champion is not None
    name, service = RolloutId(rollout.rollout), ServiceName(state.service)
    rolled = e.RolledBack(
        service=service,
        rollout=name,
        release=ReleaseRoot(rollout.release),
        to=ReleaseRoot(state.champion),
        cause=verdict.cause if verdict.cause != "none" else "person",
        by=by,
        verdict=verdict,
        epoch=routing.epoch,
        counts=counts,
        seconds=seconds,
        seen_by_gateway=by == "gateway",
    )
    closed = e.RolloutClosed(service=service, rollout=name, outcome="rolled_back", reason=verdict.reason)
    return Decision(
        action="rollback",
        what=f"release {short(rollout.release)} goes back to {short(state.champion)}",
        why=verdict.reason,
        facts=(rolled, ordered, closed),
        commands=(order(routing),),
    )


def _undo(state: ServiceState, ordered: e.RollbackOrdered) -> Decision:
    """A person wants the champion itself taken back: the release before it serves again."""
    if state.previous is None or state.champion is None:
        return Decision(
            action="rollback",
            what="nothing to go back to",
            why=f"{ordered.by} asked, but no release served before this one",
        )
    routing = settled(state, champion=state.previous, previous=state.champion)
    service = ServiceName(state.service)
    facts = (
        e.RoutingOrdered(service=service, key=order(routing).key, routing=routing, why=ordered.why),
        e.ChampionAppointed(
            service=service,
            release=ReleaseRoot(state.previous),
            previous=ReleaseRoot(state.champion),
            by=ordered.by,
        ),
    )
    return Decision(
        action="rollback",
        what=f"champion {short(state.champion)} goes back to {short(state.previous)}",
        why=f"{ordered.by}: {ordered.why}",
        facts=facts,
        commands=(order(routing),),
    )
