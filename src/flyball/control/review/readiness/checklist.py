"""The production checklist of a service, whole."""

from collections.abc import Sequence

from msgspec.structs import replace

from flyball.control.review.readiness.changing import changing
from flyball.control.review.readiness.item import Asked, Item, Looked, Readiness
from flyball.control.review.readiness.owning import owning
from flyball.control.review.readiness.watching import watching
from flyball.control.review.seen import Seen
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.service import Service

DECLARED = frozenset(
    (
        *("it has an owner, and people who may act", "costs are bounded", "gates have a floor"),
        *("what is kept, and for how long, is decided", "digests are written"),
        *("the rollout is scripted", "how right it is is watched", "somebody is on call"),
        *("drills are scheduled, and none is overdue", "it is probed"),
    )
)


def ready(service: Service, entries: Sequence[Entry], looked: Looked, now: str) -> Readiness:
    """Args: entries: of the service, from its first fact on. looked: what the ledger does not hold. now: RFC 3339."""
    items = checklist(asked_of(service, entries, looked, now))
    return Readiness(
        service=service.metadata.name, at=now, ready=all(item.state == "PASS" for item in items), items=items
    )


def checklist(asked: Asked) -> tuple[Item, ...]:
    """In the order of the page. What is declared is shown by the newest declaration on the ledger."""
    declared = asked.seen.newest(e.ServiceDeclared)
    items = (*owning(asked), *changing(asked), *watching(asked))
    return tuple(
        replace(item, evidence=(declared[1].seq,), age_s=declared[1].age_s)
        if item.name in DECLARED and declared is not None
        else item
        for item in items
    )


def asked_of(service: Service, entries: Sequence[Entry], looked: Looked, now: str) -> Asked:
    """What the items look at: the facts by their kind, and where they leave the service."""
    state = ServiceState(service=service.metadata.name)
    for entry in entries:
        state = fold(state, entry)
    return Asked(seen=Seen(entries, now), state=state, service=service, looked=looked)
