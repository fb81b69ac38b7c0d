"""What several workers are worth: requests a second, how clients that stay spread over them, and what each costs.

The model is a constant in Python, so this is the gateway's own work; the load comes from this process, so on two cores
two workers and the load share them. Memory is the proportional set size (what is shared counts once, in parts).
"""

import asyncio
import json
import tempfile
from pathlib import Path

from flyball.serving.counting.counter_file import Slot
from flyball.serving.serve.workers.counters import mapped_slots

SECONDS = 4.0
CONNECTIONS = (4, 16, 64)
MOST = 2


def main() -> None:
    """Print one line for each number of workers and connections."""
    from tests.serving.parts import CHAMPION, routing
    from tests.serving.stage import Stage, stage

    alone = {"candidate": None, "previous": None, "rollout": None, "guardrails": None, "step": None}

    def measure(made: Stage) -> None:
        slots = mapped_slots(made.home.gateway("shop") / "counters.bin", MOST + 1)
        for connections in CONNECTIONS:
            before = _received(slots)
            answered = asyncio.run(_load(made.port, connections))
            each = sorted(now - then for now, then in zip(_received(slots), before, strict=True) if now > then)
            shares = ", ".join(f"{one / sum(each):.0%}" for one in each)
            print(f"  {connections} connections: {answered / SECONDS:,.0f} requests/s, shares {shares}")
        sizes = ", ".join(f"{_pss_mb(pid):.0f}" for pid in (made.pid, *made.children()))
        print(f"  MB of the first process and of its children: {sizes}")

    for workers in range(1, MOST + 1):
        print(f"{workers} worker(s)")
        with tempfile.TemporaryDirectory() as folder, stage(Path(folder), workers=workers) as made:
            made.release(CHAMPION)
            made.start()
            made.control.apply("first", routing(**alone))
            measure(made)


async def _load(port: int, connections: int) -> int:
    """Answers that so many clients got, each asking again at once on a connection of its own."""
    over = asyncio.Event()
    clients = [asyncio.create_task(_client(port, over)) for _ in range(connections)]
    await asyncio.sleep(SECONDS)
    over.set()
    return sum(await asyncio.gather(*clients))


async def _client(port: int, over: asyncio.Event) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"rows": [{"card": "c1", "amount": 10.0}]}).encode()
    head = f"POST /v1/services/shop/predict HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n\r\n"
    answered = 0
    while not over.is_set():
        writer.write(head.encode() + body)
        await reader.readuntil(b"]}")  # the end of an answer, and of nothing else in it
        answered += 1
    writer.close()
    return answered


def _received(slots: list[Slot]) -> list[int]:
    return [slot.count("received") for slot in slots]


def _pss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1000
