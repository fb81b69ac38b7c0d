"""Shiryaev-Roberts of e-values, and e-BH."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.change.bets import bets
from flyball.stats.change.edetector import begin, e_bh, forget, level, step
from flyball.stats.change.evalues import log_e_values

WINDOW = st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(lambda x: sum(x) > 0)
REFERENCE = np.array([40.0, 30.0, 25.0, 5.0])


@given(st.lists(WINDOW, min_size=1, max_size=6))
def test_the_recursion_is_the_sum_over_all_starts(history: list[list[int]]) -> None:
    found = bets(REFERENCE, "category", tolerance=0.0)
    state, known, recent, each = begin(REFERENCE, found), REFERENCE.copy(), np.zeros(4), []
    for x in history:
        each.append(log_e_values(x, known, recent, found))
        known, recent = known + np.array(x), 0.7 * (recent + np.array(x))
        state = step(state, x, found)
    products = [np.exp(np.sum(each[start:], axis=0)) for start in range(len(each))]
    weights = [1 / (k * (k + 1)) for k in range(1, len(each) + 1)]
    bet = np.exp(found.log_weight)
    now = level(state, found)
    assert np.isclose(np.exp(now.log_sum), bet @ np.sum(products, axis=0))
    assert np.isclose(np.exp(now.log_e), bet @ np.sum([w * p for w, p in zip(weights, products, strict=True)], axis=0))
    assert np.array_equal(state.known, REFERENCE + np.sum(history, axis=0))


def test_a_window_without_rows_changes_nothing() -> None:
    found = bets(REFERENCE, "category", tolerance=0.0)
    state = step(begin(REFERENCE, found), [9, 3, 2, 1], found)
    assert step(state, [0, 0, 0, 0], found) is state


def test_after_an_alarm_the_evidence_is_gone_and_the_rows_stay_known() -> None:
    found = bets(REFERENCE, "category", tolerance=0.0)
    state = step(begin(REFERENCE, found), [0, 0, 0, 50], found)
    assert level(state, found).log_sum > 20
    after = forget(state)
    assert level(after, found).log_sum == -np.inf
    assert level(after, found).log_e == 0.0
    assert np.array_equal(after.known, state.known)


@given(st.lists(st.floats(-5, 30), min_size=1, max_size=40), st.sampled_from([0.05, 0.1, 0.3]))
def test_e_bh_names_the_largest_set_that_vouches_for_itself(log_e: list[float], alpha: float) -> None:
    named = e_bh(log_e, alpha=alpha)
    order = sorted(log_e, reverse=True)
    allowed = [k for k in range(1, len(order) + 1) if order[k - 1] >= np.log(len(order) / (alpha * k))]
    assert len(named) == (max(allowed) if allowed else 0)
    assert sorted((log_e[at] for at in named), reverse=True) == order[: len(named)]


def test_overwhelming_evidence_does_not_overflow() -> None:
    found = bets(REFERENCE, "category", tolerance=0.0)
    state = begin(REFERENCE * 1000, found)
    for _ in range(50):
        state = step(state, [0, 0, 0, 100_000], found)
    assert np.isfinite(level(state, found).log_sum)
