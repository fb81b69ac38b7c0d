"""How often a healthy service has a sign of latency, quality, trend or missed labels: in under 1 % of its weeks.

As `test_health` has it for errors, whose test and limits rows without an answer share. "Healthy" is half of what would
be a sign. A number of weeks with a sign is held against what one in a hundred leaves with probability 99.9 %.
"""

import numpy as np
import pytest
from scipy.stats import binom, norm
from tests.calibration.test_health import first_alarm, promised

from flyball.control.reconcile.tallies import P95, quantile_ms, slower
from flyball.core.estimating import ConceptTrend
from flyball.core.release import Estimate
from flyball.core.service import HealthRules
from flyball.decide.health import Unlabelled, latency_limit_ms
from flyball.decide.health.margin import surely_falling, surely_lost
from flyball.monitor import risk
from flyball.monitor.concept import MOST_FIGURES, RunningConcept
from flyball.monitor.panes import LATENCY_EDGES_MS
from flyball.stats.scoring.intervals import wilson

RULES, WEEK_S, PANE_S = HealthRules(), 604_800, 10
SLOW = 0.05  # share of rows beyond the limit: half of a sign's is 0.025


def test_rows_without_an_answer_are_asked_as_errors_are() -> None:
    assert RULES.unanswered == RULES.errors


# latency


def slow_weeks(rps: float, sigma: float, weeks: int, *, seed: int, times: float = 1.0) -> int:
    """Weeks with a sign. Latency is lognormal, 20 ms in the middle; its p95 is learned from the first rows, each week
    from others. Args: sigma: of its logarithm. times: slower than the first rows."""
    rng, found = np.random.default_rng(seed), 0
    for _ in range(weeks):
        first = rng.lognormal(np.log(20.0), sigma, RULES.baseline_rows)
        place = np.bincount(np.searchsorted(LATENCY_EDGES_MS, first), minlength=len(LATENCY_EDGES_MS) + 1)
        limit = latency_limit_ms(quantile_ms(place, P95), RULES)
        edge = LATENCY_EDGES_MS[int(np.searchsorted(LATENCY_EDGES_MS, limit))]  # a row of its bin does not count
        assert slower(place, limit).events == (first > edge).sum()
        beyond = norm.sf(np.log(edge / 20.0 / times) / sigma)
        rows = rng.poisson(rps * PANE_S, WEEK_S // PANE_S)
        found += first_alarm(rows, rng.binomial(rows, beyond), 30, limit=SLOW) is not None
    return found


@pytest.mark.parametrize("sigma", [0.5, 2.0])  # 0.1 % and 2.3 % of its rows take twice its p95
def test_a_service_as_quick_as_ever_is_hardly_ever_called_slow(sigma: float) -> None:
    assert slow_weeks(1.0, sigma, 40, seed=3) <= promised(40)


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("rps", [0.01, 0.1, 1.0, 10.0])
def test_at_no_traffic_oftener_than_promised(rps: float, sigma: float) -> None:
    assert slow_weeks(rps, sigma, 500, seed=5) <= promised(500)


def test_a_service_three_times_as_slow_is_called_slow() -> None:
    assert slow_weeks(1.0, 0.5, 20, seed=7, times=3.0) == 20


# quality


def estimates(n: int) -> list[Estimate]:
    """Of an accuracy: by right answers among `n`."""
    ends = [wilson(right, n) for right in range(n + 1)]
    return [
        Estimate(value=right / n, low=low, high=high, n=n)
        for right, (low, high) in zip(range(n + 1), ends, strict=True)
    ]


def worse_weeks(n: int, rps: float, loss: float, weeks: int, *, seed: int, holdout: int = 2000) -> tuple[int, float]:
    """(weeks with a sign, windows until it on average). Accuracy is 0.9 on the holdout, of which each week has another.
    Args: n: labelled rows of a window. loss: of accuracy, in truth."""
    rng, now, then = np.random.default_rng(seed), estimates(n), estimates(holdout)
    found, waited = 0, 0
    for _ in range(weeks):
        promise = then[int(rng.binomial(holdout, 0.9))]
        lost = [risk.loss("accuracy", promise, each) for each in now]
        row: list[Estimate] = []
        for window, right in enumerate(rng.binomial(n, 0.9 - loss, int(WEEK_S * rps / n))):
            row = [lost[right], *row[: RULES.quality_windows - 1]]
            if row[0].low > RULES.quality and surely_lost(row[0], row[1:], RULES.quality, RULES):
                found, waited = found + 1, waited + window + 1
                break
    return found, waited / max(1, found)


@pytest.mark.parametrize(("n", "loss"), [(100, 0.0), (100, 0.025), (1000, 0.025)])
def test_a_metric_that_lost_half_as_much_is_hardly_ever_called_worse(n: int, loss: float) -> None:
    assert worse_weeks(n, 1.0, loss, 40, seed=11)[0] <= promised(40)


def test_one_bound_of_ninety_percent_is_passed_in_most_weeks() -> None:
    """Why windows in a row are asked: with the bound of one window alone this would be the sign."""
    rng, lost = np.random.default_rng(13), [risk.loss("accuracy", estimates(2000)[1800], e) for e in estimates(100)]
    weeks = [rng.binomial(100, 0.875, WEEK_S // 100) for _ in range(20)]
    assert sum(any(lost[right].low > RULES.quality for right in week) for week in weeks) >= 15


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rps"), [(100, 0.1), (100, 1.0), (300, 1.0), (1000, 0.1), (1000, 1.0), (1000, 10.0)])
@pytest.mark.parametrize("loss", [0.0, 0.025])
def test_of_quality_no_oftener_than_promised(n: int, rps: float, loss: float) -> None:
    assert worse_weeks(n, rps, loss, 500, seed=17)[0] <= promised(500)


@pytest.mark.parametrize(("n", "loss", "windows"), [(1000, 0.10, 4), (1000, 0.20, 1.5), (300, 0.15, 4)])
def test_a_metric_that_is_much_worse_is_called_so_within_a_few_windows(n: int, loss: float, windows: float) -> None:
    found, waited = worse_weeks(n, 1.0, loss, 40, seed=19)
    assert (found, waited <= windows) == (40, True)


# trend


def falling_weeks(every_s: float, spread: float, a_week: float, weeks: int, *, seed: int, days: int = 14) -> int:
    """Courses of so many days with a sign. Args: every_s: between windows. spread: of a window's figure."""
    rng, found = np.random.default_rng(seed), 0
    for _ in range(weeks):
        concept = RunningConcept(rng=rng, over_s=RULES.trend_days * 86_400)
        values = rng.normal(0.0, spread, int(days * 86_400 / every_s))
        values += a_week * np.arange(len(values)) * every_s / WEEK_S
        asks = max(1, round(RULES.trend_days * 86_400 / MOST_FIGURES / every_s))  # the same figure is asked once
        for window, value in enumerate(values):
            concept.take(window * every_s, float(value))
            if window % asks == asks - 1 and window >= 30 * asks and sign_of(concept.report()):
                found += 1
                break
    return found


def sign_of(told: ConceptTrend | None) -> bool:
    return told is not None and surely_falling(told, RULES.trend_warn, RULES)


@pytest.mark.parametrize(("every_s", "spread"), [(100.0, 0.01), (1000.0, 0.03)])
def test_labels_that_agree_as_ever_are_hardly_ever_called_a_trend(every_s: float, spread: float) -> None:
    assert falling_weeks(every_s, spread, 0.0, 12, seed=23) <= promised(12)


@pytest.mark.slow
@pytest.mark.parametrize("a_week", [0.0, 0.015])
@pytest.mark.parametrize(("every_s", "spread"), [(100.0, 0.01), (1000.0, 0.03), (1000.0, 0.01), (10_000.0, 0.01)])
def test_of_trends_no_oftener_than_promised(every_s: float, spread: float, a_week: float) -> None:
    assert falling_weeks(every_s, spread, a_week, 200, seed=29) <= promised(200)


@pytest.mark.parametrize(("every_s", "spread"), [(1000.0, 0.01), (10_000.0, 0.01)])
def test_five_points_a_week_are_a_trend_within_two_weeks(every_s: float, spread: float) -> None:
    assert falling_weeks(every_s, spread, 0.05, 10, seed=31) == 10


# labels


@pytest.mark.parametrize("an_hour", [0.2, 1.0, 5.0])
def test_labels_that_come_by_chance_are_hardly_ever_missed(an_hour: float) -> None:
    """Independent ones, which is the most uneven that a steady supply can be; p99 of their age is half an hour."""
    rng, weeks, missed = np.random.default_rng(37), 400, 0
    for _ in range(weeks):
        gaps = rng.exponential(3600 / an_hour, 50 + int(168 * an_hour))
        longest = np.maximum.accumulate(gaps)
        missed += any(
            Unlabelled(waited_s=gap, usual_s=max(1800.0, before)).missed(RULES)
            for gap, before in zip(gaps[50:], longest[49:], strict=False)
        )
    assert missed <= binom.ppf(0.999, weeks, 0.02)
