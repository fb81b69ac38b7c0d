import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.pipeline.split import ROW, positions, temporal

times = st.lists(st.integers(0, 20), min_size=2, max_size=60)
shares = st.floats(0.01, 0.99)


@given(times, shares)
def test_each_row_is_learned_from_or_judged_on_never_both(at: list[int], share: float) -> None:
    split = temporal(pl.DataFrame({"at": at}), timestamp="at", holdout=share)
    assert sorted([*split.train, *split.holdout]) == list(range(len(at)))
    assert len(split.train) >= 1
    assert len(split.holdout) >= 1


@given(times, shares)
def test_no_judged_row_is_older_than_a_learned_one(at: list[int], share: float) -> None:
    split = temporal(pl.DataFrame({"at": at}), timestamp="at", holdout=share)
    assert max(at[row] for row in split.train) <= min(at[row] for row in split.holdout)


@given(times, shares, st.integers(0, 70), st.integers(1, 9))
def test_no_shared_row_was_seen_by_the_champion(at: list[int], share: float, last: int, first: int) -> None:
    table = pl.DataFrame({"at": at})
    split = temporal(table, timestamp=None, holdout=share, first_row=first, champion_last_row=last)
    where = positions(table, first)
    assert set(split.shared) == {row for row in split.holdout if where[row] > last}


def test_positions_come_with_the_rows_where_the_table_has_them() -> None:
    table = pl.DataFrame({"x": [1, 2, 3, 4], ROW: [10, 30, 31, 50]})
    split = temporal(table, timestamp=None, holdout=0.75, champion_last_row=30)
    assert split.shared.tolist() == [2, 3]


@given(st.lists(st.integers(0, 5), min_size=4, max_size=30), st.lists(st.integers(0, 5), max_size=10))
def test_rows_are_known_by_their_values_where_positions_do_not_compare(mine: list[int], theirs: list[int]) -> None:
    table = pl.DataFrame({"x": mine, "y": [None] * len(mine)}, schema={"x": pl.Int64, "y": pl.String})
    seen = pl.DataFrame({"x": theirs, "y": [None] * len(theirs)}, schema={"x": pl.Int64, "y": pl.String})
    split = temporal(table, timestamp=None, holdout=0.5, champion_rows=seen)
    assert [mine[row] for row in split.shared] == [mine[row] for row in split.holdout if mine[row] not in theirs]


def test_one_row_is_too_few() -> None:
    with pytest.raises(NotEnoughData, match="rows=1"):
        temporal(pl.DataFrame({"x": [1]}), timestamp=None, holdout=0.5)


def test_equal_times_keep_their_order() -> None:
    split = temporal(pl.DataFrame({"at": [5] * 10}), timestamp="at", holdout=0.3)
    assert np.array_equal(split.holdout, [7, 8, 9])
