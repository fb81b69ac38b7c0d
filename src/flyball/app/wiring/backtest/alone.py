"""A prediction log on its own: no ledger, no releases. What is declared is given; what is normal, its first rows say.

Which release served when is in the rows, and nothing else is: no training, no rollout, no ticket. So alarms can be laid
beside known changes; a training that a policy asks for is one that the record does not have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.segments import Segments
from flyball.app.declared import Declared
from flyball.app.wiring.backtest.driving import Tick
from flyball.app.wiring.backtest.first_rows import FirstRows, first_rows
from flyball.app.wiring.backtest.from_rows import seconds_a_row, ticks_of
from flyball.app.wiring.loop.live import BehindSource
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.ledger import Entry
from flyball.core.ports import Segment
from flyball.core.release import Release
from flyball.core.service import Service
from flyball.monitor.watch import Watcher


@dataclass(frozen=True)
class LogAlone:
    """One folder of sealed panes, and the service as its owner declares it."""

    folder: Path
    declared: Declared

    @property
    def name(self) -> str:
        return self.declared.service.metadata.name

    @cached_property
    def normal(self) -> FirstRows:
        """Raises: Unavailable: the log has no more than these rows."""
        return first_rows(self._segments(-1), self.declared.service, self.declared.contract)

    @property
    def row_s(self) -> float:
        return seconds_a_row(self.folder)

    def watching(self, policy: Service) -> Watcher:
        return Watcher(policy, self.declared.contract, lambda _: self.normal.promise)

    def ticks(self) -> Iterator[Tick]:
        """Of the panes behind the first rows."""
        telemetry = BehindSource(Segments(self.folder.parent), 0)
        return ticks_of(telemetry.sealed(self.folder.name, self.normal.last_pane))

    def entries(self) -> tuple[Entry, ...]:
        """Releases that served, as the rows have them, as facts of a ledger."""
        facts: list[tuple[float, e.AnyFact]] = []
        for release, at, row in self._served():
            root = ReleaseRoot(release)
            facts.append((at, e.ReleaseRegistered(service=ServiceName(self.name), release=self._release(root, row))))
            # no `previous`: with one, and without a rollout, it would mean that a person took that one back
            facts.append((at, e.ChampionAppointed(service=ServiceName(self.name), release=root, previous=None)))
        return tuple(
            Entry(
                seq=seq,
                at=timestamp(datetime.fromtimestamp(at, UTC)),
                type="",
                subject=self.name,
                fact=fact,
                prev_hash="",
                hash="",
            )
            for seq, (at, fact) in enumerate(facts, 1)
        )

    def note(self) -> str:
        """What has to be known to read the table."""
        normal = self.normal
        labelled = f"{normal.labelled} of them with a label" if normal.labelled else "none of them with a label"
        return (
            f"a log on its own: its first {normal.rows} answered rows, {labelled}, are taken as normal for every "
            "release; of trainings, rollouts and people it knows nothing"
        )

    def _segments(self, after: int) -> Iterator[Segment]:
        yield from Segments(self.folder.parent).sealed(self.folder.name, after)

    def _served(self) -> Iterator[tuple[str, float, int]]:
        """Champions in the order in which they answered: release, end of the pane, its last row."""
        serving = ""
        for each in sealed(self.folder):
            rows = pl.read_parquet(each.table("predictions"), columns=["arm", "release"])
            at = 0
            for pane in each.panes():
                here = rows.slice(at, pane.written).filter(pl.col("arm") == "champion")["release"].drop_nulls()
                at += pane.written
                if here.len() and here[-1] != serving:
                    serving = here[-1]
                    yield serving, pane.end, pane.last_row

    def _release(self, root: ReleaseRoot, row: int) -> Release:
        """As far as anybody knows: it has seen what came before it served."""
        return Release(
            root=root,
            experiment=ExperimentDigest(""),
            service=ServiceName(self.name),
            task=self.declared.service.experiment.task,
            snapshot=Digest(""),
            metrics={},
            gates=(),
            passed=True,
            last_row=max(row, self.normal.last_row) + 1,
        )
