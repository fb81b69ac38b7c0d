"""The promises of each measure: false alarms of its p, coverage of its interval, power at its blind spot.

Tolerance: three binomial standard errors at the number of comparisons, times what is stated beside the test. The long
forms of the small tests are slow; `docs/reference/drift-measures.md` holds their table.
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pytest

from flyball.monitor.compat import evidently, nannyml
from flyball.stats.two_sample import divergences, ordered
from flyball.stats.two_sample.compare import LIMITS, MEASURES, Reading, compare

EDGES = [NormalDist().inv_cdf(at / 10) for at in range(1, 10)]
POSITIONS = np.array([NormalDist().inv_cdf((at + 0.5) / 10) for at in range(10)])
EVEN = np.full(10, 0.1)
RUNS = [150, pytest.param(3000, marks=pytest.mark.slow)]
Shares = npt.NDArray[np.float64]


def moved(by: float) -> Shares:
    return np.diff([0.0, *(NormalDist(by).cdf(edge) for edge in EDGES), 1.0])


def truth(measure: str, p: Shares, q: Shares) -> float:
    if measure == "chi_square":
        return divergences.balanced_v(p, q)
    if measure == "ks":
        return ordered.ks(p, q)
    if measure == "wasserstein":
        return ordered.wasserstein(p, q, positions=POSITIONS, norm="std")
    function = getattr(divergences, measure)
    return float(function(p, q))


def three_errors(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("n", "m"), [(100, 100), (50_000, 1000)])
def test_false_alarms_of_p(measure: str, n: int, m: int, runs: int) -> None:
    """At 100 rows a side, ten bins, up to two fifths more than promised; KS and L-infinity are conservative."""
    rng = np.random.default_rng(71)
    pairs = zip(rng.multinomial(n, EVEN, runs), rng.multinomial(m, EVEN, runs), strict=True)
    p = np.array([compare(r, c, measure=measure, positions=POSITIONS).p for r, c in pairs])
    assert np.mean(p < 0.05) <= 0.05 * (1.4 if n == 100 else 1.2) + three_errors(0.05, runs)
    assert np.mean(p < 0.05) > 0.002  # not blind either


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("by", [0.0, 0.3])
def test_coverage_of_the_interval(measure: str, by: float, runs: int) -> None:
    """Promise 95 %, asymptotic: 3 points for the sums of absolute differences, 1 for the others."""
    rng, after = np.random.default_rng(72), moved(by)
    true = truth(measure, EVEN, after)
    held = 0
    for r, c in zip(rng.multinomial(2000, EVEN, runs), rng.multinomial(1000, after, runs), strict=True):
        ci = compare(r, c, measure=measure, positions=POSITIONS).ci
        assert ci is not None
        held += ci[0] - 1e-9 <= true <= ci[1] + 1e-9
    points = 0.03 if measure in ("total_variation", "wasserstein") else 0.01
    assert held / runs >= 0.95 - points - three_errors(0.95, runs)


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("measure", MEASURES)
def test_power_at_the_minimum_detectable_effect(measure: str, runs: int) -> None:
    """0.80 for an effect of one's own shape; a shift of a normal feature has another, so 0.60 at least."""
    rng = np.random.default_rng(73)
    mde = compare(EVEN * 20_000, EVEN * 1000, measure=measure, positions=POSITIONS).mde
    assert mde is not None
    low, high = 0.0, 3.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if truth(measure, EVEN, moved(middle)) < mde else (low, middle)
    after = moved(high)
    pairs = zip(rng.multinomial(20_000, EVEN, runs), rng.multinomial(1000, after, runs), strict=True)
    seen = np.mean([(compare(r, c, measure=measure, positions=POSITIONS).p or 0) < 0.01 for r, c in pairs])
    assert seen >= 0.60 - three_errors(0.6, runs)
    if measure in ("psi", "kl", "jensen_shannon", "hellinger", "chi_square"):
        assert seen == pytest.approx(0.80, abs=0.05 + three_errors(0.8, runs))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_million_rows_do_not_alarm_on_an_effect_below_the_limit(measure: str) -> None:
    rng = np.random.default_rng(74)
    low, high = 0.0, 3.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if truth(measure, EVEN, moved(middle)) < 0.95 * LIMITS[measure] else (low, middle)
    after = moved(low)
    for r, c in zip(rng.multinomial(10**6, EVEN, 40), rng.multinomial(10**6, after, 40), strict=True):
        found = compare(r, c, measure=measure, positions=POSITIONS)
        assert found.p is not None
        assert found.p < 1e-6  # it is there, without doubt
        assert found.verdict is not Reading.DRIFT  # and not worth an alarm


@pytest.mark.parametrize("measure", MEASURES)
def test_at_the_limit_the_tolerance_null_alarms_no_more_than_alpha(measure: str) -> None:
    runs, rng, after = 150, np.random.default_rng(75), moved(0.3)
    limit = truth(measure, EVEN, after)
    pairs = zip(rng.multinomial(5000, EVEN, runs), rng.multinomial(1000, after, runs), strict=True)
    rate = np.mean(
        [(compare(r, c, measure=measure, positions=POSITIONS, limit=limit).p_limit or 0) < 0.05 for r, c in pairs]
    )
    assert rate <= 0.05 * 1.6 + three_errors(0.05, runs)


@pytest.mark.parametrize(("categories", "told"), [(3, 0.22), (10, 0.49), (20, 0.74)])
def test_false_alarms_of_evidentlys_default_beside_ours(categories: int, told: float) -> None:
    """One-sample chi-square, n = m = 1000, no drift: 22, 49 and 74 % at a nominal 5 %."""
    runs, rng, shares = 400, np.random.default_rng(76), np.full(categories, 1 / categories)
    pairs = list(zip(rng.multinomial(1000, shares, runs), rng.multinomial(1000, shares, runs), strict=True))
    found = [evidently.chi_square(r, c) for r, c in pairs]
    assert np.mean([bool(one.drift) for one in found]) == pytest.approx(told, abs=three_errors(told, runs))
    assert np.mean([(one.ours or 0) < 0.05 for one in found]) <= 0.05 + three_errors(0.05, runs)
    assert not any(one.verdict == "DRIFT" for one in found)


def test_false_alarms_of_nannymls_default_beside_ours() -> None:
    """Mean plus three deviations of ten chunks that are part of the reference, no drift: about 5 %, not 0.13 %."""
    runs, rng, shares = 400, np.random.default_rng(77), np.full(15, 1 / 15)
    theirs = ours = 0
    for _ in range(runs):
        chunks = rng.multinomial(1000, shares, 10)
        whole, now = chunks.sum(axis=0), rng.multinomial(1000, shares)
        limits = nannyml.threshold([divergences.jensen_shannon_distance(whole, chunk) for chunk in chunks])
        theirs += not limits[0] <= divergences.jensen_shannon_distance(whole, now) <= limits[1]
        ours += compare(whole, now, measure="jensen_shannon").verdict is Reading.DRIFT
    assert 0.02 < theirs / runs < 0.05 + three_errors(0.05, runs)
    assert ours == 0


@pytest.mark.parametrize(("n", "m"), [(50_000, 300), (300, 5_000)])
def test_the_interval_of_l_infinity_holds_no_change_where_most_bins_expect_few_rows(n: int, m: int) -> None:
    rng, runs, flat = np.random.default_rng(79), 300, np.full(60, 1 / 60)
    pairs = zip(rng.multinomial(n, flat, runs), rng.multinomial(m, flat, runs), strict=True)
    sure = [
        found.ci is not None and found.ci[0] > 0 for found in (compare(r, c, measure="l_infinity") for r, c in pairs)
    ]
    assert np.mean(sure) <= 0.05 + three_errors(0.05, runs)


@pytest.mark.parametrize(("bins", "n", "m"), [(64, 100_000, 200), (64, 5_000, 500), (10, 300, 300)])
def test_false_alarms_of_l_infinity_are_no_more_than_alpha_where_bins_expect_few_rows(
    bins: int, n: int, m: int
) -> None:
    rng, runs, flat = np.random.default_rng(80), 400, np.full(bins, 1 / bins)
    pairs = zip(rng.multinomial(n, flat, runs), rng.multinomial(m, flat, runs), strict=True)
    found = np.array([compare(r, c, measure="l_infinity").p for r, c in pairs])
    for alpha in (0.05, 0.005):
        assert np.mean(found < alpha) <= alpha + three_errors(alpha, runs)
