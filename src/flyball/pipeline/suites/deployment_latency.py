"""How long the packaged model takes: percentiles of timed calls, with bounds that assume no distribution.

The k-th of n sorted times is above the p-quantile with a binomial probability, whatever the times look like (order
statistics; David & Nagaraja, Order Statistics, 3rd ed., 7.1). With fewer than 368 calls no order statistic bounds the
99th percentile from above at 97.5 %: the slowest call stands there, and `n` says how many there were.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate, TestResult

CALLS = 368  # 0.99**368 < 0.025
BATCH = 32


def percentile(milliseconds: Sequence[float], share: float) -> Estimate:
    """The `share`-quantile of the times with a 95 % interval, in ms; share in (0, 1).

    Raises: NotEnoughData: no call was timed.
    Source: order statistics, David & Nagaraja, eq. 7.1.1.

    >>> found = percentile([1.0] * 99 + [5.0], 0.5)
    >>> found.value, found.low, found.high, found.n
    (1.0, 1.0, 1.0, 100)
    >>> percentile([1.0] * 99 + [5.0], 0.99).high
    5.0
    """
    if not len(milliseconds):
        raise NotEnoughData("no answer was timed")
    ordered = np.sort(np.asarray(milliseconds, dtype=np.float64))
    n = ordered.size
    low, high = (int(stats.binom.ppf(p, n, share)) for p in (0.025, 0.975))
    value = float(np.quantile(ordered, share))
    return Estimate(
        value=value,
        low=min(value, float(ordered[max(low - 1, 0)])),
        high=max(value, float(ordered[min(high, n - 1)])),
        n=n,
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
