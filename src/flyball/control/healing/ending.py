"""When a relief is taken away again: its cause is gone, and has been for a while that grows each time it comes back.

Taking it away is the question whether the cause is cured, since a champion that nobody asks shows no errors. So the
first time it is asked soon, and each time the answer was no, later: nothing swings. Pure.
"""

from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.control.healing.causes import Cause
from flyball.control.healing.verifying import taken_away
from flyball.control.state.healing_state import BY, Tried
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import ServiceName

OF_DRILL = "its rows are a drill's, and nobody is asked for them"
LATER = "its rows stay out of trainings until somebody has them repaired and runs flyball backfill"


def end(situation: Situation, causes: tuple[Cause, ...]) -> Decision | None:
    """The first relief whose time has come; None: none stands, or it has to stay."""
    for one in situation.state.healing.standing:
        if (why := _over(situation, one, causes)) is not None:
            return _ended(situation, one, why)
    return None


def hold_s(situation: Situation, one: Tried) -> float:
    """How long its cause has to be gone, seconds."""
    healing = situation.service.healing
    tried = situation.state.healing.tried_for(one.begun.drill or "")
    alike = [each for each in tried if (each.begun.cause, each.begun.kind) == (one.begun.cause, one.begun.kind)]
    before = sum(each.ended for each in alike)
    return float(min(healing.hold_s * 2.0**before, healing.most_hold_s))


def _over(situation: Situation, one: Tried, causes: tuple[Cause, ...]) -> str | None:
    state, kind = situation.state, one.begun.kind
    relief = state.routing.relief if state.routing is not None else None
    if kind == "freeze" and (state.frozen is None or state.frozen.by != BY):
        return "a person has decided about the freeze"
    if kind == "fall_back" and (relief is None or not relief.fall_back):
        return "the champion that it stood in for no longer serves"
    if kind == "shed" and (relief is None or not relief.shed):
        return "the routing is another"
    if kind == "quarantine":
        closed = f"incident {one.begun.target} is closed; {OF_DRILL if one.begun.drill else LATER}"
        return None if one.begun.target in state.incidents.open else closed
    if state.frozen_by_person:
        return None  # a person wants things to stay as they are
    if one.verified is not None and one.verified.helped == "no":
        return "it did not help"  # said under a person's freeze, which is over
    if one.verified is None or any(cause.key == one.begun.cause for cause in causes):
        return None
    hold = hold_s(situation, one)
    gone = elapsed_s(_gone_at(state, one), situation.now)
    if one.verified.helped == "yes" and gone >= hold:
        return f"{one.begun.cause} has been gone for {gone:.0f} s"
    calm = state.health.health.state not in ("UNKNOWN", "FAILED") and elapsed_s(state.health.since, situation.now)
    if one.verified.helped != "yes" and state.health.since and calm and calm >= hold:
        return f"{one.begun.cause} is gone, and the service has been {state.health.health.state} for {calm:.0f} s"
    longest_s, unseen = situation.service.healing.longest_s, elapsed_s(_unseen_since(state, one), situation.now)
    if unseen >= longest_s:
        return f"{one.begun.cause} has not been seen for {unseen:.0f} s, and nothing stays longer than {longest_s:g} s"
    return None


def _gone_at(state: ServiceState, one: Tried) -> str:
    """Since when its cause is gone, no earlier than the verdict: a fallback may have helped while the cause stood."""
    return max(one.verified_at, state.alerts.gone.get(one.begun.cause, ""))


def _unseen_since(state: ServiceState, one: Tried) -> str:
    """Since when neither its cause nor a critical sign was told. UNKNOWN health tells none and shows no calm either,
    and a state that changes all the time is never calm for long: what we froze would stay frozen for ever."""
    return max(_gone_at(state, one), state.health.critical_at)


def _ended(situation: Situation, one: Tried, why: str) -> Decision:
    state = situation.state
    facts, commands = taken_away(situation, one, why)
    if one.begun.kind == "freeze" and state.frozen is not None and state.frozen.by == BY:
        facts.append(e.Thawed(service=ServiceName(state.service), by=BY, why=f"{one.begun.remedy} ends: {why}"))
    return Decision(
        action="healing",
        what=f"{one.begun.remedy} ({one.begun.kind}) is taken away",
        why=why,
        facts=tuple(facts),
        commands=commands,
    )
