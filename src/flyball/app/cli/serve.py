"""`flyball serve`: the gateway of one or more services, until it is told to stop."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.door import GatewayOption, HomeOption, JsonFlag, say

LAST_PORT = 65_535


def serve(
    services: Annotated[tuple[Path, ...], Parameter(help="service.yaml files, or the folders that hold them.")],
    /,
    *,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080,
    gateway: GatewayOption = None,
    workers: Annotated[
        int | None, Parameter(help="Processes that answer; else the largest `serving.workers` of the services.")
    ] = None,
    grpc_port: Annotated[
        int | None, Parameter(help="Port of the Open Inference Protocol over gRPC; without it there is none.")
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Answer requests for these services; one JSON line (with --json) says when and where."""
    import asyncio
    import sys

    import msgspec
    import uvloop

    from flyball.app.cli.services import load_each
    from flyball.app.home import find_home
    from flyball.app.wiring.serving.run import run
    from flyball.app.wiring.serving.secured import secured
    from flyball.core.declared.serving import MOST_WORKERS

    asked_for = secured(gateway, host=host)
    declared = load_each(services, verb="serve")
    names = [each.service.metadata.name for each in declared]
    place = find_home(home, tuple(each.file for each in declared))

    _check(("--workers", workers, MOST_WORKERS), ("--grpc-port", grpc_port, LAST_PORT))
    grpc = f"[{host}]:{grpc_port}" if ":" in host else f"{host}:{grpc_port}"
    many = workers or max(each.service.serving.workers for each in declared)

    def ready(url: str) -> None:
        if json:
            told = {"url": url, "services": names} | ({"grpc": grpc} if grpc_port else {})
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            sys.stdout.flush()
        else:
            say(f"{', '.join(names)} at {url} (POST {url}/v1/services/{names[0]}/predict)")
            if grpc_port:
                say(f"gRPC at {grpc}")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            run(
                declared,
                place,
                host=host,
                port=port,
                workers=many,
                ready=ready,
                secured=asked_for,
                gateway=gateway,
                grpc_port=grpc_port,
            )
        )


def _check(*options: tuple[str, int | None, int]) -> None:
    """Each an option's name, value and largest value. Raises: BadInput: naming all that lie outside."""
    from flyball.core.errors import BadInput, Fault

    faults = tuple(
        Fault(where="command line", path=name, expected=f"1 to {most}", found=str(value))
        for name, value, most in options
        if value is not None and not 1 <= value <= most
    )
    if faults:
        raise BadInput("flyball serve has a faulty option.", faults)
