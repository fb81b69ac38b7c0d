"""What the signs of overlap say of logs whose overlap is known."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flyball.stats.actions.overlap import overlap, spread_of_mean

logs = st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1)), min_size=2, max_size=60)


@given(logs)
@example([(1.0, 1e-200), (1.0, 0.0)])  # the squares of weights so small are nothing
def test_effective_units_are_between_one_and_all(rows: list[tuple[float, float]]) -> None:
    p, t = (np.array(column) for column in zip(*rows, strict=True))
    found = overlap(p, t)
    if t.sum() > 1e-6:
        assert 1 - 1e-9 <= found.effective <= found.rows + 1e-9
        assert 0 < found.top_share <= 1 + 1e-9
    else:
        assert found.effective >= 0


@given(st.integers(1, 6), logs)
def test_a_weight_that_all_share_is_worth_every_unit(size: int, rows: list[tuple[float, float]]) -> None:
    units = np.repeat(np.arange(len(rows)), size)
    found = overlap(np.full(units.size, 0.5), np.ones(units.size), units)
    assert found.units == len(rows)
    assert found.effective == pytest.approx(len(rows))


def test_the_spread_of_a_mean_is_that_of_unit_means_where_units_are_of_one_size() -> None:
    rng = np.random.default_rng(1)
    values, units = rng.normal(size=120) + np.repeat(rng.normal(size=30), 4), np.repeat(np.arange(30), 4)
    means = values.reshape(30, 4).mean(axis=1)
    assert spread_of_mean(values, units) == pytest.approx(means.std(ddof=1) / np.sqrt(30))
    assert spread_of_mean(values, np.zeros(120, dtype=np.int64)) == np.inf


def test_heavy_rows_are_seen() -> None:
    p = np.full(1000, 0.5)
    p[:5] = 0.001
    found = overlap(p, np.ones(1000))
    assert found.largest_weight == 1000
    assert found.top_share == pytest.approx(5010 / 6990)
    assert found.effective < 10


def test_a_certain_action_leaves_nothing_to_learn_of_another() -> None:
    same = overlap(np.ones(500), np.ones(500))
    assert (same.untried, same.mean_weight_p, same.lacks()) == (0, 1, ())
    one_off = overlap(np.ones(500), np.arange(500) > 0)
    assert one_off.untried == pytest.approx(1 / 500)
    assert len(one_off.lacks()) == 2
