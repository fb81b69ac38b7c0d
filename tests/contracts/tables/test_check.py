"""A contract executed on a table: every violation, with its rows and examples."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.tables.check import Report, check
from flyball.contracts.tables.rules import OPERATORS
from flyball.core.contract import Column, DataContract, Rule


def report(columns: list[Column], data: dict[str, Any], *rules: Rule) -> Report:
    contract = DataContract(id="c", version="1", table="t", columns=tuple(columns), rules=rules)
    return check(pl.DataFrame(data), contract)


def told(found: Report) -> list[tuple[str, int]]:
    return [(violation.rule, violation.rows) for violation in found.violations]


def test_each_promise_is_judged_by_itself_and_tells_rows_and_examples() -> None:
    found = report(
        [
            Column(name="amount", kind="number", required=True, minimum=0, maximum=100),
            Column(name="country", kind="string", enum=("no", "se")),
            Column(name="code", kind="string", pattern=r"^\d+$", max_length=3),
        ],
        {
            "amount": [1.0, float("nan"), None, -1.0, 1e9],
            "country": ["no", "dk", None, "dk", "se"],
            "code": ["12", "x", "12345", None, ""],
            "spare": [0, 0, 0, 0, 0],
        },
    )
    assert told(found) == [
        ("amount.required", 2),
        ("amount.range", 2),
        ("country.enum", 2),
        ("code.length", 1),
        ("code.pattern", 2),
    ]
    assert found.violations[1].found == "-1.0, 1000000000.0"
    assert found.violations[1].expected == "at least 0 and at most 100"
    assert found.violations[2].first_rows == (1, 3)
    assert found.extra == ("spare",)
    assert found.accepted.to_list() == [True, False, False, False, False]
    assert not found.passed


def test_an_absent_column_breaks_its_promise_in_every_row_and_an_optional_one_none() -> None:
    found = report(
        [Column(name="a", kind="number", required=True), Column(name="b", kind="string", enum=("x",))], {"c": [1, 2]}
    )
    assert told(found) == [("a.required", 2)]
    assert found.violations[0].found == "no such column"
    assert found.verdict.to_list() == ["reject", "reject"]


def test_what_only_a_table_can_break_blames_no_row() -> None:
    columns = [
        Column(name="id", kind="integer", primary_key=True),
        Column(name="day", kind="integer", primary_key=True),
        Column(name="tag", kind="string", unique=True),
    ]
    found = report(columns, {"id": [1, 1, 1], "day": [1, 2, 2], "tag": ["a", None, None]})
    assert told(found) == [("primary_key", 2)]
    assert found.accepted.all()
    assert told(report(columns[2:], {"tag": ["a", "b", "a"]})) == [("tag.unique", 2)]


def test_dates_in_text_are_read_and_a_zone_is_turned_into_utc() -> None:
    column = Column(name="at", kind="timestamp", minimum="2026-11-21T09:00:00Z")
    text = report([column], {"at": ["2026-11-21T10:00:00+02:00", "2026-11-21T10:00:00Z", "yesterday"]})
    assert text.verdict.to_list() == ["quarantine", "accept", "reject"]
    zoned = report([column], {"at": [datetime(2026, 11, 21, 10, tzinfo=UTC)]})
    assert zoned.passed


def test_an_empty_table_breaks_nothing_but_a_row_count() -> None:
    rule = Rule(id="enough", metric="rowCount", column=None, operator="mustBeGreaterThan", bound=(0,))
    found = report([Column(name="a", kind="number", required=True)], {"a": pl.Series([], dtype=pl.Float64)}, rule)
    assert told(found) == [("enough", 0)]


@pytest.mark.parametrize(
    "dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Float64, pl.Decimal(10, 2), pl.Int128], ids=lambda dtype: str(dtype)
)
def test_any_numeric_column_is_a_number(dtype: Any) -> None:
    column = Column(name="a", kind="number", minimum=0, maximum=10, multiple_of=0.5, enum=(1, 2))
    assert report([column], {"a": pl.Series([1, 2, None]).cast(dtype)}).passed


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["a", "b"]), pl.String()], ids=lambda dtype: str(dtype))
def test_any_text_column_is_text(dtype: Any) -> None:
    column = Column(name="a", kind="string", enum=("a", "b"), max_length=1, pattern="^[ab]$")
    assert report([column], {"a": pl.Series(["a", "b", None], dtype=dtype)}).passed


RULED = [Column(name="a", kind="number"), Column(name="s", kind="string")]
TABLE = {"a": [1.0, None, 3.0, float("nan"), 3.0, 3.0, -1.0, 8.0], "s": ["x", "", "N/A", None, "x", "y", "y", "z1"]}


@pytest.mark.parametrize(
    ("metric", "column", "arguments", "counted"),
    [
        ("nullValues", "a", {}, 2),
        ("nullValues", "s", {}, 1),
        ("missingValues", "s", {"missingValues": [None, "", "N/A"]}, 3),
        ("missingValues", "a", {"missingValues": [-1]}, 3),
        ("invalidValues", "s", {"validValues": ["x", "y", ""]}, 2),
        ("invalidValues", "s", {"pattern": "^[a-z]$"}, 3),
        ("invalidValues", "a", {"validValues": [1, 3]}, 2),
        ("duplicateValues", "a", {}, 2),
        ("duplicateValues", "s", {}, 2),
        ("duplicateValues", None, {"properties": ["a", "s"]}, 0),
        ("rowCount", None, {}, 8),
    ],
)
def test_the_library_metrics_count_what_they_say(metric: Any, column: str | None, arguments: Any, counted: int) -> None:
    exact = Rule(id="r", metric=metric, column=column, operator="mustNotBe", bound=(counted,), arguments=arguments)
    found = report(RULED, TABLE, exact)
    assert told(found) == [("r", counted)]
    share = Rule(
        id="r",
        metric=metric,
        column=column,
        operator="mustBe",
        bound=(counted / 8 * 100,),
        unit="percent",
        arguments=arguments,
    )
    assert report(RULED, TABLE, share).passed


@pytest.mark.parametrize(
    ("operator", "bound", "holds"),
    [
        ("mustBe", (8,), True), ("mustBe", (7,), False),
        ("mustNotBe", (7,), True), ("mustNotBe", (8,), False),
        ("mustBeGreaterThan", (7,), True), ("mustBeGreaterThan", (8,), False),
        ("mustBeGreaterOrEqualTo", (8,), True), ("mustBeGreaterOrEqualTo", (9,), False),
        ("mustBeLessThan", (9,), True), ("mustBeLessThan", (8,), False),
        ("mustBeLessOrEqualTo", (8,), True), ("mustBeLessOrEqualTo", (7,), False),
        ("mustBeBetween", (8, 9), True), ("mustBeBetween", (1, 7), False),
        ("mustNotBeBetween", (1, 7), True), ("mustNotBeBetween", (8, 9), False),
    ],
)  # fmt: skip
def test_every_operator_holds_and_breaks(operator: str, bound: tuple[float, ...], holds: bool) -> None:
    rule = Rule(id="r", metric="rowCount", column=None, operator=operator, bound=bound)
    assert report(RULED, TABLE, rule).passed is holds


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_each_operator_is_the_opposite_of_its_counterpart(value: int, low: int, high: int) -> None:
    pairs = {
        "mustBe": "mustNotBe",
        "mustBeGreaterThan": "mustBeLessOrEqualTo",
        "mustBeLessThan": "mustBeGreaterOrEqualTo",
        "mustBeBetween": "mustNotBeBetween",
    }
    assert set(OPERATORS) == {*pairs, *pairs.values()}
    for one, other in pairs.items():
        assert OPERATORS[one](value, (low, high)) is not OPERATORS[other](value, (low, high))


def test_a_warning_is_told_and_does_not_fail() -> None:
    rule = Rule(id="r", metric="rowCount", column=None, operator="mustBe", bound=(0,), severity="warning")
    found = report(RULED, TABLE, rule)
    assert (found.passed, told(found)) == (True, [("r", 8)])


def test_the_document_is_json_and_adds_up() -> None:
    document = report([Column(name="a", kind="number", minimum=0)], {"a": [1.0, -1.0]}).document()
    assert document["accepted"] + document["quarantined"] + document["rejected"] == document["rows"] == 2


BY_METRIC: dict[str, list[dict[str, Any]]] = {
    "nullValues": [{}],
    "missingValues": [{}, {"missingValues": ["", "n/a"]}, {"missingValues": [0]}],
    "invalidValues": [{"validValues": []}, {"validValues": ["x", 1]}, {"pattern": "^x$"}],
    "rowCount": [{}],
}


@given(
    st.sampled_from([(metric, arguments) for metric, several in BY_METRIC.items() for arguments in several]),
    st.sampled_from(["number", "integer", "string", "boolean", "date", "timestamp", "time"]),
    st.sampled_from(sorted(OPERATORS)),
    st.sampled_from(["rows", "percent"]),
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, 50.0, 100.0]), min_size=2, max_size=2).map(sorted),
    st.integers(0, 4),
)
def test_an_absent_column_is_all_missing_for_every_rule(
    counted: tuple[str, dict[str, Any]], kind: Any, operator: str, unit: Any, bounds: list[float], height: int
) -> None:
    metric, arguments = counted
    bound = tuple(bounds if "Between" in operator else bounds[:1])
    column = None if metric == "rowCount" else "a"
    rule = Rule(id="r", metric=metric, column=column, operator=operator, bound=bound, unit=unit, arguments=arguments)  # type: ignore[arg-type]
    columns = [Column(name="a", kind=kind)]
    other = pl.Series(range(height), dtype=pl.Int64)
    absent = report(columns, {"other": other}, rule)
    for dtype in (pl.Null(), pl.Float64() if kind in ("number", "integer") else pl.String()):
        empty = report(columns, {"other": other, "a": pl.Series([None] * height, dtype=dtype)}, rule)
        assert absent.violations == empty.violations
    counts = {"nullValues": height, "missingValues": height, "invalidValues": 0, "rowCount": height}
    value = counts[metric] if unit == "rows" else 100.0 * counts[metric] / height if height else 0.0
    assert absent.passed is OPERATORS[operator](value, bound)


@pytest.mark.parametrize(("column", "arguments"), [("a", {}), (None, {"properties": ["s", "a"]})])
@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_values_of_an_absent_column_cannot_be_told_apart(
    column: str | None, arguments: dict[str, Any], operator: str
) -> None:
    rule = Rule(id="r", metric="duplicateValues", column=column, operator=operator, bound=(0, 1), arguments=arguments)
    (found,) = report(RULED, {"s": ["x", "y"]}, rule).violations
    assert (found.rule, found.found, found.rows) == ("r", "no such column", 0)


def test_a_key_is_compared_as_what_it_says_not_as_it_is_written() -> None:
    at = Column(name="at", kind="timestamp", primary_key=True)
    twice = {"at": ["2026-11-21T10:00:00Z", "2026-11-21T12:00:00+02:00", "2026-11-21T11:00:00Z"]}
    assert told(report([at], twice)) == [("primary_key", 2)]
    number = Column(name="n", kind="integer", primary_key=True)
    assert told(report([at, number], twice | {"n": [1, 1, 1]})) == [("primary_key", 2)]
    assert told(report([at, number], twice | {"n": [1, 2, 1]})) == []
