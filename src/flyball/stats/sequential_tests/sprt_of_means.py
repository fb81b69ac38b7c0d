"""Wald's test for the mean of a metric with a known spread, and for events per exposure.

For a mean "bad" is the larger one (a latency, a loss): turn the sign of a metric that should be large. A spread that is
a guess gives error rates that are a guess: where it is not known, `msprt` and `sequences` estimate it.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

from flyball.stats.sequential_tests.sprt import Finding, check_budgets, expected_sample, judged, sprt_bounds


@dataclass(frozen=True, kw_only=True)
class NormalSprt:
    """Mean `good` against mean `bad` > good, of independent values with standard deviation `sd`.

    P(WORSE | good) <= alpha / (1 - beta), P(NOT_WORSE | bad) <= beta / (1 - alpha), their sum <= alpha + beta.
    """

    good: float = 0.0  # mean that is fine, in the unit of the metric
    bad: float  # mean that is bad, in the unit of the metric
    sd: float  # of one value, known, in the unit of the metric
    n: int = 0  # values, count
    total: float = 0.0  # sum of the values less `good`

    def __post_init__(self) -> None:
        if not (math.isfinite(self.good) and self.good < self.bad < math.inf and 0 < self.sd < math.inf):
            raise ValueError(f"expected good < bad and sd > 0, found good={self.good}, bad={self.bad}, sd={self.sd}")

    def observe(self, value: float) -> "NormalSprt":
        """With one value more.

        Raises: ValueError: not finite.

        >>> round(NormalSprt(bad=0.5, sd=1.0).observe(1.0).llr, 3)
        0.375
        """
        return self.plus(1, value)

    def plus(self, n: int, total: float) -> "NormalSprt":
        """With n values more whose sum is `total`; a decision may then come up to n values late."""
        if not math.isfinite(total) or n < 0:
            raise ValueError(f"expected a finite sum of n >= 0 values, found {total} of {n}")
        return replace(self, n=self.n + n, total=self.total + total - n * self.good)

    @property
    def llr(self) -> float:
        """Log-likelihood ratio of bad over good, nats.

        Source: Wald 1945, section 6: d sum(x) / sd^2 - n d^2 / (2 sd^2).
        """
        d = self.bad - self.good
        return (d * self.total - self.n * d * d / 2) / self.sd**2

    def verdict(self, *, alpha: float = 0.05, beta: float = 0.10) -> Finding:
        """Judged by Wald's bounds."""
        return judged(self.llr, *sprt_bounds(alpha, beta))

    def expected_sample(self, *, alpha: float = 0.05, beta: float = 0.10) -> tuple[float, float]:
        """Values until it decides, on average: (if good, if bad), count.

        >>> [round(n, 2) for n in NormalSprt(bad=0.5, sd=1.0).expected_sample(alpha=0.05, beta=0.05)]
        [21.2, 21.2]
        """
        drift = ((self.bad - self.good) / self.sd) ** 2 / 2
        return expected_sample(-drift, drift, alpha=alpha, beta=beta)

    def fixed_sample(self, *, alpha: float = 0.05, beta: float = 0.10) -> float:
        """Values that a test of the same errors needs if it is read once, at the end.

        >>> round(NormalSprt(bad=0.5, sd=1.0).fixed_sample(alpha=0.05, beta=0.05), 2)
        43.29
        """
        check_budgets(alpha=alpha, beta=beta)
        z = NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(1 - beta)
        return (z * self.sd / (self.bad - self.good)) ** 2


@dataclass(frozen=True, kw_only=True)
class PoissonSprt:
    """Rate `good` against rate `bad` > good, of events that come one by one: restarts an hour, complaints a day.

    Exposure is whatever the rates are counted in, and passes without events too. Promises as of `NormalSprt`.
    """

    good: float  # rate that is fine, events per unit of exposure
    bad: float  # rate that is bad
    events: int = 0  # count
    exposure: float = 0.0  # in the unit of the rates, >= 0

    def __post_init__(self) -> None:
        if not 0 < self.good < self.bad < math.inf:
            raise ValueError(f"expected 0 < good < bad, found good={self.good}, bad={self.bad}")

    def observe(self, events: int, exposure: float) -> "PoissonSprt":
        """With so many events in so much exposure more.

        >>> round(PoissonSprt(good=1.0, bad=2.0).observe(1, 0.25).llr, 6)
        0.443147
        """
        if events < 0 or not 0 <= exposure < math.inf:
            raise ValueError(f"expected events >= 0 and an exposure >= 0, found {events} in {exposure}")
        return replace(self, events=self.events + events, exposure=self.exposure + exposure)

    def merge(self, other: "PoissonSprt") -> "PoissonSprt":
        """Both streams together; they must not share exposure."""
        if (other.good, other.bad) != (self.good, self.bad):
            raise ValueError(f"tests of different designs do not add: {self} and {other}")
        return self.observe(other.events, other.exposure)

    @property
    def llr(self) -> float:
        """Log-likelihood ratio of bad over good, nats: K ln(bad / good) - (bad - good) T; an event raises it."""
        return self.events * math.log(self.bad / self.good) - (self.bad - self.good) * self.exposure

    def verdict(self, *, alpha: float = 0.05, beta: float = 0.10) -> Finding:
        """Judged by Wald's bounds."""
        return judged(self.llr, *sprt_bounds(alpha, beta))

    def expected_exposure(self, *, alpha: float = 0.05, beta: float = 0.10) -> tuple[float, float]:
        """Exposure until it decides, on average: (if good, if bad), in the unit of the rates.

        >>> [round(t, 2) for t in PoissonSprt(good=0.01, bad=0.02).expected_exposure()]
        [649.89, 615.13]
        """
        up, down = math.log(self.bad / self.good), self.bad - self.good
        return expected_sample(self.good * up - down, self.bad * up - down, alpha=alpha, beta=beta)
