"""Two arms compared once, at an end that was set beforehand: not worse by a margin, better, worse, or no answer.

Read once: asked again and again it is a peeking test (`stats.group_sequential.peeking_error` says how false). Judged
continuously, rollouts and A/B tests have tests of their own.

Which answer, in this order. A metric that is broken is INVALID whatever it says: not a number for every unit of an arm,
or the same for all units of both. What is missing is INCONCLUSIVE: units without a value would have to be left out, and
then other units are compared. With fewer than 30 units in an arm the only finding is harm, by a permutation test, which
holds at any size; that few units cannot show that there is none. Else the interval decides: Newcombe's where each unit
just did or did not (0 or 1), else that of a ratio by unit, of an adjusted mean, or of a mean.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from flyball.stats.experiment.cuped import adjusted_difference
from flyball.stats.experiment.pair_moments import moments
from flyball.stats.experiment.ratio_metric import ratio_difference
from flyball.stats.scoring.intervals import Interval
from flyball.stats.scoring.two_rates import rate_difference
from flyball.stats.sequential_tests.sprt import check_budgets

Floats = npt.NDArray[np.float64]
Kind = Literal["SUPERIOR", "NOT_WORSE", "WORSE", "INCONCLUSIVE", "INVALID"]

FEWEST_UNITS = 30  # of an arm, below which a normal interval says nothing
RESAMPLES = 1_999  # of the permutation test: p is a multiple of 1/2,000


@dataclass(frozen=True, kw_only=True)
class ArmUnits:
    """One number a unit, and what else is known of the unit; shapes [n]."""

    values: npt.ArrayLike  # the metric, or its sum over the unit's rows
    rows: npt.ArrayLike | None = None  # of the unit: the metric is then sum over rows
    before: npt.ArrayLike | None = None  # a covariate from before the comparison; not together with `rows`


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The answer, and why."""

    kind: Kind
    reason: str
    difference: Interval | None = None  # candidate less champion, turned so that above 0 is better


def compare_once(
    candidate: ArmUnits,
    champion: ArmUnits,
    *,
    margin: float,
    better: Literal["higher", "lower"],
    rng: np.random.Generator,
    alpha: float = 0.05,
) -> Comparison:
    """Is the candidate not worse by `margin`?

    Args:
        margin: worse by, in the metric's unit, >= 0. better: which way the metric is good.
        alpha: one-sided, of each finding. rng: of the permutation test, drawn from only with few units.

    Raises: ValueError: columns of unequal length, or `rows` and `before` together: mistakes of the call, not the data.

    >>> dice = np.random.default_rng(0)
    >>> a, b = ArmUnits(values=dice.normal(1.0, 1, 500)), ArmUnits(values=dice.normal(1.0, 1, 500))
    >>> compare_once(a, b, margin=0.3, better="higher", rng=dice).kind
    'NOT_WORSE'
    >>> compare_once(ArmUnits(values=[]), b, margin=0.3, better="higher", rng=dice).reason
    'the candidate has no units'
    """
    check_budgets(alpha=alpha)
    if not margin >= 0:
        raise ValueError(f"margin={margin}: expected a number of at least 0")
    sign = 1.0 if better == "higher" else -1.0
    ours, theirs = _columns(candidate), _columns(champion)
    if ours.kind != theirs.kind:
        raise ValueError("expected the same columns of both arms")
    if (refused := _unfit(ours, theirs)) is not None:
        return refused
    if min(ours.values.size, theirs.values.size) < FEWEST_UNITS:
        return _of_few(sign * ours.one_number(), sign * theirs.one_number(), alpha, rng)
    found = _difference(ours, theirs, 1 - 2 * alpha)
    low, high = (found.low, found.high) if sign > 0 else (-found.high, -found.low)
    found = Interval(value=sign * found.value, low=low, high=high, n=found.n, method=found.method)
    return _judged(found, margin)


def _judged(found: Interval, margin: float) -> Comparison:
    told = f"better by {found.value:.4g} ({found.low:.4g} to {found.high:.4g}), margin {margin:g}"
    if found.low > 0:
        return Comparison(kind="SUPERIOR", reason=told, difference=found)
    if found.low > -margin:
        less = "; surely worse, by less than the margin" if found.high < 0 else ""
        return Comparison(kind="NOT_WORSE", reason=told + less, difference=found)
    if found.high < 0:
        return Comparison(kind="WORSE", reason=told, difference=found)
    return Comparison(kind="INCONCLUSIVE", reason=f"{told}: the interval holds both", difference=found)


def _of_few(ours: Floats, theirs: Floats, alpha: float, rng: np.random.Generator) -> Comparison:
    """Harm only: how often would chance alone deal the candidate values as bad as these?"""
    dealt = rng.permuted(np.tile(np.concatenate([ours, theirs]), (RESAMPLES, 1)), axis=1)[:, : ours.size].sum(axis=1)
    slack = 1e-9 * float(np.abs(ours).sum())  # sums of the same values in another order are equal
    p = (1 + int(np.count_nonzero(dealt <= ours.sum() + slack))) / (RESAMPLES + 1)
    told = f"{ours.size} and {theirs.size} units, {FEWEST_UNITS} an arm are needed; permutation p {p:.4g}"
    if p <= alpha:
        return Comparison(kind="WORSE", reason=f"worse, however few: {told}")
    return Comparison(kind="INCONCLUSIVE", reason=f"too few units: {told}")


def _unfit(ours: "_Columns", theirs: "_Columns") -> Comparison | None:
    """What keeps the numbers from being a comparison, or None."""
    for name, arm in (("candidate", ours), ("champion", theirs)):
        units = arm.values.size
        absent = int(np.count_nonzero(~(np.isfinite(arm.values) & np.isfinite(arm.other))))
        if not units:
            return Comparison(kind="INCONCLUSIVE", reason=f"the {name} has no units")
        if absent == units:
            return Comparison(kind="INVALID", reason=f"the metric of the {name} is no number for any unit")
        if absent:
            told = f"{absent} of {units} units of the {name} have no number: without them other units are compared"
            return Comparison(kind="INCONCLUSIVE", reason=told)
        if arm.kind == "rows" and not arm.other.min() > 0:
            return Comparison(kind="INCONCLUSIVE", reason=f"a unit of the {name} has no rows")
    values = np.concatenate([ours.one_number(), theirs.one_number()])
    if values.min() == values.max():
        told = f"the metric is {values[0]:g} for every unit of both arms: it measures nothing"
        return Comparison(kind="INVALID", reason=told)
    return None


@dataclass(frozen=True)
class _Columns:
    values: Floats
    other: Floats  # rows or what was before; ones where neither was given
    kind: Literal["rows", "before", "alone"]

    def are_marks(self) -> bool:
        """Whether each unit just did or did not."""
        return self.kind == "alone" and bool(np.isin(self.values, (0.0, 1.0)).all())

    def one_number(self) -> Floats:
        """Of each unit, whatever it is made of."""
        return self.values / self.other if self.kind == "rows" else self.values


def _columns(arm: ArmUnits) -> _Columns:
    if arm.rows is not None and arm.before is not None:
        raise ValueError("expected rows or before, found both: the metric is a ratio or a mean")
    values = np.asarray(arm.values, dtype=np.float64)
    given = arm.before if arm.rows is None else arm.rows
    other = np.ones_like(values) if given is None else np.asarray(given, dtype=np.float64)
    if values.ndim != 1 or other.shape != values.shape:
        raise ValueError(f"expected columns of one length, found shapes {values.shape} and {other.shape}")
    return _Columns(values, other, "alone" if given is None else "before" if arm.rows is None else "rows")


def _difference(ours: _Columns, theirs: _Columns, confidence: float) -> Interval:
    if ours.are_marks() and theirs.are_marks():
        counts = [int(number) for arm in (ours, theirs) for number in (arm.values.sum(), arm.values.size)]
        return rate_difference(*counts, confidence=confidence)
    pair = moments(ours.values, ours.other), moments(theirs.values, theirs.other)
    if ours.kind == "before":
        return adjusted_difference(*pair, confidence=confidence).difference
    return ratio_difference(*pair, confidence=confidence)  # over ones it is the difference of means
