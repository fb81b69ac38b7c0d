"""The running window of one champion: counts that grow pane by pane, and the report when it is full."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flyball.core.release import Baseline
from flyball.core.service import Monitor, Objectives
from flyball.core.watching import Pane, PaneGroup, QualityFinding, Signal, WindowReport
from flyball.monitor import causes, charts, detector, drift, joint, objectives, own_past, quality
from flyball.monitor.extents import Extent, extents_of_parts
from flyball.monitor.panes import count, merge, numbers
from flyball.monitor.windows import Span, grown


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
    shifts: detector.Shifts = field(default_factory=detector.Shifts)  # evidence of change since the release serves
    charted: Mapping[str, charts.Chart] | None = None  # of the answers; None: no window was reported yet
    jointly: joint.Joint | None = None  # the columns taken together; None: the baseline keeps nothing of it
    last: PaneGroup | None = None  # counts of the window before
    span: Span | None = None
    group: PaneGroup | None = None
    candidate_rows: int = 0
    candidate_errors: int = 0
    extents: dict[str, Extent] = field(default_factory=dict)
    columns: dict[str, list[np.ndarray]] = field(default_factory=dict)
    row_signs: quality.RowSigns = field(default_factory=quality.RowSigns)  # of all windows of this release
    unreadable: Counter[str] = field(default_factory=Counter)  # feature -> values of another type
    past: own_past.PastHours = field(default_factory=own_past.PastHours)  # of the service, whichever release serves
    volumes: tuple[int, ...] = ()  # rows of the windows before, where time closes them

    def take(self, pane: Pane, predictions: pl.DataFrame) -> None:
        """Count one pane more."""
        self.span = grown(self.span, pane, release=self.release, rows=predictions.height, index=self.index)
        counted = self._of_champion(predictions) if predictions.height else None
        self.past.take(pane, predictions.height, counted)

    def _of_champion(self, predictions: pl.DataFrame) -> PaneGroup | None:
        ours = predictions
        arm = predictions["arm"]
        if not ((arm == "champion").all() and (predictions["release"] == self.release).all()):
            # a rejected row has no arm: it speaks of the supply, which the champion's window watches
            mine = ((arm == "champion") & (predictions["release"] == self.release)) | arm.is_null()
            ours = predictions.filter(mine.fill_null(True))
            theirs = predictions.filter(arm == "candidate")
            self.candidate_rows += theirs.height
            self.candidate_errors += int(theirs["error"].sum())
        return self._count(ours) if ours.height else None

    def report(self, span: Span, declared: Objectives) -> WindowReport:
        """All that can be said of this window without labels."""
        group = self.group or PaneGroup(arm="champion", release=self.release)
        features, answers = drift.measures(group, self.baseline, self.monitor.psi)
        usual = drift.usual(group, self.baseline, self.monitor.psi)
        of_features, self.streaks = drift.signals(features, self.monitor.psi, self.streaks, span, usual)
        of_answers, self.answer_streaks = drift.signals(answers, self.monitor.psi, self.answer_streaks, span, usual)
        found = self._quality(group)
        before = self.charted if self.charted is not None else charts.opened(self.baseline)
        half = detector.shared(self.monitor.detector, 2 if before else 1)  # the e-detector's, and the charts'
        together = self.jointly
        self.shifts = detector.observe(self.shifts, group, self.baseline, half, beside=int(together is not None))
        others = len(self.shifts.sequences)
        if together is not None:
            together = self.jointly = joint.closed(together, half, beside=others)
        self.charted = charts.after(before, group, half)
        signals = (
            *(_quality_signal(finding, span) for finding in found),
            *(sign_signal(sign, span) for sign in self._signs(group, span, found)),
            *of_features,
            *of_answers,
            *detector.signals(self.shifts, half, span),
            *joint.signals(together, half, span, beside=others),
            *charts.signals(self.charted, half, span),
            *objectives.signals(group, declared, span),
            *own_past.signals(self.past.figures(), span),
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
            evidence=self.shifts.evidence(),
            changed=self.shifts.changed,
            together=joint.log10_e(together) if together is not None else None,
            usual=usual,
            own_past=self.past.figures(),
            changes=causes.changes(group, self.baseline, signals),
            expected=causes.expected(group, self.baseline, self.monitor.live_metric),
            classes=causes.class_shift(group, self.baseline),
            start=span.start,
            end=span.end,
            charts=charts.points(self.charted, half),
        )

    def _count(self, ours: pl.DataFrame) -> PaneGroup:
        values = {
            name: numbers(ours[f"x.{name}"])
            for name, reference in self.baseline.features.items()
            if reference.kind == "numeric" and name not in self.unwatched and f"x.{name}" in ours.columns
        }
        group = count(ours, self.baseline, arm="champion", release=self.release, without=self.unwatched, values=values)
        self.group = group if self.group is None else merge(self.group, group)
        if self.jointly is not None:
            self.jointly = joint.taken(self.jointly, ours)
        # of a row that is rejected, or shed unread, nothing is kept: they are all alike
        read = ours.filter(~pl.col("outcome").is_in(("rejected", "shed")))
        self.row_signs.take(read.select(f"x.{name}" for name in group.features))
        for name in group.features:
            self.unreadable[name] += quality.unreadable(ours[f"x.{name}"], self.baseline.features[name])
        for name, column in values.items():
            self.columns.setdefault(name, []).append(column)
        self.extents |= extents_of_parts(values, [ours.height], self.extents)
        return group

    def _quality(self, group: PaneGroup) -> tuple[QualityFinding, ...]:
        limits = self.monitor.quality
        found = quality.findings(group, self.baseline, self.extents, self.varied, limits)
        columns = {name: np.concatenate(parts) for name, parts in self.columns.items()}
        of_columns = (
            *(quality.unit_changed(n, v, self.baseline.features[n], self.monitor.psi) for n, v in columns.items()),
            *(
                quality.type_changed(name, wrong, sum(group.features[name]), limit=limits.max_type_changes)
                for name, wrong in self.unreadable.items()
            ),
        )
        told = (
            *found,
            *(finding for finding in of_columns if finding is not None),
            *quality.mixed_columns(columns, group, self.baseline, self.monitor.psi),
        )
        named = {finding.feature for finding in told}
        slipped = any(finding.kind == "columns_mixed" for finding in told)
        of_rows = self.row_signs.close(
            columns,
            self.baseline.features,
            max_duplicates=limits.max_duplicates,
            max_out_of_range=limits.max_out_of_range,
        )
        # values out of range follow from a slipped column or another unit, which say more
        return (*told, *(one for one in of_rows if one.feature is None or not (slipped or one.feature in named)))

    def _signs(self, group: PaneGroup, span: Span, findings: tuple[QualityFinding, ...]) -> tuple[quality.Sign, ...]:
        limits = self.monitor.quality
        broken = {finding.feature for finding in findings}  # what is a finding needs no sign beside it
        found = [
            quality.availability(
                name,
                sum(counts[:-1]),
                sum(counts),
                before=(sum(reference.counts[:-1]), sum(reference.counts)),
                limit=limits.min_availability,
            )
            for name, counts in group.features.items()
            if name not in broken
            for reference in (self.baseline.features[name],)
        ]
        if self.monitor.window_s is not None and span.rows < self.monitor.window_rows:  # closed by time
            found.append(quality.volume(span.rows, self.volumes, factor=limits.max_volume_factor))
            self.volumes = (*self.volumes, span.rows)[-50:]
        return tuple(sign for sign in found if sign is not None)


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
        shifts=before.shifts,
        charted=before.charted,
        jointly=before.jointly,
        last=group,
        row_signs=before.row_signs,
        volumes=before.volumes,
        past=before.past,
    )


def _values(found: Mapping[str, tuple[int, ...]], references: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    return {
        name: drift.psi_of(references[name], counts)
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


def sign_signal(sign: quality.Sign, span: Span) -> Signal:
    """What is told and opens no incident."""
    return Signal(
        signal="quality",
        level="warn",
        value=sign.value,
        limit=sign.limit,
        release=span.release,
        window=span.index,
        first_row=span.first_row,
        last_row=span.last_row,
        feature=sign.feature,
        detail=f"{sign.kind}: {sign.detail}",
    )
