"""Any stream of requests, cut anywhere, whole or damaged, is answered byte for byte as if there were no short way."""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.serving.door import opened
from tests.serving.parts import row
from tests.serving.serve.http.test_short_way import PATH, request
from tests.serving.watched import Watched, listening, warm

GOOD = json.dumps(row()).encode()
BODIES = [GOOD] * 6 + [b"{}", b'{"amount":1}', json.dumps({"rows": [row()]}).encode(), b"{", b""]
TARGETS = [PATH] * 8 + [PATH + "?x=1", "http://x" + PATH, "/livez", PATH + "/", PATH.replace("shop", "sh%6Fp")]
FINE = ["Connection: keep-alive", "X-Request-Id: a", "X-Flyball-Priority: low", "X-Empty:", "Accept-Encoding: gzip"]
ODD = [
    "Connection: close",
    "Expect: 100-continue",
    "X-A: 1\r\n folded",
    "Bad Header: x",
    "Connection: upgrade\r\nUpgrade: websocket",
    "Content-Encoding: gzip",
    "X-Flyball-Priority: high",
]


@dataclass(frozen=True)
class Stream:
    """What one connection sends."""

    pieces: tuple[bytes, ...]
    hurried: bool  # the pieces follow one another without a pause


@st.composite
def requests(draw: st.DrawFn, *, odd: bool) -> bytes:
    """`odd`: it may be anything that comes near a request; otherwise a server would keep the connection after it."""
    if draw(st.integers(0, 2)):  # what most requests are
        return request(GOOD, **draw(st.sampled_from([{}, {"accept": "*/*", "x-empty": ""}])))
    body = draw(st.sampled_from(BODIES))
    length, chunk = f"Content-Length: {len(body)}", b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    framings = [([length], body)] * 8 + [(["Transfer-Encoding: chunked"], chunk + b"0\r\n\r\n")]
    framings += [([length.lower().replace(": ", ":  ")], body), ([f"CONTENT-LENGTH: {len(body):04d}"], body)]
    if odd:
        short = f"Content-Length: {max(0, len(body) - 3)}"
        framings += [([length, "Transfer-Encoding: chunked"], body), ([length, length], body), ([short], body)]
        framings += [([length], body[:-2]), ([], b"")]
    framing, payload = draw(st.sampled_from(framings))
    method = draw(st.sampled_from(["POST"] * 10 + (["GET", "PUT", "HEAD", "post"] if odd else [])))
    version = draw(st.sampled_from(["HTTP/1.1"] * 8 + (["HTTP/1.0", "HTTP/2.0", "HTTP/1.1 "] if odd else [])))
    more = draw(st.lists(st.sampled_from(FINE + ODD if odd else FINE), max_size=2)) if draw(st.booleans()) else []
    headers = draw(st.permutations(["Host: x", *framing, *more]))
    head = f"{method} {draw(st.sampled_from(TARGETS))} {version}\r\n" + "".join(f"{each}\r\n" for each in headers)
    return head.encode() + b"\r\n" + payload


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    odd = draw(st.booleans())
    whole = b"".join(draw(st.lists(requests(odd=odd), min_size=1, max_size=5)))
    cuts = sorted(draw(st.sets(st.integers(1, len(whole) - 1), max_size=5)))
    pieces = tuple(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True))
    # what damages a connection is told at once, and so in the place of an answer that is not ready: a matter of time
    return Stream(pieces, hurried=not odd and draw(st.booleans()))


def comparable(said: bytes) -> tuple[int, bytes]:
    """Without what two equal requests do not have in common, and without the place of one header among the others."""
    said = re.sub(rb"shop\.[0-9a-f]{38}", b"ID", said)
    said = re.sub(rb'"latency_ms":[0-9.e+-]+', b"MS", said)
    said = re.sub(rb"content-length: \d+", b"LENGTH", said)
    return said.count(b"connection: close\r\n"), said.replace(b"connection: close\r\n", b"")


class Both:
    """The same door with the short way and without."""

    def __init__(self, short: Watched, long: Watched) -> None:
        self.short, self.long = short, long

    async def agree(self, stream: Stream) -> bytes:
        """What both say."""
        said, kept = await self.short.told(stream.pieces, hurried=stream.hurried)
        other, other_kept = await self.long.told(stream.pieces, hurried=stream.hurried)
        assert (comparable(said), kept) == (comparable(other), other_kept)
        return said


@contextlib.asynccontextmanager
async def both(folder: Path) -> AsyncIterator[Both]:
    async with opened(folder) as door, listening(door) as short, listening(door, short=False) as long:
        await warm(short, request(GOOD))
        yield Both(short, long)


@pytest.mark.parametrize("examples", [300, pytest.param(5_000, marks=pytest.mark.slow)])
def test_any_stream_is_answered_as_if_there_were_no_short_way(tmp_path: Path, examples: int) -> None:
    with asyncio.Runner() as runner:
        life = both(tmp_path)
        ways = runner.run(life.__aenter__())

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(streams())
        def law(stream: Stream) -> None:
            runner.run(ways.agree(stream))

        law()
        met = ways.short.ways
        runner.run(life.__aexit__(None, None, None))
    assert min(met["short"], met["long"]) > examples / 10, met
    assert not ways.long.ways["short"]
    print(f"{examples} streams: {met['short']} requests the short way, {met['long']} the long way, all the same")


def chunked(body: bytes) -> bytes:
    head = request(b"", transfer_encoding="chunked").replace(b"content-length: 0\r\n", b"")
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(
    ("text", "way", "starts", "kept"),
    [
        (request(GOOD), "short", b"HTTP/1.1 200", True),
        (request(GOOD, version="1.0"), "short", b"HTTP/1.1 200", False),
        (request(GOOD, version="1.0", connection="keep-alive"), "short", b"HTTP/1.1 200", False),
        (request(GOOD, connection="close"), "short", b"HTTP/1.1 200", False),
        (chunked(GOOD), "long", b"HTTP/1.1 200", True),
        (request(GOOD, expect="100-continue"), "long", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200", True),
        (request(GOOD, connection="close", expect="100-continue"), "long", b"HTTP/1.1 100 Continue\r\n\r\nHTTP", False),
    ],
    ids=["plain", "1.0", "1.0 keep-alive", "close", "chunked", "expect", "expect and close"],
)
def test_what_http_lets_a_client_ask_is_granted_on_both_ways(
    tmp_path: Path, text: bytes, way: str, starts: bytes, kept: bool
) -> None:
    async def story() -> None:
        async with both(tmp_path) as ways:
            said = await ways.agree(Stream((text,), hurried=False))
            assert said.startswith(starts)
            assert said.count(b'"predictions"') == 1
            assert (b"connection: close\r\n" not in said) == kept
            assert ways.short.ways == Counter({way: 1})

    asyncio.run(story())
