"""What a quarantine file says of a row is what the row would be told alone."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.tables.check import check
from flyball.contracts.tables.quarantined import quarantined
from flyball.core.contract import Column, DataContract, Field

CONTRACT = DataContract(
    id="c",
    version="1",
    table="t",
    columns=(
        Column(name="a", kind="number", required=True, minimum=0, multiple_of=0.5),
        Column(name="b", kind="string", enum=("no", "se"), max_length=2),
    ),
    beyond=(Field(name="items", kind="array", max_items=2, fields=(Field(name="[]", kind="integer", minimum=0),)),),
)
ROWS = st.fixed_dictionaries(
    {
        "a": st.none() | st.sampled_from([-1.0, -0.3, 0.0, 0.3, 2.0]),
        "b": st.none() | st.sampled_from(["no", "dk", "denmark"]),
        "items": st.none() | st.lists(st.integers(-1, 2), max_size=3),
    }
)
DTYPES: dict[str, Any] = {"a": pl.Float64, "b": pl.String, "items": pl.List(pl.Int64)}


@given(st.lists(ROWS, min_size=1, max_size=12))
def test_rule_and_reason_are_those_of_the_row_alone(rows: list[dict[str, Any]]) -> None:
    table = pl.DataFrame(rows, schema=DTYPES)
    kept = quarantined(table, CONTRACT, check(table, CONTRACT))
    alone = [
        (told.rule, told.reason, told.verdict, position)
        for position, told in enumerate(CompiledRows(CONTRACT).check(rows))
        if told is not None
    ]
    names = ["flyball_rule", "flyball_reason", "flyball_verdict", "flyball_row"]
    assert kept.select(names).rows() == alone
    assert kept.schema["flyball_row"] == pl.Int64


def test_the_part_of_a_nested_value_is_named() -> None:
    table = pl.DataFrame({"a": [1.0], "b": ["no"], "items": [[0, -1]]})
    assert quarantined(table, CONTRACT, check(table, CONTRACT))["flyball_rule"].to_list() == ["items[].range"]
