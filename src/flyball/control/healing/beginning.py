"""A remedy as facts and commands: its intent, and in the same transaction what carries it out. Pure.

Crash points. Before the transaction: nothing happened. Behind it, whatever the remedy ordered is a row: a routing whose
key is its epoch, a way back that `plan_rollback` takes at its next turn, a command whose key holds the remedy's name.
All are idempotent, so a controller that begins anew does not do them twice.
"""

from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from flyball.control.decision import Decision, Situation, order
from flyball.control.healing.allowed import asks_nobody
from flyball.control.healing.causes import Cause
from flyball.control.healing.choosing import Choice
from flyball.control.marks import row_at
from flyball.control.state.healing_state import BY
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.codec import digest
from flyball.core.ids import Epoch, ServiceName, short
from flyball.core.ledger import Command
from flyball.core.routing import Relief, Routing
from flyball.core.service import DeclaredRemedy

WORDS = {
    "fall_back": "the fallback chain answers",
    "roll_back": "the way back",
    "shed": "a share of the requests of low priority is turned away",
    "recycle_worker": "the workers make room for fresh ones",
    "freeze": "nothing but the way back happens by itself",
    "quarantine": "rows of the incident are kept out of training",
    "page": "a person is told",
    "retrain": "a ticket for a training",
}


def begin(situation: Situation, cause: Cause, choice: Choice) -> Decision:
    """The remedy that was chosen."""
    remedy, state = choice.remedy, situation.state
    assert remedy is not None, "there is nothing to begin"
    kind = remedy.kind
    name = "re-" + short(digest("flyball/remedy/v1", [state.service, state.version, cause.key, kind]))
    why = f"{cause.key} ({cause.severity}): {cause.why}; {choice.why}"
    begun = e.RemedyBegun(
        service=ServiceName(state.service),
        remedy=name,
        kind=kind,
        cause=cause.key,
        number=choice.number,
        why=why,
        verify_by=verify_by(situation, remedy),
        incident=cause.incident,
        target=_target(state, remedy, cause),
        row=_row(situation, cause) if kind == "quarantine" else 0,
        since=_since(situation, cause) if kind == "quarantine" else "",
        skipped=choice.skipped,
        figures=cause.figures,
        drill=cause.drill,
    )
    facts, commands = _carried_out(situation, cause, remedy, begun)
    return Decision(
        action="healing",
        what=f"begin {name}: {WORDS[kind]}",
        why="; ".join([why, *(f"skipped {one}" for one in choice.skipped)]),
        waiting_for=(f"{cause.key} to be gone by {begun.verify_by}",),
        facts=(begun, *facts),
        commands=commands,
    )


def verify_by(situation: Situation, remedy: DeclaredRemedy) -> str:
    """When it has to have helped. A candidate without live traffic is no cause of anything: the next may follow."""
    rollout = situation.state.rollout
    idle = remedy.kind == "roll_back" and rollout is not None and not _weight(situation.state)
    within_s = remedy.within_s(situation.service.monitor.health.clear_s)
    return timestamp(moment(situation.now) + timedelta(seconds=0.0 if idle else within_s))


def relieved(state: ServiceState, relief: Relief) -> Routing:
    """The newest routing with another relief; one that does nothing is left out."""
    assert state.routing is not None, "nothing serves"
    none = not relief.fall_back and not relief.shed
    return replace(state.routing, epoch=Epoch(state.epoch + 1), relief_=UNSET if none else relief)


def ordered(state: ServiceState, routing: Routing, why: str) -> tuple[e.RoutingOrdered, Command]:
    command = order(routing)
    return e.RoutingOrdered(service=ServiceName(state.service), key=command.key, routing=routing, why=why), command


def _row(situation: Situation, cause: Cause) -> int:
    """Where the rows of its incident begin: as it says, or where the stream was when it began; else here."""
    one = situation.state.incidents.open.get(cause.incident or "")
    if one is not None and one.opened.row:
        return one.opened.row
    began = one.opened.began if one is not None else ""
    began = began or (cause.sign.since if cause.sign is not None else "")  # no later than its sign
    row = row_at(situation.learning.marks, moment(began).timestamp()) if began else None
    return situation.learning.row if row is None else row


def _since(situation: Situation, cause: Cause) -> str:
    """When its incident began, as far as anybody knows."""
    one = situation.state.incidents.open.get(cause.incident or "")
    told = cause.sign.since if cause.sign is not None else ""
    return situation.now if one is None else one.opened.began or told or one.at


def _weight(state: ServiceState) -> int:
    return state.routing.weight if state.routing is not None else 0


def _target(state: ServiceState, remedy: DeclaredRemedy, cause: Cause) -> str | None:
    match remedy.kind:
        case "roll_back":
            return state.rollout.release if state.rollout is not None else state.champion
        case "quarantine":
            return cause.incident
        case _:
            return None


def _carried_out(
    situation: Situation, cause: Cause, remedy: DeclaredRemedy, begun: e.RemedyBegun
) -> tuple[tuple[e.AnyFact, ...], tuple[Command, ...]]:
    state, service = situation.state, ServiceName(situation.state.service)
    match remedy.kind:
        case "fall_back" | "shed":
            fact, command = ordered(state, relieved(state, _relief(situation, cause, remedy)), begun.why)
            return (fact,), (command,)
        case "roll_back":
            key = f"rollback/{state.version}"
            back = e.RollbackOrdered(
                service=service, key=key, by=BY, proof="policy", why=f"{begun.remedy}: {cause.why}"
            )
            return (back,), ()
        case "recycle_worker":
            key = f"recycle/{service}/{begun.remedy}"
            return (), (Command(key=key, kind="recycle", subject=service, body={"remedy": begun.remedy}),)
        case "freeze":
            return (e.Frozen(service=service, by=BY, why=f"{begun.remedy}: {cause.why}"),), ()
        case _:
            return (), ()


def _relief(situation: Situation, cause: Cause, remedy: DeclaredRemedy) -> Relief:
    """Beside what stands already. Where the supply is broken every release is fed it: only rules and constants help."""
    state = situation.state
    before = state.routing.relief if state.routing is not None else None
    until = timestamp(moment(situation.now) + timedelta(seconds=situation.service.healing.longest_s))
    relief = replace(before or Relief(), until=until)
    if remedy.kind == "shed":
        return replace(relief, shed=remedy.share)
    rules_only = cause.of_supply and asks_nobody(situation.service.serving)
    return replace(relief, fall_back=True, releases=not rules_only)
