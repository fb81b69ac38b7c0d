"""History for windows and seasons: each sealed pane of a live service is counted once and kept, five minutes a bucket.

The log goes through here on its way to the monitor. Panes are counted on the bins of the release that answered, so each
release has buckets of its own. After a crash or a restart the log is fed again; panes up to the store's mark are in it
already. A bucket that cannot be read (damaged, or of another version) is told and begun anew.
"""

from collections.abc import Callable, Collection, Iterator
from functools import cache

import polars as pl

from flyball.adapters.prediction_log.pane_states import STATES, Bucket, PaneStates
from flyball.app.home import Home
from flyball.core.errors import Unavailable
from flyball.core.ports import Segment, Telemetry
from flyball.core.watching import Pane
from flyball.monitor.state.binary import StateRefused, decoded, encoded
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import Frame, frame
from flyball.monitor.state.state import State, empty
from flyball.monitor.state.windows import DAY, MINUTES_5, WEEK, TimedState
from flyball.monitor.watch import Promise

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
        self._frame: Callable[[str], Frame] = cache(lambda release: frame(promises(release).baseline, without))
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
            ours = rows.filter((pl.col("arm") == "champion") & pl.col("release").is_not_null())
            for release in ours["release"].unique().sort().to_list():
                mine = self._frame(release)
                state = counted(mine, ours.filter(ours["release"] == release))
                whole = self._bucket(mine, start) + state
                buckets.append((mine.digest, start, MINUTES_5, encoded(whole)))
        usual = self._newest is not None and abs(pane.start - self._newest) < DAY  # else a clock may have jumped
        self._store.record(pane.index, buckets, forget_before=pane.start - KEEP_S if usual else None)
        self._mark = pane.index
        self._newest = pane.start if self._newest is None else max(self._newest, pane.start)

    def _bucket(self, mine: Frame, start: float) -> State:
        data = self._store.read(mine.digest, start)
        if data is None:
            return empty(mine)
        try:
            return decoded(data, mine)
        except StateRefused as error:
            self._complain(f"five minutes of counts from {start:.0f} on are lost and begin anew: {error}")
            return empty(mine)

    def _told(self, service: str, pane: Pane) -> None:
        if self._newest is not None and pane.start < self._newest:
            back = self._newest - pane.start
            self._complain(
                f"{service}: the clock ran backwards: pane {pane.index} began {back:.1f} s before the one ahead of it; "
                "it is counted at its own time"
            )


def kept(home: Home, service: str, mine: Frame, *, since: float, until: float) -> tuple[list[TimedState], list[str]]:
    """Buckets of one release that begin in [since, until), seconds since the epoch; and what could not be read.

    Raises: Unavailable.
    """
    found: list[TimedState] = []
    told: list[str] = []
    for _, start, length, data in PaneStates(home.telemetry(service) / STATES).between(mine.digest, since, until):
        try:
            found.append(TimedState(start=start, end=start + length, state=decoded(data, mine)))
        except StateRefused as error:
            told.append(f"counts from {start:.0f} on: {error}")
    return found, told
