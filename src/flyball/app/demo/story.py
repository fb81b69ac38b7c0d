"""The whole demo: chapters one after the other, and what is left to look at when all has ended.

A chapter that does not see what it waits for ends the story: the later ones stand on it. What was not seen is named.
"""

from collections.abc import Callable

import numpy as np

from flyball.app.demo.chapters import faulty_release, first_release, second_release, traffic_begins
from flyball.app.demo.drifting import shift
from flyball.app.demo.load import Load
from flyball.app.demo.observe import NotSeen
from flyball.app.demo.report import LedgerSeen, Report, missing
from flyball.app.demo.world import World


async def tell(world: World, load_of: Callable[[str], Load], look_at_ledger: Callable[[], LedgerSeen]) -> Report:
    """Run the demo. `load_of`: clients of a URL. `look_at_ledger`: asked when every process has ended."""
    report = world.report
    try:
        await _chapters(world, load_of)
    except NotSeen as unseen:
        report.not_seen.append(str(unseen))
        world.tell("the end", f"not seen: {unseen}")
    report.seconds = round(world.now() - world.began, 1)
    report.ledger = look_at_ledger()
    report.not_seen += missing(report)
    report.ok = not report.not_seen
    return report


async def _chapters(world: World, load_of: Callable[[str], Load]) -> None:
    first = await first_release(world)
    async with world.processes.up(world.service_file) as up:
        world.tell("first release", f"flyball up answers at {up.url}", gateway=up.gateway_pid)
        world.load = load_of(up.url)
        try:
            async with world.load:
                await traffic_begins(world, first)
                second = await second_release(world)
                for cause in ("errors", "slow"):
                    await faulty_release(world, cause)
                await shift(world, second)
        finally:
            _count(world.load, world.report)


def _count(load: Load, report: Report) -> None:
    """What the clients counted, once the last of them has its answer."""
    counts, told = load.counts, report.requests
    told.sent, told.answered, told.failed, told.labels = counts.sent, counts.answered, counts.failed, counts.labels
    if counts.latencies_ms:
        p50, p99 = np.percentile(counts.latencies_ms, [50, 99])
        told.latency_p50_ms, told.latency_p99_ms = round(float(p50), 1), round(float(p99), 1)
