"""Packed bodies: what comes back, what is refused, and that a bomb is never unpacked."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import BadInput
from flyball.serving.protocols.compression import (
    CODINGS,
    MOST_MEMBERS,
    Oversized,
    UnknownCoding,
    accepted,
    packed,
    unpacked,
)


@given(st.binary(max_size=2000), st.sampled_from(CODINGS))
def test_what_is_packed_comes_back_and_one_byte_less_is_too_little(body: bytes, coding: str) -> None:
    assert unpacked(packed(body, coding), coding, limit=len(body)) == body
    if body:
        with pytest.raises(Oversized):
            unpacked(packed(body, coding), coding, limit=len(body) - 1)


@given(st.binary(max_size=200))
def test_what_others_pack_is_read(body: bytes) -> None:
    bare = zlib.compressobj(wbits=-15)
    assert unpacked(gzip.compress(body), " GZip", limit=200) == body
    assert unpacked(zlib.compress(body), "deflate", limit=200) == body
    assert unpacked(bare.compress(body) + bare.flush(), "deflate", limit=200) == body
    assert unpacked(gzip.compress(body[:9]) + gzip.compress(body[9:]), "gzip", limit=200) == body


@pytest.mark.parametrize("coding", CODINGS)
@given(body=st.binary(max_size=60))
def test_any_bytes_are_a_body_or_refused(coding: str, body: bytes) -> None:
    try:
        found = unpacked(body, coding, limit=1000)
    except (BadInput, Oversized):
        return
    assert len(found) <= 1000


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_is_cut_short_or_goes_on_is_refused(coding: str) -> None:
    whole = packed(b"a tensor" * 20, coding)
    for wrong in (whole[:-1], whole[:-9], whole + b"x"):
        with pytest.raises(BadInput):
            unpacked(wrong, coding, limit=1000)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000), 1)
    tracemalloc.start()
    with pytest.raises(Oversized):
        unpacked(bomb, "gzip", limit=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_so_many_joined_files_that_reading_them_takes_long_are_refused() -> None:
    one = gzip.compress(b"x")
    assert unpacked(one * MOST_MEMBERS, "gzip", limit=MOST_MEMBERS) == b"x" * MOST_MEMBERS
    with pytest.raises(BadInput, match="joined"):
        unpacked(one * (MOST_MEMBERS + 1), "gzip", limit=1_000)


def test_a_coding_that_we_do_not_know_is_named() -> None:
    with pytest.raises(UnknownCoding, match="br"):
        unpacked(b"x", "br", limit=10)
    assert unpacked(b"x", "identity", limit=0) == b"x"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("br", None),
        ("gzip", "gzip"),
        ("GZIP;q=0, deflate", "deflate"),
        ("deflate, gzip", "gzip"),
        ("gzip;q=x", None),
        (";;,=", None),
    ],
)
def test_the_answer_is_packed_as_the_client_prefers(header: str | None, expected: str | None) -> None:
    assert accepted(header) == expected
