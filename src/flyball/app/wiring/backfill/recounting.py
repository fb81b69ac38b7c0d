"""Counted panes of a span made again: the buckets of five minutes that a repair touches, on the bins they had.

Only buckets that are there are replaced, each by the whole of its panes: those of which a pane is not counted yet are
left to the controller, which reads through the repair from now on.
"""

from collections.abc import Callable, Sequence
from functools import cache

import polars as pl

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.pane_states import STATES, Bucket, PaneStates, Series, series_of
from flyball.adapters.prediction_log.repairs import Repair, mended
from flyball.adapters.prediction_log.segments import Segments
from flyball.app.home import Home
from flyball.core.errors import NotFound, Untrusted
from flyball.monitor.state.binary import encoded
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import Frame, frame
from flyball.monitor.state.state import State, empty
from flyball.monitor.state.windows import MINUTES_5
from flyball.monitor.watch import Promise


def recount(
    home: Home,
    service: str,
    repairs: Sequence[Repair],
    promises: Callable[[str], Promise],
    *,
    since: float,
    until: float,
    advance: Callable[[int], None],
) -> int:
    """How many buckets were made again; done twice it gives the same buckets. Raises: Unavailable."""
    path = home.telemetry(service) / STATES
    if not path.exists():
        return 0
    store = PaneStates(path)
    first, last, mark = since // MINUTES_5 * MINUTES_5, -(-until // MINUTES_5) * MINUTES_5, store.mark()

    @cache
    def by(arm: str, release: str) -> tuple[Frame, Series] | None:
        series = series_of(path, release, arm)
        if series is None:
            return None
        try:
            return frame(promises(release).baseline, series.without), series
        except (NotFound, Untrusted):
            return None  # its release is gone: nobody can count on its bins any more

    found: dict[tuple[str, str, float], State] = {}
    unfinished: set[float] = set()
    after, newest = panes_of_span(home, service, first, last)
    for segment in Segments(home.telemetry(service).parent).sealed(service, after):
        if segment.pane.index > newest:
            break
        advance(1)
        start = segment.pane.start // MINUTES_5 * MINUTES_5
        if not first <= start < last:
            continue
        if segment.pane.index > mark:
            unfinished.add(start)
        rows = mended(segment, repairs).predictions
        ours = rows.filter(pl.col("arm").is_not_null() & pl.col("release").is_not_null())
        for arm, release in sorted(ours.select("arm", "release").unique().iter_rows()):
            if (known := by(arm, release)) is None:
                continue
            state = counted(known[0], ours.filter((ours["arm"] == arm) & (ours["release"] == release)))
            found[arm, release, start] = found.get((arm, release, start), empty(known[0])) + state
    buckets: list[Bucket] = []
    for (arm, release, start), state in found.items():
        known = by(arm, release)
        if known is not None and start not in unfinished:
            buckets.append((known[1], start, MINUTES_5, encoded(state)))
    return store.replace(buckets)


def panes_of_span(home: Home, service: str, first: float, last: float) -> tuple[int, int]:
    """Index before the oldest pane that reaches into a span, and of the newest that begins in it, by the headers of the
    whole log: one that came late stands behind panes of later times. Both -1: none does."""
    inside = [
        pane.index
        for each in sealed(home.telemetry(service))
        for pane in each.panes()
        if pane.end > first and pane.start < last
    ]
    return (inside[0] - 1, inside[-1]) if inside else (-1, -1)
