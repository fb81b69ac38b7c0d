"""A frame of rows is the same however it is built: all columns of a row in one go, or each column by itself."""

from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.frames import DTYPES, column_by_column, frame

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**53 + 1, 2**63, -(2**63) - 1, 10**400, -0.0, 3.0, 1e19]),
    st.floats(),
    st.text(max_size=4).filter(lambda text: text.isprintable()),
    st.sampled_from(["3", "true", "2024-01-01", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00"]),
    st.just([1]),
)
OWN: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=4).filter(str.isprintable),
    "integer": st.integers(-(2**53), 2**53 - 1),
    "number": st.floats(allow_nan=False) | st.integers(-(2**53), 2**53 - 1),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "timestamp": st.datetimes().map(lambda at: at.isoformat()),
}
KEYS = [f"{kind}{number}" for kind in OWN for number in range(2)]
SCHEMA = {f"{kind}{number}": dtype for kind, dtype in DTYPES.items() for number in range(2)}
CHECKED = st.lists(
    st.fixed_dictionaries({}, optional={key: st.none() | OWN[key[:-1]] for key in KEYS} | {"more": st.just([1])}),
    max_size=4,
)


def made(way: Any, rows: list[dict[str, Any]], dtypes: dict[str, pl.DataType]) -> pl.DataFrame | str:
    try:
        found: pl.DataFrame = way(rows, dtypes)
    except Exception as error:
        return type(error).__name__
    return found


@given(CHECKED)
def test_rows_that_the_contract_accepts_become_the_same_frame(rows: list[dict[str, Any]]) -> None:
    at_once, one_by_one = frame(rows, SCHEMA), column_by_column(rows, SCHEMA)
    assert at_once.schema == one_by_one.schema == pl.Schema(SCHEMA)
    assert at_once.equals(one_by_one)


@given(st.sampled_from(sorted(DTYPES)), st.lists(st.fixed_dictionaries({}, optional={"a": VALUES}), max_size=3))
def test_any_other_values_become_the_same_frame_too(kind: Any, rows: list[dict[str, Any]]) -> None:
    dtypes = {"a": DTYPES[kind], "b": pl.Float64()}
    at_once, one_by_one = made(frame, rows, dtypes), made(column_by_column, rows, dtypes)
    if isinstance(at_once, str) or isinstance(one_by_one, str):
        assert isinstance(at_once, str) and at_once == one_by_one  # noqa: PT018 - neither is compared with a frame
    else:
        # columns of objects are not even equal to themselves, and moments of the year 0 are none of Python's
        assert repr(_plain(at_once).rows()) == repr(_plain(one_by_one).rows())
        assert at_once.schema == one_by_one.schema


def _plain(found: pl.DataFrame) -> pl.DataFrame:
    return found.with_columns(cs.temporal().to_physical())


@pytest.mark.parametrize("rows", [[], [{}], [{}, {}]])
def test_rows_without_values_still_have_their_columns(rows: list[dict[str, Any]]) -> None:
    assert frame(rows, SCHEMA).shape == (len(rows), len(SCHEMA))
