"""Group-sequential bounds: a few looks at data whose largest size is known beforehand.

Theory of operation. With information t_k (the share of the largest size that look k has, 0 < t_1 < ... <= 1) the sum
B_k = Z_k sqrt(t_k) is a Brownian motion: B_k - B_(k-1) is normal with mean theta (t_k - t_(k-1)) and variance
t_k - t_(k-1). The density of "not stopped so far" is carried from look to look by one integral over the region that
goes on, on a Gauss-Legendre grid (Armitage, McPherson and Rowe 1969). What leaves the region at look k is the error
spent there. A bound is either a shape whose height makes the total alpha (Pocock, O'Brien-Fleming), or found look by
look so that the error spent by time t is alpha*(t) (Lan and DeMets 1983): then neither the number nor the times of
looks need be known, as long as the data do not choose them.

Looks beyond these are peeking. For a stream that is read whenever one likes use `sequences` or `sequential`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.sequential_tests.sprt import check_budgets

Floats = npt.NDArray[np.float64]
Shape = Literal["pocock", "obrien_fleming"]
Spending = Literal["pocock", "obrien_fleming", "power"]

FAR = 9.0  # standard deviations beyond which nothing is: P < 1e-18
SIZES = (96, 192, 384, 768, 1536)  # nodes of a grid: six a standard deviation of the step between two looks


@dataclass(frozen=True, kw_only=True)
class Design:
    """Looks and their bounds."""

    information: tuple[float, ...]  # share of the largest size at each look, 0..1, rising
    bounds: tuple[float, ...]  # of Z: beyond it at that look means a difference
    sides: int  # 1: only a positive Z counts; 2: either

    def nominal(self) -> tuple[float, ...]:
        """The p-value, of as many sides, that each look asks for."""
        return tuple(float(self.sides * special.ndtr(-bound)) for bound in self.bounds)

    def crossing(self, drift: float = 0.0) -> tuple[float, ...]:
        """P(stopped at look k), on the side of the drift or either. `drift`: mean of Z at the largest size."""
        return tuple(_leaving(self.information, self.bounds, self.sides, drift))

    def drift(self, *, beta: float) -> float:
        """The mean of Z at the largest size that is found with probability 1 - beta.

        A fixed sample needs z_(1-alpha/sides) + z_(1-beta); the square of the quotient is how much larger the largest
        size has to be for the looks.
        """
        check_budgets(beta=beta)
        high = self.bounds[-1] + FAR
        return _root(lambda drift: sum(self.crossing(drift)) - (1 - beta), 0.0, high, xtol=1e-9)


def fixed_shape(looks: int, shape: Shape, *, alpha: float = 0.05, sides: int = 2) -> Design:
    """Equally spaced looks: the same bound at each (Pocock), or bounds that fall as 1/sqrt(t) (O'Brien-Fleming).

    Source: Pocock 1977; O'Brien and Fleming 1979.

    >>> [round(bound, 4) for bound in fixed_shape(2, "pocock").bounds]
    [2.1783, 2.1783]
    >>> [round(bound, 4) for bound in fixed_shape(2, "obrien_fleming").bounds]
    [2.7965, 1.9774]
    """
    check_budgets(alpha=alpha)
    if looks < 1:
        raise ValueError(f"looks={looks}: expected at least 1")
    times = tuple((k + 1) / looks for k in range(looks))
    heights = [1.0 if shape == "pocock" else 1 / math.sqrt(t) for t in times]

    def spent(c: float) -> float:
        return sum(_leaving(times, [c * height for height in heights], _checked(sides), 0.0)) - alpha

    least = float(-special.ndtri(alpha / sides))
    c = _root(spent, least - 1e-9, least + FAR, xtol=1e-10)
    return Design(information=times, bounds=tuple(c * height for height in heights), sides=sides)


def spending_bounds(
    information: Sequence[float],
    spending: Spending = "obrien_fleming",
    *,
    alpha: float = 0.05,
    sides: int = 2,
    power: float = 2.0,
) -> Design:
    """Bounds that have spent alpha*(t) by information t; alpha*(1) = alpha.

    Args:
        information: share of the largest size at each look, rising, in (0, 1]; looks to come may be left out.
        spending: `obrien_fleming` hardly any early, `pocock` about evenly, `power`: alpha t^power.
        power: of `power`, > 0.

    Raises: ValueError: information that does not rise within (0, 1], or a budget out of range.
    Source: Lan and DeMets 1983; `power`: Kim and DeMets 1987. Two sides: each has alpha/2.

    >>> [round(bound, 4) for bound in spending_bounds([0.2, 0.4, 0.6, 0.8, 1], alpha=0.025, sides=1).bounds]
    [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    """
    check_budgets(alpha=alpha)
    times, each = _rising(information), alpha / _checked(sides)
    spent, walk, bounds = 0.0, _Walk(sides, 0.0), []
    for t in times:
        target = _spent_by(spending, power)(t, each)
        bound = walk.bound_for(t, sides * (target - spent))
        spent = target
        walk = walk.beyond(t, bound)
        bounds.append(bound)
    return Design(information=times, bounds=tuple(bounds), sides=sides)


def peeking_error(looks: int, *, alpha: float = 0.05) -> float:
    """The true chance of a false finding where the fixed-sample test is asked at each of so many equal looks.

    Source: Armitage, McPherson and Rowe 1969, table 2.

    >>> [round(peeking_error(looks), 3) for looks in (1, 2, 5, 10)]
    [0.05, 0.083, 0.142, 0.193]
    """
    check_budgets(alpha=alpha)
    z = float(-special.ndtri(alpha / 2))
    return sum(_leaving([(k + 1) / looks for k in range(looks)], [z] * looks, 2, 0.0))


class _Walk:
    """The density of B, not stopped so far, on a grid."""

    def __init__(
        self, sides: int, drift: float, t: float = 0.0, nodes: Floats | None = None, mass: Floats | None = None
    ) -> None:
        self.sides, self.drift, self.t = sides, drift, t
        self.nodes = np.zeros(1) if nodes is None else nodes
        self.mass = np.ones(1) if mass is None else mass  # density times weight; at the beginning one point has it all

    def leaving(self, t: float, bound: float) -> float:
        """P(the first crossing is at this look)."""
        step = t - self.t
        mean, edge, sd = self.nodes + self.drift * step, bound * math.sqrt(t), math.sqrt(step)
        out = special.ndtr((mean - edge) / sd)
        if self.sides == 2:
            out = out + special.ndtr((-edge - mean) / sd)
        return float(self.mass @ out)

    def bound_for(self, t: float, error: float) -> float:
        """The bound at which so much error leaves here; where hardly any is left to spend, one that nothing reaches."""
        if error <= 1e-17:
            return FAR
        logs = math.log(error)
        return _root(lambda bound: math.log(max(self.leaving(t, bound), 1e-300)) - logs, -FAR, 2 * FAR, xtol=1e-10)

    def beyond(self, t: float, bound: float) -> "_Walk":
        """Carried on to the next look through the region that goes on."""
        step = t - self.t
        sd, high = math.sqrt(step), bound * math.sqrt(t)
        low = -high if self.sides == 2 else min(high - sd, float(self.nodes.min()) + self.drift * step - FAR * sd)
        high = min(high, float(self.nodes.max()) + self.drift * step + FAR * sd)
        low = max(low, float(self.nodes.min()) + self.drift * step - FAR * sd)
        size = next(size for size in SIZES if size >= min(SIZES[-1], 6 * (high - low) / sd))
        unit, weights = _legendre(size)
        nodes = low + (high - low) * (unit + 1) / 2
        away = (nodes[:, None] - self.nodes[None, :] - self.drift * step) / sd
        density = np.exp(-(away**2) / 2) @ self.mass / (sd * math.sqrt(2 * math.pi))
        return _Walk(self.sides, self.drift, t, nodes, density * weights * (high - low) / 2)


def _leaving(information: Sequence[float], bounds: Sequence[float], sides: int, drift: float) -> list[float]:
    walk, found = _Walk(sides, drift), []
    for t, bound in zip(information, bounds, strict=True):
        found.append(walk.leaving(t, bound))
        walk = walk.beyond(t, bound)
    return found


def _spent_by(spending: Spending, power: float) -> Callable[[float, float], float]:
    """(t, alpha of one side) -> what is spent by t."""
    match spending:
        case "obrien_fleming":
            return lambda t, alpha: float(2 * special.ndtr(special.ndtri(alpha / 2) / math.sqrt(t)))
        case "pocock":
            return lambda t, alpha: alpha * math.log1p((math.e - 1) * t)
        case "power":
            if not power > 0:
                raise ValueError(f"power={power}: expected a number above 0")
            return lambda t, alpha: alpha * t**power


def _rising(information: Sequence[float]) -> tuple[float, ...]:
    times = tuple(float(t) for t in information)
    if not times or not (times[0] > 0 and times[-1] <= 1 and all(a < b for a, b in pairwise(times))):
        raise ValueError(f"information={list(times)}: expected shares of the largest size that rise within (0, 1]")
    return times


def _checked(sides: int) -> int:
    if sides not in (1, 2):
        raise ValueError(f"sides={sides}: expected 1 or 2")
    return sides


@cache
def _legendre(size: int) -> tuple[Floats, Floats]:
    unit, weights = np.polynomial.legendre.leggauss(size)
    return unit, weights


def _root(of: Callable[[float], float], low: float, high: float, *, xtol: float) -> float:
    """Imported here: every verb imports this package for its cheap parts, and few of them look for a root."""
    from scipy import optimize

    return float(optimize.brentq(of, low, high, xtol=xtol))
