"""Laws of the compatibility modes: what a mode promises is asked of rows, by the very code that judges rows."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.contracts.versions import EDITIONS, PROPERTIES, TABLES, accepts, edition, rows_of

from flyball.contracts.compatibility import MODES, Mode, breaks
from flyball.contracts.diff import changes
from flyball.contracts.edition import Edition

SLOWLY = settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


@st.composite
def successions(draw: st.DrawFn, length: int = 2) -> list[Edition]:
    """Versions of which each is the one before with a column or two redone: more alike than random ones."""
    tables = draw(TABLES)
    made = [edition(tables, "1.0.0")]
    for number in range(2, length + 1):
        tables = dict(tables)
        for _ in range(draw(st.integers(0, 2))):
            name = draw(st.sampled_from(["a", "b", "c"]))
            if name in tables and draw(st.booleans()):
                redone = draw(PROPERTIES)
                kept = tables[name]
                tables[name] = draw(
                    st.sampled_from([kept | {"required": False}, {**kept, "logicalTypeOptions": {}}, redone])
                )
            elif name in tables and len(tables) > 1:
                del tables[name]
            else:
                tables[name] = draw(PROPERTIES)
        made.append(edition(tables, f"{number}.0.0"))
    return made


def kept(mode: Mode, older: Sequence[Edition], new: Edition) -> bool:
    return breaks(mode, older, new) == ()


@SLOWLY
@given(st.data(), successions() | st.tuples(EDITIONS, EDITIONS).map(list))
def test_backward_means_that_every_row_of_the_old_version_is_accepted_by_the_new(
    data: st.DataObject, versions: list[Edition]
) -> None:
    old, new = versions
    row = data.draw(rows_of(old))
    if kept("BACKWARD", [old], new) and accepts(old, row):
        assert accepts(new, row)


@SLOWLY
@given(st.data(), successions() | st.tuples(EDITIONS, EDITIONS).map(list))
def test_forward_means_that_every_row_of_the_new_version_is_accepted_by_the_old(
    data: st.DataObject, versions: list[Edition]
) -> None:
    old, new = versions
    row = data.draw(rows_of(new))
    if kept("FORWARD", [old], new) and accepts(new, row):
        assert accepts(old, row)


@given(EDITIONS, EDITIONS)
def test_forward_is_backward_with_the_versions_exchanged(old: Edition, new: Edition) -> None:
    assert kept("FORWARD", [old], new) == kept("BACKWARD", [new], old)


@given(successions(length=4))
def test_full_is_both_and_transitive_is_against_all(versions: list[Edition]) -> None:
    *older, new = versions
    assert kept("FULL", older, new) == (kept("BACKWARD", older, new) and kept("FORWARD", older, new))
    for mode in ("BACKWARD", "FORWARD", "FULL"):
        transitive: Any = f"{mode}_TRANSITIVE"
        assert kept(transitive, older, new) == all(kept(mode, [old], new) for old in older)
        assert kept(mode, older, new) == kept(mode, older[-1:], new)
    assert kept("NONE", older, new)


@SLOWLY
@given(st.data(), successions(length=3))
def test_full_transitive_means_that_rows_of_every_version_may_be_mixed(
    data: st.DataObject, versions: list[Edition]
) -> None:
    *older, new = versions
    assume(kept("FULL_TRANSITIVE", older, new))
    old = data.draw(st.sampled_from(older))
    row = data.draw(rows_of(old))
    assert not accepts(old, row) or accepts(new, row)
    row = data.draw(rows_of(new))
    assert not accepts(new, row) or accepts(old, row)


@given(EDITIONS)
def test_a_version_is_compatible_with_itself_and_differs_in_nothing(version: Edition) -> None:
    assert changes(version, version) == ()
    assert all(kept(mode, [version], version) for mode in MODES)


def test_a_column_that_comes_back_with_another_type_passes_only_what_is_not_transitive() -> None:
    first = edition({"id": {"logicalType": "string"}, "a": {"logicalType": "string"}}, "1.0.0")
    second = edition({"id": {"logicalType": "string"}}, "2.0.0")
    third = edition({"id": {"logicalType": "string"}, "a": {"logicalType": "integer"}}, "3.0.0")
    assert kept("BACKWARD", [first], second)
    assert kept("BACKWARD", [first, second], third)
    (found,) = breaks("BACKWARD_TRANSITIVE", [first, second], third)
    assert (found.against, found.direction, found.change.path) == ("1.0.0", "backward", "t.a.type")
    assert accepts(first, {"a": "x"})
    assert not accepts(third, {"a": "x"})


@pytest.mark.parametrize(
    ("old", "new", "modes"),
    [
        ({}, {"b": {"logicalType": "string"}}, {"BACKWARD", "FORWARD", "FULL"}),
        ({}, {"b": {"logicalType": "string", "required": True}}, {"FORWARD"}),
        ({"b": {"logicalType": "string"}}, {}, {"BACKWARD", "FORWARD", "FULL"}),
        ({"b": {"logicalType": "string", "required": True}}, {}, {"BACKWARD"}),
        ({"b": {"logicalType": "integer"}}, {"b": {"logicalType": "number"}}, {"BACKWARD"}),
        ({"b": {"logicalType": "date"}}, {"b": {"logicalType": "timestamp"}}, set()),
    ],
)
def test_the_table_of_the_registries(old: dict[str, Any], new: dict[str, Any], modes: set[str]) -> None:
    a = {"a": {"logicalType": "number"}}
    was, now = edition(a | old), edition(a | new)
    assert {mode for mode in ("BACKWARD", "FORWARD", "FULL") if kept(mode, [was], now)} == modes


def test_every_mode_has_a_line_in_the_table() -> None:
    assert set(MODES) == set(get_args(Mode))
