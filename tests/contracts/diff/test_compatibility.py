"""Laws of the compatibility modes: what a mode promises is asked of rows, by the very code that judges rows."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.contracts.diff.versions import EDITIONS, accepts, edition, successions, valid_rows

from flyball.contracts.diff.compared import changes
from flyball.contracts.diff.compatibility import MODES, Mode, breaks
from flyball.contracts.diff.edition import Edition

SLOWLY = settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
EXTRA = st.floats(-4, 10) | st.integers(-4, 10) | st.text("ab1-", max_size=5)


def kept(mode: Mode, older: Sequence[Edition], new: Edition) -> bool:
    return breaks(mode, older, new) == ()


@SLOWLY
@given(successions(), EXTRA)
def test_backward_means_that_every_row_of_the_old_version_is_accepted_by_the_new(
    versions: list[Edition], extra: Any
) -> None:
    old, new = versions
    if kept("BACKWARD", [old], new):
        assert [row for row in valid_rows(old, extra) if not accepts(new, row)] == []


@SLOWLY
@given(successions(), EXTRA)
def test_forward_means_that_every_row_of_the_new_version_is_accepted_by_the_old(
    versions: list[Edition], extra: Any
) -> None:
    old, new = versions
    if kept("FORWARD", [old], new):
        assert [row for row in valid_rows(new, extra) if not accepts(old, row)] == []


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
@given(successions(length=3), EXTRA)
def test_full_transitive_means_that_rows_of_every_version_may_be_mixed(versions: list[Edition], extra: Any) -> None:
    *older, new = versions
    assume(kept("FULL_TRANSITIVE", older, new))
    for old in older:
        assert [row for row in valid_rows(old, extra) if not accepts(new, row)] == []
        assert [row for row in valid_rows(new, extra) if not accepts(old, row)] == []


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
