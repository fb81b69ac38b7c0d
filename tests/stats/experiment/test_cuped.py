"""CUPED: what a covariate from before takes off, and that it takes nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.experiment.cuped import adjusted_difference, adjusted_variance, theta
from flyball.stats.experiment.pair_moments import moments

pairs = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=3, max_size=40)


@given(pairs)
def test_the_published_variance(units: list[tuple[float, float]]) -> None:
    """var(y) (1 - corr^2), which is that of the residuals of least squares."""
    y, x = (np.array(column) for column in zip(*units, strict=True))
    if x.std() < 1e-3 or y.std() < 1e-3:
        return
    both = moments(y, x)
    corr = float(np.corrcoef(y, x)[0, 1])
    written = float(y.var(ddof=1)) * (1 - corr**2)
    assert adjusted_variance(both, theta(both)) == pytest.approx(written, rel=1e-5, abs=1e-6)
    assert theta(both) == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-4, abs=1e-6)


@given(pairs, st.floats(-5, 5))
def test_no_other_slope_leaves_less(units: list[tuple[float, float]], slope: float) -> None:
    both = moments([y for y, _ in units], [x for _, x in units])
    assert adjusted_variance(both, theta(both)) <= adjusted_variance(both, slope) + 1e-6


@given(pairs, pairs)
def test_a_constant_covariate_takes_nothing_off(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> None:
    ours, theirs = [y for y, _ in a], [y for y, _ in b]
    found = adjusted_difference(moments(ours, np.ones(len(a))), moments(theirs, np.ones(len(b))))
    assert (found.theta, found.reduction) == (0.0, 0.0)
    assert found.difference.value == pytest.approx(np.mean(ours) - np.mean(theirs), abs=1e-9)


@given(pairs, pairs, st.floats(-50, 50))
def test_where_the_covariate_begins_does_not_matter(
    a: list[tuple[float, float]], b: list[tuple[float, float]], moved: float
) -> None:
    def found(by: float) -> float:
        arms = [moments([y for y, _ in arm], [x + by for _, x in arm]) for arm in (a, b)]
        return adjusted_difference(*arms).difference.value

    if np.std([x for _, x in (*a, *b)]) > 1e-2:
        assert found(moved) == pytest.approx(found(0.0), rel=1e-3, abs=1e-3)


def test_half_the_variance_is_explained_by_a_correlation_of_the_root_of_a_half() -> None:
    rng = np.random.default_rng(3)
    before = rng.normal(size=(2, 20_000))
    after = before + rng.normal(size=(2, 20_000)) + np.array([[0.1], [0.0]])
    found = adjusted_difference(*(moments(after[arm], before[arm]) for arm in (0, 1)))
    assert found.reduction == pytest.approx(0.5, abs=0.02)
    assert found.difference.low < 0.1 < found.difference.high
    assert found.difference.method == "cuped"


def test_an_effect_is_not_taken_for_a_slope() -> None:
    """Arms that differ in x and y by chance: pooled without centring, theta would be their difference's."""
    ours, theirs = moments([10.0, 10.1, 9.9], [1.0, 1.0, 1.0]), moments([0.0, 0.1, -0.1], [0.0, 0.0, 0.0])
    assert adjusted_difference(ours, theirs).difference.value == pytest.approx(10.0)


def test_one_unit_has_no_variance() -> None:
    with pytest.raises(NotEnoughData):
        adjusted_difference(moments([1.0], [1.0]), moments([1.0, 2.0], [1.0, 1.0]))
