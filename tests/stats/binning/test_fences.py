"""A value that a reference of few values never had is in a bin of its own, and rounding is no new value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.binning.bins import fit_numeric
from flyball.stats.binning.fences import FEW_VALUES, edges_of, fences, is_fence, strangers
from flyball.stats.binning.fine_bins import fit_fine
from flyball.stats.two_sample.compare import Reading, compare

values = st.lists(
    st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-5, 5).map(float)),
    min_size=1,
    max_size=FEW_VALUES,
    unique=True,
)


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        ([0.0, 1.0], [-0.3, 0.7]),
        ([0.0, 1.0], [0.0, 1000.0]),
        ([0.0, 1.0], [0.0, 0.6]),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.4]),
        ([1000.0, 2000.0], [1000.0, 2001.0]),
        ([0.1, 0.2, 0.4], [0.1, 0.2, 0.35]),
    ],
)
def test_values_that_the_reference_never_had_are_drift(reference: list[float], current: list[float]) -> None:
    before, now = np.repeat(reference, 500), np.repeat(current, 500)
    bins = fit_numeric(before)
    assert compare(bins.count(before), bins.count(now)).verdict is Reading.DRIFT
    fine = fit_fine(before, bins.edges)
    assert compare(fine.count(before), fine.count(now)).verdict is Reading.DRIFT


@pytest.mark.parametrize("known", [[0.1, 0.2, 0.7], [0.3, 1.1, 9.99, 1234.56], [-2.5, 0.0, 1e-3], [0.0, 435.0]])
def test_rounding_is_no_new_value(known: list[float]) -> None:
    before = np.repeat(known, 200)
    bins = fit_numeric(before)
    expected = bins.count(before).tolist()
    for again in (np.float32(before).astype(np.float64), before * (1 + 2**-50) + 1e-17, before * 3 / 3):
        assert bins.count(again).tolist() == expected


@given(values)
def test_each_value_lies_in_its_fence_alone(known: list[float]) -> None:
    distinct = np.array(sorted({value + 0.0 for value in known}))
    low, high = fences(distinct)
    assert (low <= distinct).all()
    assert (distinct < high).all()
    assert (high[:-1] <= distinct[1:]).all()
    at = np.searchsorted(edges_of(distinct), distinct, side="right")
    assert len(set(at.tolist())) == distinct.size


@given(values, st.integers(2, 12))
def test_fences_of_coarse_bins_are_those_of_fine_ones(known: list[float], bins: int) -> None:
    coarse, fine = fit_numeric(known, bins=bins), fit_numeric(known, bins=64)
    assert set(coarse.edges) <= set(fine.edges)


def test_a_fence_is_told_as_its_value() -> None:
    assert fit_numeric([0, 0.1, 25]).labels() == (
        "< 0",
        "= 0",
        "between 0 and 0.1",
        "= 0.1",
        "between 0.1 and 25",
        "= 25",
        "> 25",
        "(missing)",
    )
    assert not is_fence(-1.0, 1.0)
    assert is_fence(7.0, math.nextafter(7.0, 9.0))


def test_strangers_are_rows_between_the_values_of_the_reference() -> None:
    before, now = np.tile(np.arange(1.0, 13.0), 100), np.tile(np.arange(1.0, 13.0), 100)
    now[:300] += 0.5
    fine = fit_fine(before, fit_numeric(before).edges)
    share = strangers(fine.count(before).tolist(), fine.count(now).tolist())
    assert share == pytest.approx(275 / 1200)  # 25 of them are beyond the greatest
    normal = np.random.default_rng(1).normal(size=5000)
    many = fit_fine(normal, fit_numeric(normal).edges)
    assert strangers(many.count(normal).tolist(), many.count(normal + 1).tolist()) is None


def test_narrow_bins_far_from_zero_are_not_told_as_one_value() -> None:
    sample = 1.7e9 + 100 * np.random.default_rng(2).normal(size=5000)
    assert not any(label.startswith(("=", "between")) for label in fit_numeric(sample).labels())


def test_one_value_that_travelled_as_float32_is_no_new_value() -> None:
    low, high = fences(np.array([0.1]))
    assert low[0] < float(np.float32(0.1)) < high[0]
    assert is_fence(float(low[0]), float(high[0]))
