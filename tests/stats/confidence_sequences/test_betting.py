"""The betting confidence sequence: the published recursion by hand, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.stats.confidence_sequences.betting import BettingSequence

values = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])), max_size=150)


def by_hand(seen: list[float], m: float, alpha: float) -> tuple[float, float]:
    """Largest capitals of "more than m" and "less than m" on the way: the paper's recursion, a value at a time."""
    up = down = most_up = most_down = 1.0
    total, spread = 0.0, 0.0
    for t, x in enumerate(seen, 1):
        variance = (0.25 + spread) / t
        bet = math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(1 + t)))
        up *= 1 + min(bet, 0.5 / m) * (x - m)
        down *= 1 - min(bet, 0.5 / (1 - m)) * (x - m)
        most_up, most_down = max(most_up, up), max(most_down, down)
        total += x
        spread += (x - (0.5 + total) / (t + 1)) ** 2
    return most_up, most_down


@settings(max_examples=40, deadline=None)
@given(values, st.sampled_from([0.05, 0.3]))
def test_it_is_the_published_recursion(seen: list[float], alpha: float) -> None:
    found = BettingSequence(alpha=alpha, grid=20).plus(seen)
    for place in range(1, 20):
        m = place / 20
        up, down = by_hand(seen, m, alpha)
        if abs(math.log(up) - math.log(2 / alpha)) > 1e-9:
            assert (up >= 2 / alpha) is (m <= found.low)
        if abs(math.log(down) - math.log(2 / alpha)) > 1e-9:
            assert (down >= 2 / alpha) is (m >= found.high)


@given(values, st.integers(0, 150))
def test_where_a_batch_ends_changes_nothing(seen: list[float], cut: int) -> None:
    blank = BettingSequence(alpha=0.1, grid=50)
    whole, parts = blank.plus(seen), blank.plus(seen[:cut]).plus(seen[cut:])
    assert (parts.n, parts.low, parts.high) == (whole.n, whole.low, whole.high)
    if seen:
        assert whole.log_up is not None
        assert parts.log_up is not None
        np.testing.assert_allclose(parts.log_up, whole.log_up, atol=1e-9)


@given(values)
def test_value_by_value_is_the_same_and_bounds_never_widen(seen: list[float]) -> None:
    state, seen = BettingSequence(alpha=0.1, grid=50), seen[:60]
    low, high = state.low, state.high
    for value in seen:
        state = state.plus([value])
        assert state.low >= low
        assert state.high <= high
        low, high = state.low, state.high
    whole = BettingSequence(alpha=0.1, grid=50).plus(seen)
    assert (low, high) == (whole.low, whole.high)


@given(values)
def test_one_less_the_values_gives_one_less_the_bounds(seen: list[float]) -> None:
    found = BettingSequence(alpha=0.1, grid=50).plus(seen)
    mirrored = BettingSequence(alpha=0.1, grid=50).plus([1 - value for value in seen])
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=0.0201)  # a step at most


@given(values)
def test_capitals_fall_and_rise_with_the_candidate_mean(seen: list[float]) -> None:
    """Why the set is an interval, and why a grid loses nothing but its grain."""
    found = BettingSequence(alpha=0.1, grid=50).plus(seen)
    if found.log_up is not None and found.log_down is not None:
        assert (np.diff(found.log_up) <= 1e-9).all()
        assert (np.diff(found.log_down) >= -1e-9).all()


def test_a_finer_grid_is_only_narrower() -> None:
    seen = np.random.default_rng(1).beta(2, 5, 3000)
    wide, fine = BettingSequence(alpha=0.05, grid=50).plus(seen), BettingSequence(alpha=0.05, grid=5000).plus(seen)
    assert wide.low <= fine.low < 2 / 7 < fine.high <= wide.high
    assert fine.low - wide.low < 1 / 50


def test_little_variance_gives_narrow_bounds() -> None:
    """Hoeffding's half-width for n = 2000, read once, is 0.030; this one may be read at any time."""
    rng = np.random.default_rng(2)
    still = BettingSequence(alpha=0.05, grid=1000).plus(0.4 + 0.02 * rng.random(2000))
    assert still.high - still.low < 0.02
    assert still.low < 0.41 < still.high


def test_the_finest_grid_stays_finite_where_each_factor_is_as_large_as_can_be() -> None:
    found = BettingSequence(alpha=0.05, grid=10_000).plus(np.ones(1000))
    assert found.high == 1.0
    assert 0.98 < found.low < 1.0
    assert found.log_up is not None
    assert np.isfinite(found.log_up).all()


def test_what_cannot_be_is_refused() -> None:
    blank = BettingSequence(alpha=0.05)
    assert math.isnan(blank.mean)
    for bad in ([1.1], [-0.1], [math.nan], [[0.5]]):
        with pytest.raises(ValueError, match="from 0 to 1"):
            blank.plus(bad)
    with pytest.raises(ValueError, match="steps"):
        BettingSequence(alpha=0.05, grid=1)
    with pytest.raises(ValueError, match="alpha=0"):
        BettingSequence(alpha=0)
