"""The exact test is what the binomial distribution says, and a limit that is met is passed by chance alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from flyball.stats.scoring.rate_above import surely_above

ROWS = st.integers(1, 3000)
SHARES = st.floats(0.001, 0.9)
ALPHAS = st.sampled_from([1e-5, 1e-3, 0.05])


@given(ROWS, SHARES, ALPHAS, st.data())
def test_it_is_the_tail_of_the_binomial(rows: int, limit: float, alpha: float, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, rows))
    tail = float(binom.sf(events - 1, rows, limit))
    if abs(tail - alpha) > 1e-9 * alpha:
        assert surely_above(events, rows, limit, alpha=alpha) == (tail <= alpha)


@given(ROWS, SHARES, ALPHAS, st.data())
def test_one_event_more_never_makes_it_less_sure(rows: int, limit: float, alpha: float, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, rows - 1))
    assert surely_above(events, rows, limit, alpha=alpha) <= surely_above(events + 1, rows, limit, alpha=alpha)


@pytest.mark.parametrize(("rows", "limit"), [(1, 0.01), (20, 0.05), (500, 0.01), (5000, 0.05)])
def test_at_the_limit_it_says_yes_no_oftener_than_promised(rows: int, limit: float) -> None:
    said = sum(
        float(binom.pmf(events, rows, limit))
        for events in range(rows + 1)
        if surely_above(events, rows, limit, alpha=0.01)
    )
    assert said <= 0.01  # exactly: the sum over all that can happen


def test_a_share_of_all_is_never_passed_and_a_limit_of_none_by_the_first_event() -> None:
    assert not surely_above(10, 10, 1.0, alpha=0.05)
    assert surely_above(1, 10**6, 0.0, alpha=0.05)
    assert not surely_above(0, 10**6, 0.0, alpha=0.05)


def test_more_events_than_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 <= events <= rows, found 3 of 2"):
        surely_above(3, 2, 0.1, alpha=0.05)
