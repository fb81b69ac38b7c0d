"""Which buckets an arm of an A/B test gets, and keeps: nobody changes arms but where a weight was changed. Pure.

Theory of operation. A unit's bucket never changes (`assign.py`), so whoever owns the bucket has the unit. An arm whose
weight shrinks gives buckets back to the champion; one whose weight grows takes buckets from the champion, never from
another arm. So a unit leaves an arm only if that arm shrinks, and comes to an arm only if that arm grows: sticky and
monotone for any number of arms, and for one arm it is the rule of a rollout, the buckets below its weight.

Laying the arms end to end, each where the weights before it end, would not do: where one grows all behind it would
move. So there is room between them. An arm grows into the larger free stretch beside it; one that has nothing yet takes
the largest free stretch, at the end that no arm borders on, or the middle. Stretches that have become many are refused:
a table must stay small enough to be mapped.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec.structs import replace

from flyball.core.arms import Arm
from flyball.core.routing import WHOLE

MOST_RANGES = 512  # of all arms together

_Range = tuple[int, int]


def allotted(arms: Sequence[Arm], weights: Mapping[str, int]) -> tuple[Arm, ...]:
    """The same arms with these weights, of 10,000; one that is not named keeps its own.

    Raises: ValueError: the weights are more than there is, or were changed so often that the buckets lie in too many
        pieces.

    >>> from flyball.core.ids import ReleaseRoot
    >>> two = [Arm(name=name, release=ReleaseRoot("sha256:" + name)) for name in ("b", "c")]
    >>> [arm.buckets for arm in allotted(two, {"b": 2500, "c": 100})]
    [((0, 2500),), ((9900, 10000),)]
    >>> [arm.buckets for arm in allotted(allotted(two, {"b": 2500, "c": 100}), {"b": 3000, "c": 200})]
    [((0, 3000),), ((9800, 10000),)]
    """
    wanted = {arm.name: weights.get(arm.name, arm.weight) for arm in arms}
    if min(wanted.values(), default=0) < 0 or sum(wanted.values()) > WHOLE:
        raise ValueError(f"expected weights of 0 or more that sum to at most {WHOLE}, found {wanted}")
    held = {arm.name: _shrunk(list(arm.buckets), wanted[arm.name]) for arm in arms}
    for arm in arms:
        held[arm.name] = _grown(held[arm.name], wanted[arm.name], held)
    if sum(map(len, held.values())) > MOST_RANGES:
        raise ValueError(f"the weights were changed too often: expected at most {MOST_RANGES} ranges of buckets")
    return tuple(replace(arm, buckets=tuple(held[arm.name])) for arm in arms)


def _shrunk(mine: list[_Range], wanted: int) -> list[_Range]:
    """Given back from the upper end of the shortest stretch, so that the pieces become fewer."""
    mine = list(mine)
    while (over := sum(end - start for start, end in mine) - wanted) > 0:
        start, end = min(mine, key=lambda each: (each[1] - each[0], -each[0]))
        mine.remove((start, end))
        if end - start > over:
            mine.append((start, end - over))
    return sorted(mine)


def _grown(mine: list[_Range], wanted: int, held: Mapping[str, list[_Range]]) -> list[_Range]:
    mine = list(mine)
    while (missing := wanted - sum(end - start for start, end in mine)) > 0:
        free = _free([each for own in held.values() for each in own] + mine)
        mine = _merged([*mine, _next(mine, free, missing)])
    return mine


def _next(mine: Sequence[_Range], free: Sequence[_Range], missing: int) -> _Range:
    """The stretch to take now, at most `missing` long."""
    beside = [each for each in free if any(each[0] == end or each[1] == start for start, end in mine)]
    first, behind = max(beside or free, key=lambda each: (each[1] - each[0], -each[0]))
    length = min(missing, behind - first)
    if any(end == first for _, end in mine) or (not beside and first == 0):
        return first, first + length
    if beside or behind == WHOLE:
        return behind - length, behind
    start = first + (behind - first - length) // 2
    return start, start + length


def _free(taken: Sequence[_Range]) -> list[_Range]:
    """What is the champion's."""
    edges = [(0, 0), *_merged(taken), (WHOLE, WHOLE)]
    return [(left[1], right[0]) for left, right in pairwise(edges) if left[1] < right[0]]


def _merged(ranges: Sequence[_Range]) -> list[_Range]:
    """Ascending, those that touch joined."""
    found: list[_Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
