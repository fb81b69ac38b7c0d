"""Process: one worker of a gateway of several. It answers; its supervisor owns the table and the decision to stop.

python -m flyball.app.wiring.serving.worker --number K --home FOLDER --listener FD --supervisor SOCKET SERVICE.yaml...
"""

import argparse
import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import uvloop

from flyball.adapters.clock import SystemClock
from flyball.app.declared import Declared, load
from flyball.app.home import Home
from flyball.app.wiring.health_seen import health_seen
from flyball.app.wiring.secret import secret_of
from flyball.app.wiring.serving.gateway import LOADER, serve_secured, served_of
from flyball.app.wiring.serving.grpc_door import grpc_door
from flyball.app.wiring.serving.inheritance import orphanage
from flyball.app.wiring.serving.panes import MAP, UNITS, complain, held
from flyball.app.wiring.serving.refused import refusals_of
from flyball.app.wiring.serving.secured import Secured, secured
from flyball.app.wiring.serving.short_folder import hold
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.ports import Releases
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.http.asgi import Door
from flyball.serving.serve.http.bounds import Bounds, divided
from flyball.serving.serve.http.exposition import report_of
from flyball.serving.serve.http.server import serve
from flyball.serving.serve.http.turns import Turns
from flyball.serving.serve.workers.counters import mapped_units
from flyball.serving.serve.workers.orphan import wait_for_heir
from flyball.serving.serve.workers.table import TableMap
from flyball.serving.serve.workers.worker import Follower, Worker

TURNS = "turns"  # beside the supervisor's socket


def assemble(
    services: Sequence[Declared],
    home: Home,
    releases: Releases,
    *,
    number: int,
    listener: int,
    supervisor: str,
    loader: str = LOADER,
    traced: bool = False,
) -> Door:
    """The worker put together; nothing runs before the door's `start`. `listener`: descriptor of the socket that all
    accept from. `supervisor`: the path of its socket."""
    clock = SystemClock()
    secret, boot = secret_of(home), os.urandom(4)
    served: dict[str, Served] = {}
    ears: list[Worker] = []
    shared = Path(supervisor).parent
    sockets = shared / f"w{number}-{os.getpid()}"

    async def start() -> None:
        hold(shared)  # given back by the end of this process
        sockets.mkdir(mode=0o700)
        followers: dict[str, Follower] = {}
        for declared in services:
            name = declared.service.metadata.name
            await asyncio.to_thread(held, home, name, number)  # given back by the end of this process
            one = served_of(
                declared,
                home,
                releases,
                clock,
                secret,
                boot,
                sockets,
                loader,
                units=mapped_units(home.gateway(name) / UNITS),
                worker=number,
                workers=len(Turns(shared / TURNS)),
                traced=traced,
                shared=shared,
            )
            served[name] = one
            followers[name] = Follower(one, TableMap(home.gateway(name) / MAP))
            one.look = followers[name].look
            await asyncio.to_thread(one.capture.start)
        ears.append(
            Worker(
                number,
                followers,
                report=lambda: report_of(served, door.refusals.counts),
                complain=complain,
                orphaned=partial(_orphaned, home, number, listener),
            )
        )
        door.sums = ears[0].sums
        await ears[0].start(supervisor)

    async def stop() -> None:
        for ear in ears:
            await ear.stop()
        for one in served.values():
            await one.close()

    prefix = f"req-{boot.hex()}-"
    door = Door(served, clock, secret=secret, request_prefix=prefix, start=start, stop=stop, complain=complain)
    door.refusals = refusals_of(home, [each.service.metadata.name for each in services])
    door.health.healths = partial(health_seen, home)
    return door


def _orphaned(home: Home, number: int, listener: int, answers: bool) -> None:
    """The supervisor is gone. `answers`: clients are answered here."""
    if answers:
        wait_for_heir(orphanage(home), number, listener, complain)
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(prog="flyball worker")
    parser.add_argument("--number", required=True, type=int)
    parser.add_argument("--home", required=True)
    parser.add_argument("--listener", required=True, type=int)
    parser.add_argument("--host", required=True)
    parser.add_argument("--gateway", type=Path)
    parser.add_argument("--grpc-port", type=int)
    parser.add_argument("--supervisor", required=True)
    parser.add_argument("services", nargs="+", type=Path)
    options = parser.parse_args()
    home = Home(Path(options.home))
    declared = [load(file) for file in options.services]
    asked_for = secured(options.gateway, host=options.host)
    door = assemble(
        declared,
        home,
        ReleaseStore(home.made()),
        number=options.number,
        listener=options.listener,
        supervisor=options.supervisor,
        traced=asked_for is not None and asked_for.traced,
    )
    answer(
        door,
        options.listener,
        options.number,
        Path(options.supervisor).parent,
        asked_for,
        declared,
        host=options.host,
        grpc_port=options.grpc_port,
    )


def answer(
    door: Door,
    listener: int,
    number: int,
    shared: Path,
    asked_for: Secured | None,
    services: Sequence[Declared],
    *,
    host: str = "127.0.0.1",
    grpc_port: int | None = None,
) -> None:
    """Until SIGTERM, on the inherited socket, for gRPC on one of its own. `number`: the worker's. `shared`: the
    supervisor's folder. `asked_for`: what the gateway file says."""
    mine = socket.socket(fileno=listener)
    names = [each.service.metadata.name for each in services]
    turns = Turns(shared / TURNS), number

    async def work() -> None:
        certificates = asked_for.certificates() if asked_for else None
        beside = grpc_door(host, grpc_port, shared=True, certificates=certificates)
        if asked_for is None:
            await serve(door, mine, _nobody_waits, bounds=divided(Bounds(), len(turns[0])), beside=beside, turns=turns)
            return
        await serve_secured(
            asked_for,
            door,
            mine,
            _nobody_waits,
            certificates=certificates,
            services=names,
            beside=beside,
            turns=turns,
            shared=shared,
        )

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


def _nobody_waits() -> None:
    """The supervisor says when the gateway answers."""


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
