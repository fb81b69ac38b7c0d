"""Bins: counts add, nothing is lost, and the shifts that published bins cannot see are seen."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.binning.bins import CategoryBins, NumericBins, fit_categories, fit_numeric
from flyball.stats.two_sample.divergences import psi

numbers = st.lists(st.one_of(st.floats(), st.sampled_from([0.0, 1.0]), st.integers(-5, 5).map(float)), max_size=60)
words = st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), max_size=60)


@given(numbers, numbers, numbers, st.integers(2, 12))
def test_counts_of_two_samples_add(reference: list[float], a: list[float], b: list[float], bins: int) -> None:
    fitted = fit_numeric(reference, bins=bins)
    both = fitted.count(a) + fitted.count(b)
    assert both.tolist() == fitted.count(a + b).tolist()
    assert both.sum() == len(a) + len(b)
    assert len(fitted.labels()) == fitted.size == both.size


@given(words, words, words)
def test_counts_of_two_samples_of_categories_add(
    reference: list[str | None], a: list[str | None], b: list[str | None]
) -> None:
    fitted = fit_categories(reference, top=3)
    both = fitted.count(a) + fitted.count(b)
    assert both.tolist() == fitted.count(a + b).tolist()
    assert both.sum() == len(a) + len(b)
    assert len(fitted.labels()) == fitted.size == both.size


@given(numbers)
def test_no_bin_of_a_reference_with_several_values_is_empty(reference: list[float]) -> None:
    fitted = fit_numeric([x for x in reference if math.isfinite(x)], parted=True)
    counts = fitted.count([x for x in reference if math.isfinite(x)])[:-1]
    if len({x for x in reference if math.isfinite(x)}) > 1:
        assert counts.min() > 0


def test_quantile_bins_hold_equal_mass() -> None:
    sample = np.random.default_rng(1).normal(size=10_000)
    assert fit_numeric(sample).count(sample).tolist() == [1000] * 10 + [0]


def test_a_flag_going_from_5_to_30_percent_is_seen() -> None:
    reference, current = [1] * 50 + [0] * 950, [1] * 300 + [0] * 700
    bins = fit_numeric(reference)
    assert round(psi(bins.count(reference), bins.count(current)), 3) == 0.524


def test_a_zero_inflated_column_losing_its_zeros_is_seen() -> None:
    rng = np.random.default_rng(2)
    reference = np.where(rng.random(5000) < 0.9, 0.0, rng.exponential(size=5000))
    current = np.where(rng.random(5000) < 0.5, 0.0, rng.exponential(size=5000))
    bins = fit_numeric(reference)
    assert psi(bins.count(reference), bins.count(current), smoothing=0.5) > 0.5


def test_a_heavy_value_in_the_middle_has_a_bin_of_its_own() -> None:
    bins = fit_numeric([5.0] * 500 + list(np.linspace(0, 10, 501)))
    assert "= 5" in bins.labels()
    assert bins.count([5.0, math.nextafter(5.0, 0), math.nextafter(5.0, 9)]).max() == 1


def test_mass_beyond_the_range_of_training_is_seen() -> None:
    reference = np.arange(1000.0)
    current = np.where(np.arange(1000) % 20 < 3, 5000.0, reference)  # 15 % of the rows
    bins = fit_numeric(reference)
    assert bins.count(current).sum() == 1000
    assert psi(bins.count(reference), bins.count(current)) > 0.13  # closed end bins: 0.026


def test_values_that_go_missing_are_seen() -> None:
    bins = NumericBins(edges=tuple(float(i) for i in range(1, 10)))
    before, after = [90] * 10 + [100], [80] * 10 + [200]
    assert bins.size == len(before)
    assert round(psi(before, after), 7) == 0.0810930


def test_missing_values_in_the_reference_do_not_blind_it() -> None:
    reference = np.append(np.arange(1000.0), np.nan)
    bins = fit_numeric(reference)
    assert bins.count(reference)[-1] == 1
    assert psi(bins.count(reference), bins.count(reference + 500), smoothing=0.5) > 1


def test_infinities_fall_into_the_end_bins() -> None:
    counts = fit_numeric(range(100)).count([-math.inf, math.inf, math.nan, None])
    assert (counts[0], counts[-2], counts[-1]) == (1, 1, 2)


def test_a_constant_reference_still_tells_below_equal_and_above() -> None:
    bins = fit_numeric([7.0, 7.0])
    assert bins.count([6.9, 7.0, 7.1, None]).tolist() == [1, 1, 1, 1]
    assert bins.labels() == ("< 7", "= 7", "> 7", "(missing)")


@pytest.mark.parametrize("reference", [[], [None], [math.nan, math.inf]])
def test_a_reference_without_numbers_has_one_bin_and_missing(reference: list[float | None]) -> None:
    assert fit_numeric(reference).labels() == ("any", "(missing)")


def test_booleans_and_integers_are_numbers() -> None:
    assert fit_numeric(np.array([True, False, True])) == fit_numeric(np.array([1, 0, 1]))
    assert fit_numeric(np.array([True, False]), parted=True) == NumericBins(edges=(0.5,))


def test_unseen_and_rare_categories_share_other() -> None:
    bins = fit_categories(["a"] * 3 + ["b"] * 2 + ["c"], top=2)
    assert bins == CategoryBins(values=("a", "b"))
    assert bins.count(["c", "new", None, float("nan")]).tolist() == [0, 0, 2, 2]  # type: ignore[list-item]


def test_edges_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="strictly increasing"):
        NumericBins(edges=(1.0, 1.0))
    with pytest.raises(ValueError, match="distinct"):
        CategoryBins(values=("a", "a"))
