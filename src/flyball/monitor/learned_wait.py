"""Which rows may be judged where no label window is declared? Those that waited as long as labels were seen to take.

Rows are judged in their own order, never in that of their labels: complaints come before the silence that means none,
so the first labels of a release, or of a surge of traffic, are mostly of one kind. A pane passes when all its rows have
their label, when it is as old as the delay within which 99 % of the labels come that come at all, or, at the latest,
when the join lets go of it, as no label finds it any more: sooner, where labels take longer than rows are held.

What nobody has lived to see cannot be learned: a service whose first labels come after seconds and all others after
weeks looks, until then, like one whose other rows get none. So a wait is believed once rows have been seen for twice as
long, or nearly all have a label; where it turns out to have been too short, what was judged by it is dropped; and while
most rows have no label a loss among the others is told and not acted on (`LEAST_LABELLED`). Whoever knows the wait
declares `data.label_window_s`.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flyball.monitor.labels import HeldPane, Place, judged_at_all
from flyball.monitor.realised.maturity import MATURE, MAX_UNSEEN, Cohorts
from flyball.stats.product_limit import ProductLimit

LEAST_LABELLED = 0.5  # of the rows judged: with fewer, those without a label may outweigh those that have one
LIVED = 2.0  # times the wait for which rows must have been seen
LOOK_EVERY = 8  # panes at most between two looks at the curve, which moves less and less


@dataclass(kw_only=True)
class _Pane:
    held: HeldPane
    number: int  # in the cohorts
    arrived: npt.NDArray[np.float64]  # seconds since the epoch, shape [rows]
    rows: int  # that a release answered


@dataclass(kw_only=True)
class LearnedWait:
    """Rows of panes that may not be judged yet, and how long labels take. Memory: the panes that the join holds."""

    hasty: bool = False  # rows were judged by a wait that was too short; whoever reads it sets it back
    wait_s: float | None = None  # None: not known yet
    _cohorts: Cohorts = field(default_factory=Cohorts)
    _panes: dict[int, _Pane] = field(default_factory=dict)  # by first row, in order: those that labels may find
    _waiting: deque[_Pane] = field(default_factory=deque)
    _any: bool = False  # label has come
    _used_s: float = float("inf")  # shortest wait by which a pane passed that lacked labels
    _fed: int = 0  # panes
    _next_look: int = 0

    def hold(self, held: HeldPane) -> None:
        """A pane more."""
        rows = sum(one is not None for one in held.by)
        number = self._cohorts.add(rows, held.end)
        pane = _Pane(held=held, number=number, arrived=held.frame["at"].to_numpy(), rows=rows)
        self._panes[held.first_row] = pane
        self._waiting.append(pane)

    def arrive(self, labelled: Sequence[Place], now: float) -> None:
        """First labels of rows. Their delay is to `now`, when they are here: their own time may be of the event."""
        by_pane: dict[int, list[int]] = {}
        for held, at in labelled:
            if held.by[at] is not None:
                by_pane.setdefault(held.first_row, []).append(at)
        for first_row, rows in by_pane.items():
            pane = self._panes.get(first_row)
            if pane is not None:
                self._cohorts.arrive(pane.number, now - pane.arrived[rows])
                self._any = True

    def passed(self, now: float, *, oldest_row: int) -> list[Place]:
        """Rows of the panes that pass now, in order: accepted, or answered by a release.

        Args: oldest_row: that the join still holds. Those before it pass however long the wait is: it may be longer
        than the join can hold rows, and no label will find them any more.
        """
        while self._panes and next(iter(self._panes)) < oldest_row:
            del self._panes[next(iter(self._panes))]
        self._look(now)
        found: list[Place] = []
        while self._waiting and (self._waiting[0].held.first_row < oldest_row or self._passes(self._waiting[0], now)):
            held = self._waiting.popleft().held
            found += [(held, at) for at in range(len(held.by)) if judged_at_all(held, at)]
        return found

    def _passes(self, pane: _Pane, now: float) -> bool:
        if pane.held.caused >= pane.rows:
            return True
        if self.wait_s is None or now - pane.held.end < self.wait_s:
            return False
        self._used_s = min(self._used_s, self.wait_s)
        return True

    def _look(self, now: float) -> None:
        """At the curve of delays."""
        self._fed += 1
        if self._fed < self._next_look or not self._any:
            return
        self._next_look = self._fed + min(LOOK_EVERY, 1 + self._fed // LOOK_EVERY)
        curve = self._cohorts.curve(now)
        self.wait_s = wait_of(curve)
        last = float(curve.share[-1]) if curve.share.size else 0.0
        if np.isfinite(self._used_s) and curve.at(self._used_s) < (1 - MAX_UNSEEN) * last:
            self.hasty, self._used_s = True, float("inf")


def wait_of(curve: ProductLimit) -> float | None:
    """Seconds within which 99 % of the labels come that come at all; None: nobody has been seen for long enough.

    >>> from flyball.stats.product_limit import product_limit
    >>> edges, delays = np.array([1.0, 2.0, 4.0]), np.array([[50, 0, 0]])
    >>> wait_of(product_limit(np.array([100]), np.array([1.5]), delays[:, :1], edges[:1])) is None
    True
    >>> wait_of(product_limit(np.array([100]), np.array([4.0]), delays, edges))
    1.0
    """
    wait = curve.quantile(MATURE)
    if wait is None:
        return None
    seen_for, share = float(curve.edges[-1]), float(curve.share[-1])
    return wait if share >= MATURE or seen_for >= LIVED * wait else None
