"""The law of the data contract: a row has one verdict, whether it comes alone or in a table."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.rows.formats import TEXTS as FORMATS
from flyball.contracts.rows.formats import WHOLE
from flyball.contracts.tables.check import check
from flyball.core.contract import Column, DataContract, Field, RowChecker
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


FORMED = [
    "ann@example.org", "a@b", "é@example.org", "::1", "1.2.3.4", "256.1.1.1", "1.2.3.4\n", "aGVsbG8=", "aGVsbG8",
    "https://example.org/x?y=1", "example.org", "-x.org", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "١.2.3.4",
]  # fmt: skip
WRITTEN = [
    "21.11.2026", "1.2.2026", "31.02.2026", "21.11.2026 10:05", "10:05", "10:05:59.25", "09:00-08:00", "25:00",
    "2026-11-21T10:05:00+02:00", "2026-03-29T02:30:00", "2026-10-25T02:30:00", "2026-11-21T10:05:00.123456Z",
    "0000-01-01", "0000-01-01T00:00:00", "2016-12-31T23:59:60Z", "2026-11-21T24:00:00", "12:05 AM", "9:5",
    "2026-11-21T10:05:00.1234567", "٢026-11-21", "2026-11-21\n", "Nov 21, 2026", "21.11.2026 +0100",
]  # fmt: skip
FORMS = ["dd.MM.yyyy", "d.M.yyyy", "dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ssXXX", "hh:mm a", "MMM d, yyyy", "HH:mm"]


def forms_of(kind: Any) -> st.SearchStrategy[Field]:
    return st.builds(
        Field,
        name=st.just("a"),
        kind=st.just(kind),
        required=st.booleans(),
        format=st.none() | st.sampled_from(FORMS),
        timezone=st.none() | st.booleans() if kind != "date" else st.none(),
        default_timezone=st.none() | st.sampled_from(["Europe/Oslo", "UTC"]) if kind == "timestamp" else st.none(),
        minimum=st.none() | st.sampled_from(["09:30", "11:00:00"] if kind == "time" else ["2026-11-21"]),
        enum=st.none() | st.just(("10:05", "17:00") if kind == "time" else ("2026-11-21", "2026-02-01")),
    )


NESTED_STRINGS = st.builds(
    Field,
    name=st.just("a"),
    kind=st.just("string"),
    required=st.booleans(),
    max_length=st.none() | st.integers(0, 5),
    pattern=st.none() | st.sampled_from([r"^\w+$", r"\s", r"^[^a-c]*$", r"(ab|c)+?$", r"\d{2,}", "a$b", r"\bb"]),
    format=st.none() | st.sampled_from(sorted(FORMATS)),
)
LEAVES: list[tuple[st.SearchStrategy[Field], st.SearchStrategy[Any]]] = [
    (NESTED_STRINGS, TEXTS | st.sampled_from(FORMED)),
    (st.builds(Field, name=st.just("a"), kind=st.just("integer"), required=st.booleans(),
               minimum=st.none() | st.just(0.0), format=st.none() | st.sampled_from(sorted(WHOLE))),
     st.integers(-300, 300) | WHOLES),
    (st.builds(Field, name=st.just("a"), kind=st.just("integer"),
               format=st.sampled_from(["u8", "i64", "u64"])), NUMBERS),
    (st.builds(Field, name=st.just("a"), kind=st.just("number"), required=st.booleans(),
               maximum=st.none() | st.just(9.0), format=st.none() | st.sampled_from(["f16", "f32", "f64"])),
     NUMBERS | st.sampled_from([1e39, 7e4])),
    (st.builds(Field, name=st.just("a"), kind=st.just("boolean"), enum=st.none() | st.just((True,))), st.booleans()),
    (st.one_of(forms_of("date"), forms_of("timestamp"), forms_of("time")), st.sampled_from(WRITTEN) | ODD | MOMENTS),
    (forms_of("time"), st.times()),
    (forms_of("timestamp"), st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))),
    (NESTED_STRINGS, st.integers(0, 3)),
]  # fmt: skip


def leaves() -> st.SearchStrategy[tuple[Field, st.SearchStrategy[Any]]]:
    return st.one_of(*(field.map(lambda made, values=values: (made, values)) for field, values in LEAVES))  # type: ignore[misc]


def renamed(field: Field, name: str, **changes: Any) -> Field:
    return msgspec.structs.replace(field, name=name, **changes)


@st.composite
def nested(draw: st.DrawFn, depth: int = 2) -> tuple[Field, st.SearchStrategy[Any]]:
    """A field with parts, and a strategy of values for it, nulls among them."""
    count = st.none() | st.integers(0, 2)
    options: dict[str, Any]
    fields: tuple[Field, ...]
    inner = [draw(nested(depth - 1) if depth and draw(st.booleans()) else leaves()) for _ in range(2)]
    (one, ones), (two, twos) = inner
    match draw(st.sampled_from(["object", "array", "map", "vector"])):
        case "object":
            fields = (renamed(one, "x"), renamed(two, "y"))
            needs = draw(st.sampled_from([(), ("x",), ("y", "z")]))
            options = {"min_properties": draw(count), "max_properties": draw(count), "needs": needs}
            values: st.SearchStrategy[Any] = st.fixed_dictionaries({"x": st.none() | ones, "y": st.none() | twos})
            field = Field(name="a", kind="object", required=draw(st.booleans()), fields=fields, **options)
        case "array":
            options = {"min_items": draw(count), "max_items": draw(count), "unique_items": draw(st.booleans())}
            values = st.lists(st.none() | ones, max_size=4)
            fields = draw(st.sampled_from([(renamed(one, "[]"),), ()]))
            field = Field(name="a", kind="array", required=draw(st.booleans()), fields=fields, **options)
        case "map":
            key = Field(name="key", kind="string", required=True, max_length=2)
            values = st.dictionaries(TEXTS, st.none() | ones, max_size=3)
            field = Field(name="a", kind="map", fields=(key, renamed(one, "value")))
        case _:
            item = Field(name="[]", kind="number", required=True, format=draw(st.sampled_from(["f16", "f32"])))
            values = st.lists(st.sampled_from([0.6, 0.8, 1.0, 0.0, 7e4, float("nan")]) | st.none(), max_size=3)
            dimensions = draw(st.sampled_from([1, 2]))
            field = Field(
                name="a", kind="vector", fields=(item,), dimensions=dimensions, normalized=draw(st.booleans())
            )
    return field, values


def column_dtype(field: Field, values: list[Any]) -> pl.DataType:
    """What polars holds such values in; the standard's map is a list of entries."""
    present = [value for value in values if value is not None]
    match field.kind:
        case "object":
            return pl.Struct(
                {part.name: column_dtype(part, [value.get(part.name) for value in present]) for part in field.fields}
            )
        case "map":
            item = field.fields[1]
            held = [item for value in present for item in value.values()]
            return pl.List(pl.Struct({"key": pl.String(), "value": column_dtype(item, held)}))
        case "array" | "vector":
            items = [item for value in present for item in value]
            part = field.fields[0] if field.fields else None
            return pl.List(pl.Series(items).dtype if part is None else column_dtype(part, items))
        case _:
            return pl.Series(present, strict=False).dtype if present else pl.Null()


def stored(field: Field, value: Any) -> Any:
    """The value as a table has it."""
    if value is None:
        return None
    match field.kind:
        case "object":
            return {part.name: stored(part, value.get(part.name)) for part in field.fields}
        case "map":
            return [{"key": key, "value": stored(field.fields[1], item)} for key, item in value.items()]
        case "array" | "vector":
            return [stored(field.fields[0], item) if field.fields else item for item in value]
        case _:
            return value


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_nested_values_and_every_option_have_one_verdict_reason_and_rule(data: st.DataObject) -> None:
    field, values = data.draw(nested() | leaves())
    rows = data.draw(st.lists(st.none() | values, min_size=1, max_size=5))
    if field.kind == "array" and not field.fields:
        rows = [row for row in rows if row is None or (len({type(item) for item in row if item is not None}) <= 1
                and not any(isinstance(item, (dict, list)) for item in row))]  # fmt: skip
        if len({type(item) for row in rows for item in row or () if item is not None}) > 1:
            rows = []
    contract = DataContract(id="c", version="1", table="t", columns=(), beyond=(field,))
    table = pl.DataFrame({"a": pl.Series([stored(field, row) for row in rows], dtype=column_dtype(field, rows))})
    report = check(table, contract)
    told = CompiledRows(contract).check([{"a": row} for row in rows])
    assert report.verdict.to_list() == ["accept" if checked is None else checked.verdict for checked in told]
    assert report.reason.to_list() == [checked and checked.reason for checked in told]
    assert report.rule.to_list() == [checked and checked.rule for checked in told]


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
    told = CompiledRows(contract).check([{"a": value} for value in values])
    assert report.verdict.to_list() == ["accept" if checked is None else checked.verdict for checked in told]
    assert report.reason.to_list() == [checked and checked.reason for checked in told]
    assert report.rule.to_list() == [checked and checked.rule for checked in told]


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


@given(st.lists(st.sampled_from([None, "x", 1.0, -1.0]), min_size=3, max_size=3))
def test_a_rejected_row_is_told_every_column_that_keeps_it_from_a_model(values: list[Any]) -> None:
    columns = [Column(name=name, kind="number", required=True, minimum=0) for name in "abc"]
    row = dict(zip("abc", values, strict=True))
    (checked,) = CompiledRows(contract_of(*columns)).check([row])
    keeps = [name for name, value in row.items() if not isinstance(value, float)]
    assert (checked is not None and checked.verdict == "reject") == bool(keeps)
    if checked is not None and keeps:
        assert [part.partition(":")[0] for part in checked.message.split("; ")] == keeps
        assert checked.rule == f"{keeps[0]}.{checked.reason}"


def test_where_a_column_is_missing_names_that_the_contract_does_not_have_are_told() -> None:
    contract = contract_of(Column(name="tenure", kind="number", required=True), Column(name="y", kind="number"))
    checker = CompiledRows(contract, label="y")
    (wrong,) = checker.check([{"tenur": 3, "y": 1}])
    (null,) = checker.check([{"tenure": None, "more": 1}])
    assert wrong is not None
    assert null is not None
    assert wrong.message == "tenure: expected a value, found None; 'tenur' is no column of the contract"
    assert null.message == "tenure: expected a value, found None"


def test_what_is_told_stays_in_proportion_to_what_was_sent() -> None:
    checker = CompiledRows(contract_of(*(Column(name=f"c{n}", kind="number", required=True) for n in range(50))))
    told = [each.message for each in checker.check([{}] * 1000) if each is not None]
    assert len(told) == 1000
    assert told[0].endswith("; and 30 more columns")
    assert sum(map(len, told)) < 100 * 21 * 40 + 900 * 40
