"""What matured labels say: is the model worse, and worse than its rows let expect?

Three sizes of evidence are looked at, one to `consecutive` windows, so that a large loss is seen at once and a small
one a little later. Each may be wrong with a chance of ALPHA divided by their number.
"""

from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from statistics import NormalDist

from msgspec.structs import replace

from flyball.core.causes import Expected
from flyball.core.record import Record
from flyball.core.watching import Signal, WindowReport
from flyball.stats.risk.expected_loss import Split, pooled

ALPHA = 0.001  # of a window: one of a thousand quiet ones is called concept drift


class Loss(Record):
    """What the matured labels say about the rows since the change; the metric's unit, worse by."""

    value: float
    low: float  # cautious: the mean of the windows' lower bounds, since they share one holdout
    n: int
    limit: float = 0.0  # a loss that matters
    harmful: bool = False  # it is surely there, and matters
    risky: bool = False  # the monitor's own risk signal says so


class Gap(Record):
    """How much more rows lose than they did, or than such rows let expect; the unit of the row loss."""

    value: float
    low: float  # surely at least, one-sided, error ALPHA over all sizes of evidence
    limit: float  # what matters
    n: int
    windows: int  # that it was pooled from

    @property
    def sure(self) -> bool:
        return self.value > self.limit and self.low > 0


def since_change(reports: Sequence[WindowReport], moved: Sequence[Signal], most: int) -> list[WindowReport]:
    """Newest reports with a metric that lies mostly after the change began, newest first; without a change, one.

    At most as many as a trigger asks for: a model that bore a shift for a year may still break today.
    """
    windows = max((signal.consecutive for signal in moved), default=0)
    since = reports[-min(windows, len(reports))].first_row if windows else None
    found: list[WindowReport] = []
    for report in reversed(reports):
        if report.loss is None or report.metric_rows is None:
            continue
        if since is not None and sum(report.metric_rows) / 2 < since:
            break
        found.append(report)
        if since is None or len(found) >= most:
            break
    return found


def loss_of(found: Sequence[WindowReport]) -> Loss | None:
    """Of these windows together; None: there are none."""
    losses = [report.loss for report in found if report.loss is not None]
    if not losses:
        return None
    n = sum(loss.n for loss in losses)
    return Loss(
        value=sum(loss.value * loss.n for loss in losses) / n,
        low=sum(loss.low * loss.n for loss in losses) / n,
        n=n,
    )


def judged(loss: Loss | None, whole: Gap | None, *, risky: bool) -> Loss | None:
    """Is the loss one that matters? With a holdout by rows: surely, and more than its limit; else: surely above 0."""
    if loss is None:
        return None
    if whole is None:
        return replace(loss, harmful=loss.low > 0, risky=risky)
    return replace(loss, harmful=whole.sure, limit=whole.limit, risky=risky)


def concept_gap(reports: Sequence[WindowReport], most: int, *, by_class: bool = False) -> Gap | None:
    """Loss beyond what such rows let expect, over the newest one to `most` windows; None: no window tells.

    Args: by_class: the classes have new shares, so "such rows" are rows of the same class.
    """
    told = _told(reversed(reports))
    if not by_class:
        return _surest(told, most, lambda one: (one.gap or 0.0, one.gap_variance + one.shared_variance))
    known = [replace(one, expected=one.before + one.label_part) for one in told if one.label_part is not None]
    return _surest(known, most, lambda one: (one.gap or 0.0, one.now_variance + one.before_variance))


def whole_gap(found: Iterable[WindowReport], most: int) -> Gap | None:
    """Loss beyond that of the holdout, over one to `most` of these windows, newest first; None: no window tells."""

    def whole(one: Split) -> tuple[float, float]:
        return one.covariate + (one.gap or 0.0), one.now_variance + one.before_variance

    return _surest(_told(found), most, whole)


def _told(reports: Iterable[WindowReport]) -> list[Expected]:
    return [report.split[0] for report in reports if report.split and report.split[0].limit is not None]


def _surest(told: Sequence[Expected], most: int, of: Callable[[Split], tuple[float, float]]) -> Gap | None:
    z = NormalDist().inv_cdf(1 - ALPHA / most)
    found: list[Gap] = []
    for windows in range(1, min(most, len(told)) + 1):
        together = pooled([as_split(one) for one in told[:windows]])
        value, variance = of(together)
        limit = told[0].limit or 0.0
        found.append(Gap(value=value, low=value - z * sqrt(variance), limit=limit, n=together.n, windows=windows))
    return max(found, key=lambda gap: (gap.sure, gap.low), default=None)


def as_split(told: Expected) -> Split:
    """The record as the mathematics wants it."""
    return Split(
        before=told.before,
        expected=told.expected,
        now=told.now,
        n=told.n,
        covariate_variance=told.covariate_variance,
        gap_variance=told.gap_variance,
        shared_variance=told.shared_variance,
        now_variance=told.now_variance,
        before_variance=told.before_variance,
    )
