"""Two numbers of each unit, summed up: enough for a ratio of means and for an adjustment by a covariate.

Means and sums of centred squares and products, so that nothing cancels where the mean is large; merging needs no rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData


@dataclass(frozen=True, kw_only=True)
class PairMoments:
    """Of n units with the numbers y and x."""

    n: int = 0
    mean_y: float = 0.0
    mean_x: float = 0.0
    yy: float = 0.0  # sum of (y - mean_y)^2
    xx: float = 0.0
    xy: float = 0.0  # sum of (x - mean_x)(y - mean_y)

    @property
    def var_y(self) -> float:
        """Sample variance, n - 1 below. Raises: NotEnoughData: n < 2."""
        return self.yy / self._free()

    @property
    def var_x(self) -> float:
        return self.xx / self._free()

    @property
    def covariance(self) -> float:
        return self.xy / self._free()

    def merge(self, other: "PairMoments") -> "PairMoments":
        """Both sets of units together; they must not share one.

        Source: Chan, Golub and LeVeque 1983, eq. 2.1.

        >>> moments([1.0, 2.0], [0.0, 1.0]).merge(moments([6.0], [5.0])) == moments([1.0, 2.0, 6.0], [0.0, 1.0, 5.0])
        True
        """
        n = self.n + other.n
        if not self.n or not other.n:
            return self if self.n else other
        dy, dx, cross = other.mean_y - self.mean_y, other.mean_x - self.mean_x, self.n * other.n / n
        return PairMoments(
            n=n,
            mean_y=self.mean_y + dy * other.n / n,
            mean_x=self.mean_x + dx * other.n / n,
            yy=self.yy + other.yy + dy * dy * cross,
            xx=self.xx + other.xx + dx * dx * cross,
            xy=self.xy + other.xy + dx * dy * cross,
        )

    def _free(self) -> int:
        if self.n < 2:
            raise NotEnoughData(f"n={self.n}: a variance needs at least 2 units")
        return self.n - 1


def moments(y: npt.ArrayLike, x: npt.ArrayLike) -> PairMoments:
    """Of one value a unit, shapes [n].

    Raises: ValueError: other shapes, or values that are not finite.
    """
    ys, xs = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    if ys.ndim != 1 or ys.shape != xs.shape:
        raise ValueError(f"expected two numbers a unit, found shapes {ys.shape} and {xs.shape}")
    if not (np.isfinite(ys).all() and np.isfinite(xs).all()):
        raise ValueError("expected finite numbers: say what a missing one means before it is summed")
    if not ys.size:
        return PairMoments()
    mean_y, mean_x = float(ys.mean()), float(xs.mean())
    dy, dx = ys - mean_y, xs - mean_x
    return PairMoments(n=ys.size, mean_y=mean_y, mean_x=mean_x, yy=float(dy @ dy), xx=float(dx @ dx), xy=float(dx @ dy))


def moments_of_sums(n: int, y: float, x: float, *, yy: float, xx: float, xy: float) -> PairMoments:
    """Of plain sums over the units: of y, x, y^2, x^2 and x y.

    >>> moments_of_sums(2, 3.0, 1.0, yy=5.0, xx=1.0, xy=2.0) == moments([1.0, 2.0], [0.0, 1.0])
    True
    """
    if not n:
        return PairMoments()
    return PairMoments(
        n=n,
        mean_y=y / n,
        mean_x=x / n,
        yy=max(0.0, yy - y * y / n),
        xx=max(0.0, xx - x * x / n),
        xy=xy - x * y / n,
    )
