"""What the service asks of the contract: personal columns are keys or nothing, for a hash trains no model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.declaration.fit import exposed, misfits
from flyball.contracts.declaration.service_file import parse
from flyball.core.contract import PERSONAL, Column, DataContract, Field, Kind

SERVICE = parse(
    """\
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: o}
data: {contract: contract.yaml, source: t.parquet, label: y, timestamp: at, key: card}
experiment: {task: binary, metric: roc_auc}
"""
)


def contract(**classified: str) -> DataContract:
    kinds: dict[str, Kind] = {"at": "timestamp", "card": "string", "name": "string", "income": "number", "y": "integer"}
    columns = (Column(name=n, kind=k, classification=classified.get(n)) for n, k in kinds.items())
    return DataContract(id="c", version="1", table="t", columns=tuple(columns))


def test_a_personal_key_is_welcome_and_what_is_not_personal_anyway() -> None:
    assert misfits(SERVICE, contract(card="PII", income="public")) == ()


@pytest.mark.parametrize("column", ["name", "income", "at"])
def test_a_personal_input_is_a_fault_that_says_what_to_do(column: str) -> None:
    (fault,) = misfits(SERVICE, contract(**{column: "pii"}))
    assert (fault.where, fault.path) == ("contract.yaml", f"{column}.classification")
    assert fault.found == "classification pii"
    assert "data.key" in fault.fix


@given(st.dictionaries(st.sampled_from(["at", "card", "name", "income", "y"]), st.sampled_from(sorted(PERSONAL))))
def test_each_personal_input_is_told_and_nothing_else(classified: dict[str, str]) -> None:
    told = [fault.path for fault in misfits(SERVICE, contract(**classified))]
    assert sorted(told) == sorted(f"{name}.classification" for name in classified.keys() - {"card", "y"})


def test_a_personal_key_must_be_text_because_its_hash_is() -> None:
    columns = tuple(
        Column(name=c.name, kind="integer" if c.name == "card" else c.kind, classification=c.classification)
        for c in contract(card="pii").columns
    )
    (fault,) = misfits(SERVICE, DataContract(id="c", version="1", table="t", columns=columns))
    assert (fault.path, fault.found) == ("card.logicalType", "integer")


def test_a_personal_label_is_no_fault_but_nobody_is_left_to_believe_that_it_is_hashed() -> None:
    assert misfits(SERVICE, contract(y="sensitive")) == ()
    (note,) = exposed(SERVICE, contract(y="sensitive"))
    assert "written as they are" in note
    assert exposed(SERVICE, contract(card="pii")) == ()


def nested(**kinds: str) -> DataContract:
    plain = contract().columns
    beyond = tuple(Field(name=name, kind=kind) for name, kind in kinds.items())  # type: ignore[arg-type]
    kept = tuple(column for column in plain if column.name not in kinds)
    return DataContract(id="c", version="1", table="t", columns=kept, beyond=beyond)


def test_a_nested_column_is_checked_and_said_to_be_no_input() -> None:
    assert misfits(SERVICE, nested(tags="array")) == ()
    (note,) = exposed(SERVICE, nested(tags="array"))
    assert "no model of ours reads it" in note


def test_a_nested_key_is_a_fault_told_once() -> None:
    (fault,) = misfits(SERVICE, nested(card="object"))
    assert (fault.path, fault.found) == ("card.logicalType", "object")


@pytest.mark.parametrize(
    ("column", "path"),
    [
        (Column(name="born", kind="date", format="dd.MM.yyyy"), "born.logicalTypeOptions.format"),
        (
            Column(name="at2", kind="timestamp", default_timezone="Asia/Tokyo"),
            "at2.logicalTypeOptions.defaultTimezone",
        ),
    ],
)
def test_a_time_that_a_model_would_read_otherwise_is_a_fault(column: Column, path: str) -> None:
    columns = (*contract().columns, column)
    (fault,) = misfits(SERVICE, DataContract(id="c", version="1", table="t", columns=columns))
    assert fault.path == path


def test_an_iso_form_is_read_alike() -> None:
    columns = (*contract().columns, Column(name="born", kind="date", format="yyyy-MM-dd"))
    assert misfits(SERVICE, DataContract(id="c", version="1", table="t", columns=columns)) == ()
