"""When a rate that is beyond its limit began to be: the stretch up to now that has most events beyond the limit.

A sign needs rows to be sure, so it comes later than the fault (by minutes, at few rows a second). When the fault began
is asked of the panes afterwards, as Page's cumulative sum does: of all stretches that end now, the one with most events
beyond those that the limit allows. Its first pane is itself beyond the limit.
"""

from collections.abc import Sequence

from flyball.decide.health.vitals import Counted


def began_at(panes: Sequence[tuple[float, Counted]], limit: float) -> float | None:
    """Start of the first pane of that stretch; None: in no stretch are there more events than the limit allows.

    Args:
        panes: start, seconds since the epoch, and what was counted; oldest first.
        limit: share of the rows, 0..1.

    Source: Page 1954; the last time at which the cumulative sum of events - limit * rows was at its lowest.

    >>> counted = [Counted(events=events, rows=10) for events in (1, 0, 0, 0, 2, 0, 3)]
    >>> began_at(list(zip(range(100, 170, 10), counted)), 0.05)
    140
    >>> began_at([(100.0, Counted(events=0, rows=10))], 0.05) is None
    True
    """
    most, excess, found = 0.0, 0.0, None
    for start, counted in reversed(panes):
        excess += counted.events - limit * counted.rows
        if excess > most:
            most, found = excess, start
    return found
