"""Drills that are due: declared how often, done when last, by the facts. Pure."""

from collections.abc import Mapping, Sequence

from flyball.core.declared.drills import FALLBACK
from flyball.core.declared.review import Period
from flyball.decide.overdue import Overdue, overdue_since

DAY_S = 86_400.0
EVERY_S: dict[Period, float] = {"weekly": 7 * DAY_S, "monthly": 31 * DAY_S, "quarterly": 92 * DAY_S}  # the longest
# the gateway tries a link once in each period of its own, early or late in it: two tries may lie two periods apart
LATE_S: dict[Period, float] = {"weekly": 7 * DAY_S, "monthly": 0.0, "quarterly": 0.0}


def overdue_drills(
    schedule: Mapping[str, Period],
    *,
    drills: Mapping[str, str],
    exercised: Mapping[str, str],
    links: Sequence[str],
    began_at: str,
    now: str,
) -> tuple[Overdue, ...]:
    """What the schedule asks for and nobody has done in time, the earliest due first.

    Args:
        schedule: the section `drills` of the declaration.
        drills: fault -> when a drill of it came to its end last (`RoutineState.drills`).
        exercised: link -> when it was tried last (`RoutineState.exercised`).
        links: names of the declared fallback chain; without one there is none to try.
        began_at: when the service began; now. RFC 3339, UTC.

    >>> found = overdue_drills({"disaster": "quarterly"}, drills={}, exercised={}, links=(),
    ...     began_at="2026-01-01T00:00:00Z", now="2026-11-20T10:00:00Z")
    >>> found[0].cause, found[0].why
    ('overdue/drill-disaster', 'drill-disaster was never done, and is wanted every 92 days')
    """
    found: list[Overdue] = []
    for name, period in schedule.items():
        every_s = EVERY_S[period]
        if name == FALLBACK:
            found += _links(links, exercised, every_s + LATE_S[period], began_at=began_at, now=now)
            continue
        one = overdue_since(f"drill-{name}", every_s=every_s, last_at=drills.get(name, ""), began_at=began_at, now=now)
        found += [one] if one is not None else []
    return tuple(sorted(found, key=lambda each: (each.due_at, each.what)))


def _links(
    links: Sequence[str], exercised: Mapping[str, str], every_s: float, *, began_at: str, now: str
) -> list[Overdue]:
    """Each link is a drill of its own: one that was tried says nothing of the others."""
    asked = (
        overdue_since(
            f"drill-fallback-{link}", every_s=every_s, last_at=exercised.get(link, ""), began_at=began_at, now=now
        )
        for link in dict.fromkeys(links)
    )
    return [each for each in asked if each is not None]
