"""What a person's word is about: a service, or something of it that is open, by its name."""

from typing import Any, TypeVar

import msgspec

from flyball.control.state.fold import fold
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState, TicketState
from flyball.core import events as e
from flyball.core.errors import BadInput, Fault, NotFound
from flyball.core.ids import ReleaseRoot
from flyball.core.ledger import Ledger
from flyball.core.service import Alerts, Autonomy, Metadata, Retrain, Service
from flyball.registry.releases import registry

Section = TypeVar("Section")


class Reading:
    """The services of a ledger, folded as far as it was read."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._seq = ledger, 0
        self._declared: dict[str, dict[str, Any]] = {}  # the newest declaration of each
        self._states: dict[str, ServiceState] = {}

    def states(self) -> dict[str, ServiceState]:
        """Each service as it stands now; only what is new is read."""
        for entry in self._ledger.read(self._seq):
            before = self._states.get(entry.subject, ServiceState(service=entry.subject))
            self._states[entry.subject] = fold(before, entry)
            if isinstance(entry.fact, e.ServiceDeclared):
                self._declared[entry.subject] = entry.fact.declaration
            self._seq = entry.seq
        return self._states

    def find(self, subject: str) -> tuple[ServiceState, Metadata]:
        """The service that a subject belongs to at this moment, and who may do what there.

        Raises: NotFound: nothing, or something of several services, is called so.
        """
        states = [state for state in self.states().values() if state.service in self._declared]
        declared = [state for state in states if state.service == subject] or [
            state
            for state in states
            if is_called(subject, state, state.rollout, state.ticket, first=state.champion is None)
        ]
        if len(declared) > 1:
            names = ", ".join(state.service for state in declared)
            raise NotFound(f"{subject!r} is the name of something in each of {names}", hint="name the service")
        if declared:
            declaration = self._declared[declared[0].service]
            return declared[0], msgspec.convert(declaration["metadata"], Metadata)
        known = ", ".join(sorted(self._declared)) or "none"
        raise NotFound(f"no service, open rollout or open ticket is called {subject!r}", hint=f"services: {known}")

    def policy(self, service: str) -> Retrain:
        """What the declaration of a service that was found says of its retraining."""
        return msgspec.convert(self._declared[service].get("retrain", {}), Retrain)

    def declaration(self, service: str) -> Service:
        """As it was declared last, of what was read. Raises: NotFound: it was not."""
        if service not in self._declared:
            known = ", ".join(sorted(self._declared)) or "none"
            raise NotFound(f"no service is called {service!r}", hint=f"services: {known}")
        return msgspec.convert(self._declared[service], Service)

    def alerts(self, service: str) -> Alerts | None:
        """What it says of who is told of what is wrong."""
        return msgspec.convert(self._declared[service].get("alerts"), Alerts | None)

    def section(self, service: str, name: str, kind: type[Section]) -> Section:
        """One section of its declaration, as it was declared last; its defaults where an older version wrote that."""
        return msgspec.convert(self._declared.get(service, {}).get(name, {}), kind)

    def autonomy(self, service: str) -> Autonomy:
        """What it says of how far the loop may go alone."""
        return msgspec.convert(self._declared[service].get("autonomy", {}), Autonomy)


def is_called(
    subject: str, state: ServiceState, *parts: RolloutState | TicketState | None, first: bool = False
) -> bool:
    """Whether the subject means the service, its incident, one of the parts, or (`first`) a release that waits."""
    names = [state.service, *([state.incident.incident] if state.incident else [])]
    releases = list(state.waiting) if first else []
    for part in parts:
        match part:
            case RolloutState():
                names.append(part.rollout)
                releases.append(part.release)
            case TicketState():
                names.append(part.ticket)
    return subject in names or any(is_root(subject, root) for root in releases)


def where_it_waits(subject: str, state: ServiceState) -> str:
    """Broken data are accepted, and trainings ordered, by their own name: a word said twice must not reach them."""
    if state.incident is not None:
        return f"accept its broken data: flyball approve {state.incident.incident} --why TEXT"
    if state.ticket is not None and state.ticket.ordered is None and state.rollout is None:
        return f"order the training that is suggested: flyball approve {state.ticket.ticket}"
    return f"flyball explain {subject}"


def no_incident(verb: str, subject: str, state: ServiceState) -> None:
    """Raises: BadInput: the verb is about what serves; what to do about this incident is another word."""
    incident = state.incident
    if incident is None or subject != incident.incident:
        return
    expected = "a service or a rollout" if verb == "rollback" else "a service, a rollout or a ticket"
    fix = f"flyball {verb} {state.service}; or accept its data: flyball approve {subject} --why TEXT"
    fault = Fault(where=f"flyball {verb}", path="subject", expected=expected, found=f"the incident {subject}", fix=fix)
    raise BadInput(f"{subject}: an incident is nothing to {verb.replace('rollback', 'take back')}", (fault,))


def is_root(subject: str, root: str) -> bool:
    """A release by its root, or by 8 or more of its first hex digits.

    >>> is_root("0123abcd", "sha256:0123abcdef"), is_root("0123abc", "sha256:0123abcdef")
    (True, False)
    """
    digits = subject.rsplit(":", 1)[-1]
    return subject == root or (len(digits) >= 8 and root.rsplit(":", 1)[-1].startswith(digits))


def first_release(ledger: Ledger, state: ServiceState, subject: str) -> ReleaseRoot | None:
    """The release that a person may make the first champion: of those meant, the newest that stands by its gates."""
    if state.champion is not None:
        return None
    known = registry(ledger.read(subject=state.service)).releases
    able = [
        ReleaseRoot(root)
        for root in state.waiting
        if known[ReleaseRoot(root)].stage == "qualified" and (subject == state.service or is_root(subject, root))
    ]
    return able[-1] if able else None
