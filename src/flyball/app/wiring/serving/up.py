"""Process: the parent of `flyball up`. It starts gateway, controller and relay, and starts each again when it dies.

It holds no state and takes no part in anything: kill any of them, and the others go on.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.app.drills.lease import Allowed, allowed_path, lease_path, put
from flyball.app.home import Home
from flyball.app.wiring.processes.children import Child
from flyball.app.wiring.serving.first_word import Told, first_word
from flyball.core.control import OWNER
from flyball.core.drill_lease import VARIABLE
from flyball.core.errors import Unavailable

READY_S = 180.0  # to load a champion; an arm that hangs while it loads is waited for, a minute each


class Running(msgspec.Struct, kw_only=True):
    """What `flyball up --json` prints once requests are answered."""

    url: str
    services: tuple[str, ...]
    home: str
    gateway_pid: int
    controller_pid: int


async def run(
    services: Sequence[Path],
    home: Home,
    *,
    host: str,
    port: int,
    ready: Callable[[Running], None],
    announced: bool = False,
    gateway_file: Path | None = None,
    allow_drills: bool = False,
) -> None:
    """Until SIGTERM or SIGINT. `announced`: a service declares destinations for its facts, so a relay runs too.
    `allow_drills`: `flyball drill` may make faults here.

    Raises: Unavailable: the gateway does not come up in time; Refused, BadInput, Unavailable: what it ended with.
    """
    files = [str(path) for path in services]
    owner = TimeIds(SystemClock()).new("controller")
    os.environ[OWNER] = owner  # for the gateway, which this process starts again
    if allow_drills:
        os.environ[VARIABLE] = str(lease_path(home))  # for our children
    common = ["--home", str(home.root)]
    secured = ["--gateway", str(gateway_file)] if gateway_file else []
    gateway = Child(
        "gateway",
        ["-m", "flyball.app.cli", "serve", *files, "--host", host, "--port", str(port), "--json", *secured, *common],
        pid_file=home.root / "run" / "gateway.pid",
    )
    controller = Child(
        "controller",
        # under one name in all its lives: a new one is started when the old one has ended, so it need not wait for the
        # lease that the old one left behind
        ["-m", "flyball.app.wiring.loop.controller", *common, "--owner", owner, *files],
        pid_file=home.root / "run" / "controller.pid",
    )
    relay = Child(
        "relay",
        ["-m", "flyball.app.wiring.relay", *common, "--owner", TimeIds(SystemClock()).new("relay")],
        pid_file=home.root / "run" / "relay.pid",
    )
    told = (relay,) if announced else ()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    keepers: list[asyncio.Task[None]] = []
    try:
        said = await _answers(gateway)
        gateway.replace_argument("--port", str(urlsplit(said.url).port))  # started again, it answers where it did
        await controller.start()
        keepers = [asyncio.create_task(child.keep()) for child in (gateway, controller, *told)]
        running = Running(
            url=said.url,
            services=said.services,
            home=str(home.root),
            gateway_pid=gateway.pid or 0,
            controller_pid=controller.pid or 0,
        )
        put(allowed_path(home), allowed(running, files, allow_drills=allow_drills))
        ready(running)
        await stopping.wait()
    finally:
        allowed_path(home).unlink(missing_ok=True)
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await asyncio.gather(controller.stop(), gateway.stop(), *(child.stop() for child in told))


def allowed(running: Running, files: Sequence[str], *, allow_drills: bool) -> Allowed:
    """What this `up` leaves in the home about itself."""
    services = dict(zip(running.services, (str(Path(file).resolve()) for file in files), strict=True))
    return Allowed(
        pid=os.getpid(),
        url=running.url,
        services=services,
        allow_drills=allow_drills,
    )


async def _answers(gateway: Child) -> Told:
    """The gateway's word that it answers."""
    process = await gateway.start()
    assert process.stdout is not None
    try:
        text = b""
        async with asyncio.timeout(READY_S):
            while (told := first_word(text)) is None:
                line = await process.stdout.readline()
                if not line:
                    raise Unavailable(f"the gateway ended with exit code {await process.wait()} before it answered")
                text += line
            if isinstance(told, Told):
                return told
            raise told.error(await process.wait())
    except TimeoutError as error:
        raise Unavailable(f"the gateway did not answer within {READY_S:g} s") from error
