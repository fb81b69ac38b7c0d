"""Control charts with a stated run length: two-sided CUSUM and EWMA of standardised window means.

A chart alarms on a small lasting change that no single window shows. Its run length (windows until an alarm) is
computed, not quoted, by the Markov chain of Brook and Evans: the chart's value is cut into cells, and the mean time to
leave them is the solution of a linear system.

What published run lengths leave out: the mean that the windows are standardised by is an estimate. With n rows of
baseline and m of a window it is off by N(0, m/n) in units of a window's standard error, for *all* windows, so the chart
climbs towards a change that is none: `run_length_on_estimate` says that 465 windows become 88 with ten times the
window's rows, and no limit repairs it. So charts here start themselves: a window is compared with all rows before it,
those of the baseline and of the windows since, and scaled by the standard error of that difference. Such recursive
residuals are independent with mean 0 and variance 1 whatever the size of the baseline, so the run lengths hold. The
price is that of every chart which learns: a change that is never acted upon is normal in the end.

Source: Page 1954; Brook and Evans 1972; Lucas and Saccucci 1990; Hawkins 1987 (self-starting); on estimated parameters
Jones, Champ and Rigdon 2004.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

NODES = 15  # of the quadrature over the baseline's error


@dataclass(frozen=True, kw_only=True)
class Cusum:
    """Sums of both sides, in standard errors of a window."""

    up: float = 0.0
    down: float = 0.0

    def after(self, z: float, *, k: float = 0.5) -> "Cusum":
        """Args: z: standardised mean of the window. k: half of the change to see soonest.

        >>> Cusum().after(2.0).after(1.0)
        Cusum(up=2.0, down=0.0)
        """
        return Cusum(up=max(0.0, self.up + z - k), down=max(0.0, self.down - z - k))

    def beyond(self, h: float) -> bool:
        """Whether one of the sums is above its limit."""
        return max(self.up, self.down) > h


def ewma_after(value: float, z: float, *, weight: float = 0.1) -> float:
    """Exponentially weighted moving average after one window more.

    >>> ewma_after(2.0, 4.0, weight=0.5)
    3.0
    """
    return (1 - weight) * value + weight * z


def ewma_limit(width: float, *, weight: float = 0.1) -> float:
    """Limit of the average: `width` of its own standard deviations in the long run.

    >>> round(ewma_limit(2.814), 4)
    0.6456
    """
    return width * float(np.sqrt(weight / (2 - weight)))


def cusum_run_length(h: float, *, k: float = 0.5, shift: float = 0.0, cells: int = 100) -> float:
    """Mean windows until a two-sided CUSUM alarms, when window means are off by `shift` standard errors.

    Args: h: limit, > 0. k: allowance. cells: of the Markov chain.
    Source: Brook and Evans 1972; two sides: Van Dobben de Bruyn 1968, 1/ARL = 1/ARL+ + 1/ARL-.

    >>> [round(cusum_run_length(h, shift=shift), 1) for h, shift in ((5, 0), (5, 1), (4, 0), (4, 1))]
    [465.2, 10.4, 167.6, 8.4]
    """
    return 1 / (1 / _one_sided(h, k, shift, cells) + 1 / _one_sided(h, k, -shift, cells))


def _one_sided(h: float, k: float, shift: float, cells: int) -> float:
    width = 2 * h / (2 * cells - 1)  # the cell of 0 is half as wide as the others
    centres = width * np.arange(cells)
    to = centres[None, :] - centres[:, None] + k - shift
    chance = special.ndtr(to + width / 2) - special.ndtr(to - width / 2)
    chance[:, 0] = special.ndtr(to[:, 0] + width / 2)
    return float(np.linalg.solve(np.eye(cells) - chance, np.ones(cells))[0])


def ewma_run_length(width: float, *, weight: float = 0.1, shift: float = 0.0, cells: int = 151) -> float:
    """Mean windows until an EWMA with limits at +-width standard deviations alarms.

    Source: Lucas and Saccucci 1990, table 3.

    >>> [round(ewma_run_length(2.814, shift=shift), 1) for shift in (0, 0.5, 1)]
    [498.8, 31.3, 10.3]
    """
    limit = ewma_limit(width, weight=weight)
    step = 2 * limit / cells
    centres = -limit + step * (np.arange(cells) + 0.5)
    to = (centres[None, :] - (1 - weight) * centres[:, None]) / weight - shift
    half = step / 2 / weight
    chance = special.ndtr(to + half) - special.ndtr(to - half)
    return float(np.linalg.solve(np.eye(cells) - chance, np.ones(cells))[cells // 2])


def run_length_on_estimate(h: float, *, ratio: float, k: float = 0.5, cells: int = 50) -> float:
    """Mean windows between false alarms of a CUSUM whose mean is that of a baseline, taken for the truth.

    Args: ratio: rows of a window for each row of the baseline, >= 0.

    >>> [round(run_length_on_estimate(5.0, ratio=ratio)) for ratio in (0.001, 0.01, 0.1, 1.0)]
    [450, 344, 88, 13]
    """
    at, weight = np.polynomial.hermite_e.hermegauss(NODES)
    rates = [1 / cusum_run_length(h, k=k, shift=float(x) * ratio**0.5, cells=cells) for x in at]
    return float(weight.sum() / (weight @ rates))


@lru_cache(maxsize=64)
def cusum_limit(run_length: float, *, k: float = 0.5) -> float:
    """The limit h at which a two-sided CUSUM alarms once in `run_length` windows without a change.

    >>> round(cusum_limit(465.4), 2), round(cusum_limit(1000.0), 2)
    (5.0, 5.76)
    """
    low, high = 0.1, 4.0
    while cusum_run_length(high, k=k) < run_length:
        low, high = high, 2 * high
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if cusum_run_length(middle, k=k) < run_length else (low, middle)
    return high


@lru_cache(maxsize=64)
def ewma_width(run_length: float, *, weight: float = 0.1) -> float:
    """The width at which an EWMA alarms once in `run_length` windows without a change.

    >>> round(ewma_width(500.0), 2)
    2.81
    """
    low, high = 0.5, 8.0
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if ewma_run_length(middle, weight=weight) < run_length else (low, middle)
    return high


@dataclass(frozen=True, kw_only=True)
class Residual:
    """Rows so far of a mean that a chart follows; the next window is compared with them."""

    rows: float  # count
    mean: float  # unit of the series
    variance: float  # of one row, that unit squared

    def compared(self, rows: float, mean: float) -> tuple[float, "Residual"]:
        """Standardised difference of a window's mean from all rows before it, and those rows with it.

        >>> z, after = Residual(rows=100.0, mean=0.0, variance=1.0).compared(25.0, 0.5)
        >>> round(z, 3), after.rows, after.mean
        (2.236, 125.0, 0.1)
        """
        z = (mean - self.mean) / (self.variance * (1 / rows + 1 / self.rows)) ** 0.5
        total = self.rows + rows
        return z, Residual(rows=total, mean=self.mean + (mean - self.mean) * rows / total, variance=self.variance)
