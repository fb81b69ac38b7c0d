"""A gateway in a process of its own, for tests: real HTTP, real sockets, real files, and releases that obey their rows.

    python -m tests.serving.stage SERVICE_FOLDERS HOME PORT LOADER WORKERS [GATEWAY_FILE]

A release is a folder `HOME/releases/<hex>` with `behaviour.json`: see `obedient.py`.
"""

import asyncio
import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.contract_text import contract

from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.app.declared import load as load_service
from flyball.app.home import Home
from flyball.app.wiring.serving import supervised
from flyball.app.wiring.serving.gateway import assemble, serve_secured
from flyball.app.wiring.serving.grpc_door import grpc_door
from flyball.app.wiring.serving.inheritance import inherited
from flyball.app.wiring.serving.secured import secured
from flyball.core.errors import NotFound, Unavailable, Untrusted
from flyball.core.routing import Routing
from flyball.decide.rollout import judge
from flyball.serving.serve.http.server import serve

LOADER = "tests.serving.obedient:load"
ROOT = Path(__file__).resolve().parents[2]
PORTS = itertools.count()
GRPC = "STAGE_GRPC_PORT"  # in the environment of the gateway's processes
PATIENCE_S = 60.0  # for things that happen; a test that waits in vain fails

# Its deadline is for a machine that others use, too: no standstill of a second is taken for an arm that hangs.
SERVICE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: shop, owner: tests, people: {lead: [approver]}}
data: {contract: contract.yaml, source: orders.csv, label: fraud, key: card}
experiment: {task: binary, metric: roc_auc}
serving:
  deadline_ms: 20000
  objectives: {latency_p99_ms: 100}
  fallback: [previous, {constant: {prediction: 0, score: 0.0}}]
monitor: {pane_s: 0.4}
"""
UNCHAINED = SERVICE.replace("fallback: [previous, {constant: {prediction: 0, score: 0.0}}]", "fallback: []")
CONTRACT = contract(
    "shop",
    "name: card, logicalType: string, required: true",
    "name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 1000}",
    "name: items, logicalType: integer",
    "name: fraud, logicalType: integer",
)


class FolderReleases:
    """Releases by folder; one with a file `altered` in it does not verify."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "releases"

    def verified(self, root: str) -> str:
        folder = self._folder / root.removeprefix("sha256:")
        if not folder.is_dir():
            raise NotFound(f"no release {root}")
        if (folder / "altered").exists():
            raise Untrusted(f"{root} was altered")
        return str(folder)


class Stage:
    """The test's side: the folders, the process, its doors."""

    def __init__(self, folder: Path, *, loader: str = LOADER, declared: str = SERVICE, workers: int = 1) -> None:
        self.workers = workers
        self._folder, self.home = folder, Home(folder / "home")
        self._loader, self._declared = loader, declared
        self.home.made()
        self.services: list[Path] = []
        self.service("shop")
        self.port = 0
        self.orphans: list[int] = []  # pids of workers whose supervisor was killed
        self.gateway: Path | None = None  # the gateway file, where a test has one
        self.grpc_port: int | None = None  # where the gateway serves gRPC too
        self.errors: int | None = None  # file descriptor for its standard error; None: ours
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def control(self) -> SocketGateways:
        return SocketGateways(self.home.socket)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def service(self, name: str) -> None:
        """One more service for the same gateway."""
        folder = self._folder / name
        folder.mkdir()
        (folder / "service.yaml").write_text(self._declared.replace("name: shop", f"name: {name}"))
        (folder / "contract.yaml").write_text(CONTRACT)
        (folder / "model.py").write_text("def train(features, label, *, config, seed): ...\n")
        (folder / "orders.csv").write_text("card,amount,items,fraud\nc,1.0,1,0\n")
        self.services.append(folder)

    def release(self, root: str, *, sick: bool = False, score: float = 0.9, leak_mb: float = 0.0) -> None:
        folder = self.home.releases / root.removeprefix("sha256:")
        folder.mkdir(parents=True)
        (folder / "behaviour.json").write_text(json.dumps({"sick": sick, "score": score, "leak_mb": leak_mb}))

    def start(self) -> None:
        folders = os.pathsep.join(map(str, self.services))
        command = [sys.executable, "-m", "tests.serving.stage", folders, str(self.home.root), str(self.port)]
        command += [self._loader, str(self.workers)]
        command += [str(self.gateway)] if self.gateway else []
        env = os.environ | ({} if self.grpc_port is None else {GRPC: str(self.grpc_port)})
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=self.errors)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the gateway ended before it answered"
        self.port = int(line)

    def end(self) -> int:
        """SIGTERM, and its exit code."""
        return self._gone(signal.SIGTERM)

    def kill(self) -> None:
        """The first process, and no other: workers serve on."""
        self.orphans = self.children() if self._process is not None and self.workers > 1 else self.orphans
        self._gone(signal.SIGKILL)

    def end_all(self) -> None:
        """Kill whatever runs, workers that outlive their supervisor too."""
        left = self.children() if self._process is not None else []
        self.kill()
        for pid in left + self.orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _gone(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(PATIENCE_S)
        assert process.stdout is not None
        process.stdout.close()
        return code

    def order(self, routing: Routing) -> None:
        """Given again until it is obeyed, as a controller does it: a release on a busy machine may not show at once
        that it can carry what it is to get."""
        until(lambda: self._obeyed(routing), f"order {routing.epoch} is obeyed")

    def _obeyed(self, routing: Routing) -> bool:
        try:
            self.control.apply(f"order {routing.epoch}", routing)
        except Unavailable as error:
            assert "no weight moves" in str(error)  # noqa: PT017
            return False
        return True

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON (or text) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            text = response.read()
            is_json = (response.getheader("content-type") or "").startswith("application/json")
            return response.status, json.loads(text) if is_json else text.decode()

    def predict(self, *rows: dict[str, Any]) -> list[dict[str, Any]]:
        status, answer = self.ask("POST", "/v1/services/shop/predict", {"rows": list(rows)})
        assert status == 200, answer
        found: list[dict[str, Any]] = answer["predictions"]
        return found

    def children(self) -> list[int]:
        """Pids of the arm processes."""
        found: list[int] = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # the thread has ended meanwhile
                found += map(int, (task / "children").read_text().split())
        return sorted(found)

    def log_counts(self) -> dict[str, int]:
        """received, written, dropped as `/metrics` tells them."""
        _, text = self.ask("GET", "/metrics")
        found = {}
        for line in text.splitlines():
            if line.startswith("flyball_log_records_total"):
                what = line.partition('what="')[2].partition('"')[0]
                found[what] = int(float(line.rpartition(" ")[2]))
        return found


@contextlib.contextmanager
def stage(folder: Path, **options: Any) -> Iterator[Stage]:
    """A stage that has not started yet; whatever runs at the end is killed."""
    made = Stage(folder, **options)
    try:
        yield made
    finally:
        made.end_all()


def free_port() -> int:
    """A port that nobody has, and that nobody is given until it is bound: it lies below those that the kernel takes for
    connections and for whoever asks for any; processes of one test run begin at different ones."""
    while True:
        port = 20_000 + (37 * os.getpid() + next(PORTS)) % 12_000
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def grpc_port() -> int | None:
    """What the test said to this process."""
    return int(os.environ[GRPC]) if GRPC in os.environ else None


def until(happened: Callable[[], Any], what: str) -> Any:
    """Ask again until it is true; how long that takes is nobody's business."""
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        pause.wait(0.02)
    return found


def main(folders: str, home: str, port: str, loader: str, workers: str = "1", gateway: str = "") -> None:
    place = Home(Path(home))
    services = [load_service(folder) for folder in folders.split(os.pathsep)]
    listener, orphans = inherited(place, services, "127.0.0.1", int(port))

    def ready() -> None:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()

    async def run() -> None:
        if int(workers) > 1:
            await supervised.run(
                services, place, judge, listener, workers=int(workers), command=worker, ready=ready, orphans=orphans
            )
            return
        orphans.leave()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as sockets:
            releases = FolderReleases(place.root)
            asked_for = secured(Path(gateway) if gateway else None, host="127.0.0.1")
            traced = asked_for is not None and asked_for.traced
            door = assemble(services, place, releases, judge, sockets=Path(sockets), loader=loader, traced=traced)
            certificates = asked_for.certificates() if asked_for else None
            beside = grpc_door("127.0.0.1", grpc_port(), certificates=certificates)
            if asked_for is None:
                await serve(door, listener, ready, beside=beside)
            else:
                await serve_secured(
                    asked_for,
                    door,
                    listener,
                    ready,
                    certificates=certificates,
                    beside=beside,
                    services=[each.service.metadata.name for each in services],
                )

    def worker(number: int, listener: int, path: str) -> list[str]:
        words = [sys.executable, "-m", "tests.serving.stage", "worker", folders, home, loader]
        return [*words, str(number), str(listener), path, gateway]

    asyncio.run(run())


def work(folders: str, home: str, loader: str, number: str, listener: str, supervisor: str, gateway: str = "") -> None:
    """One worker of a gateway of several."""
    from flyball.app.wiring.serving import worker
    from flyball.serving.serve.workers import orphan

    orphan.WAIT_S = 10 * PATIENCE_S  # until the next gateway of a test is there, on a machine that has others to start
    place = Home(Path(home))
    services = [load_service(folder) for folder in folders.split(os.pathsep)]
    releases = FolderReleases(place.root)
    asked_for = secured(Path(gateway) if gateway else None, host="127.0.0.1")
    door = worker.assemble(
        services, place, releases, number=int(number), listener=int(listener), supervisor=supervisor, loader=loader
    )
    folder = Path(supervisor).parent
    worker.answer(door, int(listener), int(number), folder, asked_for, services, grpc_port=grpc_port())


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    work(*sys.argv[2:]) if sys.argv[1] == "worker" else main(*sys.argv[1:])
