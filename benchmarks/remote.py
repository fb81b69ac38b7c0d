"""What many questions at once are worth for a model that is elsewhere: one call at a time beside a pool of connections.

The server answers after 20 ms, by the call or by the row, in a process of its own on the same cores. 16 questions are
always under way, or questions come by chance, 300 a second.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from random import Random
from statistics import quantiles
from typing import Any

from aiohttp import web

from flyball.adapters.clock import SystemClock
from flyball.serving.serve.answering.arms import Champion
from flyball.serving.serve.answering.champion import InProcess
from flyball.serving.serve.answering.remote_arm import RemoteChampion

DELAY_S, SECONDS, CLIENTS, RATE_S, TURNS = 0.020, 3.0, 16, 300.0, 2


def main() -> None:
    """Print one line for each way of being asked, interleaved."""
    for by in ("call", "row"):
        ports: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
        server = multiprocessing.Process(target=_serve, args=(ports, by == "row"), daemon=True)
        server.start()
        try:
            asyncio.run(_compared(ports.get(), by))
        finally:
            server.terminate()
            server.join()


async def _compared(port: int, by: str) -> None:
    from tests.adapters.test_remote_asking import remote

    clock = SystemClock()
    loads: dict[str, Callable[[Champion], Any]] = {f"{CLIENTS} under way": _closed}
    if by == "call":
        loads[f"{RATE_S:g} a second by chance"] = _by_chance
    for name, load in loads.items():
        for _ in range(TURNS):
            one = remote(f"http://127.0.0.1:{port}")
            pooled = await RemoteChampion.started(one, clock, print, stuck_s=10.0)
            for kind, arm in (("one call at a time", InProcess(one.blocking, clock, stuck_s=10.0)), ("pool", pooled)):
                cpu_s = time.process_time()
                waits = await load(arm)
                cut = quantiles(waits, n=100)
                each = (time.process_time() - cpu_s) / len(waits) * 1e3
                print(
                    f"  20 ms a {by}, {name}, {kind}: {len(waits) / SECONDS:,.0f}/s, p50 {cut[49] * 1e3:.0f} ms, "
                    f"p99 {cut[98] * 1e3:.0f} ms, {each:.2f} ms of processor time each"
                )
                arm.close()


async def _closed(arm: Champion) -> list[float]:
    waits: list[float] = []
    end = time.monotonic() + SECONDS

    async def client() -> None:
        while time.monotonic() < end:
            waits.append(await _asked(arm))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return waits


async def _by_chance(arm: Champion) -> list[float]:
    dice, tasks, at = Random(1), [], time.monotonic()
    end = at + SECONDS
    while at < end:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        tasks.append(asyncio.create_task(_asked(arm)))
        at += dice.expovariate(RATE_S)
    return list(await asyncio.gather(*tasks))


async def _asked(arm: Champion) -> float:
    """Seconds to the reply."""
    reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    began = time.monotonic()
    arm.ask([{"x": 1.0}], reply.set_result, began + 10.0)
    await reply
    return time.monotonic() - began


def _serve(ports: "multiprocessing.SimpleQueue[int]", by_row: bool) -> None:
    from tests.adapters.test_remote_asking import answered, values_of

    async def infer(request: web.Request) -> web.Response:
        values = await values_of(request)
        await asyncio.sleep(DELAY_S * (len(values) if by_row else 1))
        return answered(values)

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v2/models/m/infer", infer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())
