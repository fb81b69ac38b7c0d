"""A training as a remedy: what keeps it from being one now, and whether it is worth the wait. Pure.

Its ticket is opened by the trigger, which is the check of the alarm: not one noisy window. So it is waited for where
a ticket is near. Else the next of the policy follows: the trigger may still open its ticket later.
"""

from collections.abc import Iterator

from flyball.control.decision import Situation, elapsed_s
from flyball.control.healing.causes import ABOUT, Cause, upstream_fault
from flyball.control.policing import training_barred, training_rung
from flyball.core.clock import moment
from flyball.decide.admission import over_budget

TO_BE_OPENED = "the ticket to be opened"


def against_training(situation: Situation) -> tuple[str, ...]:
    """Why no ticket is opened now; empty where one is about to be."""
    return tuple(_against(situation))


def is_near(situation: Situation, cause: Cause) -> bool:
    """Whether a ticket may come soon: nothing keeps it back, or all that is missing is a trigger that is declared for
    this cause, and the cause is younger than `healing.again_s`."""
    against, fired = against_training(situation), situation.learning.fired
    if not against:
        return True
    pending = fired is None and len(against) == 1 and _may_fire(situation, cause)
    return pending and elapsed_s(cause.since or situation.now, situation.now) < situation.service.healing.again_s


def _against(situation: Situation) -> Iterator[str]:
    state, learning, retrain = situation.state, situation.learning, situation.service.retrain
    if (fault := upstream_fault(state)) is not None:
        yield f"the data are at fault, not the model: {fault}"
    if state.ticket is not None:
        return  # it is open
    if learning.fired is None:
        yield "no trigger has fired: a few windows are no drift yet"
    yield from learning.waiting_for
    yield from over_budget(retrain.budget, state.spent, moment(situation.now))
    if training_rung(situation, learning.fired or "") == "observe":
        yield "autonomy.retrain is to observe: no ticket is opened"
    yield from training_barred(situation, learning.fired or "")


def _may_fire(situation: Situation, cause: Cause) -> bool:
    return any(cause.kind in ABOUT.get(trigger, ()) for trigger in situation.service.retrain.triggers)
