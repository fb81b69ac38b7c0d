"""The law of the data contract: a row has one verdict, whether it comes alone or in a table."""

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.contracts.check import check
from flyball.contracts.rows import CompiledRows
from flyball.core.contract import Column, DataContract, RowChecker
from flyball.core.frames import frame, schema

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
WHOLES = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(width=64) | st.integers(-100, 100).map(float) | st.sampled_from([0.1, 0.3, 0.35, 1e-12])
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(datetime.isoformat)
ODD = st.sampled_from(["", "2026-02-30", "2026-11-21T10:00", "2026-11-21 10:00:00+02:00", "2026-11-21T10:00:00Z", "no"])


def numbers(kind: Any) -> st.SearchStrategy[Column]:
    limit = st.none() | st.integers(-50, 50).map(float)
    return st.builds(
        Column,
        name=st.just("a"),
        kind=st.just(kind),
        required=st.booleans(),
        minimum=limit,
        maximum=limit,
        exclusive_minimum=limit,
        exclusive_maximum=limit,
        multiple_of=st.none() | st.sampled_from([0.1, 0.5, 2.0]),
        enum=st.none() | st.just((1, 2, 3)),
    )


STRINGS = st.builds(
    Column,
    name=st.just("a"),
    kind=st.just("string"),
    required=st.booleans(),
    min_length=st.none() | st.integers(0, 3),
    max_length=st.none() | st.integers(0, 5),
    pattern=st.none() | st.sampled_from([r"^\w+$", r"^[a-z]*\d?\Z", r"(?<!a)b", "a|^$"]),
    enum=st.none() | st.just(("a", "no", "")),
)
TIMES = st.builds(
    Column,
    name=st.just("a"),
    kind=st.sampled_from(["date", "timestamp"]),
    required=st.booleans(),
    minimum=st.none() | st.just("1999-12-31"),
    maximum=st.none() | st.just("2050-01-01"),
    exclusive_maximum=st.none() | st.just("2026-11-21"),
)
CASES = st.one_of(
    st.tuples(numbers("number"), st.lists(NUMBERS | st.none(), min_size=1)),
    st.tuples(numbers("number"), st.lists(WHOLES | st.none(), min_size=1)),
    st.tuples(numbers("integer"), st.lists(WHOLES | st.none(), min_size=1)),
    st.tuples(numbers("integer"), st.lists(NUMBERS | st.none(), min_size=1)),
    st.tuples(STRINGS, st.lists(TEXTS | ODD | st.none(), min_size=1)),
    st.tuples(TIMES, st.lists(MOMENTS | MOMENTS.map(lambda text: text[:10]) | ODD | st.none(), min_size=1)),
    st.tuples(
        st.builds(Column, name=st.just("a"), kind=st.just("boolean")), st.lists(st.booleans() | st.none(), min_size=1)
    ),
    # a column of one kind where another is promised
    st.tuples(numbers("number") | TIMES, st.lists(TEXTS | st.none(), min_size=1)),
    st.tuples(STRINGS | TIMES | numbers("number"), st.lists(st.booleans() | st.none(), min_size=1)),
    st.tuples(STRINGS | TIMES, st.lists(st.floats(allow_nan=False) | st.none(), min_size=1)),
)


def contract_of(*columns: Column) -> DataContract:
    return DataContract(id="c", version="1", table="t", columns=columns)


def verdicts(contract: DataContract, rows: list[dict[str, Any]]) -> list[str]:
    return ["accept" if checked is None else checked.verdict for checked in CompiledRows(contract).check(rows)]


@settings(max_examples=400)
@given(CASES)
def test_a_row_has_the_same_verdict_alone_and_in_a_table(case: tuple[Column, list[Any]]) -> None:
    column, values = case
    contract = contract_of(column)
    report = check(pl.DataFrame({"a": values}, strict=False), contract)
    assert report.verdict.to_list() == verdicts(contract, [{"a": value} for value in values])


@settings(max_examples=400)
@given(CASES)
def test_no_accepted_value_becomes_a_null_in_front_of_the_model(case: tuple[Column, list[Any]]) -> None:
    column, values = case
    contract = contract_of(column)
    rows = [{"a": value} for value in values if not (isinstance(value, float) and value != value)]
    sound = [row for row, verdict in zip(rows, verdicts(contract, rows), strict=True) if verdict == "accept"]
    made = frame(sound, schema(contract)).get_column("a")
    assert [value is None for value in made] == [row["a"] is None for row in sound]


@given(st.lists(st.sampled_from(["reject", "quarantine", "accept"]), min_size=1, max_size=8))
def test_reject_outweighs_quarantine_whatever_the_order_of_the_columns(kinds: list[str]) -> None:
    contract = contract_of(
        *(Column(name=f"c{index}", kind="number", required=True, minimum=0) for index in range(len(kinds)))
    )
    value = {"reject": "x", "quarantine": -1.0, "accept": 1.0}
    row = {f"c{index}": value[kind] for index, kind in enumerate(kinds)}
    worst = next(kind for kind in ("reject", "quarantine", "accept") if kind in kinds)
    assert verdicts(contract, [row]) == [worst]


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("number", True, "type"),
        ("number", "1", "type"),
        ("number", 1, None),
        ("number", 10**400, "type"),
        ("number", float("nan"), "required"),
        ("integer", 5.0, None),
        ("integer", 5.5, "type"),
        ("integer", 2**63, "type"),
        ("integer", float("inf"), "type"),
        ("integer", False, "type"),
        ("boolean", 1, "type"),
        ("string", 1, "type"),
        ("string", float("nan"), "type"),
        ("date", "2026-11-21", None),
        ("date", "2026-11-21T00:00:00", "type"),
        ("date", date(2026, 11, 21), None),
        ("date", datetime(2026, 11, 21), "type"),
        ("timestamp", datetime(2026, 11, 21), None),
        ("timestamp", "2026-11-21", "type"),
        ("timestamp", "2026-11-21T10:00:00.123456789+02:00", None),
        ("timestamp", "0001-01-01T00:00:00+05:00", "type"),
        ("timestamp", 1763683200, "type"),
        ("number", [1], "type"),
        ("string", {"a": 1}, "type"),
        ("number", None, "required"),
    ],
)
def test_what_counts_as_a_value_of_a_kind(kind: Any, value: Any, reason: str | None) -> None:
    checker: RowChecker = CompiledRows(contract_of(Column(name="a", kind=kind, required=True)))
    (checked,) = checker.check([{"a": value}])
    assert (checked and checked.reason) == reason


def test_infinity_is_out_of_range_where_a_bound_exists_on_whichever_side() -> None:
    bounded = contract_of(Column(name="a", kind="number", minimum=0))
    assert verdicts(bounded, [{"a": float("inf")}]) == ["quarantine"]
    assert verdicts(contract_of(Column(name="a", kind="number")), [{"a": float("inf")}]) == ["accept"]


def test_clients_may_send_more_than_the_model_needs_and_never_the_label() -> None:
    contract = contract_of(
        Column(name="a", kind="number", required=True), Column(name="y", kind="integer", required=True)
    )
    checker = CompiledRows(contract, label="y")
    assert checker.columns == ("a",)
    assert checker.check([{"a": 1.0, "extra": object()}]) == [None]


def test_the_message_names_column_expected_and_found() -> None:
    contract = contract_of(Column(name="amount", kind="number", minimum=0, exclusive_maximum=10))
    (checked,) = CompiledRows(contract).check([{"amount": -1}])
    assert checked is not None
    assert checked.message == "amount: expected at least 0 and below 10, found -1"
