"""How long the packaged model takes: percentiles of timed calls, with bounds that assume no distribution.

The k-th of n sorted times is above the p-quantile with a binomial probability, whatever the times look like (order
statistics; David & Nagaraja, Order Statistics, 3rd ed., 7.1). With fewer than 368 calls no order statistic bounds the
99th percentile from above at 97.5 %: then it is not known, and no value stands in for it.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate, TestResult

CALLS = 400  # more than `calls_needed(0.99)`, so that a few may fail
BATCH = 32
_LOW, _HIGH = 0.025, 0.975


def calls_needed(share: float) -> int:
    """The fewest calls whose slowest bounds the `share`-quantile from above at 97.5 %; share in (0, 1).

    >>> calls_needed(0.99), calls_needed(0.5)
    (368, 6)
    """
    return int(np.ceil(np.log(1.0 - _HIGH) / np.log(share)))


def percentile(milliseconds: Sequence[float], share: float) -> Estimate:
    """The `share`-quantile of the times with a 95 % interval, in ms; share in (0, 1). One time a call: the best of
    several would hide what is slow now and then, and that is what a high percentile asks for.

    Raises: NotEnoughData: so few calls have no upper bound; the message says what was seen.
    Source: order statistics, David & Nagaraja, eq. 7.1.1.

    >>> found = percentile([1.0] * 396 + [5.0] * 4, 0.5)
    >>> found.value, found.low, found.high, found.n
    (1.0, 1.0, 1.0, 400)
    >>> percentile([1.0] * 396 + [5.0] * 4, 0.99).high
    5.0
    >>> percentile([1.0] * 99 + [5.0], 0.99)
    Traceback (most recent call last):
    flyball.core.errors.NotEnoughData: 100 calls do not bound their 99 % from above, 368 would; the slowest took 5 ms
    """
    if not len(milliseconds):
        raise NotEnoughData("no answer was timed")
    ordered = np.sort(np.asarray(milliseconds, dtype=np.float64))
    n, needed = ordered.size, calls_needed(share)
    if n < needed:
        raise NotEnoughData(
            f"{n} calls do not bound their {share * 100:g} % from above, {needed} would; "
            f"the slowest took {ordered[-1]:.3g} ms"
        )
    low, high = (int(stats.binom.ppf(p, n, share)) for p in (_LOW, _HIGH))
    value = float(np.quantile(ordered, share))
    return Estimate(
        value=value,
        low=min(value, float(ordered[max(low - 1, 0)])),
        high=max(value, float(ordered[high])),
        n=n,
    )


def unknown(name: str, why: str) -> TestResult:
    """A time of which too little was seen.

    >>> unknown("latency_p99_ms", "40 calls do not bound their 99 %").verdict
    'INCONCLUSIVE'
    """
    return TestResult(
        suite="deployment", name=name, dimension="latency", verdict="INCONCLUSIVE", reason=why, hard=False
    )


def result(name: str, found: Estimate, *, limit: float | None) -> TestResult:
    """A measured time against the objective that the service states, where it states one. A remark, not a gate.

    >>> result("latency_p99_ms", Estimate(value=3.0, low=2.0, high=4.0, n=368), limit=2.5).verdict
    'FAIL'
    """
    slow = limit is not None and found.value > limit
    against = f", the objective is {limit:g} ms" if limit is not None else ", no objective is declared"
    return TestResult(
        suite="deployment",
        name=name,
        dimension="latency",
        verdict="FAIL" if slow else "PASS",
        reason=f"{found.value:.3g} ms ({found.low:.3g} to {found.high:.3g}, {found.n} calls){against}",
        hard=False,
        value=found.value,
        low=found.low,
        high=found.high,
        limit=limit,
        n=found.n,
    )
