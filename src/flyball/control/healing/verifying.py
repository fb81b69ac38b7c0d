"""Did a remedy help? Its cause is gone in time, or it is not, or nobody can tell. Pure.

A fallback while the supply is broken is another question, since nothing of ours ends that: does it answer? A page heals
by whoever takes it: where no person did anything since, it has neither helped nor not.

"Gone" is newer than the remedy: a cause is a standing sign or incident, and it takes a fact behind the remedy's own to
end one. Nobody can tell where the health is UNKNOWN or the gateway does not answer: that is no yes.
"""

from msgspec.structs import replace

from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.control.healing.beginning import ordered, relieved
from flyball.control.healing.causes import Cause
from flyball.control.state.healing_state import Tried
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.facts.healing import Helped
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command


def verify(situation: Situation, causes: tuple[Cause, ...]) -> Decision | None:
    """The first verdict that is due; None: none is."""
    for one in situation.state.healing.under_way:
        if (said := _verdict(situation, one, causes)) is not None:
            return _told(situation, one, causes, *said)
    return None


def _verdict(situation: Situation, one: Tried, causes: tuple[Cause, ...]) -> tuple[Helped, str] | None:
    state, begun = situation.state, one.begun
    cause = next((cause for cause in causes if cause.key == begun.cause), None)
    late = situation.now >= begun.verify_by
    if one.failed:
        return "no", f"it could not be done: {one.failed}"
    if begun.kind == "freeze":
        return "unknown", "it keeps things as they are and cures nothing: what is next follows at once"
    if begun.kind == "retrain" and state.appointed_at <= one.at:
        return _of_ticket(state, one, late=late)
    if cause is None:
        blind = _blind(situation)
        if blind is None and begun.kind == "page" and not one.taken_by:
            return "unknown", f"nobody took it: {begun.cause} is gone after {_since(situation, one):.0f} s"
        if blind is None and _in_force(situation, one):
            return "yes", f"{begun.cause} is gone after {_since(situation, one):.0f} s"
        return ("unknown", f"{begun.cause} is no longer seen, but {blind or 'it is not in force'}") if late else None
    if begun.kind == "fall_back" and cause.of_supply:
        return _in_its_place(situation, one, cause, late=late)
    if cause.severity == "failed" and state.health.health.state == "FAILED" and _milder(begun):
        return "no", f"the service FAILED meanwhile: {cause.why}"
    if not late:
        return None
    blind = _blind(situation)
    return (
        ("unknown", f"{begun.cause} still stands, and {blind}")
        if blind
        else ("no", f"{begun.cause} still stands: {cause.why}")
    )


def _in_its_place(situation: Situation, one: Tried, cause: Cause, *, late: bool) -> tuple[Helped, str] | None:
    """A fallback against a broken supply has helped once it answers; whoever repairs the supply ends the cause."""
    blind = _blind(situation)
    if blind is None and _in_force(situation, one):
        return "yes", f"the fallback chain answers for as long as {cause.key} stands: {cause.why}"
    return ("unknown", f"{cause.key} still stands, and {blind or 'it is not in force'}") if late else None


def _milder(begun: e.RemedyBegun) -> bool:
    """Begun before the service failed, and not of the emergency's own order."""
    return begun.kind in ("shed", "recycle_worker")


def _of_ticket(state: ServiceState, one: Tried, *, late: bool) -> tuple[Helped, str] | None:
    """Until the new release serves: a ticket that is gone without one did not help."""
    target = one.begun.target
    if state.ticket is None or state.ticket.ticket != target:
        return "no", f"ticket {target} was closed without another champion"
    return ("unknown", f"ticket {target} is still open") if late else None


def _blind(situation: Situation) -> str | None:
    """Why nobody can tell."""
    health = situation.state.health
    if situation.observed is None:
        return "the gateway does not answer"
    if health.since and health.health.state == "UNKNOWN":
        return f"the health is unknown ({health.health.why})"
    return None


def _in_force(situation: Situation, one: Tried) -> bool:
    """What it ordered has arrived."""
    return one.begun.kind not in ("fall_back", "shed", "roll_back") or situation.state.applied >= situation.state.epoch


def _since(situation: Situation, one: Tried) -> float:
    return elapsed_s(one.at, situation.now)


def _told(situation: Situation, one: Tried, causes: tuple[Cause, ...], helped: Helped, why: str) -> Decision:
    """The verdict. A relief that did not help is taken away with it, unless a person wants things as they are."""
    state, begun = situation.state, one.begun
    cause = next((cause for cause in causes if cause.key == begun.cause), None)
    figures = (cause.figures if cause is not None else {}) | {"seconds": _since(situation, one)}
    service = ServiceName(state.service)
    facts: list[e.AnyFact] = [
        e.RemedyVerified(service=service, remedy=begun.remedy, helped=helped, why=why, figures=figures)
    ]
    commands: tuple[Command, ...] = ()
    if helped == "no" and begun.kind in ("fall_back", "shed") and not state.frozen_by_person:
        more, commands = taken_away(situation, one, "it did not help")
        facts += more
    return Decision(
        action="healing",
        what=f"{begun.remedy} ({begun.kind}) helped: {helped}",
        why=why,
        facts=tuple(facts),
        commands=commands,
    )


def taken_away(situation: Situation, one: Tried, why: str) -> tuple[list[e.AnyFact], tuple[Command, ...]]:
    """The facts and the order that end a relief; of a routing that no longer has it, the fact alone."""
    state, service = situation.state, ServiceName(situation.state.service)
    row = situation.learning.row if one.begun.kind == "quarantine" else 0
    ended = e.RemedyEnded(service=service, remedy=one.begun.remedy, why=why, row=row)
    relief = state.routing.relief if state.routing is not None else None
    match one.begun.kind:
        case "fall_back" if relief is not None and relief.fall_back:
            rest = replace(relief, fall_back=False, releases=True)
        case "shed" if relief is not None and relief.shed:
            rest = replace(relief, shed=0.0)
        case _:
            return [ended], ()
    fact, command = ordered(state, relieved(state, rest), f"{one.begun.remedy} ends: {why}")
    return [ended, fact], (command,)
