"""The contract's word on a label, before it is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.contract import Column, DataContract
from flyball.core.errors import BadInput
from flyball.core.prediction import LabelRecord
from flyball.serving.protocols.labels import LabelRule
from flyball.serving.protocols.plain import labels_of

VALUES = st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.sampled_from(["cat", "dog", "x"])


def rule(column: Column) -> LabelRule:
    return LabelRule(column.name, CompiledRows(DataContract(id="c", version="1", table="t", columns=(column,))))


@given(st.lists(VALUES, max_size=8))
def test_every_label_outside_the_classes_is_named_at_its_place(values: list[str | float | bool]) -> None:
    pets = rule(Column(name="pet", kind="string", enum=("cat", "dog")))
    placed = [(place, LabelRecord(id=str(place), label=value, at=0.0)) for place, value in enumerate(values)]
    wrong = [f"labels[{place}].label" for place, value in enumerate(values) if value not in ("cat", "dog")]
    assert [fault.path for fault in pets.faults(placed)] == wrong


@pytest.mark.parametrize(
    ("column", "label", "expected"),
    [
        (Column(name="y", kind="integer"), "1", "a whole number of 64 bits"),
        (Column(name="y", kind="integer"), 1.0, None),
        (Column(name="y", kind="boolean"), 1, "true or false"),
        (Column(name="y", kind="integer", enum=(0, 1)), 7, "one of 0, 1"),
        (Column(name="y", kind="number", minimum=0.0), -3.5, "at least 0"),
    ],
)
def test_a_label_is_of_its_columns_kind_class_and_bounds(
    column: Column, label: str | float, expected: str | None
) -> None:
    found = rule(column).faults([(0, LabelRecord(id="a", label=label, at=0.0))])
    told = [] if expected is None else [(expected, repr(label))]  # "1" and 1 are told apart
    assert [(fault.expected, fault.found) for fault in found] == told


def test_a_moment_that_has_not_come_or_lies_before_1970_is_refused_and_a_skewed_clock_is_not() -> None:
    body = b'{"labels": [%s]}' % b",".join(
        b'{"id": "a", "label": 1, "at": %s}' % at
        for at in (b"-1", b"1790000000000", b'"9999-01-01T00:00:00Z"', b"1790000299.0", b"0", b"null")
    )
    with pytest.raises(BadInput) as refused:
        labels_of(body, "/v1/labels", now=1_790_000_000.0)
    assert [fault.path for fault in refused.value.faults] == ["labels[0].at", "labels[1].at", "labels[2].at"]
