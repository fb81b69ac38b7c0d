"""How an A/B test runs: order its arms as a person weighed them, put what the gateway stopped on record, end it. Pure.

Ending needs nobody and no freeze stops it: it gives traffic to the champion and to nobody else. A test never promotes,
and never raises a weight that no person has set.
"""

from flyball.control.decision import Decision, Situation, elapsed_s, order
from flyball.control.rollout.rolling_back import way_back
from flyball.control.spending import frozen_by_budget, gives_more
from flyball.control.state.ab_state import AbState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.facts.ab import AbOutcome
from flyball.core.ids import Epoch, ReleaseRoot, ServiceName
from flyball.core.routing import Routing, Stopped


def plan_ab_end(situation: Situation) -> Decision | None:
    """What ends the test, or takes an arm out of it; None: nothing does."""
    state, test = situation.state, situation.state.ab
    if test is None or state.champion is None:
        return None
    if state.champion != test.started.champion:
        return _close(situation, test, "champion_gone", "the champion that the arms are compared with has gone")
    if test.stop is not None:
        why = f": {test.stop.why}" if test.stop.why else ""
        return _close(situation, test, "stopped", f"{test.stop.by} ended it{why}")
    if test.refused is not None:
        return _close(situation, test, "refused", f"the gateway refuses an arm: {test.refused}")
    if test.started.until is not None and elapsed_s(test.started.until, situation.now) > 0:
        return _close(situation, test, "over", f"its time was until {test.started.until}")
    stopped = situation.observed.stopped if situation.observed else None
    if stopped is not None and (recorded := _arms_stopped(situation, test, stopped)) is not None:
        return recorded
    if test.gone and not any(arm.buckets for arm in test.wanted):
        return _close(situation, test, "no_arm_left", "every arm with a weight was stopped")
    return None


def plan_ab_test(situation: Situation) -> Decision | None:
    """The arms as they are wanted, ordered and in force; None: no test runs."""
    state, test = situation.state, situation.state.ab
    if test is None or state.champion is None:
        return None
    name = test.started.test
    if state.routing is None or state.routing.rollout != name or state.routing.arms != test.wanted:
        routing = _table(state, test)
        frozen = frozen_by_budget(situation, action="ab") if gives_more(routing, state.routing) else None
        if frozen is not None:
            return frozen
        ordered = _order(state, routing, f"A/B test {name}")
        what = f"order the arms of {name}"
        return Decision(action="ab", what=what, why=ordered.why, facts=(ordered,), commands=(order(routing),))
    if not test.applied:
        waits = ("the gateway to confirm the routing",)
        return Decision(action="ab", what="wait", why=f"the arms of {name} are ordered", waiting_for=waits)
    end = f"{test.started.until}, or " if test.started.until else ""
    return Decision(
        action="ab",
        what="runs",
        why=f"A/B test {name} compares {', '.join(arm.name for arm in test.wanted if arm.buckets)} with the champion",
        waiting_for=(f"{end}flyball ab stop {state.service}",),
    )


def _arms_stopped(situation: Situation, test: AbState, stopped: Stopped) -> Decision | None:
    """The gateway acted by the authority that the start gave it; here it goes on record."""
    state = situation.state
    ours = stopped.arms if stopped.rollout == test.started.test else ()
    new = [each for each in ours if each.arm not in test.gone]
    if not new:
        return None
    facts = tuple(
        e.AbArmStopped(
            service=ServiceName(state.service),
            test=test.started.test,
            arm=each.arm,
            release=each.release,
            verdict=each.verdict,
            epoch=stopped.epoch,
            stopped_at=each.at,
            seconds=each.seconds,
            counts=stopped.counts,
        )
        for each in new
    )
    names = ", ".join(each.arm for each in new)
    return Decision(
        action="ab", what=f"arm {names} is out", why="; ".join(each.verdict.reason for each in new), facts=facts
    )


def _table(state: ServiceState, test: AbState) -> Routing:
    assert state.champion is not None
    return Routing(
        service=ServiceName(state.service),
        epoch=Epoch(state.epoch + 1),
        champion=ReleaseRoot(state.champion),
        previous=ReleaseRoot(state.previous) if state.previous else None,
        salt=test.started.test,
        rollout=test.started.test,
        guardrails=test.started.guardrails,
        arms_=test.wanted,
    )


def _order(state: ServiceState, routing: Routing, why: str) -> e.RoutingOrdered:
    return e.RoutingOrdered(service=ServiceName(state.service), key=order(routing).key, routing=routing, why=why)


def _close(situation: Situation, test: AbState, outcome: AbOutcome, reason: str) -> Decision:
    state, observed = situation.state, situation.observed
    seen = observed.counts if observed is not None else None
    closed = e.AbClosed(
        service=ServiceName(state.service),
        test=test.started.test,
        outcome=outcome,
        reason=reason,
        counts=seen if seen is not None and seen.rollout == test.started.test else None,
    )
    if state.routing is not None and not state.routing.arms:  # the arms have no traffic any more, or never had any
        return Decision(action="ab", what=f"close {test.started.test}", why=reason, facts=(closed,))
    routing, back = way_back(state, reason)
    what = f"close {test.started.test}"
    return Decision(action="ab", what=what, why=reason, facts=(back, closed), commands=(order(routing),))
