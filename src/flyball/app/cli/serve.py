"""`flyball serve`: the gateway of one or more services, until it is told to stop."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, say


def serve(
    services: Annotated[tuple[Path, ...], Parameter(help="service.yaml files, or the folders that hold them.")],
    /,
    *,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080,
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
    from flyball.app.wiring.gateway import run

    declared = load_each(services, verb="serve")
    names = [each.service.metadata.name for each in declared]
    place = find_home(home, tuple(each.file for each in declared))

    def ready(url: str) -> None:
        if json:
            sys.stdout.write(msgspec.json.encode({"url": url, "services": names}).decode() + "\n")
            sys.stdout.flush()
        else:
            say(f"{', '.join(names)} at {url} (POST {url}/v1/services/{names[0]}/predict)")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(declared, place, host=host, port=port, ready=ready))
