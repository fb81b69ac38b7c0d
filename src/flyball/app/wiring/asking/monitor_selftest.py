"""The self-test of a service's monitor: its own configuration over copies of today's traffic, drifted and not.

A copy is the day's panes in another order (blocks of a tenth of a window keep what makes neighbours alike), so it has
the same rows and no trend: whatever alarms in it is a false alarm, unless today's traffic has moved from the release's
baseline already, which is said. Nothing of the home is written.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.monitor.selftested import Planted, SelfTest, alarms, detectors, found, realised
from flyball.app.wiring.asking.declarations import declaration
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.contracts.odcs.document import parse_contract
from flyball.core.clock import timestamp
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault, Refused
from flyball.core.ledger import Ledger
from flyball.core.ports import Segment
from flyball.core.service import Service
from flyball.core.watching import Pane, WindowReport
from flyball.monitor.planting import KINDS, DriftKind, fits, plant, watched
from flyball.monitor.watch import Promise, Watcher
from flyball.pipeline.packing import CONTRACT

BLOCKS = 10  # of a window
LEAST_WINDOWS = 2  # of traffic
MOST_WINDOWS = 50  # of traffic that are used, the newest
COPIES, COPY_WINDOWS = 5, 20  # undrifted
BEFORE = 2  # windows without a drift, then it is planted in the middle of the next one
AFTER = 6  # windows more than a streak needs, before a drift counts as missed
_EMPTY = pl.DataFrame()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One service with all that its monitor knows of it."""

    service: Service
    contract: DataContract
    release: str
    promise: Promise
    rows: pl.DataFrame  # the champion's, oldest first


def subject(home: Home, ledger: Ledger, name: str, champion: str | None, *, since: float | None) -> Subject:
    """Today's traffic of a service, and what its monitor goes by.

    Raises: Refused: no champion, or too few rows. Untrusted, NotFound: its release cannot be had.
    """
    if champion is None:
        raise Refused(f"{name} has no champion, so its monitor has no baseline", hint=f"flyball status {name}")
    service = declaration(ledger, name)
    releases = ReleaseStore(home)
    text = (Path(releases.verified(champion)) / CONTRACT).read_text(encoding="utf-8")
    contract = parse_contract(text, file=CONTRACT, table=Path(service.data.source).stem).contract
    needed = LEAST_WINDOWS * service.monitor.window_rows
    rows = _rows(home, name, champion, since=since, most=MOST_WINDOWS * service.monitor.window_rows)
    if rows.height < needed:
        raise Refused(
            f"{name}: expected at least {needed} rows of its champion in the prediction log, found {rows.height}",
            hint="--since 7d looks further back",
        )
    return Subject(
        service=service, contract=contract, release=champion, promise=promises(releases)(champion), rows=rows
    )


def _rows(home: Home, name: str, champion: str, *, since: float | None, most: int) -> pl.DataFrame:
    found = tables(home.telemetry(name), ("predictions",), since=since)["predictions"]
    mine = found.filter(pl.col("release") == champion, pl.col("arm") == "champion")
    return mine.sort("at", maintain_order=True).tail(most).collect()


def selftest(
    subject: Subject, *, seed: int, features: Sequence[str] = (), most_features: int = 3, advance: Callable[[int], None]
) -> SelfTest:
    """Run it. `features`: to plant into; none: `most_features` of those that fit each kind, by the seed.

    Raises: BadInput: a feature is not watched.
    """
    monitor = subject.service.monitor
    bench = _Bench(subject)
    known = watched(subject.promise.baseline, subject.rows, bench.unwatched)
    _demand(features, known)
    control = _control(bench, seed, advance)
    planted = [
        _planted(bench, feature, kind, seed=seed, advance=advance)
        for kind in KINDS
        for feature in _chosen(kind, features or known, subject.rows, seed, None if features else most_features)
    ]
    fired = [[alarms(each, monitor.psi.consecutive) for each in reports] for reports in control]
    windows = sum(len(reports) for reports in control)
    alarmed = sum(bool(each) for reports in fired for each in reports)
    by: Counter[str] = Counter(kind for reports in fired for each in reports for kind in {one.signal for one in each})
    names = Counter(str(one.feature) for reports in fired for each in reports for one in each)
    at = subject.rows["at"]
    return SelfTest(
        service=subject.service.metadata.name,
        release=subject.release,
        seed=seed,
        traffic_rows=subject.rows.height,
        traffic_from=timestamp(datetime.fromtimestamp(at[0], UTC)),
        traffic_to=timestamp(datetime.fromtimestamp(at[-1], UTC)),
        window_rows=monitor.window_rows,
        consecutive=monitor.psi.consecutive,
        most_windows=monitor.psi.consecutive + AFTER,
        copies=COPIES,
        windows=windows,
        alarmed=alarmed,
        alarmed_copies=sum(any(reports) for reports in fired),
        false_alarms=realised(alarmed, windows),
        alarmed_by=dict(by),
        false_features=tuple(name for name, _ in names.most_common()),
        planted=tuple(planted),
        detectors=detectors(planted, windows=windows, alarmed=alarmed, alarmed_by=by, window_rows=monitor.window_rows),
        notes=_notes(planted, alarmed, windows),
    )


def trials(features: Sequence[str] = (), most_features: int = 3) -> int:
    """Monitors that a self-test runs, at most: for whoever shows how far it is."""
    return COPIES + len(KINDS) * (len(features) or most_features)


class _Bench:
    """Runs the service's monitor over rows."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self._service = subject, subject.service
        self.window_rows = self._service.monitor.window_rows
        self.block = max(1, self.window_rows // BLOCKS)
        at = subject.rows["at"]
        self._row_s = max(float(at[-1] - at[0]), 1e-6) / subject.rows.height  # of this traffic, for windows by time
        self.unwatched = Watcher(self._service, subject.contract, lambda _: subject.promise).unwatched

    def copy(self, windows: int, rng: np.random.Generator) -> pl.DataFrame:
        """So many windows of rows: the blocks of the traffic in another order, and again in others."""
        rows, whole = self.subject.rows, self.subject.rows.height // self.block
        needed = -(-windows * self.window_rows // self.block)
        order = np.concatenate([rng.permutation(whole) for _ in range(-(-needed // whole))])[:needed]
        places = (order[:, None] * self.block + np.arange(self.block)[None, :]).reshape(-1)
        return rows[places]

    def run(self, rows: pl.DataFrame) -> list[WindowReport]:
        """Reports of all windows."""
        subject, reports = self.subject, list[WindowReport]()
        watcher = Watcher(self._service, subject.contract, lambda _: subject.promise)
        for index, first in enumerate(range(0, rows.height, self.block)):
            part = rows.slice(first, self.block)
            pane = Pane(
                service=self._service.metadata.name,
                index=index,
                start=first * self._row_s,
                end=(first + part.height) * self._row_s,
                first_row=first,
                last_row=first + part.height - 1,
                received=part.height,
                written=part.height,
            )
            segment = Segment(pane=pane, predictions=part, shadows=_EMPTY, labels=_EMPTY)
            reports += watcher.feed(segment, champion=subject.release)
        return reports


def _control(bench: _Bench, seed: int, advance: Callable[[int], None]) -> list[list[WindowReport]]:
    """Undrifted copies."""
    found = []
    for number in range(COPIES):
        found.append(bench.run(bench.copy(COPY_WINDOWS, _dice(seed, 0, number))))
        advance(1)
    return found


def _planted(bench: _Bench, feature: str, kind: DriftKind, *, seed: int, advance: Callable[[int], None]) -> Planted:
    """Two windows as they were, then drifted rows from the middle of the third on."""
    consecutive = bench.subject.service.monitor.psi.consecutive
    rng = _dice(seed, 1, *kind.encode(), *feature.encode())
    rows = bench.copy(BEFORE + consecutive + AFTER + 1, rng)
    since = BEFORE * bench.window_rows + bench.window_rows // 2
    drifted = pl.concat([rows.head(since), plant(rows.slice(since), feature, kind, rng=rng)], how="vertical_relaxed")
    reports = bench.run(drifted)
    advance(1)
    return found(
        reports,
        feature,
        kind,
        change=KINDS[kind],
        since_row=since,
        window_rows=bench.window_rows,
        consecutive=consecutive,
    )


def _chosen(kind: DriftKind, features: Sequence[str], rows: pl.DataFrame, seed: int, most: int | None) -> Sequence[str]:
    fitting = [name for name in features if fits(kind, rows[f"x.{name}"])]
    if most is None or len(fitting) <= most:
        return fitting
    return sorted(_dice(seed, 2, *kind.encode()).choice(fitting, size=most, replace=False).tolist())


def _dice(seed: int, *what: int) -> np.random.Generator:
    """A stream of its own for each thing, whatever else is run."""
    return np.random.default_rng([seed, *what])


def _demand(features: Sequence[str], known: Sequence[str]) -> None:
    faults = tuple(
        Fault(where="command line", path="--feature", expected=f"one of {', '.join(known)}", found=name)
        for name in features
        if name not in known
    )
    if faults:
        raise BadInput("A feature is not watched.", faults)


def _notes(planted: Sequence[Planted], alarmed: int, windows: int) -> tuple[str, ...]:
    notes = []
    if alarmed > windows / 2:
        notes.append(
            "most undrifted copies are in alarm: today's traffic has moved from the release's baseline already, so "
            "these are no false alarms of the configuration"
        )
    if already := sorted({each.feature for each in planted if each.already}):
        notes.append(f"in alarm before anything was planted, and not counted: {', '.join(already)}")
    if missing := [kind for kind in KINDS if kind not in {each.kind for each in planted}]:
        notes.append(f"no feature fits: {', '.join(missing)}")
    return tuple(notes)
