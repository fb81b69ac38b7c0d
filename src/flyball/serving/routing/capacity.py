"""May this release get this much traffic? What it answers a second in its warm-up, against what is to come. Pure."""

from flyball.core.routing import WHOLE, Routing
from flyball.serving.routing.trial_length import Rate

HEADROOM = 1.3  # the share that is to come, and this much more of it


def lifted(before: Routing | None, after: Routing) -> dict[str, float]:
    """The releases that get more of the traffic than they have, and the share that each is to have, 0..1.

    The way back is not asked: a candidate's weight that sinks, and the release before this champion in its old place.

    >>> from flyball.core.ids import ReleaseRoot, ServiceName
    >>> old = Routing(service=ServiceName("s"), epoch=1, champion=ReleaseRoot("a"))
    >>> lifted(old, Routing(service=ServiceName("s"), epoch=2, champion=ReleaseRoot("a"), candidate=ReleaseRoot("b"),
    ...                     weight=2500))
    {'b': 0.25}
    >>> lifted(None, old)
    {}
    """
    if before is None:
        return {}
    if after.champion != before.champion:
        return {} if after.champion == before.previous else {str(after.champion): 1.0}
    had, wanted = _weights(before), _weights(after)
    return {root: weight / WHOLE for root, weight in wanted.items() if weight > had.get(root, 0)}


def too_little(release: str, found: Rate, *, share: float, rate_rps: float) -> str | None:
    """Why the weight must not move; None: it may.

    Args: found: what the release answered when it was tried; what it surely answers counts. share: that it is to
        have, 0..1. rate_rps: rows a second that arrive now.

    >>> too_little("b", Rate(rows_s=70.0, half_width=4.0, took_s=0.4), share=0.5, rate_rps=100.0) is None
    True
    >>> too_little("b", Rate(rows_s=66.0, half_width=6.0, took_s=0.4), share=0.5, rate_rps=100.0)
    'release b surely answers 60 rows/s (66 in 0.4 s), 65 are to come (50.00% of 100, and 30% more): no weight moves'
    """
    needed = share * rate_rps * HEADROOM
    if found.surely >= needed:
        return None
    return (
        f"release {release} surely answers {found.surely:.0f} rows/s ({found.rows_s:.0f} in {found.took_s:.1f} s), "
        f"{needed:.0f} are to come ({share:.2%} of {rate_rps:.0f}, and {HEADROOM - 1:.0%} more): no weight moves"
    )


def _weights(routing: Routing) -> dict[str, int]:
    """What every release but the champion has, of 10,000; two arms may have the same release."""
    found: dict[str, int] = {}
    pairs = [(routing.candidate, routing.weight), *((arm.release, arm.weight) for arm in routing.arms)]
    for release, weight in pairs:
        if release is not None and release != routing.champion:
            found[str(release)] = found.get(str(release), 0) + weight
    return found
