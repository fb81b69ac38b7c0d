"""A matrix without a frame is the frame's matrix, bit for bit, or there is none."""

from typing import Any, get_args

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.models.row_matrix import row_matrix
from flyball.core.contract import Kind
from flyball.core.frames import DTYPES, frame

COLUMNS: tuple[tuple[str, Kind], ...] = (("x", "number"), ("n", "integer"), ("b", "boolean"))
VALUES = {
    "x": st.floats() | st.integers(-(2**70), 2**70) | st.none() | st.booleans() | st.text(max_size=3),
    "n": st.integers(-(2**64), 2**64) | st.none() | st.floats() | st.booleans() | st.text(max_size=3),
    "b": st.booleans() | st.none() | st.integers(0, 2),
}
ROWS = st.lists(st.fixed_dictionaries({}, optional=VALUES | {"other": st.text()}), min_size=1, max_size=5)
SOUND = st.lists(
    st.fixed_dictionaries(
        {"x": st.floats() | st.integers(-(2**53), 2**53) | st.none(), "n": st.integers(-(2**62), 2**62)},
        optional={"b": st.booleans() | st.none()},
    ),
    min_size=1,
    max_size=5,
)


def by_frame(rows: list[dict[str, Any]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    table = frame(rows, {name: DTYPES[kind] for name, kind in COLUMNS})
    return table.select(pl.all().cast(pl.Float64)).to_numpy()


@given(ROWS)
def test_what_it_makes_is_what_the_frame_becomes(rows: list[dict[str, Any]]) -> None:
    made = row_matrix(COLUMNS)
    assert made is not None
    matrix = made(rows)
    if matrix is not None:
        assert matrix.tolist() == by_frame(rows).tolist() or np.array_equal(matrix, by_frame(rows), equal_nan=True)


@given(SOUND)
def test_what_a_contract_accepts_needs_no_frame(rows: list[dict[str, Any]]) -> None:
    made = row_matrix(COLUMNS)
    assert made is not None
    assert made(rows) is not None


def test_only_columns_of_numbers_have_one() -> None:
    able = {kind for kind in get_args(Kind) if row_matrix([("a", kind)]) is not None}
    assert able == {"number", "integer", "boolean"}
    assert row_matrix([]) is None
