"""By how much values are larger than their baseline: the factor that fits best, and those that fit as well.

Theory of operation. Divided by a factor, the values fall into the baseline's bins, and the two-sample chi-square of
both counts is a deviance: where it exceeds its least by `SURE`, a factor is excluded. So a narrow column knows its
factor to a thousandth, and one that spans magnitudes only to a tenth; what is told of it must say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.release import Reference
from flyball.stats.two_sample.divergences import chi_square

SURE = 12.0  # three and a half standard deviations
STEPS = 81  # factors tried at a time, on a grid of even ratios
CLOSER = 5  # grids at most, each a twentieth of the one before

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale:
    """What the values say of their factor."""

    known: Values  # of the window, finite
    reference: Reference
    factor: float  # fits best, > 0
    least: float  # its deviance
    low: float  # from here to `high` factors fit about as well
    high: float

    def excess(self, factor: float) -> float:
        """How much worse a factor fits than the best, as chi-square of one degree of freedom; 0 where it is better."""
        return max(0.0, _deviance(self.known, self.reference, factor) - self.least)


def scale(known: Values, reference: Reference, *, near: float, within: float, also: Sequence[float] = ()) -> Scale:
    """The factor that fits best.

    The grid is drawn closer around the best until all of it fits as well: a narrow column excludes whatever is a
    thousandth off, and no even grid would meet its factor.

    Args:
        known: values, finite, shape [n], n >= 1.
        near: a guess, > 0. within: the guess is off by at most this ratio, > 1.
        also: factors to try whatever the grid is, > 0.

    >>> rows = np.linspace(1.0, 2.0, 1000)
    >>> reference = Reference(kind="numeric", edges=tuple(1 + n / 10 for n in range(1, 10)), counts=(*([100] * 10), 0))
    >>> round(scale(rows * 4, reference, near=3.5, within=1.6).factor, 2)
    4.0
    """
    ratio = within
    tried = np.r_[near * np.geomspace(1 / ratio, ratio, STEPS), also]
    found = _deviances(known, reference, tried)
    for _ in range(CLOSER):
        ratio **= 4 / (STEPS - 1)  # two steps to each side
        closer = float(tried[int(np.argmin(found))]) * np.geomspace(1 / ratio, ratio, STEPS)
        more = _deviances(known, reference, closer)
        tried, found = np.r_[tried, closer], np.r_[found, more]
        if float(more.max()) <= float(found.min()) + SURE:
            break
    least = float(found.min())
    ties = tried[found <= least]
    fits = tried[found <= least + SURE]
    return Scale(
        known=known,
        reference=reference,
        factor=float(np.exp(np.log(ties).mean())),
        least=least,
        low=float(fits.min()),
        high=float(fits.max()),
    )


def _deviances(known: Values, reference: Reference, factors: Values) -> Values:
    return np.array([_deviance(known, reference, float(factor)) for factor in factors])


def _deviance(known: Values, reference: Reference, factor: float) -> float:
    at = np.searchsorted(np.asarray(reference.edges), known / factor, side="right")
    return chi_square(reference.counts[:-1], np.bincount(at, minlength=len(reference.edges) + 1)).statistic
