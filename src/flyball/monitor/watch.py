"""The monitor's verb: follows one service through its sealed segments, at a flat cost a row.

It remembers nothing that feeding all segments again would not restore, so a controller that starts anew does that, or
recalls what was kept. The only dice are those of bootstrap intervals, seeded by the number of the window: the same
history gives the same reports.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.contract import DataContract
from flyball.core.errors import NotEnoughData
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.realised import LabelState, RealisedState, RealisedWindow
from flyball.core.record import Record
from flyball.core.release import Baseline, Estimate
from flyball.core.routing import PairEvidence
from flyball.core.service import Service
from flyball.core.watching import Signal, WindowReport
from flyball.monitor import joint, quality
from flyball.monitor.answers import gather
from flyball.monitor.arm_metrics import ArmMetrics
from flyball.monitor.estimates import RunningEstimate, estimating
from flyball.monitor.labels import HeldPane, Place, WaitingRows
from flyball.monitor.learned_wait import LearnedWait
from flyball.monitor.live_metric import LiveMetric, RowsAre, live_metric, risk_signal, with_metric
from flyball.monitor.maturing import MaturingRows
from flyball.monitor.own_past import PastHours
from flyball.monitor.pairs import WaitingPairs
from flyball.monitor.realised.book import RealisedBook
from flyball.monitor.recalled import Recalled
from flyball.monitor.running import RunningWindow, opened, sign_signal
from flyball.monitor.serving_side import ServingSide
from flyball.monitor.windows import Span, full


class Promise(Record):
    """What a release said of itself when it was made."""

    baseline: Baseline
    metrics: dict[str, Estimate] = {}  # on its holdout


class Watcher(Recalled):
    """One service. Feed it every sealed segment in order, with the champion of that moment."""

    def __init__(
        self,
        service: Service,
        contract: DataContract,
        promises: Callable[[str], Promise],
        *,
        worth: Mapping[str, float] | None = None,
    ) -> None:
        """Args: promises: what a release root promised; asked once a release. worth: of `monitor.value.source`."""
        self._service, self._promises = service, promises
        temporal = {column.name for column in contract.columns if column.kind in ("date", "timestamp")}
        hashed = {column.name for column in contract.columns if column.personal}  # the baseline counted raw values
        self.unwatched = frozenset(temporal | hashed | {service.data.key or "", service.data.label})
        self._rows = WaitingRows(
            keep_rows=max(service.retrain.window_rows, service.monitor.window_rows),
            label_window_s=service.data.label_window_s,
        )
        window_s = service.data.label_window_s
        self._maturing = MaturingRows(window_s=window_s) if window_s > 0 else None  # None: no label window is declared
        self._learned = LearnedWait()
        self._pairs = WaitingPairs(task=service.experiment.task, most=self._rows.most_rows)
        self._label_ratio = quality.LabelRatio()
        self._book = RealisedBook(
            service=service,
            contract=contract,
            baseline_of=lambda release: promises(release).baseline,
            worth=worth,
        )
        self.handed_in = (service, contract, promises, worth, self._book.baseline_of)
        self._arms = ArmMetrics(service=service, rows_of=self._book.labelled_rows)
        self._serving, self._past = ServingSide(champion=""), PastHours()  # the past is of all its releases
        self._champion: str | None = None
        self._promise = Promise(baseline=Baseline(rows=0, features={}, prediction={}))
        self._window: RunningWindow | None = None
        self._estimate: RunningEstimate | None = None  # None: no metric is watched
        self._matured: list[Place] = []  # labelled rows of the champion, since the last live metric
        self._lacking = 0  # rows of the champion that were judged without a label, since the last live metric
        self._unlabelled = 0  # the same since the last report
        self._metric: LiveMetric | None = None  # not yet reported
        self._risk_streak = 0
        self._since_row = 0  # the champion serves from here on
        self._now = 0.0  # end of the newest pane, seconds since the epoch

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        """Take one sealed segment; returns the windows that it completed."""
        if champion != self._champion:
            self._begin(champion, segment.pane.first_row)
        predictions, self._now = segment.predictions, max(self._now, segment.pane.end)
        labelled: list[Place] = []
        if predictions.height:
            labelled = self._rows.add(predictions, first_row=segment.pane.first_row, end=segment.pane.end)
            (self._learned if self._maturing is None else self._maturing).hold(self._rows.newest)
            self._book.forget(self._rows.oldest_row, self._now)
            assert self._window is not None
            self._book.pane(self._rows.newest, segment.pane, release=champion, index=self._window.index)
            self._serving.take(predictions, self._rows.newest.by)
        self._take_shadows(segment.shadows)
        if segment.labels.height:
            labelled += self._rows.label(segment.labels)
            if self._service.experiment.task != "regression":
                self._label_ratio.take(segment.labels["label"].to_list())
        self._book.labels(self._rows.events())
        if self._maturing is None:
            self._judge(self._waited(labelled))
        else:
            # whatever came before this pane began has been read by now, so no label that kept its window is missed
            self._judge(self._maturing.passed(segment.pane.start))
        assert self._window is not None
        self._window.take(segment.pane, predictions)
        if self._estimate is not None:
            self._estimate.take(predictions)
        if self._window.span is None or not full(self._window.span, self._service.monitor):
            return []
        return [self._close(self._window, self._window.span)]

    def captured(self, rows: int, since_row: int | None = None) -> pl.DataFrame | None:
        """The newest labelled rows that may be learned from, oldest first; see `labels.WaitingRows.captured`."""
        return self._rows.captured(rows, since_row, label=self._service.data.label)

    def matured_rows(self, since_row: int) -> int:
        """Accepted rows with a label, at or after a stream position, count."""
        return self._rows.matured_rows(since_row)

    def pairs(self, candidate: str) -> PairEvidence | None:
        """Labelled shadow pairs of a candidate; None: there are none."""
        return self._pairs.evidence.get(candidate)

    def compare(self, trial: MetricTrial | None) -> None:
        """Which rollout runs; to be said before the segments of its steps are fed."""
        self._arms.follow(trial if self._service.rollout.guardrails.metrics else None)

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        """What matured labels say of the two arms of that rollout."""
        return self._arms.evidence()

    def realised(self) -> tuple[RealisedWindow, ...]:
        """Every window whose labels may still change, and the last settled ones, as they stand, oldest first."""
        return self._book.windows(self._now)

    def realised_state(self, last: int) -> RealisedState:
        """The newest windows of them, and the stream of labels."""
        windows = self._book.windows(self._now, last=last)
        return RealisedState(service=self._service.metadata.name, labels=self.label_state(), windows=windows)

    @property
    def version(self) -> int:
        """Grows with every pane and every label."""
        return self._book.cohorts.version

    def label_state(self) -> LabelState:
        """The stream of labels as it stands."""
        return self._book.label_state(self._rows.total, self._rows.waiting_labels, self._now)

    def _begin(self, champion: str, row: int) -> None:
        """Another release serves: nothing that was seen of the old one counts any more."""
        self._champion, self._since_row = champion, row
        self._promise = self._promises(champion)
        baseline, monitor = self._promise.baseline, self._service.monitor
        self._window = RunningWindow(
            release=champion,
            baseline=baseline,
            monitor=monitor,
            unwatched=self.unwatched,
            jointly=joint.opened(baseline, monitor.detector, unwatched=self.unwatched),
            past=self._past,
        )
        self._matured, self._lacking, self._metric, self._risk_streak, self._unlabelled = [], 0, None, 0, 0
        rng = np.random.default_rng(row)  # noqa: TID251 - as in `_measure`
        self._estimate = estimating(self._service, champion, self._promise.baseline, self._promise.metrics, rng=rng)
        self._serving = ServingSide(champion=champion)

    def _take_shadows(self, shadows: pl.DataFrame) -> None:
        if not shadows.height:
            return
        for id_, release, error, answer in shadows.select("id", "release", "error", "prediction").iter_rows():
            if error:
                continue
            self._pairs.add(id_, release, answer)
            place = self._rows.find(id_)
            if place is not None and (self._maturing is None or place[1] < place[0].passed):
                self._judge_pair(*place)

    def _judge_pair(self, held: HeldPane, at: int) -> None:
        if held.labels[at] is not None:
            self._pairs.labelled(held.ids[at], held.answer(at), held.labels[at])
        elif self._maturing is not None:
            self._pairs.drop(held.ids[at])

    def _waited(self, labelled: Sequence[Place]) -> list[Place]:
        """Rows to judge where no label window is declared; pairs are judged as their labels come."""
        for held, at in labelled:
            if self._pairs.waits(held.ids[at]):
                self._judge_pair(held, at)
        self._learned.arrive(labelled, self._now)
        found = self._learned.passed(self._now, oldest_row=self._rows.oldest_row)
        if self._learned.hasty:
            # what was gathered by a wait that was too short is of quick labels mostly
            self._matured, self._lacking, self._metric, self._risk_streak = [], 0, None, 0
            self._learned.hasty = False
            if self._estimate is not None:
                self._estimate.risk.forget_unlabelled()
        return found

    def _judge(self, places: Sequence[Place]) -> None:
        """Rows whose time has come: with a label they count, for pairs and for the champion's live metric."""
        self._arms.judged(places)
        lacking: list[Place] = []
        others: list[Place] = []
        for held, at in places:
            if held.by[at] is None:
                continue
            if self._pairs.waits(held.ids[at]):
                self._judge_pair(held, at)
            if held.first_row < self._since_row:
                continue
            if held.by[at] != self._champion:
                others.append((held, at))
                continue
            if held.labels[at] is None:
                self._unlabelled += 1
                self._lacking += 1
                lacking.append((held, at))
            else:
                self._matured.append((held, at))
        if self._estimate is not None:
            self._estimate.lacking(lacking)
            self._estimate.influence.others(others)
        if len(self._matured) >= self._service.monitor.window_rows:
            self._measure()

    def _measure(self) -> None:
        """Enough labels of the champion have come: its live metric, once over each of them."""
        declared = self._service.monitor.live_metric
        places, lacking, self._matured, self._lacking = self._matured, self._lacking, [], 0
        if declared is None:
            return
        answers = gather(places, self._promise.baseline, self._service.experiment.task)
        if answers is None:
            return
        promised = self._promise.metrics.get(declared.name)
        try:
            self._metric = live_metric(
                declared,
                places,
                answers,
                promised,
                baseline=self._promise.baseline,
                task=self._service.experiment.task,
                watched=frozenset(self._promise.baseline.features) - self.unwatched,
                lacking=lacking,
                rng=np.random.default_rng(answers.rows),  # noqa: TID251 - a verb makes its generator, from the rows
            )
        except NotEnoughData:
            # a class is missing: wait for more labels rather than guess
            self._matured, self._lacking = places[-self._rows.most_rows :], lacking
            return
        if self._estimate is not None:
            self._estimate.compare(answers, self._metric.now, at=places[-1][0].end)

    def _close(self, window: RunningWindow, span: Span) -> WindowReport:
        metric, self._metric = self._metric, None
        self._book.complete()
        report = replace(
            window.report(span, self._service.serving.objectives),
            unlabelled=self._unlabelled,
            **(self._estimate.told(self._rows, self._service.retrain.window_rows) if self._estimate else {}),
            serving=self._serving.figures(span, window.group, self._service.monitor.cost),
            realised=self._book.told(self._now),
            labels=self.label_state(),
        )
        spike = self._label_ratio.close(limit=self._service.monitor.quality.max_label_change)
        if spike is not None:
            report = replace(report, signals=(*report.signals, sign_signal(spike, span)))
        self._serving = ServingSide(champion=window.release)
        self._unlabelled = 0
        self._window = opened(window)
        if metric is None:
            return report
        rows_are: RowsAre = "mature" if self._maturing is None else "waited"
        return with_metric(report, metric, self._risk(metric, rows_are, span), rows_are=rows_are)

    def _risk(self, metric: LiveMetric, rows_are: RowsAre, span: Span) -> Signal | None:
        declared = self._service.monitor.live_metric
        if declared is None or metric.loss is None:
            return None
        promised = self._promise.metrics[declared.name].value
        found = risk_signal(metric, declared, promised, rows_are=rows_are, streak=self._risk_streak, span=span)
        self._risk_streak = found.consecutive if found else 0
        return found
