"""`flyball api`: where rollouts stand and what is thought of them, over HTTP, for machines and for people's words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import GatewayOption, HomeOption, JsonFlag, say

if TYPE_CHECKING:
    from flyball.app.wiring.api.run import Answering


def api(
    *services: Annotated[
        Path, Parameter(help="service.yaml files, or their folders: only these are answered for, from the home beside.")
    ],
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8070,
    gateway: GatewayOption = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Answer questions about rollouts from the ledger, until it is told to stop.

    One JSON line (with --json) says when and where. Needs neither gateway nor controller. Words of people need
    credentials, --gateway.
    """
    import asyncio
    import sys

    import msgspec

    from flyball.app.cli.services import load_each
    from flyball.app.home import find_home
    from flyball.app.wiring.api.run import run
    from flyball.app.wiring.serving.secured import secured

    asked_for = secured(gateway, host=host)
    declared = load_each(services, verb="api") if services else []
    place = find_home(home, tuple(each.file for each in declared))
    names = [each.service.metadata.name for each in declared]

    def ready(told: "Answering") -> None:
        if json:
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            sys.stdout.flush()
        else:
            say(f"{', '.join(told.services) or 'no service yet'} at {told.url} (GET {told.url}/openapi.json)")

    asyncio.run(run(names, place, host=host, port=port, ready=ready, secured=asked_for))
