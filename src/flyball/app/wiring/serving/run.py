"""The gateway of `flyball serve`: one process that does everything, or a supervisor and its workers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.serving import grpc_door, supervised
from flyball.app.wiring.serving.gateway import assemble, serve_secured
from flyball.app.wiring.serving.inheritance import inherited
from flyball.app.wiring.serving.journal import JOURNAL
from flyball.app.wiring.serving.own_address import told_where
from flyball.app.wiring.serving.secured import Secured
from flyball.app.wiring.serving.short_folder import short_folder
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.declared.serving import Recycling
from flyball.decide.rollout import judge
from flyball.serving.resilience.wear import strictest
from flyball.serving.serve.http.server import serve


async def run(
    services: Sequence[Declared],
    home: Home,
    *,
    host: str,
    port: int,
    workers: int,
    ready: Callable[[str], None],
    secured: Secured | None = None,
    gateway: Path | None = None,
    grpc_port: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the URL. `gateway`: the file that `secured` was read from.
    `grpc_port`: where the Open Inference Protocol is served over gRPC too; None: nowhere.

    Raises: Unavailable, BadInput, Untrusted.
    """
    if secured is not None:
        JOURNAL.form = secured.file.telemetry.logs
    certificates = secured.certificates() if secured else None
    grpc_door.check(grpc_port, secured.file.tls if secured else None)
    home.made()
    listener, orphans = await asyncio.to_thread(inherited, home, services, host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"{'https' if certificates else 'http'}://{shown}:{listener.getsockname()[1]}"

    def answers() -> None:
        told_where(home, url, secured, grpc_port)
        ready(url)

    if workers > 1 or strictest([each.service.serving.recycle for each in services]) != Recycling():
        start = supervised.command(services, home, gateway, host, grpc_port)
        await supervised.run(
            services, home, judge, listener, workers=workers, command=start, ready=answers, orphans=orphans
        )
        return
    orphans.leave()  # one process has the log and the counters for itself
    with short_folder(home) as sockets:
        traced = secured is not None and secured.traced
        door = assemble(services, home, ReleaseStore(home), judge, sockets=sockets, traced=traced)
        beside = grpc_door.grpc_door(host, grpc_port, certificates=certificates)
        if secured is None:
            await serve(door, listener, answers, beside=beside)
        else:
            names = [each.service.metadata.name for each in services]
            await serve_secured(
                secured, door, listener, answers, certificates=certificates, services=names, beside=beside
            )
