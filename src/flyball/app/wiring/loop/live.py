"""What a controller needs of a live service: the gateway with its spool, telemetry and source as one count of rows."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from flyball.adapters.messages.gateway_socket import done, exercised, waiting
from flyball.app.home import Home
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import Refused, Unavailable
from flyball.core.ledger import Ledger
from flyball.core.ports import Gateways, Segment, Telemetry
from flyball.core.release import Snapshot
from flyball.core.routing import Observed, Routing, Stopped
from flyball.pipeline.split import ROW


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

    def recycle(self, key: str, service: str, epoch: int) -> None:
        self._gateways.recycle(key, service, epoch)

    def clear(self, service: str, running: str | None) -> None:
        """Forget what is on the ledger: every stop of a rollout that no longer runs."""
        for event_id, stopped in self._left(service):
            if stopped.rollout != running:
                done(self._spool(service), event_id)

    def record(self, service: str, ledger: Ledger) -> None:
        """Move what was found out about the fallback chain to the ledger, each finding once."""
        for event_id, finding in exercised(self._spool(service)):
            ledger.append([finding], ids=[event_id])
            done(self._spool(service), event_id)

    def _left(self, service: str) -> Iterator[tuple[str, Stopped]]:
        yield from waiting(self._spool(service))

    def _spool(self, service: str) -> Path:
        return self._home.gateway(service) / "spool"


class BehindSource:
    """Live telemetry with its rows counted on from the last row of the source: one stream, one count."""

    def __init__(self, telemetry: Telemetry, source_rows: int) -> None:
        self._telemetry, self._offset = telemetry, source_rows + 1

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        """One at a time: after a restart there may be months of them."""
        for segment in self._telemetry.sealed(service, after):
            pane = segment.pane
            first, last = pane.first_row + self._offset, pane.last_row + self._offset
            yield replace(segment, pane=replace(pane, first_row=first, last_row=last))


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
