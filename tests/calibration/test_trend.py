"""Without a trend one is found as often as promised, though errors depend on those before; by the plain test oftener.

Tolerance: three binomial standard errors at the number of runs.
"""

import math

import numpy as np
import pytest
from tests.stats.mann_kendall import mann_kendall

from flyball.stats.change.trend import trend


def false_rates(n: int, correlation: float, runs: int, *, seed: int = 17) -> tuple[float, float]:
    """(ours, Mann-Kendall's) at 5 %."""
    rng = np.random.default_rng(seed)
    ours = plain = 0
    for _ in range(runs):
        steps = rng.normal(size=n)
        steps[0] /= math.sqrt(1 - correlation**2)
        for at in range(1, n):
            steps[at] += correlation * steps[at - 1]
        ours += trend(np.arange(n) * 86_400.0, steps, rng=rng, resamples=199).verdict == "DRIFT"
        plain += mann_kendall(steps) < 0.05
    return ours / runs, plain / runs


@pytest.mark.parametrize(("n", "correlation"), [(40, 0.0), (50, 0.5)])
def test_five_percent_are_five_percent(n: int, correlation: float) -> None:
    runs = 250
    ours, plain = false_rates(n, correlation, runs)
    assert ours <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert correlation == 0.0 or plain > 0.15


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 50, 100])
@pytest.mark.parametrize("correlation", [-0.4, 0.0, 0.3, 0.6, 0.8])
def test_the_same_at_length(n: int, correlation: float) -> None:
    runs = 2000
    ours, plain = false_rates(n, correlation, runs)
    assert ours <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert correlation < 0.5 or plain > 0.2
