"""The decoder compiled from a contract never says "accepted" where the checker would not, and reads the same row."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.rows.reader import body_reader
from flyball.core.contract import Column, DataContract, Field

LABEL = Column(name="label", kind="integer", required=True)
BOUNDS = st.none() | st.integers(-5, 5).map(float) | st.sampled_from([-0.5, 2.5])
NUMBERS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    kind=st.sampled_from(["number", "integer"]),
    required=st.booleans(),
    minimum=BOUNDS,
    maximum=BOUNDS,
    exclusive_minimum=BOUNDS,
    exclusive_maximum=BOUNDS,
    multiple_of=st.sampled_from([None, None, 0.5]),
    enum=st.sampled_from([None, None, (1, 2.5)]),
)
TEXTS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    kind=st.just("string"),
    required=st.booleans(),
    enum=st.sampled_from([None, None, ("a", "bb")]),
    pattern=st.sampled_from([None, None, "^a"]),
    max_length=st.sampled_from([None, None, 2]),
)
OTHERS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict, kind=st.sampled_from(["boolean", "date", "timestamp"]), primary_key=st.booleans()
)
NAMES = ("x", "size", "rows")
CONTRACTS = st.lists(NUMBERS | TEXTS | OTHERS, min_size=1, max_size=3).map(
    lambda given: DataContract(
        id="c",
        version="1",
        table="t",
        columns=(*(Column(name=name, **each) for name, each in zip(NAMES, given, strict=False)), LABEL),
    )
)
SCALARS = (
    st.integers(-6, 6)
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2.5, 0.5, -0.5, 3.0, 1e300])
    | st.booleans()
    | st.none()
    | st.sampled_from(["a", "bb", "abc", "2026-11-21", "2026-11-21T10:00:00", ""])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.just("x"), SCALARS)
BODIES = (
    st.dictionaries(st.sampled_from([*NAMES, "more", "label"]), VALUES, max_size=5)
    | VALUES
    | st.lists(VALUES, max_size=2)
).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20)


@settings(max_examples=400)
@given(CONTRACTS, BODIES)
def test_what_it_reads_is_a_bare_row_that_the_checker_accepts(contract: DataContract, body: bytes) -> None:
    reader = body_reader(contract, label="label")
    assert reader is not None
    row = reader.row(body)
    if row is None:
        return
    sent: dict[str, Any] = msgspec.json.decode(body)
    known = {column.name for column in contract.columns} - {"label"}
    assert not isinstance(sent.get("rows"), list)
    assert CompiledRows(contract, label="label").check([sent]) == [None]
    kept = {name: value for name, value in sent.items() if name in known}
    assert row == kept
    assert [type(row[name]) for name in row] == [type(kept[name]) for name in row]


@given(CONTRACTS, st.fixed_dictionaries(dict.fromkeys(NAMES, SCALARS)))
def test_what_the_checker_accepts_it_reads_unless_a_float_stands_for_an_integer(
    contract: DataContract, row: dict[str, Any]
) -> None:
    if CompiledRows(contract, label="label").check([row]) != [None]:
        return
    kinds = {column.name: column.kind for column in contract.columns}
    if any(isinstance(value, float) and kinds.get(name) == "integer" for name, value in row.items()):
        return  # 3.0 for an integer: rightly accepted, by the slow way
    reader = body_reader(contract, label="label")
    assert reader is not None
    if "rows" not in kinds:
        del row["rows"]
    assert reader.row(json.dumps(row).encode()) is not None
    assert reader.rows(json.dumps({"rows": [row, row]}).encode()) == [reader.row(json.dumps(row).encode())] * 2


@settings(max_examples=400)
@given(CONTRACTS, st.lists(st.dictionaries(st.sampled_from([*NAMES, "more"]), SCALARS), max_size=3), st.booleans())
def test_a_list_that_it_reads_holds_nothing_but_rows_that_the_checker_accepts(
    contract: DataContract, rows: list[dict[str, Any]], more: bool
) -> None:
    reader = body_reader(contract, label="label")
    assert reader is not None
    body = json.dumps({"rows": rows} | ({"more": 1} if more else {})).encode()
    found = reader.rows(body)
    if found is None:
        return
    assert rows
    assert not more, "a further key beside the list is refused, in the words of the slow way"
    assert CompiledRows(contract, label="label").check(rows) == [None] * len(rows)
    known = {column.name for column in contract.columns} - {"label"}
    assert found == [{name: value for name, value in row.items() if name in known} for row in rows]


def test_infinity_and_a_list_of_rows_are_left_to_the_slow_way() -> None:
    free = DataContract(id="c", version="1", table="t", columns=(Column(name="x", kind="number", minimum=0.0),))
    reader = body_reader(free)
    assert reader is not None
    read = reader.row
    assert read(b'{"x": 1e999}') is None
    assert read(b'{"rows": [{"x": 1}]}') is None
    assert read(b'{"rows": 3}') is None
    assert read(b'{"x": 1, "x": 2}') == {"x": 2}
    assert reader.rows(b'{"rows": []}') is None
    assert reader.rows(b'{"rows": [3]}') is None
    assert reader.rows(b'{"x": 1}') == [{"x": 1}]


def test_a_contract_with_parts_is_not_compiled() -> None:
    x = Column(name="x", kind="number")
    nested = DataContract(id="c", version="1", table="t", columns=(x,), beyond=(Field(name="lines", kind="array"),))
    assert body_reader(nested) is None


def test_a_name_outside_of_ascii_takes_the_slow_way() -> None:
    """msgspec 0.22 reads no such key of a TypedDict: a value that was sent would count as missing."""
    contract = DataContract(id="c", version="1", table="t", columns=(Column(name="größe", kind="number"),))
    assert body_reader(contract) is None
