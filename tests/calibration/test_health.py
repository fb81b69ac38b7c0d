"""A healthy service is hardly ever called ill: with 0.5 % errors, half of what is critical, in under 1 % of its weeks.

The looks are those of the controller: one a pane of 10 s, over the last five minutes and over the last one, with the
default limits.
"""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from flyball.core.service import HealthRules
from flyball.stats.scoring.rate_above import surely_above

RULES = HealthRules()
WEEK, SPANS = 60_480, (30, 6)  # panes of 10 s: the span, and its newest part
Counts = npt.NDArray[np.int64]
RATE, PROMISE = 0.005, 0.01


def alarms(rps: float, rate: float, weeks: int, *, seed: int) -> int:
    """Weeks with at least one."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(weeks):
        rows = rng.poisson(rps * 10, WEEK)
        errors = rng.binomial(rows, rate)
        found += any(first_alarm(rows, errors, span) is not None for span in SPANS)
    return found


def promised(weeks: int) -> float:
    """So many would be passed with probability 0.1 % if one week in a hundred had an alarm."""
    return float(binom.ppf(0.999, weeks, PROMISE))


def first_alarm(rows: Counts, errors: Counts, span: int, *, limit: float = RULES.errors) -> int | None:
    """The pane with which the newest `span` panes are surely above the limit; None: there is none."""
    ones = np.ones(span, dtype=np.int64)
    n, k = np.convolve(rows, ones)[: len(rows)], np.convolve(errors, ones)[: len(rows)]
    above = np.flatnonzero(k > limit * n)  # only there it can be
    answers: dict[tuple[int, int], bool] = {}  # equal ones are asked once
    for pane in above:
        pair = int(k[pane]), int(n[pane])
        if pair not in answers:
            answers[pair] = surely_above(*pair, limit, alpha=RULES.alpha)
        if answers[pair]:
            return int(pane)
    return None


@pytest.mark.parametrize("rps", [0.02, 1.0])
def test_a_healthy_service_is_hardly_ever_called_ill(rps: float) -> None:
    weeks = 40
    assert alarms(rps, RATE, weeks, seed=3) <= promised(weeks)


@pytest.mark.slow
@pytest.mark.parametrize("rps", [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
def test_at_no_traffic_oftener_than_promised(rps: float) -> None:
    assert alarms(rps, RATE, 500, seed=11) <= 1  # which has probability 4 % at one week in a hundred


@pytest.mark.parametrize(("rps", "rate"), [(0.1, 0.5), (1.0, 0.1), (10.0, 0.05), (10.0, 0.03)])
def test_what_begins_to_fail_is_seen_within_five_minutes(rps: float, rate: float) -> None:
    """In nine of ten runs, of which 200 have a standard error of 2 %."""
    rng = np.random.default_rng(5)
    seen = 0
    for _ in range(200):
        rows = rng.poisson(rps * 10, 2 * SPANS[0])
        rates = np.repeat([0.001, rate], SPANS[0])  # five minutes of each
        seen += any(first_alarm(rows, rng.binomial(rows, rates), span) is not None for span in SPANS)
    assert seen >= 180
