"""The difference of two rates: published intervals, symmetries, and honesty at the ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.two_rates import rate_difference

arms = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
    ],
)
def test_the_published_intervals(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    """Newcombe 1998, table II, method 10."""
    found = rate_difference(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@given(arms, arms)
def test_swapped_arms_swap_the_difference_and_it_stays_between_minus_one_and_one(
    ours: tuple[int, int], theirs: tuple[int, int]
) -> None:
    there, back = rate_difference(*ours, *theirs), rate_difference(*theirs, *ours)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert -1 - 1e-12 <= there.low <= there.value <= there.high <= 1 + 1e-12
    assert there.low < there.high


def test_an_arm_without_units_has_no_rate() -> None:
    with pytest.raises(NotEnoughData):
        rate_difference(0, 0, 1, 2)
