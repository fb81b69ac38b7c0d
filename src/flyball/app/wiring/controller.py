"""Process: the controller of one or more services. Kill it between any two lines; the next one goes on.

python -m flyball.app.wiring.controller --home FOLDER SERVICE.yaml...
"""

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from flyball.adapters.clock import SystemClock
from flyball.adapters.gateway_socket import SocketGateways, done, waiting
from flyball.adapters.ids import TimeIds
from flyball.adapters.keys import signing_key
from flyball.adapters.segments import Segments
from flyball.adapters.trainer import ForkServerTrainer
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.learner import PipelineLearner
from flyball.app.wiring.ledger import recorder
from flyball.app.wiring.pipeline import Pipeline
from flyball.app.wiring.promises import promises
from flyball.control.reconcile import Reconciler, TelemetrySensor
from flyball.core import events as e
from flyball.core.errors import FlyballError, Refused, Unavailable
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.ports import Gateways, Segment, Telemetry
from flyball.core.release import Snapshot
from flyball.core.routing import Observed, Routing, Stopped
from flyball.monitor.labels import ROW as CAPTURED_POSITION
from flyball.monitor.watch import Watcher
from flyball.pipeline.split import ROW

TICK_S = 0.2


class WithSpool:
    """The gateway's door, and what it left in its spool: a stop is known even if the gateway died right after it."""

    def __init__(self, gateways: Gateways, home: Home) -> None:
        self._gateways, self._home = gateways, home

    def apply(self, key: str, routing: Routing) -> None:
        self._gateways.apply(key, routing)

    def observe(self, service: str) -> Observed:
        """Raises: Unavailable: no gateway answers and none left a word."""
        left = [stopped for _, stopped in self._left(service)]
        try:
            observed = self._gateways.observe(service)
        except Unavailable:
            if not left:
                raise
            return Observed(routing=None, counts=None, stopped=left[-1])
        return observed if observed.stopped or not left else replace(observed, stopped=left[-1])

    def clear(self, service: str, running: str | None) -> None:
        """Forget what is on the ledger: every stop of a rollout that no longer runs."""
        for event_id, stopped in self._left(service):
            if stopped.rollout != running:
                done(self._spool(service), event_id)

    def _left(self, service: str) -> Iterator[tuple[str, Stopped]]:
        yield from waiting(self._spool(service))

    def _spool(self, service: str) -> Path:
        return self._home.gateway(service) / "spool"


class BehindSource:
    """Live telemetry with its rows counted on from the last row of the source: one stream, one count."""

    def __init__(self, telemetry: Telemetry, source_rows: int) -> None:
        self._telemetry, self._offset = telemetry, source_rows + 1

    def sealed(self, service: str, after: int) -> Sequence[Segment]:
        return [
            replace(
                segment,
                pane=replace(
                    segment.pane,
                    first_row=segment.pane.first_row + self._offset,
                    last_row=segment.pane.last_row + self._offset,
                ),
            )
            for segment in self._telemetry.sealed(service, after)
        ]


class Source:
    """The rows that the first release was given, read when a training asks for them."""

    def __init__(self, pipeline: Pipeline, service: str) -> None:
        self._pipeline, self._service = pipeline, service

    def read(self) -> pl.DataFrame:
        """With their positions, from 1."""
        folder = self._pipeline.snapshots.folder(self._first().root)
        table = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
        if ROW in table.columns:
            return table
        return table.with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))

    @cached_property
    def count(self) -> int:
        return self._first().rows

    def _first(self) -> Snapshot:
        """Raises: Refused: no release has ever served."""
        registry = self._pipeline.registry(self._service)
        if not registry.terms:
            raise Refused(f"{self._service} has no first release yet", hint="flyball train, or flyball up")
        return registry.snapshots[registry.releases[registry.terms[0].release].release.snapshot]


def controllers(
    files: Sequence[Path], home: Home, pipeline: Pipeline, ledger: Ledger, gateways: WithSpool, owner: str
) -> list[Reconciler]:
    """One reconciler a service."""
    clock, found = SystemClock(), []
    for file in files:
        declared = load(file)
        service, name = declared.service, declared.service.metadata.name
        pipeline.declare(declared)
        source = Source(pipeline, name)
        watcher = Watcher(service, declared.contract, promises(pipeline.releases))
        telemetry = BehindSource(Segments(home.telemetry(name).parent), source.count)
        learner = PipelineLearner(
            partial(load, file),
            pipeline,
            ledger,
            clock,
            captured=watcher.captured,
            source=source.read,
            position=CAPTURED_POSITION,
            in_background=True,
        )
        ledger.append([e.ProcessStarted(service=ServiceName(name), process="controller")])
        found.append(
            Reconciler(
                service,
                ledger=ledger,
                gateways=gateways,
                sensor=TelemetrySensor(service, telemetry, watcher),
                learner=learner,
                clock=clock,
                owner=owner,
            )
        )
    return found


def run(files: Sequence[Path], home: Home, stopping: threading.Event, owner: str | None = None) -> None:
    """Tick until told to stop. An expected error of one service is told, and the next tick tries again.

    `owner`: holds the leases; no two controllers that live at the same time may share one. None: a new one.
    """
    clock = SystemClock()
    ids = TimeIds(clock)
    gateways = WithSpool(SocketGateways(home.socket), home)
    with closing(recorder(home.made())) as ledger, closing(ForkServerTrainer()) as trainer:
        pipeline = Pipeline(home, ledger, clock, ids, signing_key(home.keys), trainer)
        reconcilers = controllers(files, home, pipeline, ledger, gateways, owner or ids.new("controller"))
        with ThreadPoolExecutor(max_workers=len(reconcilers), thread_name_prefix="service") as threads:
            kept = [threads.submit(_keep, reconciler, gateways, stopping) for reconciler in reconcilers]
            wait(kept, return_when=FIRST_EXCEPTION)
            stopping.set()  # what nobody expected ends the process; its parent starts another
        for each in kept:
            each.result()


def _keep(reconciler: Reconciler, gateways: WithSpool, stopping: threading.Event) -> None:
    """One service in a thread of its own: a gateway that loads a release for it keeps nobody else waiting."""
    name, told = reconciler.state.service, ""
    while not stopping.wait(TICK_S):
        try:
            reconciler.tick()
            rollout = reconciler.state.rollout
            gateways.clear(name, rollout.rollout if rollout else None)
            told = ""
        except FlyballError as error:
            if told != str(error):
                sys.stderr.write(f"controller: {name}: {error}\n")
            told = str(error)


def main() -> None:
    parser = argparse.ArgumentParser(prog="flyball controller")
    parser.add_argument("--home", required=True)
    parser.add_argument("--owner")
    parser.add_argument("services", nargs="+", type=Path)
    options = parser.parse_args()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(options.services, Home(Path(options.home)), stopping, options.owner)


if __name__ == "__main__":
    main()
