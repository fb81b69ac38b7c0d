"""The rows of a home's prediction log as ticks of a driver: the monitor itself reads them again, under any policy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.segments import Segments
from flyball.app.home import Home
from flyball.app.wiring.asking.levels import source_rows
from flyball.app.wiring.backtest.driving import Tick
from flyball.app.wiring.loop.live import BehindSource
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.contracts.odcs.document import parse_contract
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.contract import DataContract
from flyball.core.ledger import Entry
from flyball.core.ports import Segment
from flyball.core.service import Service
from flyball.monitor.watch import Watcher
from flyball.pipeline.packing import CONTRACT

LOOKS_S = 1.0  # after a pane was sealed, at the latest


@dataclass(frozen=True, kw_only=True)
class RowHistory:
    """One service of a home whose log still has rows."""

    home: Home
    service: str
    source_rows: int
    releases: tuple[str, ...]  # champions, oldest first

    @classmethod
    def of(cls, home: Home, service: str, entries: Sequence[Entry]) -> "RowHistory | None":
        """None: the log is empty, or no release has ever served."""
        mine = [entry for entry in entries if entry.subject == service]
        served = [str(entry.fact.release) for entry in mine if isinstance(entry.fact, e.ChampionAppointed)]
        if not served or next(iter(Segments(home.telemetry(service).parent).sealed(service, -1)), None) is None:
            return None
        return cls(home=home, service=service, source_rows=source_rows(mine), releases=tuple(served))

    @property
    def row_s(self) -> float:
        return seconds_a_row(self.home.telemetry(self.service))

    def watching(self, policy: Service) -> Watcher:
        """The production monitor under a policy, as it stood before the first row."""
        releases = ReleaseStore(self.home)
        return Watcher(policy, self._contract(releases, policy), promises(releases))

    def ticks(self) -> Iterator[Tick]:
        """A tick a pane; one is held at a time."""
        telemetry = BehindSource(Segments(self.home.telemetry(self.service).parent), self.source_rows)
        return ticks_of(telemetry.sealed(self.service, -1))

    def _contract(self, releases: ReleaseStore, policy: Service) -> DataContract:
        text = (Path(releases.verified(self.releases[-1])) / CONTRACT).read_text(encoding="utf-8")
        return parse_contract(text, file=CONTRACT, table=Path(policy.data.source).stem).contract


def seconds_a_row(folder: Path) -> float:
    """On average, by the first and the last pane of a log."""
    panes = sealed(folder)
    first, last = panes[0].panes()[0], panes[-1].panes()[-1]
    rows = last.last_row - first.first_row
    return (last.end - first.start) / rows if rows > 0 else 0.0


def ticks_of(segments: Iterable[Segment]) -> Iterator[Tick]:
    """The controller looks within a second of the sealing. Its clock is never put back by a pane that came late."""
    now = 0.0
    for segment in segments:
        pane = segment.pane
        now = max(now, pane.end + min(LOOKS_S, max(pane.end - pane.start, 0.0)))
        yield Tick(segment=segment, now=timestamp(datetime.fromtimestamp(now, UTC)))
