"""What people may say about a failed gate: two let one release pass it, for a short time, or one takes that back.

The separate, loud way around a hard gate. It takes two names with the role `exception`, neither of which had the
release trained, and it ends by itself. Nothing of it touches traffic: the release still needs its approval, and meets
its guardrails.
"""

from datetime import datetime, timedelta

from flyball.app.people import Person, Word, may, say
from flyball.app.subjects import is_root
from flyball.control.policing import told_of
from flyball.control.rollout.steps import effective_steps
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.codec import digest
from flyball.core.errors import NotFound, Refused
from flyball.core.facts.exception import gate_evidence
from flyball.core.ids import Digest, ReleaseRoot, ServiceName, short
from flyball.core.ledger import Entry, Ledger
from flyball.core.release import GateResult, Release
from flyball.core.service import Metadata, Service
from flyball.decide.exceptions import GateException, cannot_be_excepted, obstacle, void_because
from flyball.decide.policy import forbidden

ROLE = "exception"


def request(
    ledger: Ledger,
    service: str,
    release: str,
    gate: str,
    person: Person,
    why: str,
    *,
    declared: Service,
    now: datetime,
    lasts_s: float | None = None,
) -> tuple[Entry, ...]:
    """Ask to let one failed gate of one release pass. It does nothing before somebody else has confirmed it.

    Args: gate: the name of its result, or the metric where only one gate of it failed. declared: the service as it
        stands on the ledger. lasts_s: from now to its end; None: as long as the policy allows.

    Raises: NotFound: no such release or gate. Refused: the gate passed or has no exception, the policy allows less
        time or none at all, the rollout would need nobody's approval, or the person may not.
    """
    longest = declared.policy.exceptions.longest_s
    if lasts_s is not None and not 0 < lasts_s <= longest:
        raise Refused(
            f"an exception of {lasts_s:g} s: expected more than 0 and at most {longest:g} s",
            hint="policy.exceptions.longest_s in service.yaml; never more than 7 days",
        )

    def word(state: ServiceState, metadata: Metadata) -> Word:
        known = _release(state, release)
        found = _gate(known, gate)
        _may(metadata, person, state, known)
        _possible(state, known, found, declared)
        _by_the_rules(state, known, found, declared, now)
        evidence = gate_evidence(known.root, found)
        about = (known.root, found.name, evidence, state.policy)
        standing = [one for one in state.exceptions.standing.values() if _of(one) == about]
        if standing:
            return Word(about=about)
        fact = e.ExceptionRequested(
            service=ServiceName(state.service),
            exception="ex-" + short(digest("flyball/exception-name/v1", [*about, state.version])),
            release=known.root,
            gate=found.name,
            found=found,
            evidence=evidence,
            policy=Digest(state.policy),
            by=person.name,
            proof=person.proof,
            why=why,
            expires_at=timestamp(now + timedelta(seconds=longest if lasts_s is None else lasts_s)),
        )
        return Word(about=about, facts=(fact,))

    return say(ledger, service, word)


def confirm(
    ledger: Ledger, service: str, exception: str, person: Person, why: str, *, declared: Service, now: datetime
) -> tuple[Entry, ...]:
    """The second word. From here on the gate stands aside, and the release waits for its rollout.

    Args: declared: the service as it stands on the ledger.

    Raises: NotFound: none of this name stands. Refused: it is over or void, a rule of the policy forbids it, the person
        asked for it, or may not.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        one = _standing(state, exception)
        asked, known = one.requested, state.releases.get(one.requested.release)
        if known is None:
            raise NotFound(f"{short(asked.release)} is no release of {state.service}")
        _may(metadata, person, state, known)
        if asked.by == person.name:
            others = _holders(metadata, state, known, without=person.name)
            raise Refused(
                f"{person.name} asked for exception {exception}: somebody else has to confirm it",
                hint=f"who may: {', '.join(others) or 'nobody'} (role {ROLE} in metadata.people)",
            )
        changed = void_because(one, known, state.policy)
        if changed:
            raise Refused(f"exception {exception} is void: another {' and another '.join(changed)} than when asked for")
        if now >= moment(asked.expires_at):
            raise Refused(f"exception {exception} ended at {asked.expires_at}", hint="flyball exception request")
        about = (asked.exception, asked.evidence, asked.policy)
        if one.confirmed is not None:
            return Word(about=about)
        _by_the_rules(state, known, _gate(known, asked.gate), declared, now)
        fact = e.ExceptionConfirmed(
            service=ServiceName(state.service),
            exception=asked.exception,
            release=asked.release,
            gate=asked.gate,
            evidence=asked.evidence,
            policy=asked.policy,
            by=person.name,
            proof=person.proof,
            why=why,
        )
        return Word(about=about, facts=(fact,))

    return say(ledger, service, word)


def revoke(ledger: Ledger, service: str, exception: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Take it back. One person is enough to say no, and a rollout that stands on it goes back.

    Raises: NotFound: none of this name stands. Refused: the person may not.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        asked = _standing(state, exception).requested
        may(metadata, person, (ROLE, "approver", "operator"))
        fact = e.ExceptionEnded(
            service=ServiceName(state.service),
            exception=asked.exception,
            release=asked.release,
            gate=asked.gate,
            how="revoked",
            by=person.name,
            proof=person.proof,
            why=why,
        )
        return Word(about=(asked.exception,), facts=(fact,))

    return say(ledger, service, word)


def _possible(state: ServiceState, known: Release, found: GateResult, declared: Service) -> None:
    """What no two people may do."""
    bar = cannot_be_excepted(found) or obstacle(known)
    if bar is not None:
        raise Refused(
            f"gate {found.name} of release {short(known.root)} has no exception: {bar}",
            hint="only a judgement of quality that has a figure can be let pass: change the release, or the gate",
        )
    if state.champion is None:
        raise Refused(
            f"{state.service} has no champion: an exception is for a rollout, which has a way back",
            hint="the first release has to pass its gates",
        )
    if not any(step.kind == "approval" for step in effective_steps(declared)):
        raise Refused(
            f"{state.service} promotes without a person: a release that failed a gate is not let pass there",
            hint="autonomy.promote: approval, or an approval step in rollout.steps",
        )


def _by_the_rules(state: ServiceState, known: Release, found: GateResult, declared: Service, now: datetime) -> None:
    """What the policy lets nobody let pass, asked of each of the two."""
    names = [gate.name for gate in declared.gates if gate.name and found.name.startswith(f"{gate.name}: ")]
    told = told_of(state, declared, known.root, timestamp(now)) | {"gate": names[0] if names else found.name}
    why = forbidden(declared.policy, "exception", told)
    if why is not None:
        raise Refused(
            f"{state.service}: the policy forbids an exception for gate {found.name}: {why}",
            hint="policy.rules in service.yaml; a changed rule voids approvals and exceptions",
        )


def _may(metadata: Metadata, person: Person, state: ServiceState, known: Release) -> None:
    """A role that is declared, and no part in the release: who had it trained is neither of the two."""
    trainer = state.proposed.get(known.root)
    able = _holders(metadata, state, known)
    hint = f"who may: {', '.join(able) or 'nobody'} (role {ROLE} in metadata.people of service.yaml)"
    if person.name not in metadata.people or ROLE not in metadata.people[person.name]:
        raise Refused(f"{metadata.name}: {person.name} has no role {ROLE}", hint=hint)
    if person.name == trainer:
        raise Refused(f"{person.name} had this release trained: two others have to let its gate pass", hint=hint)


def _holders(metadata: Metadata, state: ServiceState, known: Release, *, without: str = "") -> list[str]:
    barred = (state.proposed.get(known.root), without)
    return sorted(name for name, has in metadata.people.items() if ROLE in has and name not in barred)


def _release(state: ServiceState, subject: str) -> Release:
    found = [root for root in state.releases if is_root(subject, root)]
    if len(found) != 1:
        hint = "8 or more digits of one: flyball lineage, flyball runs list"
        raise NotFound(f"{subject!r} names {len(found)} releases of {state.service}", hint=hint)
    return state.releases[ReleaseRoot(found[0])]


def _gate(known: Release, name: str) -> GateResult:
    failed = [gate for gate in known.gates if not gate.passed]
    exact = [gate for gate in known.gates if gate.name == name]
    found = exact or [gate for gate in failed if gate.metric == name]
    if len(found) != 1:
        names = "; ".join(gate.name for gate in failed) or "none"
        raise NotFound(
            f"{name!r} names {len(found)} gates of release {short(known.root)}", hint=f"that failed: {names}"
        )
    return found[0]


def _standing(state: ServiceState, name: str) -> GateException:
    if name not in state.exceptions.standing:
        known = ", ".join(state.exceptions.standing) or "none"
        raise NotFound(f"{state.service}: no exception {name} stands", hint=f"that stand: {known}")
    return state.exceptions.standing[name]


def _of(one: GateException) -> tuple[str, str, str, str]:
    asked = one.requested
    return asked.release, asked.gate, asked.evidence, asked.policy
