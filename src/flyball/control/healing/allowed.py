"""May this remedy be taken against this cause now? What has to be there first, each with what is missing. Pure."""

from collections.abc import Iterator

from flyball.control.decision import Situation, elapsed_s
from flyball.control.healing.causes import Cause
from flyball.control.healing.training import against_training
from flyball.control.state.healing_state import SLOW
from flyball.core.declared.healing import DeclaredRemedy
from flyball.core.declared.kinds import Remedy
from flyball.core.declared.serving import Serving
from flyball.decide.ladder import remedy_rung

LATELY = 2  # turns of exercising: one may have been missed
ASKS_NOBODY = ("rule", "constant")  # links whose answer no release makes


def obstacles(situation: Situation, cause: Cause, remedy: DeclaredRemedy) -> tuple[str, ...]:
    """Why it is not taken; empty where it may be."""
    return tuple(_obstacles(situation, cause, remedy))


def is_harmful(situation: Situation, cause: Cause, remedy: DeclaredRemedy) -> bool:
    """People said so, of this cause. A page harms nobody."""
    return remedy.kind != "page" and _rung(situation, cause, remedy) != "auto"


def _rung(situation: Situation, cause: Cause, remedy: DeclaredRemedy) -> Remedy:
    return remedy_rung(situation.service.autonomy, situation.state.ladder(f"{remedy.kind}/{cause.kind}"))


def _obstacles(situation: Situation, cause: Cause, remedy: DeclaredRemedy) -> Iterator[str]:
    state, kind = situation.state, remedy.kind
    if is_harmful(situation, cause, remedy):
        stands = _rung(situation, cause, remedy)
        yield f"people called it harmful against {cause.kind}: it is no longer taken by itself, only at {stands}"
    if state.frozen is not None and state.frozen_by_person and kind not in ("roll_back", "page"):
        yield f"{state.frozen.by} froze the service"
    if (flying := state.healing.in_flight) is not None and kind not in SLOW:
        yield f"{flying.begun.remedy} is under way"
    if situation.observed is None and kind in ("fall_back", "shed", "recycle_worker", "roll_back"):
        yield "the gateway does not answer"
    if kind in ("fall_back", "shed") and state.routing is not None and state.routing.candidate is not None:
        yield "a candidate is on trial: only its rollout may order a routing with it, and it goes back first"
    match kind:
        case "fall_back":
            yield from _fall_back(situation, cause)
        case "roll_back":
            yield from _roll_back(situation)
        case "shed" if state.routing is None or any(one.begun.kind == "shed" for one in state.healing.standing):
            yield "requests are turned away already" if state.routing is not None else "nothing serves"
        case "recycle_worker" if situation.observed is not None and situation.observed.alone:
            yield "one process answers, and makes room for nobody (serving.workers: 1)"
        case "freeze" if state.frozen is not None:
            yield "it is frozen already"
        case "quarantine" if cause.incident is None:
            yield "no incident says which rows"
        case "retrain":
            yield from against_training(situation)
        case _:
            pass


def _fall_back(situation: Situation, cause: Cause) -> Iterator[str]:
    state = situation.state
    if state.routing is None:
        yield "nothing serves"
        return
    if any(one.begun.kind == "fall_back" for one in state.healing.standing):
        yield "the fallback chain answers already"
        return
    serving, own_data = situation.service.serving, cause.of_supply
    if asks_nobody(serving):
        return
    if own_data:
        yield "every link of serving.fallback is a release, which is fed the same data"
    elif "previous" not in serving.fallback or state.previous is None:
        yield "serving.fallback has no link that could answer now"
    elif not _exercised(situation):
        yield "the fallback chain was not exercised lately, or did not answer then"


def asks_nobody(serving: Serving) -> bool:
    """Whether the chain ends in a rule or a constant: it answers whatever becomes of releases and their data."""
    return any(not isinstance(link, str) for link in serving.fallback)


def _exercised(situation: Situation) -> bool:
    """Of the release before this one: it was asked while nobody needed it, and answered."""
    last = situation.state.healing.exercised.get("previous")
    within_s = LATELY * situation.service.serving.exercise.every_s
    return last is not None and last.fact.answered > 0 and elapsed_s(last.at, situation.now) <= within_s


def _roll_back(situation: Situation) -> Iterator[str]:
    state, observed = situation.state, situation.observed
    if state.rollback_ordered is not None:
        yield "a way back is ordered already"
    if state.rollout is not None:
        return  # what is on trial goes first
    if state.previous is None:
        yield "no release is kept to go back to"
    elif state.previous in state.withdrawn or state.previous not in state.releases:
        yield "the release before this one was withdrawn"
    elif observed is not None and (observed.routing is None or observed.routing.previous != state.previous):
        yield "the release before this one is not warm in the gateway"
    else:
        last = state.healing.exercised.get("previous")
        if last is not None and last.at >= state.appointed_at and not last.fact.answered:
            yield "the release before this one did not answer when it was exercised"
