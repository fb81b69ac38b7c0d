"""The running window of one champion: counts that grow pane by pane, and the report when it is full."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flyball.core.release import Baseline
from flyball.core.service import Monitor, Objectives
from flyball.core.watching import Pane, PaneGroup, QualityFinding, Signal, WindowReport
from flyball.monitor import drift, objectives, quality
from flyball.monitor.extents import Extent, extent
from flyball.monitor.panes import count, merge, numbers
from flyball.monitor.windows import Span, grown
from flyball.stats.divergences import psi


@dataclass(kw_only=True)
class RunningWindow:
    """Counts since the window began, and what the windows before it left behind."""

    release: str
    baseline: Baseline
    monitor: Monitor
    unwatched: Collection[str]  # features that move by nature
    index: int = 0
    streaks: Mapping[str, drift.Streak] = field(default_factory=dict)
    answer_streaks: Mapping[str, drift.Streak] = field(default_factory=dict)
    varied: Mapping[str, int] = field(default_factory=dict)  # windows in a row in which a feature varied
    last: PaneGroup | None = None  # counts of the window before
    span: Span | None = None
    group: PaneGroup | None = None
    candidate_rows: int = 0
    candidate_errors: int = 0
    extents: dict[str, Extent] = field(default_factory=dict)
    columns: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def take(self, pane: Pane, predictions: pl.DataFrame) -> None:
        """Count one pane more."""
        self.span = grown(self.span, pane, release=self.release, rows=predictions.height, index=self.index)
        if not predictions.height:
            return
        ours = predictions
        arm = predictions["arm"]
        if not ((arm == "champion").all() and (predictions["release"] == self.release).all()):
            # a rejected row has no arm: it speaks of the supply, which the champion's window watches
            mine = ((arm == "champion") & (predictions["release"] == self.release)) | arm.is_null()
            ours = predictions.filter(mine.fill_null(True))
            theirs = predictions.filter(arm == "candidate")
            self.candidate_rows += theirs.height
            self.candidate_errors += int(theirs["error"].sum())
        if ours.height:
            self._count(ours)

    def report(self, span: Span, declared: Objectives) -> WindowReport:
        """All that can be said of this window without labels."""
        group = self.group or PaneGroup(arm="champion", release=self.release)
        features, answers = drift.measures(group, self.baseline, self.monitor.psi)
        of_features, self.streaks = drift.signals(features, self.monitor.psi, self.streaks, span)
        of_answers, self.answer_streaks = drift.signals(answers, self.monitor.psi, self.answer_streaks, span)
        found = self._quality(group)
        signals = (
            *(_quality_signal(finding, span) for finding in found),
            *of_features,
            *of_answers,
            *objectives.signals(group, declared, span),
        )
        rates = {"champion": group.errors / group.rows} if group.rows else {}
        if self.candidate_rows:
            rates["candidate"] = self.candidate_errors / self.candidate_rows
        return WindowReport(
            index=span.index,
            release=span.release,
            first_row=span.first_row,
            last_row=span.last_row,
            rows=span.rows,
            psi=_values(group.features, {n: r.counts for n, r in self.baseline.features.items()}),
            prediction_psi=_values(group.prediction, {n: r.counts for n, r in self.baseline.prediction.items()}),
            insufficient=tuple(
                name for name, measure in (features | answers).items() if measure.verdict is drift.Reading.INSUFFICIENT
            ),
            versus_last=drift.moved(self.last, group) if self.last is not None else {},
            quality=found,
            signals=signals,
            error_rate=rates,
            failed_rate=group.failed / group.rows if group.rows else 0.0,
            latency_p50_ms=objectives.quantile(group.latency, 0.50),
            latency_p99_ms=objectives.quantile(group.latency, 0.99),
            dropped=span.dropped,
        )

    def _count(self, ours: pl.DataFrame) -> None:
        group = count(ours, self.baseline, arm="champion", release=self.release, without=self.unwatched)
        self.group = group if self.group is None else merge(self.group, group)
        for name in group.features:
            if self.baseline.features[name].kind == "numeric":
                values = numbers(ours[f"x.{name}"])
                self.columns.setdefault(name, []).append(values)
                self.extents[name] = self.extents.get(name, Extent()).plus(extent(values))

    def _quality(self, group: PaneGroup) -> tuple[QualityFinding, ...]:
        found = quality.findings(group, self.baseline, self.extents, self.varied, self.monitor.quality)
        columns = {name: np.concatenate(parts) for name, parts in self.columns.items()}
        return (*found, *quality.mixed_columns(columns, group, self.baseline, self.monitor.psi))


def opened(before: RunningWindow) -> RunningWindow:
    """The window after a full one."""
    group = before.group
    varied = {
        name: before.varied.get(name, 0) + 1
        for name, counts in (group.features if group else {}).items()
        if quality.varies(counts, before.baseline.features[name], before.extents.get(name, Extent()))
    }
    return RunningWindow(
        release=before.release,
        baseline=before.baseline,
        monitor=before.monitor,
        unwatched=before.unwatched,
        index=before.index + 1,
        streaks=before.streaks,
        answer_streaks=before.answer_streaks,
        varied=varied,
        last=group,
    )


def _values(found: Mapping[str, tuple[int, ...]], references: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    return {
        name: psi(references[name], counts, smoothing=drift.SMOOTHING)
        for name, counts in found.items()
        if min(sum(counts), sum(references[name])) > 0
    }


def _quality_signal(finding: QualityFinding, span: Span) -> Signal:
    return Signal(
        signal="quality",
        level="act",
        value=finding.value,
        limit=finding.limit,
        release=span.release,
        window=span.index,
        first_row=span.first_row,
        last_row=span.last_row,
        feature=finding.feature,
        detail=finding.detail,
    )
