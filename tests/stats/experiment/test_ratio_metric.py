"""A ratio of means by unit: the formula, and that rows of one unit count together."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.experiment.pair_moments import PairMoments, moments, moments_of_sums
from flyball.stats.experiment.ratio_metric import ratio, ratio_difference

pairs = st.lists(st.tuples(st.floats(-100, 100), st.floats(0.5, 50)), min_size=2, max_size=40)
splits = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), max_size=30)


def of(units: list[tuple[float, float]]) -> PairMoments:
    return moments([y for y, _ in units], [x for _, x in units])


@given(pairs)
def test_the_published_variance(units: list[tuple[float, float]]) -> None:
    m, d = (np.array(column) for column in zip(*units, strict=True))
    cov = float(np.cov(m, d)[0, 1])
    written = m.var(ddof=1) / d.mean() ** 2 + d.var(ddof=1) * m.mean() ** 2 / d.mean() ** 4
    written -= 2 * cov * m.mean() / d.mean() ** 3
    assert ratio(of(units)).variance == pytest.approx(written / len(units), rel=1e-6, abs=1e-9)


@given(pairs)
def test_a_ratio_is_that_of_the_sums_and_does_not_know_the_unit_of_its_rows(units: list[tuple[float, float]]) -> None:
    found, scaled = ratio(of(units)), ratio(of([(10 * y, 10 * x) for y, x in units]))
    assert found.value == pytest.approx(sum(y for y, _ in units) / sum(x for _, x in units), rel=1e-9, abs=1e-9)
    assert (scaled.value, scaled.sd) == pytest.approx((found.value, found.sd), rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40))
def test_over_ones_it_is_the_mean(values: list[float]) -> None:
    found = ratio(moments(values, np.ones(len(values))))
    assert (found.value, found.sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)), abs=1e-6)


def test_rows_taken_for_units_promise_too_much() -> None:
    """A hundred equal rows of each of 40 units say what one row of each says."""
    values = np.arange(40) % 2
    by_unit = ratio(moments(100 * values, np.full(40, 100)))
    by_row = ratio(moments(np.repeat(values, 100), np.ones(4000)))
    assert math.sqrt(by_unit.variance / by_row.variance) == pytest.approx(10, rel=0.02)


@given(splits, splits, splits)
def test_merging_is_summing_all_units(
    a: list[tuple[float, float]], b: list[tuple[float, float]], c: list[tuple[float, float]]
) -> None:
    together, merged = of(a + b + c), of(a).merge(of(b)).merge(of(c))
    other_way = of(a).merge(of(b).merge(of(c)))
    for found in (merged, other_way):
        assert found.n == together.n
        for name in ("mean_y", "mean_x", "yy", "xx", "xy"):
            assert getattr(found, name) == pytest.approx(getattr(together, name), abs=1e-6)


@given(splits)
def test_plain_sums_say_the_same(units: list[tuple[float, float]]) -> None:
    sums = {"yy": 0.0, "xx": 0.0, "xy": 0.0}
    for y, x in units:
        sums = {"yy": sums["yy"] + y * y, "xx": sums["xx"] + x * x, "xy": sums["xy"] + x * y}
    found = moments_of_sums(len(units), sum(y for y, _ in units), sum(x for _, x in units), **sums)
    for name in ("n", "mean_y", "mean_x", "yy", "xx", "xy"):
        assert getattr(found, name) == pytest.approx(getattr(of(units), name), abs=1e-5)


def test_a_difference_is_zero_between_equals_and_turns_its_sign() -> None:
    a, b = of([(1.0, 2.0), (4.0, 3.0), (2.0, 2.0)]), of([(2.0, 1.0), (5.0, 3.0)])
    there, back = ratio_difference(a, b), ratio_difference(b, a)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert ratio_difference(a, a).value == 0.0


def test_what_has_no_ratio_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="no rows"):
        ratio(moments([1.0, 2.0], [0.0, 0.0]))
    with pytest.raises(NotEnoughData, match="at least 2"):
        ratio(moments([1.0], [1.0]))
    with pytest.raises(ValueError, match="finite"):
        moments([1.0, math.nan], [1.0, 1.0])
    with pytest.raises(ValueError, match="two numbers a unit"):
        moments([1.0, 2.0], [1.0])
