"""Flat memory: resident size of the gateway while it answers many requests."""

import os

from benchmarks._gateway import servers
from benchmarks._gateway.load import turn
from benchmarks._gateway.services import Served

REQUESTS = int(os.environ.get("FLYBALL_BENCH_REQUESTS", "300000"))
STEPS = 6


def memory(served: Served) -> None:
    """Print it at intervals; the first is taken warm, after the caches and the ring have had a pane."""
    with servers.flyball(served) as server:
        done = turn(server, served.bodies, connections=16, seconds=12).rps * 12
        print(f"memory: {server.resident_mb():.0f} MB after {done:,.0f} requests")
        for step in range(1, STEPS + 1):
            share = REQUESTS * step / STEPS
            while done < share:
                done += turn(server, served.bodies, connections=16, seconds=10).rps * 10
            print(f"memory: {server.resident_mb():.0f} MB after {done:,.0f} requests")
