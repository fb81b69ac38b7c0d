"""A fleet on one core: what a pane costs the monitor, and whether that grows with history or with services.

Each service has 50 features (40 numbers, 10 categories) and a pane a minute. The real `Watcher` and the real sensor of
the controller's loop are fed generated segments; what is timed is theirs alone, not the making of the rows. A fleet
keeps up where all its panes of a minute take less than a minute of one core.
The controller looks several times a second whether something new was sealed; what that costs is told apart.
"""

import gc
import resource
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from statistics import mean

import numpy as np
import polars as pl

from flyball.control.reconcile.sensing import TelemetrySensor
from flyball.control.state.service_state import ServiceState
from flyball.core.contract import Column, DataContract
from flyball.core.ports import Segment
from flyball.core.release import Baseline
from flyball.core.service import Data, Experiment, Metadata, Monitor, Service
from flyball.core.watching import Pane
from flyball.monitor.watch import Promise, Watcher
from flyball.pipeline.baseline import reference

NUMBERS, CATEGORIES, PANE_S = 40, 10, 60.0
RELEASE, REFERENCE_ROWS, POOL = "sha256:aa01", 20_000, 16
FIFTHS, HISTORY, FLEETS = 5, 1000, (1, 10, 100, 500)
LOOKS_A_MINUTE = 300  # of the controller, one in 0.2 s
NOTHING = pl.DataFrame()


def rows(n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Answered rows of the prediction log but for their ids."""
    columns: dict[str, object] = {f"x.n{i}": rng.normal(size=n) for i in range(NUMBERS)}
    columns |= {f"x.c{i}": rng.choice(["a", "b", "c", "d", "e"], n) for i in range(CATEGORIES)}
    score = rng.beta(2, 5, n)
    columns |= {
        "unit": [None] * n, "arm": ["champion"] * n, "release": [RELEASE] * n, "epoch": [1] * n,
        "outcome": ["answered"] * n, "error": [False] * n, "slow": [False] * n, "excluded": [False] * n,
        "latency_ms": rng.gamma(2.0, 2.0, n), "prediction": (score > 0.5).astype(int), "score": score,
    }  # fmt: skip
    return pl.DataFrame(columns, schema_overrides={"unit": pl.String})


def baseline(rng: np.random.Generator) -> Baseline:
    table = rows(REFERENCE_ROWS, rng)
    names = [name for name in table.columns if name.startswith("x.")]
    return Baseline(
        rows=table.height,
        features={name[2:]: reference(table[name]) for name in names},
        prediction={"score": reference(table["score"])},
    )


def service(name: str, window_rows: int) -> Service:
    return Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name=name, owner="bench"),
        data=Data(contract="contract.yaml", source="data.parquet", label="y"),
        experiment=Experiment(task="binary", metric="roc_auc"),
        monitor=Monitor(window_rows=window_rows, pane_s=PANE_S),
    )


CONTRACT = DataContract(
    id="c", version="1.0.0", table="t",
    columns=(*(Column(name=f"n{i}", kind="number") for i in range(NUMBERS)),
             *(Column(name=f"c{i}", kind="string") for i in range(CATEGORIES))),
)  # fmt: skip


class Feed:
    """`Telemetry`: one segment at a time, handed in."""

    def __init__(self) -> None:
        self.next: Segment | None = None

    def sealed(self, service: str, after: int) -> Iterator[Segment]:  # noqa: ARG002 - there is only one
        if self.next is not None and self.next.pane.index > after:
            yield self.next


class Watched:
    """One service: its sensor, and the state that the ledger would give."""

    def __init__(self, number: int, promise: Promise, window_rows: int) -> None:
        declared = service(f"s{number}", window_rows)
        self.name, self.feed, self._panes = declared.metadata.name, Feed(), count()
        self.watcher = Watcher(declared, CONTRACT, lambda _: promise)
        self.sensor = TelemetrySensor(declared, self.feed, self.watcher)
        self.state = ServiceState(service=self.name, champion=RELEASE)

    def pane(self, table: pl.DataFrame) -> float:
        """Seconds that the loop's look at one more pane takes."""
        index, n = next(self._panes), table.height
        ids = [f"{self.name}.{index}.{at}" for at in range(n)]
        start = index * PANE_S
        at = pl.Series("at", np.linspace(start, start + PANE_S, n, endpoint=False))
        made = table.with_columns(pl.Series("id", ids), at)
        pane = Pane(
            service=self.name, index=index, start=start, end=start + PANE_S, first_row=index * n,
            last_row=index * n + n - 1, received=n, written=n,
        )  # fmt: skip
        self.feed.next = Segment(pane=pane, predictions=made, shadows=NOTHING, labels=NOTHING)
        begun = time.process_time()
        self.sensor.look(self.state, "2026-11-26T00:00:00.000000Z")
        return time.process_time() - begun

    def idle(self) -> float:
        """Seconds of a look that finds nothing new, the mean of some."""
        begun = time.process_time()
        for _ in range(20):
            self.sensor.look(self.state, "2026-11-26T00:00:00.000000Z")
        return (time.process_time() - begun) / 20


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def history(promise: Promise, pool: Sequence[pl.DataFrame], *, panes: int, window_rows: int) -> None:
    """One service from its first pane on: what a pane costs, fifth by fifth, and a look that finds nothing new."""
    one = Watched(0, promise, window_rows)
    step, cost, idle = panes // FIFTHS, list[float](), list[float]()
    for index in range(panes):
        cost.append(one.pane(pool[index % len(pool)]))
        idle.append(one.idle())
    parts = [mean(cost[first : first + step]) * 1e3 for first in range(0, panes, step)]
    looks = [mean(idle[first : first + step]) * 1e6 for first in range(0, panes, step)]
    rows = pool[0].height
    print(f"{rows} rows a pane, windows of {window_rows} rows: {panes} panes, {panes * rows // window_rows} windows")
    print(f"  a pane, ms:      {_told(parts)}")
    print(f"  an idle look, us: {_told(looks)}")


def fleet(promise: Promise, pool: Sequence[pl.DataFrame], *, services: int, window_rows: int) -> None:
    """Many services, a pane each in turn."""
    gc.collect()
    before = resident_mb()
    found = [Watched(number, promise, window_rows) for number in range(services)]
    rounds = max(3, min(40, 4000 // services))
    minute = mean(
        sum(each.pane(pool[(number + turn) % len(pool)]) for number, each in enumerate(found)) for turn in range(rounds)
    )
    idle = sum(each.idle() for each in found)
    looks = LOOKS_A_MINUTE * idle
    mb = (resident_mb() - before) / services
    print(
        f"{services:4} services, {pool[0].height} rows a pane: {minute / services * 1e3:6.2f} ms a pane; of one core's "
        f"minute {minute:6.2f} s for panes, {looks:5.2f} s for {LOOKS_A_MINUTE} looks each that find nothing; "
        f"{mb:.2f} MB a service after {rounds} panes"
    )


def _told(parts: Sequence[float]) -> str:
    return "  ".join(f"{each:.2f}" for each in parts) + f"   last/first {parts[-1] / parts[0]:.2f}"


def main() -> None:
    """Print what a pane costs as history grows, and as services do."""
    rng = np.random.default_rng(1)
    promise = Promise(baseline=baseline(rng))
    print(f"{NUMBERS + CATEGORIES} features, one core; {PANE_S:g} s of it are there for the panes of a minute")
    for rows_a_pane in (60, 1000):
        pool = [rows(rows_a_pane, rng) for _ in range(POOL)]
        history(promise, pool, panes=20, window_rows=1000)  # imports and caches
        history(promise, pool, panes=HISTORY, window_rows=1000)
        history(promise, pool, panes=HISTORY, window_rows=rows_a_pane)
        for services in FLEETS:
            fleet(promise, pool, services=services, window_rows=1000)


if __name__ == "__main__":
    main()
