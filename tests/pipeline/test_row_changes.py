import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flyball.pipeline.row_changes import row_changes
from flyball.pipeline.split import ROW

rows = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None]), st.sampled_from([0.5, float("nan")])))


def table(found: list[tuple[int, str | None, float]]) -> pl.DataFrame:
    return pl.DataFrame(found, schema={"x": pl.Int64, "y": pl.String, "z": pl.Float64}, orient="row")


@given(rows, rows)
def test_words_are_found_exactly_where_the_values_differ(
    one: list[tuple[int, str | None, float]], other: list[tuple[int, str | None, float]]
) -> None:
    left, right = table(one), table(other)
    assert (row_changes(left, right) == ()) == left.equals(right)


def test_one_changed_value_is_told_with_its_place() -> None:
    before = pl.DataFrame({"amount": [1.0, 2.0, 3.0], "n": [1, 1, 1]})
    after = before.with_columns(amount=pl.Series([1.0, 2.0, 4.0]))
    assert row_changes(before, after, part="data.parquet") == (
        "1 row of data.parquet is changed, first row 3: amount 3.0 -> 4.0",
    )


def test_texts_and_keys_are_named_and_not_told() -> None:
    before = pl.DataFrame({"card": [1, 2], "name": ["ann", "bob"]})
    after = pl.DataFrame({"card": [1, 9], "name": ["ann", "eve"]})
    (words,) = row_changes(before, after, key="card")
    assert words == "1 row of the table is changed, first row 2: card, name"


def test_rows_added_and_removed_are_counted_as_bags() -> None:
    before, after = pl.DataFrame({"x": [1, 1, 2]}), pl.DataFrame({"x": [1, 3, 3, 4, 5]})
    assert row_changes(before, after) == ("4 rows of the table are added", "2 rows of the table are removed")


def test_order_places_and_columns() -> None:
    before = pl.DataFrame({"x": [1, 2], ROW: [1, 2]})
    assert "another order" in row_changes(before, before.reverse())[0]
    assert "other places" in row_changes(before, before.with_columns(pl.col(ROW) + 5))[0]
    wider = before.with_columns(y=1)
    assert row_changes(before, wider) == ("column y is added",)
    assert row_changes(wider, before) == ("column y is removed",)
    assert row_changes(before, before.cast({"x": pl.Float64}))[0] == "column x: Int64 -> Float64"
