"""A gateway in a process of its own, for tests: real HTTP, real sockets, real files, and releases that obey their rows.

    python -m tests.serving.stage SERVICE_FOLDERS HOME PORT

A release is a folder `HOME/releases/<hex>` with `behaviour.json`: see `obedient.py`.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flyball.adapters.gateway_socket import SocketGateways
from flyball.app.declared import load as load_service
from flyball.app.home import Home
from flyball.app.wiring.gateway import assemble
from flyball.core.errors import NotFound, Untrusted
from flyball.decide.rollout import judge
from flyball.serving.serve.http_server import bound, serve

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0  # for things that happen; a test that waits in vain fails

SERVICE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: shop, owner: tests, people: {lead: [approver]}}
data: {contract: contract.yaml, source: orders.csv, label: fraud, key: card}
experiment: {task: binary, metric: roc_auc}
serving:
  deadline_ms: 400
  objectives: {latency_p99_ms: 100}
  fallback: [previous, {constant: {prediction: 0, score: 0.0}}]
monitor: {pane_s: 0.4}
"""
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - name: orders
    logicalType: object
    properties:
      - {name: card, logicalType: string, required: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 1000}}
      - {name: items, logicalType: integer}
      - {name: fraud, logicalType: integer}
"""


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

    def __init__(self, folder: Path) -> None:
        self._folder, self.home = folder, Home(folder / "home")
        self.home.made()
        self.services: list[Path] = []
        self.service("shop")
        self.port = 0
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
        (folder / "service.yaml").write_text(SERVICE.replace("name: shop", f"name: {name}"))
        (folder / "contract.yaml").write_text(CONTRACT)
        (folder / "model.py").write_text("def train(features, label, *, config, seed): ...\n")
        (folder / "orders.csv").write_text("card,amount,items,fraud\nc,1.0,1,0\n")
        self.services.append(folder)

    def release(self, root: str, *, sick: bool = False, score: float = 0.9) -> None:
        folder = self.home.releases / root.removeprefix("sha256:")
        folder.mkdir(parents=True)
        (folder / "behaviour.json").write_text(json.dumps({"sick": sick, "score": score}))

    def start(self) -> None:
        folders = os.pathsep.join(map(str, self.services))
        command = [sys.executable, "-m", "tests.serving.stage", folders, str(self.home.root), str(self.port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the gateway ended before it answered"
        self.port = int(line)

    def end(self) -> int:
        """SIGTERM, and its exit code."""
        return self._gone(signal.SIGTERM)

    def kill(self) -> None:
        self._gone(signal.SIGKILL)

    def _gone(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(PATIENCE_S)
        assert process.stdout is not None
        process.stdout.close()
        return code

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
def stage(folder: Path) -> Iterator[Stage]:
    """A stage that has not started yet; whatever runs at the end is killed."""
    made = Stage(folder)
    try:
        yield made
    finally:
        made.kill()


def until(happened: Callable[[], Any], what: str) -> Any:
    """Ask again until it is true; how long that takes is nobody's business."""
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        pause.wait(0.02)
    return found


def main(folders: str, home: str, port: str) -> None:
    listener = bound("127.0.0.1", int(port))
    place = Home(Path(home))

    def ready() -> None:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()

    async def run() -> None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as sockets:
            releases = FolderReleases(place.root)
            loader = "tests.serving.obedient:load"
            services = [load_service(folder) for folder in folders.split(os.pathsep)]
            door = assemble(services, place, releases, judge, sockets=Path(sockets), loader=loader)
            await serve(door, listener, ready)

    asyncio.run(run())


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    main(*sys.argv[1:])
