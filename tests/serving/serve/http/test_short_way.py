"""The short way of a request says what the long way says, and is left where anything is otherwise."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.serving.door import opened
from tests.serving.parts import row
from tests.serving.stage import PATIENCE_S
from uvicorn.server import ServerState

from flyball.core.errors import Unavailable
from flyball.serving.serve.answering.turnstile import Refused
from flyball.serving.serve.http.asgi import Door
from flyball.serving.serve.http.bounds import Bounds
from flyball.serving.serve.http.exchange import Receive, Scope, Send
from flyball.serving.serve.http.server import config_of
from flyball.serving.serve.http.short_way import ShortWayProtocol

PATH = "/v1/services/shop/predict"
Answer = tuple[int, dict[str, str], Any]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 1500), st.floats(-5.0, 1500.0), st.text(max_size=5), st.lists(st.none())
)
BODIES = st.one_of(
    st.fixed_dictionaries({"card": st.text(max_size=8), "amount": st.floats(0.0, 1000.0)}),
    st.dictionaries(st.sampled_from(["card", "amount", "items", "rows", "more"]), VALUES),
    st.fixed_dictionaries({"rows": st.lists(st.just(row()), max_size=3)}),
).map(lambda body: json.dumps(body).encode()) | st.binary(max_size=20)


class Wire:
    """A server of the door's own protocol on a real socket, and how many of its requests went the long way."""

    def __init__(self, door: Door, state: ServerState, port: int) -> None:
        self.door, self.state, self.port = door, state, port
        self.long = 0
        route = door._route

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.long += 1
            await route(scope, receive, send)

        door._route = counted  # type: ignore[method-assign]

    async def said(self, *pieces: bytes, answers: int = 1) -> list[Answer]:
        """What comes back on one connection; each piece is sent when the one before has arrived."""
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            with contextlib.closing(writer):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                return [await read(reader) for _ in range(answers)]

    async def ask(self, body: bytes, **headers: str) -> Answer:
        return (await self.said(request(body, **headers)))[0]

    async def warm(self) -> None:
        """The path is known, and the champion is known to be quick."""
        while not self.door.short or not self.door.short[PATH.encode()].open:
            assert (await self.ask(json.dumps(row()).encode()))[0] == 200
        self.long = 0


def request(body: bytes, *, path: str = PATH, version: str = "1.1", **headers: str) -> bytes:
    told = {"host": "x", "content-length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/{version}\r\n{head}\r\n".encode() + body


async def read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head.split(" ", 2)[1]), headers, json.loads(body)


@contextlib.asynccontextmanager
async def wire(folder: Path, **bounds: Any) -> AsyncIterator[Wire]:
    async with opened(folder) as door:
        config, state = config_of(door, None, Bounds(**bounds), None), ServerState()
        config.load()
        state.default_headers = [(b"date", b"today")]
        made: Any = config.http_protocol_class
        server = await asyncio.get_running_loop().create_server(
            lambda: made(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        one = Wire(door, state, server.sockets[0].getsockname()[1])
        await one.warm()
        yield one
        server.close()


def told(folder: Path, story: Callable[[Wire], Awaitable[None]], **bounds: Any) -> None:
    async def whole() -> None:
        async with wire(folder, **bounds) as one:
            await story(one)

    asyncio.run(whole())


def without_names(answer: Answer) -> Answer:
    """What two equal requests have in common; the body of an answer has new ids and times."""
    status, headers, body = answer
    for entry in body.get("predictions", ()):
        assert re.fullmatch(r"shop\.[0-9a-f]{38}", entry.pop("id"))
        entry.pop("latency_ms", None)
    return status, {name: value for name, value in headers.items() if name != "content-length"}, body


def test_both_ways_say_the_same_of_any_body(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        life = wire(tmp_path)
        one = runner.run(life.__aenter__())

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(BODIES)
        def law(body: bytes) -> None:
            short = without_names(runner.run(one.ask(body)))
            long = without_names(runner.run(one.ask(body, x_request_id="mine")))
            assert short == long

        law()
        runner.run(life.__aexit__(None, None, None))


def test_an_accepted_row_goes_the_short_way_and_is_recorded_and_counted(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        served = one.door.short[PATH.encode()].served
        before = served.tally.outcomes["champion", "answered"]
        answers = await asyncio.gather(*(one.ask(json.dumps(row(card=f"c{i}")).encode()) for i in range(20)))
        assert [status for status, _, _ in answers] == [200] * 20
        assert all(headers["date"] == "today" for _, headers, _ in answers)
        assert len({body["predictions"][0]["id"] for _, _, body in answers}) == 20
        assert one.long == 0
        assert served.tally.outcomes["champion", "answered"] == before + 20

    told(tmp_path, story)


def test_answers_keep_the_order_of_a_pipeline_whichever_way_they_go(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        good, bad = json.dumps(row()).encode(), b'{"amount": 1}'
        kinds = [good, bad, good, good, b"{", good, json.dumps({"rows": [row(), row()]}).encode()]
        answers = await one.said(b"".join(map(request, kinds)), answers=len(kinds))
        assert [(status, len(body.get("predictions", ()))) for status, _, body in answers] == [
            (200, 1),
            (400, 1),
            (200, 1),
            (200, 1),
            (400, 0),
            (200, 1),
            (200, 2),
        ]

    told(tmp_path, story)


@pytest.mark.parametrize("cut", [1, 30, 90])
def test_a_request_may_come_in_any_pieces(tmp_path: Path, cut: int) -> None:
    async def story(one: Wire) -> None:
        whole = request(json.dumps(row()).encode())
        pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
        assert (await one.said(*pieces))[0][0] == 200
        assert one.long == 0

    told(tmp_path, story)


def test_what_asks_for_something_goes_the_long_way(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        body = json.dumps(row()).encode()
        chunked = request(b"", transfer_encoding="chunked").replace(b"content-length: 0\r\n", b"")
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        long = [
            request(body, x_request_id="mine"),
            request(body, x_flyball_priority="low"),
            request(body, path=PATH + "?a=1"),
            request(json.dumps(row(more="x" * 10_000)).encode()),
            chunked + chunks,
        ]
        for number, text in enumerate(long):
            ((status, _, _),) = await one.said(text)
            assert (status, one.long) == (200, number + 1)

    told(tmp_path, story)


@pytest.mark.parametrize("asked", [{"connection": "close"}, {"version": "1.0"}])
def test_a_connection_that_is_not_kept_is_closed_after_its_answer(tmp_path: Path, asked: dict[str, str]) -> None:
    async def story(one: Wire) -> None:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(request(json.dumps(row()).encode(), **asked))
            status, headers, _ = await read(reader)
            assert (status, headers["connection"], one.long) == (200, "close", 0)
            assert await reader.read() == b""
            writer.close()

    told(tmp_path, story)


@pytest.mark.parametrize("headers", [{}, {"x_request_id": "mine"}])
def test_a_server_whose_place_is_taken_parts_from_each_connection_with_its_next_answer(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async def story(one: Wire) -> None:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(request(json.dumps(row()).encode(), **headers))
            status, told_headers, _ = await read(reader)
            assert (status, "connection" in told_headers) == (200, False)
            (connection,) = one.state.connections
            assert isinstance(connection, ShortWayProtocol)
            type(connection).leaves = True
            writer.write(request(json.dumps(row()).encode(), **headers))
            status, told_headers, _ = await read(reader)
            assert (status, told_headers["connection"], one.long) == (200, "close", 2 * len(headers))
            assert await reader.read() == b""
            writer.close()

    told(tmp_path, story)


def test_a_body_above_the_limit_is_refused_as_ever(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        status, _, answer = await one.ask(json.dumps(row(card="c" * 400)).encode())
        assert status == 413, answer

    told(tmp_path, story, body_bytes=300)


def test_what_is_raised_on_the_short_way_is_told_as_on_the_long_way(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        served = one.door.short[PATH.encode()].served
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(served.core, "arms_of", lambda *_: 1 / 0)
            status, _, body = await one.ask(json.dumps(row()).encode())
        assert (status, body, one.long) == (500, {"error": "internal error"}, 0)
        assert (await one.ask(json.dumps(row()).encode()))[0] == 200

    told(tmp_path, story)


def test_a_row_that_is_turned_away_hears_when_to_come_back(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        served = one.door.short[PATH.encode()].served
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(served.overloads, "refusal", lambda *_: "overload")
            patched.setattr(served.catching, "would", lambda *_: False)
            status, headers, body = await one.ask(json.dumps(row()).encode())
        assert (status, headers["retry-after"], one.long) == (503, "1", 0)
        assert "overloaded" in body["error"]

    told(tmp_path, story)


def test_a_refusal_is_told_when_the_next_request_of_the_connection_has_come_already(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        served = one.door.short[PATH.encode()].served
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(served.overloads, "refusal", lambda *_: "overload")
            patched.setattr(served.catching, "would", lambda *_: False)
            both = request(json.dumps(row()).encode()) + request(b"", path="/v1/elsewhere")
            first, second = await one.said(both, answers=2)
        assert (first[0], first[1]["retry-after"], second[0]) == (503, "1", 404)

    told(tmp_path, story)


def test_the_idle_time_does_not_run_while_the_request_behind_a_refusal_is_answered(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        joined, held, goes_on = one.door.short[PATH.encode()], asyncio.Event(), asyncio.Event()
        route = one.door._route

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            held.set()
            await goes_on.wait()
            await route(scope, receive, send)

        body = json.dumps(row()).encode()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(one.door, "_route", slow)
            patched.setattr(joined.stile, "closed", lambda: True)
            patched.setattr(joined.stile, "refuse", lambda _: Refused(503, b"{}", 1))
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
                writer.write(request(body) + request(body, x_request_id="mine"))
                await held.wait()
                (connection,) = one.state.connections
                assert connection.timeout_keep_alive_task is None  # type: ignore[union-attr]
                goes_on.set()
                assert [(await read(reader))[0] for _ in range(2)] == [503, 200]
                writer.close()

    told(tmp_path, story)


def test_what_is_raised_before_a_request_is_read_is_told_as_on_the_long_way(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        joined, body = one.door.short[PATH.encode()], json.dumps(row()).encode()
        heard: list[str] = []

        def raised(*_: object) -> Any:
            raise Unavailable("the table of routes cannot be read")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(one.door, "_complain", heard.append)
            patched.setattr(joined.served, "look", raised)
            patched.setattr(joined.served.overloads, "_turned_away", 1)
            assert joined.served.overloads.turning_away
            short, again = await one.said(request(body), request(body), answers=2)
            assert one.long == 0
            long = await one.ask(body, x_request_id="mine")
        assert short == again == long
        assert (long[0], heard) == (503, [heard[0]] * 3)
        assert (await one.ask(body))[0] == 200

    told(tmp_path, story)


def test_a_client_that_has_gone_is_recorded_and_harms_nobody(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        joined = one.door.short[PATH.encode()]
        before = joined.served.tally.outcomes["champion", "answered"]
        turn, held = joined._turn, asyncio.Event()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(joined, "_turn", held.set)
            _, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(request(json.dumps(row()).encode()))
            await asyncio.wait_for(held.wait(), PATIENCE_S)
        writer.transport.abort()
        async with asyncio.timeout(PATIENCE_S):
            while one.state.connections:
                await asyncio.sleep(0.01)
            turn()
            while joined.served.tally.outcomes["champion", "answered"] == before:
                await asyncio.sleep(0.01)
        assert (await one.ask(json.dumps(row()).encode()))[0] == 200

    told(tmp_path, story)


def test_a_request_that_has_begun_is_answered_by_a_server_that_ends(tmp_path: Path) -> None:
    async def story(one: Wire) -> None:
        whole = request(json.dumps(row()).encode())
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(whole[:-5])
            connection: Any = None
            while connection is None or connection._joined is None:
                await asyncio.sleep(0.01)
                connection = next(iter(one.state.connections), None)
            assert connection.phase()[0] == "body"
            connection.shutdown()
            writer.write(whole[-5:])
            status, headers, _ = await read(reader)
            assert (status, headers["connection"]) == (200, "close")
            assert await reader.read() == b""
            writer.close()

    told(tmp_path, story)
