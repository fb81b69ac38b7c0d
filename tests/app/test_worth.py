"""The table of what answers are worth: read by its declared columns, refused where it is not clear."""

from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.streams import contract, service

from flyball.app.declared import Declared
from flyball.app.worth import worths
from flyball.core.errors import BadInput
from flyball.core.service import BusinessValue


def declared(folder: Path, table: pl.DataFrame, value: BusinessValue | None) -> Declared:
    table.write_csv(folder / "values.csv")
    plain = service("binary", "accuracy", label="label")
    return Declared(
        file=folder / "service.yaml",
        folder=folder,
        service=replace(plain, monitor=replace(plain.monitor, value=value)),
        contract=contract(pl.DataFrame({"order": ["a"], "label": [1]}), ["order", "label"]),
        code={},
        source=folder / "data.csv",
        notes=(),
        not_executed=(),
    )


JOINED = BusinessValue(column="margin", source="values.csv", on="order")


def test_it_is_read_by_the_declared_columns(tmp_path: Path) -> None:
    table = pl.DataFrame({"order": ["a", "b", "c"], "margin": [1.5, -2.0, None]})
    assert worths(declared(tmp_path, table, JOINED)) == {"a": 1.5, "b": -2.0}
    assert worths(declared(tmp_path, table, None)) is None


def test_an_id_twice_and_a_value_that_is_no_number_are_refused(tmp_path: Path) -> None:
    table = pl.DataFrame({"order": ["a", "a", "c"], "margin": ["1.5", "2", "many"]})
    with pytest.raises(BadInput) as refused:
        worths(declared(tmp_path, table, JOINED))
    assert [fault.path for fault in refused.value.faults] == ["order", "margin"]
