"""The candidate of a drill, from its first unit back to the champion: one step, in a rollout of its own. Pure.

It is a copy of the champion that is in no registry. It is tried without gates, approvals and rules, since the person
who began the drill has said so, on no more units than the drill may touch. What takes it back is what takes back any
candidate: the gateway by its guardrails, the evidence, a person; and the end of the drill, in whatever way that comes.
"""

from itertools import chain

from flyball.control.decision import Decision, Situation, order
from flyball.control.drilling import spent, unwell
from flyball.control.rollout.rolling_back import way_back
from flyball.control.rollout.steps import effective_steps, routing_of
from flyball.control.state.healing_state import Tried
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.codec import digest
from flyball.core.declared.drills import CANDIDATE
from flyball.core.ids import Digest, ReleaseRoot, RolloutId, ServiceName, short
from flyball.core.routing import WHOLE
from flyball.core.service import Canary, Service, Step


def step_of(share: float) -> Step:
    """The one step of such a rollout; it advances to nothing."""
    return Step(canary=Canary(weight=share))


def steps_of(rollout: RolloutState, service: Service) -> tuple[Step, ...]:
    """The steps that a running rollout takes: its service's, or the one of a drill's candidate, once that has begun."""
    if not rollout.drill:
        return effective_steps(service)
    return (step_of(rollout.step.routing.weight / WHOLE),) if rollout.step is not None else ()


def plan_drilled(situation: Situation) -> Decision | None:
    """What a drill's candidate asks for; None: there is none, or it is where it should be."""
    state, rollout = situation.state, situation.state.rollout
    if rollout is None:
        return _opened(situation) if _awaited(situation) else None
    if not rollout.drill:
        return None
    if not _runs(situation, rollout.drill):
        return _over(state, rollout, f"drill {rollout.drill} is over")
    if (relief := _stands_in(state)) is not None:
        return _over(state, rollout, f"{relief.begun.remedy} stands in for the champion, whose bytes it has")
    held = rollout.step is not None or rollout.paused is not None or _held(situation)
    return None if held else _started(situation, rollout)


def _held(situation: Situation) -> bool:
    """What has come since the drill began, and would have kept it from beginning: then nothing gets traffic for it."""
    state = situation.state
    return situation.stale or state.frozen is not None or next(chain(unwell(state), spent(state)), None) is not None


def _stands_in(state: ServiceState) -> Tried | None:
    """The relief by which others answer in the champion's place: it does not cover a candidate."""
    tried = (*state.healing.under_way, *state.healing.standing)
    return next((one for one in tried if one.begun.kind == "fall_back" and not one.ended), None)


def _runs(situation: Situation, drill: str) -> bool:
    begun = situation.state.healing.drill
    if begun is None or (begun.drill, begun.fault) != (drill, CANDIDATE) or round(begun.share * WHOLE) < 1:
        return False
    return moment(situation.now) < moment(begun.until)


def _awaited(situation: Situation) -> bool:
    state, offered = situation.state, situation.state.healing.offered
    if offered is None or state.champion is None or state.ab is not None or _held(situation):
        return False
    return offered.copy_of == state.champion and _runs(situation, offered.drill)


def _opened(situation: Situation) -> Decision:
    state, offered = situation.state, situation.state.healing.offered
    assert offered is not None
    assert state.champion is not None
    name = RolloutId("ro-" + short(digest("flyball/rollout/v1", [state.service, offered.release, state.turn])))
    opened = e.RolloutOpened(
        service=ServiceName(state.service),
        rollout=name,
        release=offered.release,
        champion=ReleaseRoot(state.champion),
        policy=Digest(state.policy),
        salt=name,
        reason="manual",
        drill=offered.drill,
    )
    why = f"drill {offered.drill} tries a copy of the champion that will fail"
    return Decision(action="rollout", what=f"open {name}", why=why, facts=(opened,))


def _started(situation: Situation, rollout: RolloutState) -> Decision:
    """The share stands on the ledger: of the drill itself, which the check asks again."""
    state, begun = situation.state, situation.state.healing.drill
    assert begun is not None
    routing = routing_of(step_of(begun.share), 0, rollout, state, situation.service)
    why = f"drill {rollout.drill} gives it {begun.share:.0%} of the units"
    started = e.StepStarted(
        service=ServiceName(state.service),
        rollout=RolloutId(rollout.rollout),
        step=0,
        kind="canary",
        key=order(routing).key,
        routing=routing,
        why=why,
    )
    what = "start step 0 (canary)"
    return Decision(action="rollout", what=what, why=why, facts=(started,), commands=(order(routing),))


def _over(state: ServiceState, rollout: RolloutState, why: str) -> Decision:
    routing, back = way_back(state, why)
    closed = e.RolloutClosed(
        service=ServiceName(state.service), rollout=RolloutId(rollout.rollout), outcome="expired", reason=why
    )
    return Decision(action="rollback", what="expired", why=why, facts=(back, closed), commands=(order(routing),))
