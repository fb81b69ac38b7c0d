"""What should be done now, and why: the one pure function between reading the facts and acting.

Concerns are asked in the order of their urgency: a way back first, then the gateway in step with the ledger, then
incidents, what the monitor saw and how well the service is, then who is told of it, then remedies (what clients suffer
from comes before what makes the model better; a person's freeze leaves the way back), then an A/B test or the rollout,
then learning. At most one of them changes state in one plan, so that each answer is given on the ledger as it stands. A
freeze stops all but the way back, the routing, and what is only told. Where the check has refused what came of this,
people are told all the same, and nothing else is asked. A concern that raises silences none of the others
(`failing.py`): those that begin something new, which stand last, are not asked until it answers again. So it is where
a part of the look raised that all of them rest on.
"""

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from flyball.control.ab_testing import plan_ab_end, plan_ab_test
from flyball.control.alerts.alerting import plan_alerts
from flyball.control.decision import Decision, Situation, order
from flyball.control.drilling import plan_drill_over
from flyball.control.excepting import plan_exceptions
from flyball.control.failing import Asking, told
from flyball.control.failure import Failure
from flyball.control.gateway_life import plan_gateway
from flyball.control.giving_up import plan_given_up, repeat
from flyball.control.healing.planning import plan_healing
from flyball.control.incidents.planning import plan_incidents
from flyball.control.refusing import accepted
from flyball.control.retraining import plan_retraining
from flyball.control.rollout.drilled import plan_drilled
from flyball.control.rollout.rolling_back import plan_rollback, way_back
from flyball.control.rollout.rolling_out import plan_rollout
from flyball.control.rollout.steps import settled
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import RolloutId, ServiceName
from flyball.core.record import Record

STANDSTILLS = ("freeze", "declaration", "healing")  # `healing`: a remedy is under way, or stands in for the champion


class Plan(Record):
    """Complete and immutable: executing it needs no choice. `parent` is the version of the facts it was made from."""

    service: str
    parent: int
    decisions: tuple[Decision, ...] = ()
    failures: tuple[Failure, ...] = ()  # planners that raised, and parts of the look

    @property
    def acts(self) -> bool:
        return any(decision.facts or decision.commands for decision in self.decisions)


def plan(situation: Situation) -> Plan:
    """The plan for one service. Asked twice with the same situation it answers the same."""
    state, asking = situation.state, Asking(situation.failures, situation.answered)
    decisions: list[Decision] = []
    for decision in _asked(situation, asking):
        if decision is None:
            continue
        decisions.append(decision)
        if decision.facts or decision.action in STANDSTILLS:
            break
    decisions += told(asking.failures, asking.answered, state)
    failures = tuple(asking.failures)
    made = Plan(service=state.service, parent=state.version, decisions=tuple(decisions), failures=failures)
    if made.acts or situation.refused or failures or (passed := accepted(state)) is None:
        return made
    return replace(made, decisions=(*decisions, passed))


def _asked(situation: Situation, asking: Asking) -> Iterator[Decision | None]:
    """One answer after the other: whoever stands behind one that changes state is not asked."""
    if situation.refused:
        yield asking("alerts", partial(plan_alerts, situation))
        return
    yield asking("rollback", partial(plan_rollback, situation))
    yield asking("exceptions", partial(plan_exceptions, situation))
    yield asking("ab_end", partial(plan_ab_end, situation))
    yield asking("routing", partial(_plan_routing, situation))
    yield asking("gateway", partial(plan_gateway, situation))
    yield asking("incidents", partial(plan_incidents, situation))
    yield asking("watched", partial(_plan_watched, situation))
    yield asking("health", partial(_plan_health, situation))
    yield asking("drill", partial(plan_drill_over, situation))
    drilled = asking("drilled", partial(plan_drilled, situation))
    yield drilled if drilled is None or drilled.action == "rollback" or not asking.failures else None
    healing = asking("healing", partial(plan_healing, situation))
    yield asking("alerts", partial(plan_alerts, situation, moving=_moving(healing, situation.state)))
    yield healing
    yield _plan_standstill(situation)
    for name, concern in (("ab_test", plan_ab_test), ("rollout", plan_rollout), ("retraining", plan_retraining)):
        if asking.failures:
            return
        yield asking(name, partial(concern, situation))


def _plan_routing(situation: Situation) -> Decision | None:
    """A champion that no routing names yet, or a gateway that has lost the newest routing."""
    state, observed = situation.state, situation.observed
    if state.champion is None:
        return None
    if state.routing is None:
        routing = settled(state, champion=state.champion, previous=state.previous)
        fact = e.RoutingOrdered(
            service=ServiceName(state.service), key=order(routing).key, routing=routing, why="the first champion"
        )
        return Decision(action="routing", what="first routing", why=fact.why, facts=(fact,), commands=(order(routing),))
    held = observed.routing.epoch if observed and observed.routing else None
    if held is not None and held > state.routing.epoch:
        return _overtake(situation)
    if (given_up := plan_given_up(situation)) is not None:
        return given_up
    if observed is not None and state.applied == state.epoch and (held is None or held < state.epoch):
        return repeat(situation, f"the gateway holds {'no routing' if held is None else f'epoch {held}'}")
    return None


def _overtake(situation: Situation) -> Decision:
    """The gateway has seen orders that this ledger knows nothing of: begin again above them."""
    state = situation.state
    routing, back = way_back(state, "the gateway holds a newer epoch than the ledger: the ledger was replaced")
    facts: list[e.AnyFact] = [back]
    if state.rollout is not None:
        closed = e.RolloutClosed(
            service=ServiceName(state.service),
            rollout=RolloutId(state.rollout.rollout),
            outcome="expired",
            reason=back.why,
            again=True,
        )
        facts.append(closed)
    return Decision(
        action="routing",
        what=f"order epoch {routing.epoch}",
        why=back.why,
        facts=tuple(facts),
        commands=(order(routing),),
    )


def _plan_watched(situation: Situation) -> Decision | None:
    """What begins or ends with the newest windows goes on the ledger before anything is built on it."""
    if not situation.watched:
        return None
    names = ", ".join(sorted({type(fact).__name__ for fact in situation.watched}))
    return Decision(action="watch", what=names, why="the newest windows say so", facts=situation.watched)


def _plan_health(situation: Situation) -> Decision | None:
    """How well the service is goes on the ledger under a freeze too."""
    if not situation.changed:
        return None
    return Decision(
        action="health", what="tell", why="it is as well as the facts say", facts=situation.changed, told=True
    )


def _moving(healing: Decision | None, state: ServiceState) -> frozenset[str]:
    """Causes against which a remedy begins in this plan, or is judged: in the next one, of the same round, it is known
    what is held for it. Of all others people are told at once, whatever becomes of the remedy."""
    causes: set[str] = set()
    for fact in healing.facts if healing is not None else ():
        match fact:
            case e.RemedyBegun(cause=cause):
                causes.add(cause)
            case e.RemedyVerified(remedy=name) | e.RemedyEnded(remedy=name) if name in state.healing.tried:
                causes.add(state.healing.tried[name].begun.cause)
            case _:
                pass
    return frozenset(causes)


def _plan_standstill(situation: Situation) -> Decision | None:
    """A freeze, or a declaration that this controller does not know yet."""
    if situation.stale:
        return Decision(
            action="declaration",
            what="wait",
            why="the declaration on the ledger is another than the one that this controller runs",
            waiting_for=("the controller to read the declaration again",),
        )
    frozen = situation.state.frozen
    if frozen is None:
        return None
    return Decision(
        action="freeze",
        what="frozen",
        why=f"{frozen.by}: {frozen.why}",
        waiting_for=(f"flyball thaw {situation.state.service}",),
    )
