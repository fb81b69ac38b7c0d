"""Less weight for a candidate on a suspicion, and back: the same step goes on, with its clock. Pure."""

from msgspec.structs import replace

from flyball.control.decision import Decision, Situation, order
from flyball.control.policing import RULED, barred
from flyball.control.spending import frozen_by_budget
from flyball.control.state.rollout_state import RolloutState
from flyball.core import events as e
from flyball.core.ids import Epoch, RolloutId, ServiceName
from flyball.core.service import Step
from flyball.decide.even_shares import other_shares


def plan_shares(situation: Situation, rollout: RolloutState, step: Step) -> Decision | None:
    """Another weight for the running step; None: it stays. Less weight needs nobody's leave."""
    running, observed = rollout.step, situation.observed
    assert running is not None
    if observed is None or observed.counts is None or observed.routing != running.routing:
        return None  # the counts are not of these shares
    shares = other_shares(step, running.routing, observed.counts, [weight for _, weight in rollout.weights])
    if shares is None:
        return None
    if shares.weight > running.routing.weight and not _may_rise(situation, rollout, step):
        return None
    state = situation.state
    routing = replace(running.routing, epoch=Epoch(state.epoch + 1), weight=shares.weight)
    started = e.StepStarted(
        service=ServiceName(state.service),
        rollout=RolloutId(rollout.rollout),
        step=running.index,
        kind=step.kind,
        key=order(routing).key,
        routing=routing,
        why=shares.why,
    )
    what = f"step {running.index} ({step.kind}) goes on with {shares.weight / 100:g} % of the units"
    return Decision(action="rollout", what=what, why=shares.why, facts=(started,), commands=(order(routing),))


def _may_rise(situation: Situation, rollout: RolloutState, step: Step) -> bool:
    """More weight needs evidence that can be believed, a rollout that nobody holds, a budget, and no rule against."""
    verdict = situation.outlook.verdict
    if rollout.paused is not None or verdict is None or verdict.kind != "HOLD":
        return False
    if frozen_by_budget(situation) is not None:
        return False
    return barred(situation, RULED[step.kind], rollout.release) is None
