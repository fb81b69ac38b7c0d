"""Every pair of many forms of a column: what the comparison says of them is what the values say."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from tests.contracts.diff.versions import POOL

from flyball.contracts.diff.columns import column_changes
from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.contract import Column, DataContract, Kind

MORE = [value / 4 for value in range(-12, 40)]


def numeric(kind: Kind) -> Iterator[Column]:
    for required, low, high, above, step in product(
        (False, True), (None, 0.0, 0.5, 1.0), (None, 4.5, 5.0), (None, 0.0, 0.5), (None, 0.5, 2.0)
    ):
        yield Column(
            name="a",
            kind=kind,
            required=required,
            minimum=low,
            maximum=high,
            exclusive_minimum=above,
            multiple_of=step,
        )
    for enum in ((1,), (1, 2), (1, 2, 3)):
        yield Column(name="a", kind=kind, enum=enum)


def texts() -> Iterator[Column]:
    for shortest, longest, pattern, enum in product(
        (None, 0, 1), (None, 2, 3), (None, "^a", r"^[a-z]*\d?\Z"), (None, ("a",), ("a", "ab", "b1"))
    ):
        yield Column(name="a", kind="string", min_length=shortest, max_length=longest, pattern=pattern, enum=enum)


def times() -> Iterator[Column]:
    kinds: tuple[Kind, ...] = ("date", "timestamp")
    for kind, low, below, required in product(
        kinds, (None, "2026-01-01", "2026-06-30"), (None, "2026-11-21"), (False, True)
    ):
        yield Column(name="a", kind=kind, minimum=low, exclusive_maximum=below, required=required)


def others() -> Iterator[Column]:
    for enum in (None, (True,), (False, True)):
        yield Column(name="a", kind="boolean", enum=enum)
    yield Column(name="a", kind="string")
    yield Column(name="a", kind="date")
    yield Column(name="a", kind="number", primary_key=True)
    yield Column(name="a", kind="number")


def accepted(column: Column) -> frozenset[int]:
    """Which values of the pool it lets through, by their places; an absent value is one of them."""
    checker = CompiledRows(DataContract(id="c", version="1", table="t", columns=(column,)))
    rows: list[dict[str, Any]] = [{"a": value} for value in (*POOL, *MORE)]
    return frozenset(place for place, checked in enumerate(checker.check(rows)) if checked is None)


FORMS = {
    "numbers": [*numeric("number"), *numeric("integer")],
    "texts": list(texts()),
    "times": list(times()),
    "others": list(others()),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_called_compatible_is_so_for_every_pair_of_forms(name: str) -> None:
    forms = [(column, accepted(column)) for column in FORMS[name]]
    wrong = []
    compatible = 0
    for (old, was), (new, now) in product(forms, forms):
        found = column_changes("a", old, new)
        backward, forward = all(change.backward for change in found), all(change.forward for change in found)
        compatible += backward + forward
        if (backward and not was <= now) or (forward and not now <= was):
            wrong.append((old, new))
    assert wrong == []
    assert compatible > 2 * len(forms)  # more than each form with itself


@pytest.mark.parametrize("name", ["numbers", "times"])
def test_where_one_promise_changed_and_is_called_incompatible_a_value_shows_it(name: str) -> None:
    forms = [(column, accepted(column)) for column in FORMS[name] if column.enum is None and column.multiple_of is None]
    for (old, was), (new, now) in product(forms, forms):
        if old.kind == new.kind and was and now:
            found = column_changes("a", old, new)
            if len(found) == 1:
                assert found[0].backward == (was <= now), (old, new)
                assert found[0].forward == (now <= was), (old, new)
