"""The clients count what they see: every request once, whatever came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import numpy as np
import pytest
from aiohttp import web

from flyball.adapters.clock import SystemClock
from flyball.app.demo.load import Load, Source
from flyball.app.demo.traffic import SHIFTED

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """A server with a mind of its own: what it answers to each request is told by `answers`, in turn."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.numbers = answers, count()
        self.seen: list[dict[str, object]] = []
        self.labels: dict[str, int] = {}

    async def predict(self, request: web.Request) -> web.StreamResponse:
        number = next(self.numbers)
        self.seen.append(await request.json())
        match self.answers[number % len(self.answers)]:
            case "failed":
                return web.json_response({"error": "no arm"}, status=503)
            case "rejected":
                return web.json_response({"service": "fraud", "predictions": [{"error": "amount"}]})
            case "gone":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case arm:
                fallback = "previous" if arm == "candidate" else None
                told = {"id": str(number), "prediction": 0, "score": 0.5, "release": f"r-{arm}", "arm": arm}
                return web.json_response({"service": "fraud", "predictions": [told | {"fallback": fallback}]})

    async def label(self, request: web.Request) -> web.StreamResponse:
        told = (await request.json())["labels"]
        self.labels |= {each["id"]: each["label"] for each in told}
        return web.json_response({"accepted": len(told), "duplicate": 0, "corrected": 0, "unmatched": 0})


def drive(gateway: Gateway, until: Callable[[Load], bool], meanwhile: Callable[[Load], None] = lambda _: None) -> Load:
    async def main() -> Load:
        app = web.Application()
        app.router.add_post("/v1/services/fraud/predict", gateway.predict)
        app.router.add_post("/v1/labels", gateway.label)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        source = Source(np.random.default_rng(1))
        try:
            async with asyncio.timeout(60):
                load = Load(f"http://127.0.0.1:{port}", "fraud", source, SystemClock(), rate=400, label_delay_s=0.1)
                async with load:
                    meanwhile(load)
                    while not until(load):
                        load.check()
                        await asyncio.sleep(0.01)
        finally:
            await runner.cleanup()
        return load

    return asyncio.run(main())


def test_every_request_is_answered_or_failed_when_the_traffic_has_ended() -> None:
    load = drive(Gateway("champion", "failed", "rejected", "gone", "candidate"), lambda load: load.counts.sent >= 100)
    counts = load.counts
    assert counts.sent == counts.answered + counts.failed
    assert counts.failed == len(counts.failures)
    assert counts.failed > counts.answered
    assert {told.split(":")[0] for _, told in counts.failures} >= {"status 503", "no prediction"}
    assert load.oldest_waiting == counts.sent + 1


def test_answers_are_told_apart_by_release_and_part() -> None:
    load = drive(Gateway("champion", "champion", "candidate"), lambda load: load.counts.answered >= 60)
    champion, candidate = load.arm("r-champion", "champion"), load.arm("r-candidate", "candidate")
    assert champion.answers + candidate.answers == load.counts.answered
    assert candidate.stood_in == candidate.answers > 0
    assert champion.stood_in == 0
    assert load.arm("r-champion", "candidate").answers == 0


def test_each_answer_gets_its_label_once() -> None:
    gateway = Gateway("champion")
    load = drive(gateway, lambda load: load.counts.labels >= 50)
    assert load.counts.labels == len(gateway.labels)
    truth = {str(each.number - 1): each.is_fraud for each in load.scored}
    # numbers are given at the sending, ids at the arrival: on one connection pool they may differ by order
    assert len(gateway.labels.keys() - truth.keys()) == 0


def test_a_shift_is_felt_from_the_next_request_on() -> None:
    gateway = Gateway("champion")
    last: list[int] = []
    load = drive(gateway, lambda load: load.counts.answered >= 1_000, lambda load: last.append(load.shift(SHIFTED)))
    online = sum(row["merchant"] == "online" for row in gateway.seen[last[0] :]) / len(gateway.seen)
    assert last == [0]
    assert online == pytest.approx(0.56, abs=0.08)
    assert len(load.scored_by("r-champion", since=500)) == load.counts.answered - 500
