"""Wald's sequential probability ratio test for a rate, and what every test of that kind shares.

For means and for events per exposure: `sprt_of_means`.

The log-likelihood ratio is of "worse" over "the same": an event raises it, and crossing the upper bound means worse.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist


def sprt_bounds(alpha: float, beta: float) -> tuple[float, float]:
    """Wald's bounds (upper: worse, lower: not worse), nats; alpha' + beta' <= alpha + beta.

    Source: Wald 1945, eq. 3.

    >>> [round(bound, 6) for bound in sprt_bounds(0.05, 0.10)]
    [2.890372, -2.251292]
    """
    check_budgets(alpha=alpha, beta=beta)
    return math.log((1 - beta) / alpha), math.log(beta / (1 - alpha))


def expected_events(p0: float, p1: float, *, alpha: float = 0.05, beta: float = 0.10) -> tuple[float, float]:
    """Observations until Wald's test of rate p0 against p1 decides, on average: (if p0 is true, if p1 is true), count.

    Wald's approximation: it neglects the overshoot, so the truth is a little more. For the error-event test pass
    p0 = w and p1 = theta1(w, ratio); for the paired test 0.5 and 0.60.

    Source: Wald 1945, eq. 62.

    >>> [round(n, 1) for n in expected_events(0.01, 0.02)]
    [639.3, 607.2]
    """
    up, down = steps(p0, p1)
    return expected_sample(p0 * up + (1 - p0) * down, p1 * up + (1 - p1) * down, alpha=alpha, beta=beta)


def expected_sample(drift0: float, drift1: float, *, alpha: float, beta: float) -> tuple[float, float]:
    """Observations until any of Wald's tests decides, on average: (if fine, if bad), in the unit of the drifts.

    Args: drift0, drift1: mean step of the log-likelihood ratio if fine (< 0) and if bad (> 0), nats an observation.
    Source: Wald 1945, eq. 62; without the overshoot.
    """
    a, b = sprt_bounds(alpha, beta)
    return ((1 - alpha) * b + alpha * a) / drift0, (beta * b + (1 - beta) * a) / drift1


def fixed_sample_of_rate(p0: float, p1: float, *, alpha: float = 0.05, beta: float = 0.10) -> float:
    """Observations that a test of the same errors needs if it is read once, at the end (normal approximation).

    Raises: ValueError: not 0 < p0 < p1 < 1.

    >>> round(fixed_sample_of_rate(0.01, 0.02))
    1177
    """
    check_budgets(alpha=alpha, beta=beta)
    _check_rates(p0, p1)
    z_a, z_b = -NormalDist().inv_cdf(alpha), -NormalDist().inv_cdf(beta)
    return (z_a * math.sqrt(p0 * (1 - p0)) + z_b * math.sqrt(p1 * (1 - p1))) ** 2 / (p1 - p0) ** 2


class Finding(StrEnum):
    """What a test of "worse" against "not worse" says so far."""

    WORSE = "worse"
    NOT_WORSE = "not_worse"  # not worse by the design's difference; never "better"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class BernoulliSprt:
    """Wald's test of an event rate p0 (good) against p1 > p0 (bad), one arm."""

    p0: float  # rate that is fine, 0..1
    p1: float  # rate that is bad, 0..1
    llr: float = 0.0  # log-likelihood ratio of p1 over p0, nats; an event always raises it
    n: int = 0  # observations, count
    events: int = 0  # events among them, count

    def __post_init__(self) -> None:
        _check_rates(self.p0, self.p1)

    def observe(self, event: bool) -> "BernoulliSprt":
        """With one observation more.

        >>> round(BernoulliSprt(p0=0.01, p1=0.02).observe(True).llr, 6)
        0.693147
        """
        up, down = steps(self.p0, self.p1)
        return replace(self, llr=self.llr + (up if event else down), n=self.n + 1, events=self.events + event)

    def verdict(self, *, alpha: float, beta: float) -> Finding:
        """Judged by Wald's bounds."""
        return judged(self.llr, *sprt_bounds(alpha, beta))


def judged(llr: float, upper: float, lower: float) -> Finding:
    """What a log-likelihood ratio between two bounds says."""
    return Finding.WORSE if llr >= upper else Finding.NOT_WORSE if llr <= lower else Finding.UNDECIDED


def steps(p0: float, p1: float) -> tuple[float, float]:
    return math.log(p1 / p0), math.log((1 - p1) / (1 - p0))


def _check_rates(p0: float, p1: float) -> None:
    if not 0 < p0 < p1 < 1:
        raise ValueError(f"expected 0 < p0 < p1 < 1, found p0={p0}, p1={p1}")


def check_budgets(**budgets: float) -> None:
    for name, budget in budgets.items():
        if not 0 < budget < 1:
            raise ValueError(f"{name}={budget}: expected an error budget in (0, 1)")
