"""A release whose model a real HTTP server has, asked many things at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from tests.serving.leaps import Leaping

from flyball.adapters.models.predictor import FolderPredictor
from flyball.adapters.remote_asking import RemoteAsking, asking
from flyball.adapters.remote_model import RemoteModel
from flyball.core.model import Input, Model, Packaged
from flyball.core.prediction import Answer, ArmReply, Failure

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def server(infer: Handler, ready: Handler | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v2/models/m/infer", infer)
    if ready is not None:
        app.router.add_get("/v2/models/m/ready", ready)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def remote(url: str, *, once: bool = False, **endpoint: Any) -> RemoteAsking:
    """A regression of one number."""
    facts = Packaged(
        service="s",
        task="regression",
        threshold=0.5,
        label="y",
        classes=(),
        inputs=(Input(name="x", kind="number"),),
        plain=("x",),
        module="m",
        code="c",
    )
    model = RemoteModel({"url": url, "model": "m", "timeout_s": 30.0} | endpoint, inputs={"x": "FP64"}, output="p")
    loaded = Model(facts=facts, estimator=model, make_features=_features)
    found = asking(FolderPredictor("sha256:aa", loaded, once=once))
    assert found is not None
    return found


def _features(frame: pl.DataFrame) -> pl.DataFrame:
    if (frame["x"] == -7.0).any():
        raise ValueError("seven below")
    return frame


def answered(values: list[float]) -> web.Response:
    tensor = {"name": "p", "datatype": "FP64", "shape": [len(values)], "data": values}
    return web.json_response({"model_name": "m", "outputs": [tensor]})


async def values_of(request: web.Request) -> list[float]:
    (tensor,) = json.loads(await request.read())["inputs"]
    return list(tensor["data"])


async def doubled(request: web.Request) -> web.Response:
    values = await values_of(request)
    if -1.0 in values:
        return web.json_response({"error": "no negative numbers"}, status=400)
    return answered([2 * value for value in values])


def told(reply: ArmReply | Failure) -> list[Any]:
    assert isinstance(reply, ArmReply), reply
    return [each.prediction if isinstance(each, Answer) else each.reason for each in reply.answers]


def test_many_questions_are_under_way_and_each_has_its_own_answer() -> None:
    """The server answers nobody before all have come."""

    async def story() -> None:
        came = asyncio.Barrier(16)

        async def all_together(request: web.Request) -> web.Response:
            await came.wait()
            return await doubled(request)

        async with server(all_together) as url:
            one = remote(url)
            replies = await asyncio.gather(*(one.answer([{"x": float(n)}], 60.0) for n in range(16)))
            assert [told(reply) for reply in replies] == [[2.0 * n] for n in range(16)]
            await one.close()

    asyncio.run(story())


def test_no_more_connections_are_opened_than_are_declared() -> None:
    async def story() -> None:
        under_way = most = 0

        async def counted(request: web.Request) -> web.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return await doubled(request)

        async with server(counted) as url:
            one = remote(url, connections=2)
            assert one.connections == 2
            await asyncio.gather(*(one.answer([{"x": 1.0}], 60.0) for _ in range(40)))
            await one.close()
        assert most <= 3  # and the one by which it is asked whether it is ready

    asyncio.run(story())


def test_a_row_that_is_refused_there_or_that_features_cannot_make_fails_alone() -> None:
    async def story() -> None:
        async with server(doubled) as url:
            one = remote(url)
            for bad in (-1.0, -7.0):
                reply = await one.answer([{"x": 1.0}, {"x": bad}, {"x": 3.0}], 60.0)
                assert told(reply) == [2.0, "exception", 6.0]
                alone = await one.answer([{"x": bad}], 60.0)
                assert isinstance(alone, Failure)
            assert told(await one.answer([], 60.0)) == []
            await one.close()

    asyncio.run(story())


def test_where_a_row_is_asked_once_all_rows_of_a_question_that_fails_fail() -> None:
    async def story() -> None:
        seen: list[float] = []

        async def noting(request: web.Request) -> web.Response:
            values = await values_of(request)
            seen.extend(values)
            return answered([*values, 0.0]) if -2.0 in values else await doubled(request)

        async with server(noting) as url:
            one = remote(url, once=True)
            for bad in (-1.0, -2.0, -7.0):  # refused, another shape, not made by features()
                assert isinstance(await one.answer([{"x": 1.0}, {"x": bad}, {"x": 3.0}], 60.0), Failure)
            assert seen == [1.0, -1.0, 3.0, 1.0, -2.0, 3.0]
            assert told(await one.answer([{"x": 1.0}, {"x": 3.0}], 60.0)) == [2.0, 6.0]
            await one.close()

    asyncio.run(story())


def test_the_deadline_goes_along_and_ends_the_wait() -> None:
    """It passes once the question is there: a machine that is busy does not bring it there in a moment."""

    async def story() -> None:
        seen: list[float] = []
        free, clock = asyncio.Event(), Leaping()

        async def hangs(request: web.Request) -> web.Response:
            seen.append(float(request.headers["x-request-deadline-ms"]))
            await clock.leap(3600.0)
            await free.wait()
            return web.Response()

        async with server(hangs) as url:
            one = remote(url, timeout_s=1e6)
            try:
                async with asyncio.timeout(3660.0):  # a minute, where nothing else ends the wait
                    reply = await one.answer([{"x": 1.0}, {"x": 2.0}], 600.0)
            finally:
                free.set()
                await one.close()
            assert isinstance(reply, Failure)
            assert reply.reason == "deadline"
            assert len(seen) == 1  # what nobody answered is not asked row by row
            assert 0.0 < seen[0] <= 600_000.0

    asyncio.run(story())


@pytest.mark.parametrize("sent", [b"<html>", b'{"outputs": []}', b'{"outputs": [{"name": "p"}]}'])
def test_an_answer_of_another_shape_is_a_failure(sent: bytes) -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.Response(body=sent)

    async def story() -> None:
        async with server(odd) as url:
            one = remote(url)
            assert isinstance(await one.answer([{"x": 1.0}], 60.0), Failure)
            await one.close()

    asyncio.run(story())


def test_of_an_answer_that_does_not_end_only_so_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def long(_: web.Request) -> web.Response:
        return web.Response(body=b" " * 100_000)

    async def story() -> None:
        async with server(long) as url:
            one = remote(url)
            reply = await one.answer([{"x": 1.0}], 60.0)
            assert isinstance(reply, Failure)
            assert "at most 1000 bytes" in reply.message
            await one.close()

    for module in ("oip_client", "oip_pool"):
        monkeypatch.setattr(f"flyball.adapters.{module}.MOST_BYTES", 1000)
    asyncio.run(story())


@pytest.mark.parametrize(("status", "away"), [(200, False), (404, False), (405, False), (503, True), (400, True)])
def test_whether_it_is_ready_is_what_the_server_says(status: int, away: bool) -> None:
    async def ready(_: web.Request) -> web.Response:
        return web.Response(status=status, text="so it is")

    async def story() -> None:
        async with server(doubled, ready) as url:
            one = remote(url)
            why = await one.away()
            assert bool(why) == away
            assert not away or f"status {status}: so it is" in why
            await one.close()

    asyncio.run(story())


def test_a_server_that_is_gone_is_away_and_one_without_that_route_is_not() -> None:
    async def story() -> None:
        async with server(doubled) as url:
            one = remote(url)
            assert await one.away() == ""
        assert "Connect" in await one.away()
        reply = await one.answer([{"x": 1.0}], 60.0)
        assert isinstance(reply, Failure)
        await one.close()

    asyncio.run(story())


def test_a_token_that_is_missing_is_a_failure_that_names_it() -> None:
    async def story() -> None:
        async with server(doubled) as url:
            one = remote(url, token_env="NOBODY_HAS_SET_THIS")
            reply = await one.answer([{"x": 1.0}], 60.0)
            assert isinstance(reply, Failure)
            assert "NOBODY_HAS_SET_THIS holds no token" in reply.message
            assert "NOBODY_HAS_SET_THIS" in await one.away()
            await one.close()

    asyncio.run(story())
