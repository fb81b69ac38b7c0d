"""What of a service's routine is overdue by its facts: digests that are not written, backups and drills
that nobody made. Pure."""

from flyball.control.state.service_state import ServiceState
from flyball.core.declared.serving import FallbackLink, Serving
from flyball.core.service import Service
from flyball.decide.overdue import Overdue, overdue_digests, overdue_since
from flyball.decide.overdue_drills import overdue_drills


def overdue(state: ServiceState, service: Service, now: str) -> tuple[Overdue, ...]:
    """In the order of their kinds, the earliest due first. `now`: RFC 3339, UTC."""
    routine = state.routine
    digests = overdue_digests(
        service.review.digests,
        written=routine.digests,
        began_at=routine.began_at,
        now=now,
        grace_s=service.review.digest_grace_s,
    )
    drills = overdue_drills(
        service.drills,
        drills=routine.drills,
        exercised=routine.exercised,
        links=links(service.serving),
        began_at=routine.began_at,
        now=now,
    )
    every_s, last = service.review.backup_every_s, routine.backups[-1].made_at if routine.backups else ""
    backup = (
        None
        if every_s is None
        else overdue_since("backup", every_s=every_s, last_at=last, began_at=routine.began_at, now=now)
    )
    return (*digests, *((backup,) if backup is not None else ()), *drills)


def links(serving: Serving) -> tuple[str, ...]:
    """Names of the declared chain's links, as the facts of their exercises have them.

    >>> links(Serving())
    ('previous',)
    """
    return tuple(dict.fromkeys(_name(each) for each in serving.fallback))


def _name(link: str | FallbackLink) -> str:
    if isinstance(link, FallbackLink):
        return "constant" if link.constant is not None else "rule"
    return link
