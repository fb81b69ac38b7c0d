"""Orders that nobody tries any more: the fact, and what the planner does about a routing that did not arrive. Pure."""

from msgspec.structs import replace

from flyball.control.decision import Decision, Situation, elapsed_s, order
from flyball.control.retries import AGAIN_S, spent
from flyball.core import events as e
from flyball.core.ids import ServiceName
from flyball.core.ledger import Claimed


def given_up(claimed: Claimed, error: str) -> e.CommandGivenUp:
    """The fact that goes with the finished command."""
    command = claimed.command
    ticket = command.body.get("ticket")
    return e.CommandGivenUp(
        service=ServiceName(command.subject),
        key=command.key,
        kind=command.kind,
        attempts=claimed.attempts,
        error=error,
        ticket=str(ticket) if ticket is not None else None,
    )


def died_of(claimed: Claimed) -> str:
    """Why a command is not even begun any more: whoever began it never came back to say what became of it, as often as
    its kind may fail. Empty: it is begun."""
    if not spent(claimed.command.kind, claimed.attempts - 1):
        return ""
    return f"{claimed.attempts - 1} attempts came to no end: the controller may have died of them"


def plan_given_up(situation: Situation) -> Decision | None:
    """The newest routing was given up: it is ordered anew once the gateway answers and some time has passed. So a
    gateway that comes back after hours gets its routing, and one that refuses to take it is not asked for ever."""
    state, found = situation.state, situation.state.given_up
    if found is None or state.routing is None:
        return None
    waited = elapsed_s(found.at, situation.now)
    if situation.observed is None or waited < AGAIN_S:
        left = f"{max(0.0, AGAIN_S - waited):.0f} s to pass"
        return Decision(
            action="routing",
            what=f"epoch {state.epoch} was given up",
            why=f"{found.fact.attempts} attempts failed, the last with: {found.fact.error}",
            waiting_for=("the gateway to answer",) if situation.observed is None else (left,),
        )
    return repeat(situation, "the gateway answers now")


def repeat(situation: Situation, why: str) -> Decision | None:
    """The newest order once more, as an intent of its own. While one is under way there is nothing to repeat."""
    state = situation.state
    if state.routing is None or state.repeated is not None:
        return None
    again = order(state.routing)
    key = f"{again.key}/again/{state.version}"
    fact = e.RoutingRepeated(service=ServiceName(state.service), key=key, epoch=state.epoch, why=why)
    return Decision(
        action="routing",
        what=f"give epoch {state.epoch} again",
        why=why,
        facts=(fact,),
        commands=(replace(again, key=key),),
    )
