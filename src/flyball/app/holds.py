"""Holds: a person wants what a digest names kept, with all that it needs, until the hold is lifted."""

from flyball.app.people import Person, may
from flyball.app.subjects import Reading
from flyball.core.errors import BadInput, Fault, NotFound
from flyball.core.events import AnyFact
from flyball.core.facts.storage import HoldLifted, HoldPlaced
from flyball.core.ids import Digest, ServiceName
from flyball.core.ledger import Entry, Ledger
from flyball.registry.releases import Registry, fold

LEAST_DIGITS = 8


def hold(ledger: Ledger, subject: str, person: Person, why: str, *, lift: bool) -> tuple[Entry, ...]:
    """Place a hold, or lift it; nothing where it is so already.

    Subject: a release, snapshot or experiment by its digest, or by 8 or more of its first hex digits.

    Raises: NotFound: nothing on the ledger, or more than one thing, is called so. Refused: the person may not.
        BadInput: a hold without a reason.
    """
    if not lift and not why:
        fault = Fault(where="command line", path="--why", expected="why it has to be kept", found="nothing")
        raise BadInput("A hold needs a reason.", (fault,))
    registries: dict[str, Registry] = {}
    held: set[str] = set()
    for entry in ledger.read():
        registries[entry.subject] = fold(registries.get(entry.subject, Registry()), entry)
        match entry.fact:
            case HoldPlaced(digest=digest):
                held.add(digest)
            case HoldLifted(digest=digest):
                held.discard(digest)
    service, digest = _find(registries, subject)
    state, metadata = Reading(ledger).find(service)
    may(metadata, person, ("operator", "approver"))
    if (digest in held) is not lift:
        return ()
    kind = HoldLifted if lift else HoldPlaced
    fact: AnyFact = kind(service=ServiceName(service), digest=digest, by=person.name, proof=person.proof, why=why)
    return ledger.append([fact], expected=state.version)


def _find(registries: dict[str, Registry], subject: str) -> tuple[str, Digest]:
    wanted = subject.rsplit(":", 1)[-1]
    found = {
        digest: service
        for service, registry in registries.items()
        for digest in (*registry.releases, *registry.snapshots, *registry.experiments)
        if len(wanted) >= LEAST_DIGITS and digest.rsplit(":", 1)[-1].startswith(wanted)
    }
    if len(found) != 1:
        what = f"{len(found)} things are" if found else "nothing on the ledger is"
        raise NotFound(f"{what} called {subject!r}", hint="name a release, snapshot or experiment by its digest")
    ((digest, service),) = found.items()
    return service, Digest(digest)
