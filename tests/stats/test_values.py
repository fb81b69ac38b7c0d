"""Measures that need the values themselves: published numbers, and the laws of what is kept of a sample."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from flyball.stats.two_sample.divergences import cramers_v, merge_small, psi
from flyball.stats.two_sample.domain_classifier import compare_domains
from flyball.stats.two_sample.earth_mover import compare_wasserstein, wasserstein_distance
from flyball.stats.two_sample.kolmogorov import compare_ks, ks_distance
from flyball.stats.two_sample.measure import Reading
from flyball.stats.two_sample.mmd import compare_rows, fit_features, mmd
from flyball.stats.two_sample.ordered import ks, ks_bounds, wasserstein

SMALL = ([1, 2, 2, 3, 5], [2, 3, 3, 4, 9])
samples = st.lists(st.integers(-50, 50), min_size=1, max_size=40)


def test_the_published_pair_of_five() -> None:
    assert ks_distance(*SMALL) == pytest.approx(0.4)
    found = compare_ks(*SMALL, floor=5)
    assert found.p == pytest.approx(0.8730159, abs=5e-8)
    assert wasserstein_distance(*SMALL) == pytest.approx(1.6)


@pytest.mark.parametrize(
    ("n", "m", "critical"), [(10**4, 10**4, 0.01921), (10**5, 10**5, 0.00607), (10**6, 10**6, 0.00192)]
)
def test_published_critical_distances(n: int, m: int, critical: float) -> None:
    assert stats.kstwobign.sf(critical * math.sqrt(n * m / (n + m))) == pytest.approx(0.05, abs=0.001)


def test_published_mmd() -> None:
    assert mmd([0, 1], [2, 3], width=1) == pytest.approx(0.768906, abs=5e-7)
    rng = np.random.RandomState(31)
    assert mmd(rng.normal(2, 1, 100), rng.normal(0, 1, 100), width=0.5) == pytest.approx(0.43377622, abs=5e-9)


def test_published_population_distance_of_two_normals() -> None:
    rng = np.random.default_rng(11)
    found = compare_ks(rng.normal(size=40_000), rng.normal(1, 1, size=40_000))
    assert found.value == pytest.approx(2 * stats.norm.cdf(0.5) - 1, abs=0.01)  # 0.38292


def test_missing_as_a_bin_of_its_own() -> None:
    before, now = [9] * 10 + [10], [8] * 10 + [20]
    assert psi(before, now) == pytest.approx(0.0810930, abs=5e-8)
    assert psi(before[:-1], now[:-1]) == 0


def test_published_cramers_v() -> None:
    assert cramers_v([200, 800], [400, 600]) == pytest.approx(0.2160258, abs=5e-8)
    assert cramers_v([10], [10]) == 0


@given(samples, samples)
def test_two_programs_agree_on_the_distances(a: list[int], b: list[int]) -> None:
    assert wasserstein_distance(a, b) == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-9)
    assert ks_distance(a, b) == pytest.approx(stats.ks_2samp(a, b, method="asymp").statistic)


@given(samples, samples)
def test_counts_on_each_value_lose_nothing_and_coarser_ones_bound_the_distance(a: list[int], b: list[int]) -> None:
    values = sorted({*a, *b})
    counts = [[side.count(value) for value in values] for side in (a, b)]
    assert ks(*counts) == pytest.approx(ks_distance(a, b))
    assert wasserstein(*counts, positions=values) == pytest.approx(wasserstein_distance(a, b), abs=1e-9)
    coarse = [np.histogram(side, [-51, -10, 0, 10, 51])[0] for side in (a, b)]
    low, high = ks_bounds(*coarse)
    assert low - 1e-9 <= ks_distance(a, b) <= high + 1e-9


@given(samples, samples)
def test_wasserstein_is_never_below_the_difference_of_the_means(a: list[int], b: list[int]) -> None:
    assert wasserstein_distance(a, b) >= abs(np.mean(a) - np.mean(b)) - 1e-9


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30).filter(any))
def test_merging_rare_cells_keeps_the_rows(counts: list[int]) -> None:
    r, c = merge_small(counts, [3 * x for x in counts], least=5)
    assert (r.sum(), c.sum()) == (sum(counts), 3 * sum(counts))
    assert 1 < r.size <= len(counts)


@given(arrays(np.float64, (30, 2), elements=st.floats(-5, 5)), st.integers(1, 29))
@settings(max_examples=25, deadline=None)
def test_an_embedded_sample_merges_and_is_taken_out_again(rows: np.ndarray, at: int) -> None:
    features = fit_features(np.random.default_rng(1).normal(size=(50, 2)), rng=np.random.default_rng(2), frequencies=8)
    whole, first, second = (features.embed(part, products=True) for part in (rows, rows[:at], rows[at:]))
    both = first.plus(second)
    assert both.n == whole.n
    assert np.allclose(both.total, whole.total)
    assert both.products is not None
    assert whole.products is not None
    assert np.allclose(both.products, whole.products)
    assert np.allclose(whole.minus(second).total, first.total)


def test_random_features_find_what_all_pairs_find() -> None:
    rng = np.random.default_rng(12)
    before, now = rng.normal(size=(600, 3)), rng.normal(size=(600, 3)) + 0.5
    found = compare_rows(before, now, rng=rng)
    exact = mmd(before, now, width=math.sqrt(3))
    assert found.value == pytest.approx(exact, rel=0.15)
    assert found.verdict is Reading.DRIFT


def test_a_turned_correlation_is_seen_by_rows_and_by_no_column() -> None:
    rng = np.random.default_rng(13)
    x, noise = rng.normal(size=4000), rng.normal(size=4000)
    rows = np.c_[x, np.r_[0.8 * x[:2000] + 0.6 * noise[:2000], -0.8 * x[2000:] + 0.6 * noise[2000:]]]
    before, now = rows[:2000], rows[2000:]
    assert [compare_ks(before[:, at], now[:, at]).verdict for at in (0, 1)] == [Reading.OK, Reading.OK]
    assert compare_rows(before, now, rng=rng).verdict is Reading.DRIFT


def test_the_classifier_confirms_a_shift_and_nothing_else() -> None:
    rng = np.random.default_rng(14)
    before = rng.normal(size=(800, 3))
    same, moved = rng.normal(size=(400, 3)), rng.normal([0, 0, 1.0], 1, size=(400, 3))
    quiet = compare_domains(before, same, rng=rng, folds=3)
    assert quiet.verdict is not Reading.DRIFT
    assert quiet.ci is not None
    assert quiet.ci[0] < 0.5 < quiet.ci[1]
    assert compare_domains(before, moved, rng=rng, folds=3).verdict is Reading.DRIFT


def test_missing_values_are_left_out_and_infinite_ones_have_no_distance() -> None:
    rng = np.random.default_rng(15)
    a, b = rng.normal(size=300), rng.normal(1, 1, size=300)
    with_gaps = np.r_[a, [np.nan] * 50]
    told, plain = compare_wasserstein(with_gaps, b), compare_wasserstein(a, b)
    assert replace(told, reason=plain.reason) == plain
    found = compare_wasserstein(a, np.r_[b, np.inf])
    assert found.verdict is Reading.INVALID
    assert "infinite" in found.reason
    assert compare_ks(a, np.r_[b, np.inf]).verdict is Reading.DRIFT
