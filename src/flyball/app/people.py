"""What a person may say to the loop: approve, reject, roll back, freeze, thaw. Each is one fact, named and proven.

The loop acts on them at its next tick. A word is written against the facts that it was said about; where others wrote
in between, it is said again for as long as it is about the same thing: no approval slides onto other evidence.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from flyball.app.subjects import Reading, first_release, is_called, no_incident, where_it_waits
from flyball.control.incidents.closing import closed_by_hand
from flyball.control.retraining import ordered
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState, TicketState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.errors import Conflict, NotAllowed, NotFound, Refused
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName
from flyball.core.ledger import Command, Entry, Ledger
from flyball.core.service import Metadata
from flyball.decide.evidence import objections, valid

ATTEMPTS = 20  # each one lost means that somebody else's transaction has ended: it is enough to read it


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, and how the name was proven."""

    name: str
    proof: e.Proof
    every_role: bool = False  # the simulated approver of `demo` and `replay`, marked as such on the ledger


class Act(msgspec.Struct, kw_only=True):
    """What became of a person's word."""

    subject: str
    by: str
    recorded: tuple[str, ...]  # types of the facts written, none where it was so already
    seq: int | None  # of the last of them


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's word comes to on the facts as they stand."""

    about: tuple[str, ...]  # what exactly it is said about; with another answer it is another word
    facts: tuple[e.AnyFact, ...] = ()  # none: it is so already
    commands: tuple[Command, ...] = ()


def told(subject: str, person: Person, entries: Sequence[Entry]) -> Act:
    """What was written, for whoever said it."""
    recorded = tuple(entry.type for entry in entries)
    return Act(subject=subject, by=person.name, recorded=recorded, seq=entries[-1].seq if entries else None)


def states_of(ledger: Ledger) -> dict[str, ServiceState]:
    """Every service on the ledger, folded."""
    return Reading(ledger).states()


def approve(
    ledger: Ledger, subject: str, person: Person, why: str = "", *, now: datetime | None = None
) -> tuple[Entry, ...]:
    """Approve what waits: a rollout that asked, a retrain ticket, a qualified release where none serves yet, or a
    quality incident (accept the data as they are).

    Subject: the id of one of them (a release also by 8 or more of its hex digits), or the service: its rollout or first
    release. A training is ordered, and an incident accepted, by its own name alone: a word that is said twice must not
    reach them. Now: what an expired request is told by; one that comes late does nothing anyway.

    Raises: NotFound (nothing of this name waits), Refused (the person may not, what was asked for has changed, or the
        request has expired).
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        service, rollout, ticket, incident = ServiceName(state.service), state.rollout, state.ticket, state.incident
        if incident is not None and subject == incident.incident:
            may(metadata, person, ("operator", "approver"))
            if not why.strip():
                raise Refused(
                    f"{subject}: no reason to accept broken data", hint=f"flyball approve {subject} --why TEXT"
                )
            closed = closed_by_hand(state.incidents.open[subject], f"{person.name}: {why}")
            return Word(about=(subject,), facts=(closed,))
        if (
            rollout is not None
            and rollout.asked is not None
            and not _approved(rollout)
            and is_called(subject, state, rollout)
        ):
            if any(given.by == person.name for given in rollout.approvals):
                return Word(about=(rollout.rollout,))
            _in_time(rollout.asked, now)
            by = state.proposed.get(rollout.release)
            said = tuple(given.by for given in rollout.approvals)
            return _approve_rollout(service, rollout.asked, metadata, person, why, proposed_by=by, said=said)
        if ticket is not None and ticket.ordered is None and subject == ticket.ticket:
            if state.rollout is not None:
                raise Refused(f"{service} is not trained now: the rollout {state.rollout.rollout} runs")
            if ticket.opened.rung == "approval":
                return _agreed(service, ticket, metadata, person, why)
            may(metadata, person, ("operator", "approver"))
            decision = ordered(state, ticket, by=person.name, proof=person.proof)
            return Word(about=(ticket.ticket,), facts=decision.facts, commands=decision.commands)
        if (root := first_release(ledger, state, subject)) is not None:
            return _approve_first(service, root, metadata, person, why)
        raise NotFound(f"nothing of {subject!r} waits for an approval", hint=where_it_waits(subject, state))

    return say(ledger, subject, word)


def _approved(rollout: RolloutState) -> bool:
    """Whether what is asked for has been approved already."""
    return rollout.approved is not None and rollout.asked is not None and valid(rollout.approved, rollout.asked)


def reject(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Say no: the rollout ends, whatever its step, or the ticket is dismissed. A person may always veto."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        no_incident("reject", subject, state)
        service, rollout, ticket = ServiceName(state.service), state.rollout, state.ticket
        if rollout is not None and is_called(subject, state, rollout):
            may(metadata, person, (rollout.asked.role if rollout.asked else "approver",))
            rejected = e.ApprovalRejected(
                service=service, rollout=RolloutId(rollout.rollout), by=person.name, proof=person.proof, why=why
            )
            return Word(about=(rollout.rollout,), facts=(rejected,))
        if ticket is not None and ticket.ordered is None and is_called(subject, state, ticket):
            may(metadata, person, ("operator", "approver"))
            reason = f"{person.name}: {why}"
            closed = e.TicketClosed(service=service, ticket=ticket.ticket, outcome="dismissed", reason=reason)
            return Word(about=(ticket.ticket,), facts=(closed,))
        raise NotFound(f"nothing of {subject!r} waits for an answer", hint=f"flyball explain {subject}")

    return say(ledger, subject, word)


def roll_back(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Take the running rollout back, or else the champion to the release before it. Needs no approval. An A/B test ends
    with its champion."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        no_incident("rollback", subject, state)
        may(metadata, person, ("operator", "approver"))
        if state.rollout is None and state.previous is None:
            what = f"{state.service}: no rollout runs, and no release is kept to go back to from {state.champion}"
            hint = f"flyball ab stop {state.service} ends the A/B test" if state.ab is not None else ""
            raise Refused(what, hint=hint)
        # by its release, not by the rollout: promoted a moment ago, it is still what shall go
        going = state.rollout.release if state.rollout is not None else str(state.champion)
        return Word(about=(going,), facts=(ordered_back(state, person, why),))

    return say(ledger, subject, word)


def freeze(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Stop every automatic action but rollback. A freeze that the loop made by itself becomes theirs."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("operator", "approver"))
        fact, by = e.Frozen(service=ServiceName(state.service), by=person.name, why=why), state.frozen
        return Word(about=(state.service,), facts=(fact,) if by is None or by.by == "policy" else ())

    return say(ledger, subject, word)


def thaw(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Let the loop act again."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("operator", "approver"))
        fact = e.Thawed(service=ServiceName(state.service), by=person.name, why=why)
        return Word(about=(state.service,), facts=(fact,) if state.frozen is not None else ())

    return say(ledger, subject, word)


def say(ledger: Ledger, subject: str, word: Callable[[ServiceState, Metadata], Word]) -> tuple[Entry, ...]:
    """Write a word against the facts it was said about, again where somebody wrote in between."""
    reading = Reading(ledger)
    first: Word | None = None
    lost: Conflict | None = None
    for _ in range(ATTEMPTS):
        state, metadata = reading.find(subject)
        now = word(state, metadata)
        if first is not None and now.about != first.about:
            raise Refused(
                f"{subject}: what this was about has changed in the meantime, nothing was written",
                hint=f"look again: flyball explain {subject}",
            )
        first = now
        if not now.facts:
            return ()
        try:
            return ledger.append(now.facts, expected=state.version, commands=now.commands)
        except Conflict as conflict:
            lost = conflict
    raise Conflict(f"{subject}: {ATTEMPTS} times somebody else wrote first", hint="try again") from lost


def ordered_back(state: ServiceState, person: Person, why: str) -> e.RollbackOrdered:
    """The order that takes the running rollout back, or else the champion."""
    return e.RollbackOrdered(
        service=ServiceName(state.service),
        key=f"rollback/{state.version}",
        by=person.name,
        proof=person.proof,
        why=why,
    )


def _approve_first(service: ServiceName, root: ReleaseRoot, metadata: Metadata, person: Person, why: str) -> Word:
    """With nothing to compare with it is a rubber stamp, whoever gives it, and the ledger calls it so."""
    may(metadata, person, ("approver",))
    fact = e.ChampionAppointed(
        service=service,
        release=root,
        previous=None,
        by=person.name,
        proof=person.proof,
        why=why,
        rubber_stamped=True,
    )
    return Word(about=(root,), facts=(fact,))


def _approve_rollout(
    service: ServiceName,
    asked: e.ApprovalRequested,
    metadata: Metadata,
    person: Person,
    why: str,
    *,
    proposed_by: str | None,
    said: Sequence[str],
) -> Word:
    """The approval names exactly what was asked for, so that it is void when any of it changes."""
    may(metadata, person, (asked.role,), proposed_by=proposed_by, said=said)
    fact = e.ApprovalGiven(
        service=service,
        rollout=asked.rollout,
        model=asked.model,
        evidence=asked.evidence,
        policy=asked.policy,
        by=person.name,
        proof=person.proof,
        why=why,
        alone=person.name == proposed_by and bool(metadata.people) and not said,
    )
    return Word(about=(asked.rollout, asked.model, asked.evidence, asked.policy), facts=(fact,))


def _agreed(service: ServiceName, ticket: TicketState, metadata: Metadata, person: Person, why: str) -> Word:
    """The loop will train, when nothing else is in the way. Who asked for it by a message does not agree alone."""
    if ticket.approved is not None:
        return Word(about=(ticket.ticket,))
    asked_by = ticket.opened.asked_by or None
    may(metadata, person, ("approver",), proposed_by=asked_by)
    alone = person.name == asked_by and bool(metadata.people)
    fact = e.TicketApproved(
        service=service, ticket=ticket.ticket, by=person.name, proof=person.proof, why=why, alone=alone
    )
    return Word(about=(ticket.ticket,), facts=(fact,))


def _in_time(asked: e.ApprovalRequested, now: datetime | None) -> None:
    if now is not None and now > moment(asked.expires_at):
        raise Refused(
            f"{asked.service}: the request expired at {asked.expires_at}: what was asked for is not today's evidence",
            hint="where the step says hold, the loop asks anew",
        )


def may(
    metadata: Metadata,
    person: Person,
    roles: Sequence[str],
    *,
    proposed_by: str | None = None,
    said: Sequence[str] = (),
) -> None:
    """Without declared people, whoever reaches the home may. Said: who has approved the same already.

    Raises: NotAllowed: the person has none of the roles, or had the release trained that is to be approved.
    """
    if person.every_role:
        return
    found = [objections(person.name, role, metadata.people, proposed_by=proposed_by, said=said) for role in roles]
    if all(found):
        able = sorted(
            name for name, has in metadata.people.items() if any(role in has for role in roles) and name != proposed_by
        )
        raise NotAllowed(
            f"{metadata.name}: {'; '.join(found[0])}",
            hint=f"who may: {', '.join(able) or 'nobody'} (metadata.people in service.yaml)",
        )
