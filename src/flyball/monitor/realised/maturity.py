"""How far the labels of a window are in, and so with what its figures may be compared.

Quick labels are no fair sample of all labels: complaints come before the silence that means none. So a window is
compared only once its labels are in (`waited`, `mature`), or with the labels it has weighted to the mix of delays that
labels have in the end (`adjusted`); until then (`immature`) no figure of it is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from flyball.core.realised import Arrived, Maturity
from flyball.monitor.realised.tally import Floats, Ints
from flyball.stats.product_limit import ProductLimit, delay_edges, product_limit

EDGES: Floats = delay_edges()  # seconds; about a third apart
MATURE = 0.99  # of the labels that come at all
MAX_UNSEEN = (
    0.05  # of them may have delays that no label of the window has, or nothing can be weighted to stand for them
)
_MOST = 1024  # panes kept apart; older ones become one group


@dataclass(kw_only=True)
class Cohorts:
    """Delays of the labels of each pane's rows. Memory: bounded; a label costs one addition."""

    version: int = 0  # grows with everything that may move the curve
    before_prediction: int = 0  # labels with a time before that of their row
    _gone: int = 0  # panes that are in the group of old ones, number 0
    _used: int = 1  # the group of old ones comes first; as long as it is empty nobody in it has any age
    _ends: Floats = field(default_factory=lambda: np.full(64, np.inf))
    _rows: Ints = field(default_factory=lambda: np.zeros(64, dtype=np.int64))
    _delays: Ints = field(default_factory=lambda: np.zeros((64, EDGES.size), dtype=np.int64))

    def add(self, rows: int, end: float) -> int:
        """A pane more; returns its number. Args: rows: that may get a label. end: arrival of the youngest."""
        if self._used == self._ends.size:
            self._make_room()
        at = self._used
        self.version += 1
        self._ends[at], self._rows[at] = end, rows
        self._used += 1
        return at + self._gone

    def arrive(self, pane: int, delays: Floats, sign: int = 1) -> Ints:
        """Labels of a pane's rows after these delays, seconds; returns the bin of each (that of the last: longer)."""
        self.version += 1
        self.before_prediction += sign * int(np.count_nonzero(delays < 0))
        bins = np.minimum(np.searchsorted(EDGES, delays, side="right"), EDGES.size - 1).astype(np.int64)
        np.add.at(self._delays[max(0, pane - self._gone)], bins, sign)
        return bins

    def curve(self, now: float) -> ProductLimit:
        """P(label arrives within t) as of now, seconds since the epoch."""
        used = slice(0, self._used)
        ages = now - self._ends[used]
        lived = int(np.searchsorted(EDGES, ages.max(), side="right"))  # nobody is old enough for the others
        return product_limit(self._rows[used], ages, self._delays[used, :lived], EDGES[:lived])

    def _make_room(self) -> None:
        if self._used < _MOST:
            self._ends = np.concatenate([self._ends, np.zeros_like(self._ends)])
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._delays = np.concatenate([self._delays, np.zeros_like(self._delays)])
            return
        half = self._used // 2  # the old group's rows are as old as its youngest pane at least
        ends = self._ends[:half]
        self._ends[0] = ends[np.isfinite(ends)].max(initial=-np.inf)
        self._rows[0] = self._rows[:half].sum()
        self._delays[0] = self._delays[:half].sum(axis=0)
        rest = self._used - half
        self._ends[1 : 1 + rest] = self._ends[half : self._used].copy()
        self._rows[1 : 1 + rest] = self._rows[half : self._used].copy()
        self._delays[1 : 1 + rest] = self._delays[half : self._used].copy()
        self._rows[1 + rest :], self._delays[1 + rest :] = 0, 0
        self._gone += half - 1
        self._used = 1 + rest


def maturity(
    curve: ProductLimit, *, age_s: float, rows: int, labelled: Mapping[int, int], label_window_s: float
) -> tuple[Maturity, dict[int, float]]:
    """How mature a window is, and the weight of a label of each delay bin; no weights: all count alike.

    Args:
        curve: of all labels.
        age_s: of the window's youngest row.
        rows: of the window that may get a label.
        labelled: rows of the window by delay bin.
        label_window_s: declared; 0: none.

    The weight of a bin is the share of labels that have such a delay in the end over their share in this window: the
    inverse of their propensity to be here by now (Horvitz and Thompson 1952; inverse probability of censoring).
    """
    here = sum(labelled.values())
    share = here / rows if rows else 0.0
    last = float(curve.share[-1]) if curve.share.size else 0.0
    arrived = curve.at(age_s) / last if last > 0 else None
    if label_window_s > 0:
        if age_s >= label_window_s:
            return Maturity(
                standing="waited", reason="its label window has passed", labelled=share, arrived=arrived
            ), {}
        reason = f"its label window passes in {label_window_s - age_s:.4g} s"
        return Maturity(standing="immature", reason=reason, labelled=share, arrived=arrived), {}
    if rows and here >= rows:
        return Maturity(standing="mature", reason="every row of it has its label", labelled=share, arrived=1.0), {}
    if arrived is None or not here:
        reason = "no label has come" if not here else "no row is old enough to know how long labels take"
        return Maturity(standing="immature", reason=reason, labelled=share, arrived=arrived), {}
    if arrived >= MATURE:
        reason = f"{arrived:.1%} of the labels that come at all are expected to be here"
        return Maturity(standing="mature", reason=reason, labelled=share, arrived=arrived), {}
    final = np.diff(curve.share, prepend=0.0) / last
    seen = {at: number for at, number in labelled.items() if number > 0 and at < final.size and final[at] > 0}
    unseen = 1.0 - sum(float(final[at]) for at in seen)
    if unseen > MAX_UNSEEN:
        reason = f"{unseen:.1%} of the labels take longer than any that this window has: it waits for them"
        return Maturity(standing="immature", reason=reason, labelled=share, arrived=arrived), {}
    weights = {at: float(final[at]) * here / labelled[at] if at in seen else 0.0 for at in labelled}
    reason = f"{arrived:.1%} of the labels are here; they are weighted to the delays that labels have in the end"
    return Maturity(standing="adjusted", reason=reason, labelled=share, arrived=arrived), weights


def points(curve: ProductLimit) -> tuple[Arrived, ...]:
    """The curve where it rises, and its last point."""
    rises = np.diff(curve.share, prepend=0.0) > 0
    if rises.size:
        rises[-1] = True
    return tuple(
        Arrived(within_s=float(curve.edges[at]), share=float(curve.share[at]), low=float(curve.low[at]),
                high=float(curve.high[at]))
        for at in np.flatnonzero(rises)
    )  # fmt: skip
