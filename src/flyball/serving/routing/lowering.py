"""Orders that only take traffic away from a candidate: everything that they name is loaded, so nobody waits for them.

Pure.
"""

from flyball.core.arms import Arm
from flyball.core.routing import Routing


def lowers(held: Routing, ordered: Routing) -> bool:
    """Whether `ordered` names no release that `held` does not, and gives the candidate, and each arm, no more than it
    has.

    Another rollout, or test, deals all units anew and forgets what the gateway has stopped of the one before, whose
    processes may have ended: it only lowers if it gives nobody anything. Within one, what was stopped stays so.

    >>> from flyball.core.ids import ReleaseRoot, ServiceName
    >>> half = Routing(service=ServiceName("s"), epoch=1, champion=ReleaseRoot("a"), candidate=ReleaseRoot("b"),
    ...                weight=5000)
    >>> alone = Routing(service=ServiceName("s"), epoch=2, champion=ReleaseRoot("a"))
    >>> lowers(half, alone), lowers(alone, half), lowers(half, half)
    (True, False, True)
    """
    if (ordered.champion, ordered.previous) != (held.champion, held.previous):
        return False
    if (ordered.rollout, ordered.salt) != (held.rollout, held.salt) and _gives(ordered):
        return False
    if not all(_no_more(arm, held.arms) for arm in ordered.arms):
        return False
    if ordered.candidate is None:
        return ordered.weight == 0 and ordered.shadow == 0.0
    return ordered.candidate == held.candidate and ordered.weight <= held.weight and ordered.shadow <= held.shadow


def _gives(routing: Routing) -> bool:
    """Whether anybody but the champion gets rows."""
    return routing.weight > 0 or routing.shadow > 0.0 or any(arm.buckets for arm in routing.arms)


def _no_more(arm: Arm, held: tuple[Arm, ...]) -> bool:
    """Whether all buckets of the arm are its own already."""
    own = next((each for each in held if (each.name, each.release) == (arm.name, arm.release)), None)
    if own is None:
        return not arm.buckets
    return all(any(a <= start and end <= b for a, b in own.buckets) for start, end in arm.buckets)
