"""Process: the control API (`flyball api`). It needs the ledger; it needs neither gateway nor controller."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.app.api.application import application
from flyball.app.api.books import Books
from flyball.app.home import Home
from flyball.app.wiring.api.desk import LedgerDesk
from flyball.app.wiring.api.doorway import BODY_BYTES, Doorway, Known
from flyball.app.wiring.api.needs import needed
from flyball.app.wiring.serving.journal import JOURNAL
from flyball.app.wiring.serving.secured import Secured
from flyball.core.errors import NotFound
from flyball.serving.serve.http.bounds import Bounds
from flyball.serving.serve.http.server import Application, bound, serve_application


class Answering(msgspec.Struct, kw_only=True):
    """What `flyball api --json` prints once requests are answered."""

    url: str
    services: tuple[str, ...]  # of the ledger, that are answered for
    home: str


async def run(
    services: Sequence[str],
    home: Home,
    *,
    host: str,
    port: int,
    ready: Callable[[Answering], None],
    secured: Secured | None = None,
) -> None:
    """Until SIGTERM or SIGINT. `services`: by name; none: every one of the ledger.

    Raises: NotFound: no ledger. BadInput, Unavailable.
    """
    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    if secured is not None:
        JOURNAL.form = secured.file.telemetry.logs
    certificates = secured.certificates() if secured else None
    clock, desk, visitors = SystemClock(), LedgerDesk(home, services), Known()
    inner: Application = Doorway(application(desk, visitors, clock, JOURNAL.complain, version=version("flyball")))
    guard = secured.guard(inner, clock, JOURNAL.complain, services, needs=needed) if secured else None
    visitors.guard = guard
    bounds = secured.bounds if secured else Bounds()
    listener = bound(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"{'https' if certificates else 'http'}://{shown}:{listener.getsockname()[1]}"
    watch = asyncio.create_task(secured.watch(guard, certificates, JOURNAL.complain)) if secured else None
    try:
        found = await desk.read(Books.services)  # a ledger that cannot be read is told before anybody is answered
        told = Answering(url=url, services=found, home=str(home.root))
        await serve_application(
            guard or inner,
            listener,
            lambda: ready(told),
            bounds=replace(bounds, body_bytes=min(bounds.body_bytes, BODY_BYTES)),
            tls=certificates.context if certificates else None,
        )
    finally:
        if watch is not None:
            watch.cancel()
        await asyncio.to_thread(desk.close)
