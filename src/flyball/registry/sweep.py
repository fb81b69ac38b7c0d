"""What a sweep does with each stored thing: a pure plan in two phases.

What nothing reaches is marked by one sweep and deleted by a later one, when it has been marked for the whole grace and
was not used meanwhile. What is younger than the grace is left alone whatever reaches it: a training may just be about
to name it. Planning twice at one moment gives one plan.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from flyball.core.facts.storage import StoredKind
from flyball.core.ids import short
from flyball.core.record import Record

Fate = Literal["keep", "young", "mark", "wait", "delete"]


class Stored(Record):
    """One thing in the home that a sweep may delete."""

    kind: StoredKind
    name: str  # `sha256:<hex>`; of a step or a quarantine file its place
    place: str  # relative to the home
    digests: tuple[str, ...]  # hex; any of them reached: it stays; none: only its age counts
    size: int  # bytes
    at: float  # when it was last made or wanted, seconds since 1970


class Judged(Record):
    """A stored thing, what becomes of it, and why."""

    item: Stored
    fate: Fate
    why: str
    due: float | None = None  # when it may be deleted, seconds since 1970; of what is marked or waits


def reach(roots: Mapping[str, str], needs: Callable[[str], Iterable[str]]) -> dict[str, str]:
    """Everything that the roots need, directly or through others, with the reason of the root that it was reached from.

    >>> needs = {"a": ["b"], "b": ["c", "a"], "x": ["y"]}
    >>> reach({"a": "champion"}, lambda name: needs.get(name, []))
    {'a': 'champion', 'b': 'needed by a, champion', 'c': 'needed by a, champion'}
    """
    found = dict(roots)
    waiting = deque(roots)
    while waiting:
        name = waiting.popleft()
        for other in needs(name):
            if other not in found:
                found[other] = f"needed by {short(name)}, {found[name]}" if name in roots else found[name]
                waiting.append(other)
    return found


def plan(
    items: Iterable[Stored], live: Mapping[str, str], marked: Mapping[str, float], *, now: float, grace_s: float
) -> tuple[Judged, ...]:
    """One judgement a thing.

    Args: live: hex -> why it stays. marked: place -> when an earlier sweep marked it, seconds since 1970.
    """
    return tuple(_judge(item, live, marked.get(item.place), now, grace_s) for item in items)


def marks(judged: Iterable[Judged], before: Mapping[str, float], *, now: float) -> dict[str, float]:
    """What is marked after this plan; what became reachable, young or absent is forgotten."""
    found = {}
    for each in judged:
        if each.fate == "mark":
            found[each.item.place] = now
        elif each.fate in ("wait", "delete"):
            found[each.item.place] = before[each.item.place]
    return found


def _judge(item: Stored, live: Mapping[str, str], marked: float | None, now: float, grace_s: float) -> Judged:
    why = next((live[each] for each in item.digests if each in live), None)
    if why is not None:
        return Judged(item=item, fate="keep", why=why)
    if now - item.at < grace_s:
        return Judged(item=item, fate="young", why="nothing names it, but it is younger than the grace")
    why = "nothing that is kept names it"
    if marked is None or marked > now or item.at > marked:  # never marked, by a clock that ran ahead, or used since
        return Judged(item=item, fate="mark", why=why, due=now + grace_s)
    if marked < now and now - marked >= grace_s:  # by an earlier sweep, even where there is no grace
        return Judged(item=item, fate="delete", why=why)
    return Judged(item=item, fate="wait", why=why, due=marked + grace_s)
