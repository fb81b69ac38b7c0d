"""`flyball up`: gateway and controller of one or more services in one process tree."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.door import GatewayOption, HomeOption, JsonFlag, emit, say
from flyball.app.home import find_home


def up(
    *services: Annotated[Path, Parameter(help="service.yaml files, or the folders that hold them.")],
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080,
    gateway: GatewayOption = None,
    allow_drills: Annotated[bool, Parameter(negative="", help="`flyball drill` may make faults here.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Serve, watch, roll out, roll back and retrain, until you stop it."""
    from flyball.app.cli.services import load_each
    from flyball.app.wiring.serving.secured import secured
    from flyball.app.wiring.serving.up import Running, run
    from flyball.app.wiring.training.first import first_releases

    secured(gateway, host=host)  # its faults before the first training
    declared = load_each(services, verb="up")
    place = find_home(home, tuple(each.file for each in declared)).made()
    first_releases(declared, place, say=say)

    def ready(running: Running) -> None:
        emit(
            running, as_json=json, text=lambda: f"{', '.join(running.services)} at {running.url} (home {running.home})"
        )

    announced = any(each.service.events or (each.service.alerts and each.service.alerts.to) for each in declared)
    asyncio.run(
        run(
            services,
            place,
            host=host,
            port=port,
            ready=ready,
            announced=announced,
            gateway_file=gateway,
            allow_drills=allow_drills,
        )
    )
