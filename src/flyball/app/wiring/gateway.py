"""Process: the gateway of one or more services (`flyball serve`). It needs the home; it does not need the ledger."""

import asyncio
import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.labels import SqliteLabels
from flyball.adapters.segments import SegmentLog
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.arm import loader_of, warm
from flyball.app.wiring.releases import ReleaseStore
from flyball.contracts.rows import CompiledRows
from flyball.core.errors import FlyballError, Unavailable
from flyball.core.ids import Epoch, ReleaseRoot, ServiceName
from flyball.core.log_tables import log_tables
from flyball.core.ports import Judge, Releases
from flyball.core.prediction import Predictor
from flyball.core.routing import Routing
from flyball.decide.rollout import judge
from flyball.serving.accounting import Accounting
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.oip import Signature
from flyball.serving.redact import hashed, personal, redactor
from flyball.serving.serve.arm_process import ArmProcess
from flyball.serving.serve.arms import Arms
from flyball.serving.serve.asgi import Door
from flyball.serving.serve.capture import Capture
from flyball.serving.serve.champion import InProcess
from flyball.serving.serve.control import Control
from flyball.serving.serve.counters import mapped_slot
from flyball.serving.serve.http_server import bound, serve
from flyball.serving.serve.served import Served
from flyball.serving.serve.supervisor import Supervisor

LOADER = "flyball.adapters.predictor:load"


async def run(services: Sequence[Declared], home: Home, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the URL. Raises: Unavailable, BadInput, Untrusted."""
    listener = bound(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listener.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="flyball-", ignore_cleanup_errors=True) as sockets:
        door = assemble(services, home, ReleaseStore(home.made()), judge, sockets=Path(sockets))
        await serve(door, listener, lambda: ready(url))


def assemble(
    services: Sequence[Declared], home: Home, releases: Releases, judge: Judge, *, sockets: Path, loader: str = LOADER
) -> Door:
    """The gateway process put together; nothing runs before the door's `start`."""
    clock = SystemClock()
    secret = _secret(home)
    boot = os.urandom(4)
    served: dict[str, Served] = {}
    locks: list[int] = []
    supervisor: list[Supervisor] = []
    control: list[Control] = []

    async def start() -> None:
        for declared in services:
            locks.append(_only_one(home, declared.service.metadata.name))
            one = _served(declared, home, releases, clock, secret, boot, sockets, loader)
            served[one.name] = one
            await asyncio.to_thread(one.capture.start)
        folders = {name: home.gateway(name) for name in served}
        supervisor.append(Supervisor(served, folders, judge, clock, complain))
        await supervisor[0].start(lambda name: from_ledger(home, name))
        control.append(Control(home.socket, supervisor[0]))
        await control[0].start()

    async def stop() -> None:
        for door in control:
            await door.stop()
        for watch in supervisor:
            await watch.stop()
        for one in served.values():
            await one.arms.close()
            await asyncio.to_thread(one.capture.stop)
        for lock in locks:
            os.close(lock)

    return Door(
        served,
        clock,
        secret=secret,
        request_prefix=f"req-{boot.hex()}-",
        start=start,
        stop=stop,
        complain=complain,
    )


def complain(message: str) -> None:
    """A line for the operator."""
    sys.stderr.write(f"gateway: {message}\n")


def from_ledger(home: Home, service: str) -> Routing | None:
    """Epoch 0: the registry's champion takes everything. None: no ledger, or no champion on it."""
    from flyball.app.people import states_of
    from flyball.app.wiring.ledger import open_ledger

    if not home.ledger.exists():
        return None
    try:
        ledger = open_ledger(home)
    except FlyballError as error:
        complain(f"{service}: the ledger cannot be read: {error}")
        return None
    with contextlib.closing(ledger):
        state = states_of(ledger).get(service)
    if state is None or state.champion is None:
        return None
    return Routing(
        service=ServiceName(service),
        epoch=Epoch(0),
        champion=ReleaseRoot(state.champion),
        previous=ReleaseRoot(state.previous) if state.previous else None,
    )


class _Start:
    """`serve.arms.Start`: every release is verified each time before a byte of it is loaded."""

    def __init__(self, releases: Releases, clock: SystemClock, sockets: Path, deadline_s: float, loader: str) -> None:
        self._releases, self._clock, self._sockets, self._loader = releases, clock, sockets, loader
        self._deadline_s = deadline_s

    async def in_process(self, root: str) -> InProcess:
        predictor = await asyncio.to_thread(self._loaded, root)
        return InProcess(predictor, self._clock, stuck_s=self._deadline_s)

    async def process(self, root: str, *, patient: bool) -> ArmProcess:
        async def command(socket: str) -> list[str]:
            folder = await asyncio.to_thread(self._releases.verified, root)
            module = [sys.executable, "-m", "flyball.app.wiring.arm"]
            return [*module, "--release", folder, "--root", root, "--socket", socket, "--loader", self._loader]

        hung_s = max(2.0, 3 * self._deadline_s)
        arm = ArmProcess(root, command, self._sockets, self._clock, hung_s=hung_s, complain=complain)
        await arm.start(patient=patient)
        return arm

    def _loaded(self, root: str) -> Predictor:
        predictor: Predictor = loader_of(self._loader)(self._releases.verified(root), release=root)
        warm(predictor)
        return predictor


def _served(
    declared: Declared,
    home: Home,
    releases: Releases,
    clock: SystemClock,
    secret: bytes,
    boot: bytes,
    sockets: Path,
    loader: str,
) -> Served:
    service, contract = declared.service, declared.contract
    name, label = service.metadata.name, service.data.label
    columns = tuple(column for column in contract.columns if column.name != label)
    hidden = personal(columns)
    key = service.data.key
    accounting = Accounting(mapped_slot(home.gateway(name) / "counters.bin"))
    core = Gateway(
        service,
        CompiledRows(contract, label=label),
        accounting,
        PredictionIds(name, secret, boot),
        redactor([column.name for column in columns], hidden, secret),
        hide_unit=(lambda unit: hashed(unit, secret) or "") if key in hidden else None,
    )
    folder = home.telemetry(name)
    tables = log_tables(contract, label=label, task=service.experiment.task, hidden=hidden)
    labels = SqliteLabels(folder / "labels.db")
    log = SegmentLog(folder, name, tables)
    capture = Capture(log, labels, accounting, clock, pane_s=service.monitor.pane_s, complain=complain)
    deadline_s = service.serving.deadline_ms / 1000.0
    kinds = [column.kind for column in contract.columns if column.name == label]
    signature = Signature(
        service=name, task=service.experiment.task, columns=columns, label=kinds[0] if kinds else "number"
    )
    arms = Arms(_Start(releases, clock, sockets, deadline_s, loader))
    return Served(core, arms, capture, labels, clock, signature)


def _only_one(home: Home, service: str) -> int:
    """An open file whose lock says that this process writes the service's log and counters; death gives it back.

    Raises: Unavailable: another gateway has it.
    """
    folder = home.gateway(service)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise Unavailable(f"another gateway of this home serves {service}", hint="use another --home") from error
    return file


def _secret(home: Home) -> bytes:
    """The home's key for prediction ids and hashed values, made at first use."""
    path = home.keys / "gateway.secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent) as draft:
            draft.write(os.urandom(32))
            draft.flush()
            with contextlib.suppress(FileExistsError):  # another process was first, and its file counts
                os.link(draft.name, path)
    return path.read_bytes()
