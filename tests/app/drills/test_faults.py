"""What each fault of requests sends, and that nothing but its column is touched."""

import math
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest

from flyball.app.drills.clients import Bend
from flyball.app.drills.columns import a_measure, a_number
from flyball.app.drills.fault import Stage
from flyball.app.drills.faults import FAULTS, nan_burst, poisoned_labels, schema_break, unit_change
from flyball.control.explained import SIGNS_OF
from flyball.core.contract import Column, DataContract
from flyball.core.errors import Refused
from flyball.core.health import SignKind

CONTRACT = DataContract(
    id="c",
    version="1.0.0",
    table="t",
    columns=(
        Column(name="card", kind="string", required=True),
        Column(name="age", kind="number"),
        Column(name="amount", kind="number", required=True, maximum=100_000),
        Column(name="distance", kind="number", required=True, maximum=20_000),
        Column(name="label", kind="integer", required=True),
    ),
)
STAGE = cast(Stage, SimpleNamespace(contract=CONTRACT, label="label"))
ROW = {"card": "c-1", "age": 3.0, "amount": 12.5, "distance": 7.0}


def test_a_number_that_has_to_be_there_is_taken_and_never_the_label() -> None:
    assert a_number(CONTRACT, "label") == "amount"
    assert a_measure(CONTRACT, "label") == "distance"  # it leaves its bounds first


def test_a_contract_without_numbers_is_refused_in_words() -> None:
    texts = DataContract(id="c", version="1.0.0", table="t", columns=CONTRACT.columns[:1])
    with pytest.raises(Refused, match="promises no number"):
        a_number(texts)


@pytest.mark.parametrize(
    ("bend", "column", "sent"),
    [
        (schema_break._bend(STAGE), "amount", "12,5 EUR"),
        (nan_burst._bend(STAGE), "amount", None),
        (unit_change._bend(STAGE), "distance", 7000.0),
    ],
)
def test_a_fault_bends_its_column_and_no_other(bend: Bend, column: str, sent: Any) -> None:
    row, label = bend.request(dict(ROW), 1)
    assert row == ROW | {column: sent}
    assert label == 1


def test_a_missing_measure_stays_missing() -> None:
    row, _ = unit_change._bend(STAGE).request(ROW | {"distance": None}, 0)
    assert row["distance"] is None


def test_a_poisoned_label_is_the_other_class_and_a_number_stays() -> None:
    bend = poisoned_labels._bend(STAGE)
    assert [bend.request(ROW, label)[1] for label in (0, 1)] == [1, 0]
    assert math.isclose(bend.request(ROW, 3.5)[1], 3.5)


def test_every_fault_explains_the_signs_that_may_tell_of_it() -> None:
    """Else a drill would open a real incident, and stand against the next one."""
    kinds = get_args(get_args(SignKind)[0]) + get_args(get_args(SignKind)[1]) + get_args(get_args(SignKind)[2])
    for fault in FAULTS.values():
        signs = {each.removeprefix("health/") for each in fault.told_by if each.startswith("health/")}
        assert signs <= set(kinds)
        assert signs <= SIGNS_OF[fault.name], fault.name
