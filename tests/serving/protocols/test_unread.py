"""Rows that are counted without being read are as many as if they had been, and their clients are told the same."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import gateway, routing, row

from flyball.core.errors import BadInput
from flyball.serving.protocols.plain import predictions_body, rows_of
from flyball.serving.protocols.unread import Words, rows_in

LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "rows", '"rows": [', "]}", "é", "\\"])
NAMES = st.sampled_from(["rows", "row", "amount", 'ro"ws', "\\u0072ows"])
VALUES: Any = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=6)
BODIES = VALUES | st.dictionaries(NAMES, VALUES | ROWS, max_size=3) | st.builds(lambda rows: {"rows": rows}, ROWS)


@given(BODIES, st.booleans(), st.sampled_from([None, 0, 1]))
def test_as_many_rows_as_reading_finds_and_none_where_reading_finds_a_fault(
    body: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()
    counted = rows_in(text, max_rows=5)
    # a key beside `rows` is told to those who are answered; who is refused is told that
    assert counted == _read(text) or (counted is not None and _read(text) == ["only `rows` beside `rows`"])


def _read(text: bytes) -> int | list[str] | None:
    """The rows, or the one fault that may go untold, or None."""
    try:
        return len(rows_of(text, "predict", max_rows=5))
    except BadInput as error:
        expected = [fault.expected for fault in error.faults]
        return expected if expected == ["only `rows` beside `rows`"] else None


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | st.sampled_from([b"[" * 9999, b'{"a":' * 9999]))
def test_what_is_no_json_is_read_to_say_so(text: bytes) -> None:
    counted = rows_in(text, max_rows=5)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        assert counted is None or not _utf8(text)


def test_a_name_written_with_escapes_is_the_same_name() -> None:
    assert rows_in(b'{"\\u0072ows": [{}, {}, {}]}', max_rows=5) == 3


def test_the_words_are_those_of_a_request_that_was_read() -> None:
    core = gateway()
    core.route(routing())
    for reason in ("overload", "priority", "deadline"):
        for rows in (1, 2, 12):
            batch, _ = core.begin([row()] * rows, request_id="r", at=[1.0] * rows, shed=True)
            batch.refusal = reason
            records = core.finish(batch, ended=0.0)
            words = Words("shop")
            assert words.told(reason, batch.ids) == predictions_body(batch, records)
            assert words.told(reason, batch.ids) == predictions_body(batch, records), "the second time too"


def _utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
