"""Clients that are refused: when that begins, and when it is over. Pure.

What counts is a key that the key file knows and that has run out, and many requests with credentials that nobody
knows (a key that was dropped, or somebody who guesses). One request more changes nothing: the ledger has the beginning
and the end.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from flyball.core.clock import moment, timestamp
from flyball.core.facts.access import AccessCalm, AccessRefused
from flyball.core.ids import ServiceName

UNKNOWN = "unknown"  # in place of a key's id


def refused_access(
    service: str, standing: Mapping[str, AccessRefused], found: Mapping[str, float], *, now: str, calm_s: float
) -> tuple[AccessRefused | AccessCalm, ...]:
    """The facts that the ledger lacks.

    Args:
        standing: by key, what it says.
        found: by key, when a request was refused last, seconds since the epoch. A moment that is still to come is of a
            clock that was put back since: as far off as one that has passed, and as little news.
        calm_s: without a refused request for so long it is over.

    >>> at = moment("2026-11-27T10:00:00Z").timestamp()
    >>> (fact,) = refused_access("fraud", {}, {"key-0a": at - 5}, now="2026-11-27T10:00:00Z", calm_s=300)
    >>> fact.key, fact.why
    ('key-0a', 'the key has run out, and is still used')
    """
    now_s = moment(now).timestamp()
    fresh = {key: at for key, at in found.items() if abs(now_s - at) < calm_s}
    begun = [
        AccessRefused(service=ServiceName(service), key=key, why=_why(key))
        for key in sorted(fresh.keys() - standing.keys())
    ]
    over = [
        AccessCalm(service=ServiceName(service), key=key, why=_over(found.get(key, now_s), now_s, calm_s))
        for key in sorted(standing.keys() - fresh.keys())
    ]
    return (*begun, *over)


def _why(key: str) -> str:
    if key == UNKNOWN:
        return "many requests come with credentials that nobody knows: a key that was dropped, or somebody guesses"
    return "the key has run out, and is still used"


def _over(last: float, now_s: float, calm_s: float) -> str:
    seen = f", since {timestamp(datetime.fromtimestamp(last, UTC))}" if last < now_s else ""
    return f"none came for {calm_s:g} s{seen}"
