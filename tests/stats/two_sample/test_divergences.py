"""Divergences: published values, and the laws of a divergence."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample import divergences as d

REFERENCE, CURRENT = [16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]
counts = st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any)


def test_vector_a() -> None:
    pair = (REFERENCE, CURRENT)
    found = [d.psi(*pair), d.kl(*pair), d.kl(CURRENT, REFERENCE), d.hellinger(*pair), d.l_infinity(*pair)]
    assert found == pytest.approx([0.0372184, 0.0189097, 0.0183087, 0.0681277, 0.0454545], abs=5e-8)
    assert d.total_variation(*pair) == pytest.approx(0.0681818, abs=5e-8)
    assert d.jensen_shannon_distance(*pair) == pytest.approx(0.0817342, abs=5e-8)
    assert d.jensen_shannon_distance(*pair, base=math.e) == pytest.approx(0.0680482, abs=5e-8)
    assert d.jensen_shannon(*pair) / math.log(2) == pytest.approx(0.00668048, abs=5e-9)
    assert d.chi_square(*pair) == pytest.approx((1.62241, 0.89853, 5), abs=5e-6)


def test_the_published_divergence_of_two_histograms() -> None:
    assert d.jensen_shannon([2, 2, 0], [0, 2, 2]) / math.log(2) == pytest.approx(0.5)
    # [1,2): 2, [2,3): 2 against [2,4): 2, [4,6): 2, rebinned at 1, 2, 3, 4, 6
    assert d.jensen_shannon([2, 2, 0, 0], [0, 1, 1, 2]) / math.log(2) == pytest.approx(0.65563906222)
    assert d.jensen_shannon([1, 0], [0, 1]) / math.log(2) == pytest.approx(1)


def test_the_published_two_sample_chi_square() -> None:
    assert d.chi_square([4, 2, 0], [1, 1, 4]) == pytest.approx((6.13333333, 0.04657615, 2), abs=5e-9)


def test_the_published_l_infinity() -> None:
    assert d.l_infinity([2, 2, 2, 0], [2, 2, 2, 1]) == pytest.approx(0.14, abs=5e-3)
    assert d.l_infinity([2, 2, 2], [0, 5, 0]) == pytest.approx(0.67, abs=5e-3)
    assert d.l_infinity([0, 0.9, 0.1], [0.3, 0.7, 0]) == pytest.approx(0.3)


def test_a_new_category_of_five_percent() -> None:
    reference, current = [500, 300, 200, 0], [475, 285, 190, 50]
    assert d.psi(reference, current, smoothing=0.5) == pytest.approx(0.23285, abs=5e-6)
    assert d.psi(reference, current, smoothing=1.0) == pytest.approx(0.19835, abs=5e-6)
    assert d.jensen_shannon_distance(reference, current) == pytest.approx(0.15957, abs=5e-6)


@pytest.mark.parametrize(
    ("shift", "expected"), [(0.1, 0.00959), (0.2, 0.03831), (0.25, 0.05982), (0.5, 0.23775), (1, 0.92614)]
)
def test_population_values_of_a_shifted_normal_in_deciles(shift: float, expected: float) -> None:
    edges = [NormalDist().inv_cdf(i / 10) for i in range(1, 10)]
    cumulative = [0.0, *(NormalDist(shift).cdf(edge) for edge in edges), 1.0]
    assert d.psi([0.1] * 10, np.diff(cumulative)) == pytest.approx(expected, abs=5e-6)


def test_without_smoothing_an_empty_bin_is_infinitely_far() -> None:
    assert d.psi([1, 1], [1, 0]) == d.kl([1, 1], [1, 0]) == math.inf
    assert math.isfinite(d.kl([1, 0], [1, 1]))


@given(counts, st.data())
def test_a_divergence_is_zero_for_equals_and_never_negative(p: list[int], data: st.DataObject) -> None:
    q = data.draw(st.lists(st.integers(0, 1000), min_size=len(p), max_size=len(p)).filter(any))
    for measure in (d.psi, d.kl, d.jensen_shannon, d.hellinger, d.l_infinity, d.total_variation):
        assert measure(p, [7 * x for x in p]) == pytest.approx(0, abs=1e-7)
        assert measure(p, q) >= -1e-12
    for symmetric in (d.psi, d.jensen_shannon, d.hellinger, d.l_infinity, d.total_variation):
        assert symmetric(p, q) == pytest.approx(symmetric(q, p))
    assert d.hellinger(p, q) ** 2 <= d.total_variation(p, q) + 1e-12 <= math.sqrt(2) * d.hellinger(p, q) + 2e-12


@given(counts, st.data())
def test_two_independent_programs_agree(p: list[int], data: st.DataObject) -> None:
    q = data.draw(st.lists(st.integers(0, 1000), min_size=len(p), max_size=len(p)).filter(any))
    assert d.jensen_shannon_distance(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)
    table = np.array([p, q])[:, np.array(p) + np.array(q) > 0]
    if table.shape[1] > 1:
        expected = chi2_contingency(table, correction=False)
        assert d.chi_square(p, q)[:2] == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)


def test_no_rows_and_faulty_counts_are_told_apart() -> None:
    with pytest.raises(NotEnoughData, match="current: no rows"):
        d.psi([1, 2], [0, 0], smoothing=0.5)
    for faulty in ([1, 2, 3], [1, -1], [1, math.nan]):
        with pytest.raises(ValueError, match="expected"):
            d.psi([1, 2], faulty)
