"""History for windows and seasons: each sealed pane of a live service is counted once and kept, five minutes a bucket.

The log goes through here on its way to the monitor. Panes are counted on the bins of the release that answered, and
each release has buckets of its own in each arm, also where two have the same bins. After a crash or a restart the log
is fed again; panes up to the store's mark are in it already. A bucket that cannot be read (damaged, or of another
version) is told and begun anew.
"""

from collections.abc import Callable, Collection, Iterator

import polars as pl

from flyball.adapters.prediction_log.pane_states import (
    Bucket,
    PaneStates,
    Series,
)
from flyball.core.arms import CHAMPION
from flyball.core.errors import NotFound, Unavailable, Untrusted
from flyball.core.ports import Segment, Telemetry
from flyball.core.watching import Pane
from flyball.monitor.state.binary import StateRefused, decoded, encoded
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import Frame, frame
from flyball.monitor.state.state import State, empty
from flyball.monitor.state.windows import DAY, MINUTES_5, WEEK
from flyball.monitor.watch import Promise

LATE_S = 60.0  # a pane of a worker on a busy machine may be so late
MOST_WAITING = 360  # panes, an hour of them, for a store that can be written again
KEEP_S = 5 * WEEK  # four earlier weeks for a season, and this one


class KeptStates:
    """`core.ports.Telemetry` that keeps what goes through it."""

    def __init__(
        self,
        telemetry: Telemetry,
        store: PaneStates,
        promises: Callable[[str], Promise],
        *,
        without: Collection[str] = (),
        complain: Callable[[str], None],
    ) -> None:
        """Args: without: features that are not watched. complain: told what is odd, in words."""
        self._telemetry, self._store, self._complain = telemetry, store, complain
        self._promises, self._without = promises, without
        self._counted: dict[tuple[str, str], tuple[Frame, Series] | None] = {}  # (arm, release) -> by what, where
        self._mark = store.mark()
        self._waiting: list[Segment] = []
        self._newest: float | None = None  # start of the newest pane, seconds since the epoch

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        """The segments, each kept before it is handed on. A store that cannot be written keeps nobody from them."""
        for segment in self._telemetry.sealed(service, after):
            self._told(service, segment.pane)
            if segment.pane.index > self._mark:
                self._waiting.append(segment)
                self._keep_waiting(service)
            yield segment

    def covers(self, index: int) -> bool:
        """Whether what it saw up to a pane is kept, so that nobody need read these panes for its sake."""
        return self._mark >= index

    def _keep_waiting(self, service: str) -> None:
        """In order, because the mark is of all panes up to it; what cannot be written now waits for the next pane."""
        while self._waiting:
            try:
                self._keep(self._waiting[0])
            except Unavailable as error:
                self._complain(f"{service}: {error}; {len(self._waiting)} panes wait")
                if len(self._waiting) > MOST_WAITING:
                    lost = self._waiting.pop(0)
                    self._complain(f"{service}: pane {lost.pane.index} will not be in the history of counts")
                return
            self._waiting.pop(0)

    def _keep(self, segment: Segment) -> None:
        pane, rows = segment.pane, segment.predictions
        start = pane.start // MINUTES_5 * MINUTES_5
        buckets: list[Bucket] = []
        if rows.height:
            ours = rows.filter(pl.col("arm").is_not_null() & pl.col("release").is_not_null())
            for arm, release in sorted(ours.select("arm", "release").unique().iter_rows()):
                by = self._by(arm, release)
                if by is None:
                    continue
                mine, series = by
                state = counted(mine, ours.filter((ours["arm"] == arm) & (ours["release"] == release)))
                whole = self._bucket(mine, series.name, start) + state
                buckets.append((series, start, MINUTES_5, encoded(whole)))
        usual = self._newest is not None and abs(pane.start - self._newest) < DAY  # else a clock may have jumped
        self._store.record(pane.index, buckets, forget_before=pane.start - KEEP_S if usual else None)
        self._mark = pane.index
        self._newest = pane.start if self._newest is None else max(self._newest, pane.start)

    def _by(self, arm: str, release: str) -> tuple[Frame, Series] | None:
        """What its rows are counted on, and where; None: another arm than the champion's whose release is gone."""
        if (arm, release) not in self._counted:
            try:
                mine = frame(self._promises(release).baseline, self._without)
            except (NotFound, Untrusted) as error:
                if arm == CHAMPION:
                    raise
                self._complain(f"rows of {arm} are not in the history of counts: {error}")
                self._counted[arm, release] = None
                return None
            name, without = self._name(mine, release, arm), tuple(sorted(self._without))
            self._counted[arm, release] = mine, Series(release=release, arm=arm, name=name, without=without)
        return self._counted[arm, release]

    def _name(self, mine: Frame, release: str, arm: str) -> str:
        """Goes on with buckets from before releases were in names, unless another release's rows may be in them."""
        former = _former(mine, arm)
        begun = {by[1].name for by in self._counted.values() if by is not None}
        if former not in begun and self._store.is_only_of(former, release, arm):
            return former
        return f"{mine.digest} {release} {arm}"

    def _bucket(self, mine: Frame, series: str, start: float) -> State:
        data = self._store.read(series, start)
        if data is None:
            return empty(mine)
        try:
            return decoded(data, mine)
        except StateRefused as error:
            self._complain(f"five minutes of counts from {start:.0f} on are lost and begin anew: {error}")
            return empty(mine)

    def _told(self, service: str, pane: Pane) -> None:
        """Panes of several workers overlap, and come late where a worker had no processor: that is no clock."""
        if self._newest is not None and self._newest - pane.end > LATE_S:
            back = self._newest - pane.start
            self._complain(
                f"{service}: the clock ran backwards: pane {pane.index} began {back:.1f} s before the one ahead of it; "
                "it is counted at its own time"
            )


def _former(mine: Frame, arm: str) -> str:
    """Name of a series from before releases were in it."""
    return mine.digest if arm == CHAMPION else f"{mine.digest} {arm}"
