"""What a person may say to the loop: approve, reject, roll back, freeze, thaw. Each is one fact, named and proven.

The loop acts on the facts at its next tick; nothing here touches traffic.
"""

from collections.abc import Sequence

import msgspec

from flyball.control.retraining import ordered
from flyball.control.state import RolloutState, ServiceState, TicketState, fold
from flyball.core import events as e
from flyball.core.errors import NotFound, Refused
from flyball.core.ids import RolloutId, ServiceName
from flyball.core.ledger import Entry, Ledger
from flyball.core.service import Metadata
from flyball.decide.evidence import objections


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, and how the name was proven."""

    name: str
    proof: e.Proof
    every_role: bool = False  # the simulated approver of `demo` and `replay`, marked as such on the ledger


def states_of(ledger: Ledger) -> dict[str, ServiceState]:
    """Every service on the ledger, folded."""
    states: dict[str, ServiceState] = {}
    for entry in ledger.read():
        before = states.get(entry.subject, ServiceState(service=entry.subject))
        states[entry.subject] = fold(before, entry)
    return states


def approve(ledger: Ledger, subject: str, person: Person, why: str = "") -> tuple[Entry, ...]:
    """Approve what waits: a rollout that asked, a retrain ticket, or a quality incident (accept the data as they are).

    Subject: the id of one of them, or the service, which means the first of them that waits.

    Raises: NotFound (nothing of this name waits), Refused (the person may not).
    """
    state, metadata = _waiting(ledger, subject)
    if state.rollout is not None and state.rollout.asked is not None and subject in _names(state, state.rollout):
        return _approve_rollout(ledger, state, state.rollout, metadata, person, why)
    if state.ticket is not None and state.ticket.ordered is None and subject in _names(state, state.ticket):
        _may(metadata, person, ("operator", "approver"))
        decision = ordered(state, state.ticket, by=person.name, proof=person.proof)
        return ledger.append(decision.facts, expected=state.version, commands=decision.commands)
    if state.incident is not None and subject in _names(state):
        _may(metadata, person, ("operator", "approver"))
        closed = e.IncidentClosed(
            service=ServiceName(state.service),
            incident=state.incident.incident,
            how="person",
            reason=f"{person.name}: {why or 'accepted'}",
            row=state.incident.row,
        )
        return ledger.append([closed], expected=state.version)
    raise NotFound(f"nothing of {subject!r} waits for an approval", hint=f"flyball explain {subject}")


def reject(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Say no: the rollout ends, or the ticket is dismissed. A person may always veto."""
    state, metadata = _waiting(ledger, subject)
    service = ServiceName(state.service)
    if state.rollout is not None and subject in _names(state, state.rollout):
        _may(metadata, person, (state.rollout.asked.role if state.rollout.asked else "approver",))
        fact: e.AnyFact = e.ApprovalRejected(
            service=service, rollout=RolloutId(state.rollout.rollout), by=person.name, proof=person.proof, why=why
        )
        return ledger.append([fact], expected=state.version)
    if state.ticket is not None and state.ticket.ordered is None and subject in _names(state, state.ticket):
        _may(metadata, person, ("operator", "approver"))
        fact = e.TicketClosed(
            service=service, ticket=state.ticket.ticket, outcome="dismissed", reason=f"{person.name}: {why}"
        )
        return ledger.append([fact], expected=state.version)
    raise NotFound(f"nothing of {subject!r} waits for an answer", hint=f"flyball explain {subject}")


def roll_back(ledger: Ledger, service: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Take the running rollout back, or else the champion to the release before it. Needs no approval."""
    state, metadata = _waiting(ledger, service)
    _may(metadata, person, ("operator", "approver"))
    if state.rollout is None and state.previous is None:
        raise Refused(f"{service}: no rollout runs, and no release served before {state.champion}")
    fact = e.RollbackOrdered(
        service=ServiceName(service), key=f"rollback/{state.version}", by=person.name, proof=person.proof, why=why
    )
    return ledger.append([fact], expected=state.version)


def freeze(ledger: Ledger, service: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Stop every automatic action but rollback."""
    state, metadata = _waiting(ledger, service)
    _may(metadata, person, ("operator", "approver"))
    if state.frozen is not None:
        return ()
    return ledger.append([e.Frozen(service=ServiceName(service), by=person.name, why=why)], expected=state.version)


def thaw(ledger: Ledger, service: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Let the loop act again."""
    state, metadata = _waiting(ledger, service)
    _may(metadata, person, ("operator", "approver"))
    if state.frozen is None:
        return ()
    return ledger.append([e.Thawed(service=ServiceName(service), by=person.name, why=why)], expected=state.version)


def _approve_rollout(
    ledger: Ledger, state: ServiceState, rollout: RolloutState, metadata: Metadata, person: Person, why: str
) -> tuple[Entry, ...]:
    """The approval names exactly what was asked for, so that it is void when any of it changes."""
    asked = rollout.asked
    assert asked is not None
    _may(metadata, person, (asked.role,))
    fact = e.ApprovalGiven(
        service=ServiceName(state.service),
        rollout=asked.rollout,
        model=asked.model,
        evidence=asked.evidence,
        policy=asked.policy,
        by=person.name,
        proof=person.proof,
        why=why,
    )
    return ledger.append([fact], expected=state.version)


def _waiting(ledger: Ledger, subject: str) -> tuple[ServiceState, Metadata]:
    """The service that a subject belongs to, and who may do what there."""
    declared: dict[str, Metadata] = {}
    states: dict[str, ServiceState] = {}
    for entry in ledger.read():
        states[entry.subject] = fold(states.get(entry.subject, ServiceState(service=entry.subject)), entry)
        if isinstance(entry.fact, e.ServiceDeclared):
            declared[entry.subject] = msgspec.convert(entry.fact.declaration["metadata"], Metadata)
    for state in states.values():
        if subject in _names(state, state.rollout, state.ticket) and state.service in declared:
            return state, declared[state.service]
    known = ", ".join(sorted(declared)) or "none"
    raise NotFound(f"no service, open rollout or open ticket is called {subject!r}", hint=f"services: {known}")


def _names(state: ServiceState, *parts: RolloutState | TicketState | None) -> tuple[str, ...]:
    names = [state.service, *([state.incident.incident] if state.incident else [])]
    for part in parts:
        match part:
            case RolloutState():
                names += [part.rollout, part.release]
            case TicketState():
                names.append(part.ticket)
    return tuple(names)


def _may(metadata: Metadata, person: Person, roles: Sequence[str]) -> None:
    """Raises: Refused: the person has none of the roles. Without declared people, whoever reaches the home may."""
    if person.every_role:
        return
    found = [objections(person.name, role, metadata.people) for role in roles]
    if all(found):
        able = sorted(name for name, has in metadata.people.items() if any(role in has for role in roles))
        raise Refused(
            f"{metadata.name}: {'; '.join(found[0])}",
            hint=f"who may: {', '.join(able) or 'nobody'} (metadata.people in service.yaml)",
        )
