"""What a refusal costs: microseconds of the gateway's processor time for each request that is turned away.

    python -m benchmarks refusals          (a quarter of a minute)

Rows that never end fill the service's limit, so that everybody else is refused. Processor time of the gateway's process
alone, its log's writer included, user and system: neighbours on the machine do not count. Requests of one row, and of
sixteen.
"""

import socket
import statistics
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks._open_loop import closed_loop, request
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.stage import SERVICE, UNCHAINED, Stage, stage, until

from flyball.core.prediction import Answer, ArmReply

ROUNDS, SECONDS, FULL, ENDLESS = 5, 1.0, 8, 999.0
_FULL = ("deadline_ms: 20000", f"deadline_ms: 600000\n  overload: {{max_in_flight: {FULL}, queue_ms: 600000}}")
CHAINED, DECLARED = SERVICE.replace(*_FULL), UNCHAINED.replace(*_FULL)


class Endless:
    """Never answers a row of this amount."""

    def __init__(self, release: str) -> None:
        self.release = release

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        if any(row["amount"] == ENDLESS for row in rows):
            threading.Event().wait()
        return ArmReply(answers=(Answer(prediction=1, score=0.5),) * len(rows), service_ms=1.0)


def load(folder: str, *, release: str, once: bool) -> Endless:  # noqa: ARG001 -- the loader's signature
    """The loader that the stage names."""
    return Endless(release)


def main() -> None:
    """Print the processor time of a refusal."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-refusals-") as folder,
        stage(Path(folder), loader="benchmarks.refusals:load", declared=DECLARED) as made,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as client,
    ):
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None))
        filled(made)
        for rows, body in ((1, row()), (16, {"rows": [row()] * 16})):
            each = [_microseconds(made, client, request(body)) for _ in range(ROUNDS)]
            middle = statistics.median(each)
            print(f"  a request of {rows:2} rows: {middle:6.1f} us ({min(each):.1f} to {max(each):.1f})")


def filled(made: Stage, headers: Mapping[str, str] = MappingProxyType({})) -> socket.socket:
    """Rows that never end, up to the limit, on this connection."""
    wire = socket.create_connection(("127.0.0.1", made.port))
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    wire.sendall(request({"rows": [row(amount=ENDLESS)] * FULL}).replace(b"host: bench\r\n", b"host: bench\r\n" + more))
    full = f'in_flight_rows{{service="shop"}} {FULL}'
    until(lambda: full in made.ask("GET", "/metrics", **headers)[1], "it is full")
    return wire


def _microseconds(made: Stage, client: ProcessPoolExecutor, data: bytes) -> float:
    before = _processor_s(made.pid)
    refused = client.submit(closed_loop, made.port, data, SECONDS, 503).result() * SECONDS
    return (_processor_s(made.pid) - before) / refused * 1e6


def _processor_s(pid: int) -> float:
    """Of all threads, from the scheduler's own count."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
