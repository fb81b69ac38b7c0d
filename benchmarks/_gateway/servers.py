"""Server processes, each pinned to core 0 with all its children: the shadow's process costs the gateway, too."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks._gateway.services import Served

HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = "0", "1"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where one answers."""

    port: int
    path: str
    pid: int

    def cpu_s(self) -> float:
        """Processor time of the process and its living children so far, seconds."""
        return sum(_cpu_s(pid) for pid in (self.pid, *_children(self.pid)))

    def resident_mb(self) -> float:
        """Memory of the process alone, MB of 10**6 bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) * 1024 / 1e6


@contextlib.contextmanager
def flyball(served: Served) -> Iterator[Server]:
    """`flyball serve` as an operator starts it."""
    words = ["-m", "flyball.app.cli", "serve", str(served.folder), "--home", str(served.folder / "home")]
    process = _pinned([*words, "--port", "0", "--json"], stdout=subprocess.PIPE)
    with _ended(process):
        assert process.stdout is not None
        url: str = json.loads(process.stdout.readline())["url"]
        yield Server(port=int(url.rpartition(":")[2]), path="/v1/services/bench/predict", pid=process.pid)


@contextlib.contextmanager
def fastapi(served: Served) -> Iterator[Server]:
    port = _free()
    process = _pinned([str(HERE / "peer.py"), str(served.folder), str(port)])
    with _ended(process):
        _await(port, process)
        yield Server(port=port, path="/predict", pid=process.pid)


@contextlib.contextmanager
def echo() -> Iterator[Server]:
    port = _free()
    process = _pinned([str(HERE / "echo.py"), str(port)])
    with _ended(process):
        _await(port, process)
        yield Server(port=port, path="/", pid=process.pid)


def _pinned(words: list[str], stdout: int | None = None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["taskset", "-c", SERVER_CORE, sys.executable, *words], stdout=stdout)


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    return [int(word) for file in Path(f"/proc/{pid}/task").glob("*/children") for word in file.read_text().split()]


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
            continue
        return
    raise RuntimeError("the peer did not start")
