"""Means of two arms under known assignment: where a batch ends changes nothing, and no unit costs too much."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.sequential_tests.arm_means import ArmMeans

units = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from([0.01, 0.1, 0.5, 0.9])), max_size=60)


def seen(rows: list[tuple[float, bool, float]], begin: ArmMeans) -> ArmMeans:
    return begin.plus([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


@given(units, st.integers(0, 60), st.floats(0, 0.5), st.floats(0, 0.5), st.booleans())
def test_where_a_batch_ends_changes_nothing(
    rows: list[tuple[float, bool, float]], cut: int, relative: float, absolute: float, higher: bool
) -> None:
    begin = ArmMeans(relative=relative, absolute=absolute, higher_is_better=higher)
    whole, parts = seen(rows, begin), seen(rows[cut:], seen(rows[:cut], begin))
    assert (whole.candidate, whole.champion) == (parts.candidate, parts.champion)
    for name in ("most_worse", "most_fine", "now_worse"):
        assert getattr(whole, name) == pytest.approx(getattr(parts, name), abs=1e-9)


@given(units, st.booleans())
def test_one_unit_never_takes_more_than_half_of_a_capital(rows: list[tuple[float, bool, float]], higher: bool) -> None:
    state = ArmMeans(relative=0.05, higher_is_better=higher)
    for row in rows:
        after = seen([row], state)
        for name in ("log_worse", "log_fine"):
            before = getattr(state, name)
            lost = (np.zeros(18) if before is None else before) - getattr(after, name)
            assert (lost <= math.log(2) + 1e-12).all()
        state = after


@given(units)
def test_a_metric_turned_upside_down_says_the_same_with_an_absolute_margin(
    rows: list[tuple[float, bool, float]],
) -> None:
    up = seen(rows, ArmMeans(absolute=0.02))
    down = seen([(1 - x, mine, w) for x, mine, w in rows], ArmMeans(absolute=0.02, higher_is_better=False))
    assert up.most_worse == pytest.approx(down.most_worse, abs=1e-9)
    assert up.most_fine == pytest.approx(down.most_fine, abs=1e-9)


def test_a_state_does_not_grow_with_its_units() -> None:
    rng = np.random.default_rng(6)
    large = ArmMeans().plus(rng.random(20_000), rng.random(20_000) < 0.5, np.full(20_000, 0.5))
    assert large.log_worse is not None
    assert large.log_worse.base is None
    assert large.log_worse.nbytes < 200


def test_no_unit_says_nothing() -> None:
    nothing = ArmMeans().plus([], [], [])
    assert (nothing.most_worse, nothing.most_fine, nothing.now_worse) == (0.0, 0.0, 0.0)
    assert math.isnan(nothing.candidate_mean)


@pytest.mark.parametrize(
    ("values", "mine", "shares", "what"),
    [
        ([0.5, 0.5], [True], [0.1, 0.1], "one length"),
        ([1.5], [True], [0.1], "from 0 to 1"),
        ([0.5], [True], [1.0], "strictly between"),
        ([math.nan], [True], [0.5], "from 0 to 1"),
    ],
)
def test_faulty_columns_are_refused(values: list[float], mine: list[bool], shares: list[float], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        ArmMeans().plus(values, mine, shares)


def test_a_margin_is_no_gain() -> None:
    with pytest.raises(ValueError, match="absolute >= 0"):
        ArmMeans(absolute=-0.1)
