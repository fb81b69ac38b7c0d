"""Is an operational figure as one should expect? The same slot of earlier weeks, or a moving average.

A season is no alarm: a figure is compared with what the same slot of the week (an hour, say) had in the weeks before.
Two statistics, because their noise differs:

- `level`, for volume and latency: the usual is the median of the weeks, so that a holiday last week does no harm. How
  far a slot may be off is learned from how far slots were off before, as the median absolute deviation of log-ratios,
  which does not grow with the alarms that it is to find (Hampel 1974). What is judged is no part of its own scale.
- `share`, for error rate and availability of a feature: beta-binomial with a correlation pooled over all slots, so
  that few events among few rows are no surprise; the error of the slot's own mean is included.

Where there is no history by slot, `Moving` follows an exponentially weighted mean and variance of a level.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

EXACT_ROWS = 20_000  # up to here each number of events is counted
LEAST_WEEKS = 4  # values of a slot below which nothing is said
LEAST_RATIOS = 168  # log-ratios below which no scale is known: a week of hours
LEAST_VALUES = 24  # before which no moving average is told
SCALES = 6.0  # robust standard deviations of a level that are not surprising
LEAST_FACTOR = 1.1  # a smaller factor is never surprising

Verdict = Literal["OK", "LOW", "HIGH", "INSUFFICIENT"]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What was to be expected, and how the found value compares."""

    verdict: Verdict
    expected: float  # unit of the figure; NaN where nothing can be said, as the next two
    low: float  # bounds of values that are not surprising, same unit
    high: float
    reason: str


def log_ratio(found: float, weeks: Sequence[float], *, offset: float = 0.0) -> float | None:
    """How far a figure is off its usual: what `level` learns its scale from. None: too few weeks, or nothing positive.

    >>> round(log_ratio(200.0, [100.0] * 4), 3), log_ratio(200.0, [100.0] * 3)
    (0.693, None)
    """
    usual = _usual(weeks)
    if usual is None or not found + offset > 0 or not usual + offset > 0 or not math.isfinite(found):
        return None
    return math.log(found + offset) - math.log(usual + offset)  # their ratio may be no float


def level(
    found: float, weeks: Sequence[float], ratios: Sequence[float], *, offset: float = 0.0, noise: float = 0.0
) -> Expectation:
    """A positive figure of a slot, such as its rows, against the same slot of earlier weeks.

    Args:
        found: now. weeks: of the same slot before. ratios: `log_ratio` of earlier slots, any.
        offset: added before logarithms: 1 for counts, so that none is a number too.
        noise: least standard deviation of the log-ratio.

    >>> ratios = [0.02, -0.02, 0.01, -0.01] * 50
    >>> [level(found, [100.0, 300.0, 98.0, 102.0], ratios).verdict for found in (103.0, 30.0, 300.0)]
    ['OK', 'LOW', 'HIGH']
    """
    ratio, usual = log_ratio(found, weeks, offset=offset), _usual(weeks)
    if ratio is None or usual is None:
        return insufficient(f"{len(weeks)} earlier weeks have this slot: {LEAST_WEEKS} are needed, and a value now")
    if len(ratios) < LEAST_RATIOS:
        return insufficient(f"{len(ratios)} slots tell how far one may be off: {LEAST_RATIOS} are needed")
    known = np.asarray(ratios, dtype=np.float64)
    middle = float(np.median(known))
    scale = max(1.4826 * float(np.median(np.abs(known - middle))), noise)
    reach = max(SCALES * scale, math.log(LEAST_FACTOR))
    expected, low, high = ((usual + offset) * math.exp(middle + by) - offset for by in (0.0, -reach, reach))
    return _judged(found, expected, low, high, off=abs(ratio - middle) > reach)


def share(
    history: Mapping[int, Sequence[tuple[int, int]]],
    slot: int,
    events: int,
    rows: int,
    *,
    alpha: float = 0.001,
    least: int = LEAST_WEEKS,
) -> Expectation:
    """Events among rows (errors, missing values) against the same slot of earlier weeks.

    Args: history: slot -> (events, rows) of each week. alpha: two-sided. least: weeks below which nothing is said.

    >>> weeks = {hour: [(10, 1000), (12, 1000), (8, 1000), (10, 1000)] for hour in range(168)}
    >>> [share(weeks, 0, found, 1000).verdict for found in (12, 60)], share(weeks, 0, 0, 0).verdict
    (['OK', 'HIGH'], 'INSUFFICIENT')
    """
    weeks = [(events_, rows_) for events_, rows_ in history.get(slot, ()) if rows_ > 0]
    if len(weeks) < least or rows < 1:
        return insufficient(f"{len(weeks)} earlier values of this slot: {least} are needed, and rows now")
    total = sum(n for _, n in weeks)
    mean = (sum(x for x, _ in weeks) + 0.5) / (total + 1)
    correlation = _correlation(history)
    own = 1 / total + correlation / len(weeks)  # error of the slot's mean, as a correlation of all rows of this window
    rho = min(max(correlation + own, 1e-9), 0.999)
    below, low, high = _beta_binomial(events, rows, mean, rho, alpha)
    return _judged(events / rows, mean, low, high, off=2 * min(*below) < alpha)


@dataclass(frozen=True, kw_only=True)
class Moving:
    """Exponentially weighted mean and variance of a figure; surprising values are learned only up to their bound."""

    mean: float = 0.0
    variance: float = 0.0
    n: int = 0

    def after(
        self, found: float, *, weight: float = 0.1, width: float = SCALES, noise: float = 0.0
    ) -> tuple[Expectation, "Moving"]:
        """How the value compares with those before it, and the baseline with it.

        Args: weight: of the newest value, in (0, 1). width: standard deviations that are not surprising. noise: the
            least of them.

        >>> state = Moving()
        >>> for value in (10.0, 11.0, 9.0, 10.0) * 7:
        ...     told, state = state.after(value)
        >>> told.verdict, state.after(30.0)[0].verdict, state.after(1.0)[0].verdict
        ('OK', 'HIGH', 'LOW')
        """
        if not math.isfinite(found):
            return insufficient("no value now"), self
        weight = max(weight, 1 / (self.n + 1))  # a plain mean until there are enough values
        if self.n < LEAST_VALUES:
            why = f"{self.n} earlier values: {LEAST_VALUES} are needed for a moving average"
            return insufficient(why), self._learned(found, weight)
        sd = max(math.sqrt(self.variance * (1 + weight / (2 - weight))), noise)
        low, high = self.mean - width * sd, self.mean + width * sd
        told = _judged(found, self.mean, low, high, off=not low <= found <= high)
        return told, self._learned(min(max(found, low), high), weight)

    def _learned(self, value: float, weight: float) -> "Moving":
        off = value - self.mean
        variance = (1 - weight) * (self.variance + weight * off**2)
        return Moving(mean=self.mean + weight * off, variance=variance, n=self.n + 1)


def insufficient(reason: str) -> Expectation:
    """Nothing can be said, and why."""
    return Expectation(verdict="INSUFFICIENT", expected=math.nan, low=math.nan, high=math.nan, reason=reason)


def _usual(weeks: Sequence[float]) -> float | None:
    values = [value for value in weeks if math.isfinite(value)]
    return float(np.median(values)) if len(values) >= LEAST_WEEKS else None


def _beta_binomial(
    events: int, rows: int, mean: float, rho: float, alpha: float
) -> tuple[tuple[float, float], float, float]:
    """P(at most, at least this many), and the shares at both ends of 1 - alpha; above `EXACT_ROWS` by moments."""
    if rows > EXACT_ROWS:
        size = rows / (1 + (rows - 1) * rho) - 1
        a, b = mean * size, (1 - mean) * size
        at_most = float(special.betainc(a, b, min(events / rows, 1.0)))
        return (
            (at_most, 1 - at_most),
            float(special.betaincinv(a, b, alpha / 2)),
            float(special.betaincinv(a, b, 1 - alpha / 2)),
        )
    a, b, k = mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1), np.arange(rows + 1)
    choose = special.gammaln(rows + 1) - special.gammaln(k + 1) - special.gammaln(rows - k + 1)
    chance = np.exp(choose + special.betaln(k + a, rows - k + b) - special.betaln(a, b))
    below = np.cumsum(chance)
    low, high = np.searchsorted(below, [alpha / 2, 1 - alpha / 2])
    return (float(below[events]), float(chance[events:].sum())), float(low) / rows, float(min(high, rows)) / rows


def _correlation(history: Mapping[int, Sequence[tuple[int, int]]]) -> float:
    """Of two rows of one slot, beyond its mean; by moments, 0 where the weeks scatter like coins."""
    over = under = 0.0
    for found in history.values():
        weeks = [(x, n) for x, n in found if n > 1]
        if len(weeks) < 2:
            continue
        mean = sum(x for x, _ in weeks) / sum(n for _, n in weeks)
        for x, n in weeks:
            spread = mean * (1 - mean)
            over += (x / n - mean) ** 2 * len(weeks) / (len(weeks) - 1) - spread / n
            under += spread * (1 - 1 / n)
    return max(over / under, 0.0) if under else 0.0


def _judged(found: float, expected: float, low: float, high: float, *, off: bool) -> Expectation:
    verdict: Verdict = "OK" if not off else "LOW" if found < expected else "HIGH"
    reason = f"{found:.6g} where {expected:.6g} was expected ({low:.6g} to {high:.6g})"
    return Expectation(verdict=verdict, expected=expected, low=low, high=high, reason=reason)
