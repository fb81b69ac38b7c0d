"""One request from the parser's bytes to the transport, without a socket: us of processor time in the event loop.

The gateway is whole but for the kernel: uvicorn's protocol, contract, model, both tests, log and shadow (its process
and the log's writer are not in the figure). Requests of 1 and of 16 connections come in turns of the event loop. The
echo of `python -m benchmarks gateway` goes the same way, so the two say what our work and ASGI's are. Each figure is
the smallest of several repetitions. With `FLYBALL_BENCH_PROFILE=1` cProfile says where the time goes.
"""

import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from benchmarks._gateway import echo
from benchmarks._gateway.services import MODELS, Served, made
from uvicorn.server import ServerState

from flyball.app.declared import load as declared
from flyball.app.home import Home
from flyball.app.wiring.serving.gateway import assemble
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.decide.rollout import judge
from flyball.serving.serve.http.bounds import Bounds
from flyball.serving.serve.http.server import config_of

REQUESTS, REPEATS = 2_000, 7
PROFILE = bool(os.environ.get("FLYBALL_BENCH_PROFILE"))


class Wire(asyncio.Transport):
    """Takes what a connection says, and keeps the last of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.said = b""

    def write(self, data: Any) -> None:
        self.said = data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Of a connection that was idle for too long: it is done with."""

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="bench-wire-") as name:
        for title in ("trees", "regression"):
            served = made(Path(name) / title, MODELS[title])
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_gateway(title, served))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        config = uvicorn.Config(echo.app, http="httptools", ws="none", log_level="critical")
        runner.run(_measured("echo", config, [b"{}"]))


async def _gateway(title: str, served: Served) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-wire-") as sockets:
        home = Home(served.folder / "home").made()
        door = assemble([declared(served.folder)], home, ReleaseStore(home), judge, sockets=Path(sockets))
        await door._start()
        await _measured(title, config_of(door, None, Bounds(), None), served.bodies)
        await door._stop()


async def _measured(title: str, config: uvicorn.Config, bodies: Sequence[bytes]) -> None:
    config.load()
    head = b"POST /v1/services/bench/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: "
    requests = [b"%b%d\r\n\r\n%b" % (head, len(body), body) for body in bodies]
    for connections in (1, 16):
        make: Any = config.http_protocol_class
        state = ServerState()
        protocols = [make(config=config, server_state=state, app_state={}) for _ in range(connections)]
        wires = [Wire() for _ in protocols]
        for protocol, wire in zip(protocols, wires, strict=True):
            protocol.connection_made(wire)
        await _rounds(protocols, wires, requests, 100)
        rounds = REQUESTS // connections
        if PROFILE:
            with cProfile.Profile(time.thread_time) as profile:
                await _rounds(protocols, wires, requests, rounds)
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        best = float("inf")
        for _ in range(REPEATS):
            started = time.thread_time()
            await _rounds(protocols, wires, requests, rounds)
            best = min(best, time.thread_time() - started)
        print(f"{title:12} {connections:3} together: {best / rounds / connections * 1e6:6.1f} us a request")


async def _rounds(protocols: Sequence[Any], wires: Sequence[Wire], requests: Sequence[bytes], rounds: int) -> None:
    """Each connection asks once a round, and is answered."""
    for number in range(rounds):
        for place, (protocol, wire) in enumerate(zip(protocols, wires, strict=True)):
            wire.said = b""
            protocol.data_received(requests[(number * len(wires) + place) % len(requests)])
        while not all(wire.said.endswith(b"}") for wire in wires):
            await asyncio.sleep(0)


if __name__ == "__main__":
    main()
