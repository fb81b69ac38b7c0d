"""The champion's metric on rows that are judged, and what it says: the loss, who caused it, and the risk signal."""

from collections.abc import Sequence, Set
from typing import Literal

import numpy as np
from msgspec.structs import replace

from flyball.core.causes import Expected
from flyball.core.causes import Segment as Standout
from flyball.core.record import Record
from flyball.core.release import Baseline, Estimate
from flyball.core.service import LiveMetric as Declared
from flyball.core.service import Task
from flyball.core.watching import Signal, WindowReport
from flyball.monitor import causes, risk
from flyball.monitor.answers import Answers
from flyball.monitor.labels import Place
from flyball.monitor.learned_wait import LEAST_LABELLED
from flyball.monitor.segmenting import segments
from flyball.monitor.windows import Span

RowsAre = Literal["waited", "mature"]  # their label window has passed; labels of their age are in, as was learned


class LiveMetric(Record):
    """The live metric since the last window report."""

    now: Estimate
    loss: Estimate | None
    rows: tuple[int, int]
    labelled: float = 1.0  # share of the rows judged that had a label
    split: tuple[Expected, ...] = ()  # what the rows lost beside what was expected of them
    told: tuple[float, ...] = ()  # shares of the classes
    segments: tuple[Standout, ...] = ()  # rows that fare worse than the rest


def live_metric(
    declared: Declared,
    places: Sequence[Place],
    answers: Answers,
    promised: Estimate | None,
    *,
    baseline: Baseline,
    task: Task,
    watched: Set[str],
    lacking: int,
    rng: np.random.Generator,
) -> LiveMetric:
    """Once over each of these labelled rows. Args: lacking: rows that were judged with them and have no label.

    Raises: NotEnoughData: too few rows, or a class is missing.
    """
    now = risk.live(declared.name, answers, rng=rng)
    known = causes.labelled(places, answers, baseline, task)
    split = causes.realised(known, baseline, declared, promised.value if promised is not None else None, watched)
    return LiveMetric(
        now=now,
        loss=risk.loss(declared.name, promised, now) if promised is not None else None,
        rows=answers.rows,
        labelled=len(places) / (len(places) + lacking),
        split=split,
        told=causes.told_shares(known),
        segments=segments(places, answers, baseline, task, split, watched),
    )


def risk_signal(
    metric: LiveMetric, declared: Declared, promised: float, *, rows_are: RowsAre, streak: int, span: Span
) -> Signal | None:
    """Args: promised: value on the holdout. streak: windows in a row before this one."""
    if metric.loss is None:
        return None
    few = rows_are == "mature" and metric.labelled < LEAST_LABELLED
    limit = risk.margin(declared.max_loss, promised)
    only = metric.labelled if few else None
    return risk.signal(metric.loss, limit, streak=streak, span=span, rows=metric.rows, only=only)


def with_metric(
    report: WindowReport, metric: LiveMetric, found: Signal | None, *, rows_are: RowsAre
) -> WindowReport:  # fmt: skip
    """The report with what the labels say."""
    return replace(
        report,
        metric=metric.now,
        loss=metric.loss,
        metric_rows=metric.rows,
        metric_rows_are=rows_are,
        signals=report.signals if found is None else (*report.signals, found),
        split=metric.split,
        segments=metric.segments,
        classes=replace(report.classes, told=metric.told) if report.classes is not None else None,
    )
