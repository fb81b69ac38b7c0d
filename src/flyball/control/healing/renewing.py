"""A relief whose cause still stands is ordered anew before its end: that end is for a gateway nobody controls. Pure."""

from datetime import timedelta

from msgspec.structs import replace

from flyball.control.decision import Decision, Situation
from flyball.control.healing.beginning import ordered, relieved
from flyball.control.healing.causes import Cause
from flyball.core.clock import moment, timestamp


def renew(situation: Situation, causes: tuple[Cause, ...]) -> Decision | None:
    """When half of `healing.longest_s` is over; None: it is not yet, or nothing that stands has its cause any more."""
    state, longest_s = situation.state, situation.service.healing.longest_s
    relief = state.routing.relief if state.routing is not None else None
    if relief is None or not relief.until:
        return None
    keys, kinds = {cause.key for cause in causes}, ("fall_back", "shed")
    one = next((one for one in state.healing.standing if one.begun.kind in kinds and one.begun.cause in keys), None)
    now = moment(situation.now)
    if one is None or moment(relief.until) - now > timedelta(seconds=longest_s / 2):
        return None
    until = timestamp(now + timedelta(seconds=longest_s))
    why = f"{one.begun.cause} still stands"
    fact, command = ordered(state, relieved(state, replace(relief, until=until)), f"{one.begun.remedy} stays: {why}")
    return Decision(
        action="healing",
        what=f"{one.begun.remedy} ({one.begun.kind}) stays until {until}",
        why=why,
        facts=(fact,),
        commands=(command,),
    )
