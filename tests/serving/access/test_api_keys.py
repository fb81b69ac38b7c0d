"""API keys: only the very text that was made is let in, and the file tells nobody what it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.access import Denied, Grant
from flyball.core.errors import BadInput
from flyball.serving.access.api_keys import KeyFile, granted, made, read

RANDOM = st.binary(min_size=54, max_size=54)


@given(RANDOM, st.text(max_size=80))
def test_no_other_text_is_let_in(random: bytes, other: str) -> None:
    text, entry = made(random, ["fraud:predict"], now=0.0)
    entries = {entry.id: entry}
    assert isinstance(granted(entries, text, now=1.0), Grant)
    for wrong in (other, text + other, text[:-1], text.upper(), f"fbk_{entry.id}_{other}"):
        if wrong != text:
            assert isinstance(granted(entries, wrong, now=1.0), Denied)


@given(RANDOM)
def test_the_entry_does_not_hold_the_secret(random: bytes) -> None:
    text, entry = made(random, ["fraud:predict"], now=0.0)
    assert text.split("_", 2)[2] not in repr(entry)  # the secret itself may hold the sign that parts it from the id


def test_two_keys_with_one_secret_have_different_hashes() -> None:
    (_, one), (_, other) = (made(bytes(38) + salt * 16, ["a:predict"], now=0.0) for salt in (b"1", b"2"))
    assert one.hash != other.hash


def test_an_expired_key_is_refused_from_its_last_second_on() -> None:
    text, entry = made(bytes(54), ["a:predict"], now=0.0, expires=10.0)
    assert isinstance(granted({entry.id: entry}, text, now=9.9), Grant)
    refused = granted({entry.id: entry}, text, now=10.0)
    assert isinstance(refused, Denied)
    assert refused.reason.endswith("expired")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"keys": [{"id": "hunter2"}]}', b"\xff", b"hunter2"])
def test_a_file_that_is_none_is_refused_without_repeating_it(data: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        read(data, "keys.json")
    assert "hunter2" not in str(refused.value)
    assert read(b'{"kind": "flyball/keys/v1", "keys": []}', "keys.json") == KeyFile()
