"""What is normal where no release says so: the first rows of a log, as they were answered.

A release promises what its training rows and its holdout looked like. A log on its own has neither; its first rows take
their place, for every release alike: references of the inputs and answers, and the metric of those with a label.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from flyball.core.contract import DataContract
from flyball.core.errors import NotEnoughData, Unavailable
from flyball.core.log_tables import FEATURE
from flyball.core.model import Packaged
from flyball.core.ports import Segment
from flyball.core.record import Record
from flyball.core.release import Baseline
from flyball.core.service import Service
from flyball.monitor import risk
from flyball.monitor.answers import gather
from flyball.monitor.labels import Place, WaitingRows
from flyball.monitor.panes import ACCEPTED
from flyball.monitor.watch import Promise
from flyball.pipeline.baseline import baseline

REFERENCE_WINDOWS = 5
LABELS_WITHIN = 10  # times the reference: where no label window is declared, labels are looked for so far behind it


class FirstRows(Record):
    """The reference of a log."""

    last_pane: int  # index of the last pane that belongs to it
    last_row: int  # position in the log, from 0
    rows: int
    labelled: int  # of these; 0: no metric is promised
    promise: Promise


def first_rows(segments: Iterable[Segment], service: Service, contract: DataContract) -> FirstRows:
    """Args: segments: of the log, in order, read no further than needed.

    Raises: Unavailable: the log has no more than the reference.
    """
    wanted = REFERENCE_WINDOWS * service.monitor.window_rows
    held = WaitingRows(keep_rows=LABELS_WITHIN * wanted, label_window_s=service.data.label_window_s)
    following = iter(segments)
    taken, places, rows = list[Segment](), list[Place](), 0
    for segment in following:
        taken.append(segment)
        places += _hold(held, segment)
        rows += _answered(segment.predictions).height
        if rows >= wanted:
            break
    behind = next(following, None)
    if behind is None:
        raise Unavailable(
            f"the log has {rows} answered rows; the first {wanted} are taken as normal, so there is nothing to judge",
            hint="a log inside of its home is judged from its first row on: --history HOME/telemetry/SERVICE",
        )
    last = taken[-1].pane
    places += _labels(held, chain([behind], following), last.end + service.data.label_window_s, wanted)
    table = pl.concat([_answered(each.predictions) for each in taken], how="diagonal_relaxed")
    normal = _normal(table, service, contract)
    return FirstRows(
        last_pane=last.index,
        last_row=last.last_row,
        rows=table.height,
        labelled=len(places),
        promise=_promise(normal, [place for place in places if place[0].by[place[1]] is not None], service),
    )


def _hold(held: WaitingRows, segment: Segment) -> list[Place]:
    found: list[Place] = []
    if segment.predictions.height:
        found += held.add(segment.predictions, first_row=segment.pane.first_row, end=segment.pane.end)
    return found + (held.label(segment.labels) if segment.labels.height else [])


def _labels(held: WaitingRows, behind: Iterable[Segment], until: float, wanted: int) -> list[Place]:
    """Labels of the reference that came after it."""
    found, rows = list[Place](), 0
    for segment in behind:
        rows += segment.pane.received
        found += held.label(segment.labels) if segment.labels.height else []
        if segment.pane.start > until and (held.label_window_s > 0 or rows > LABELS_WITHIN * wanted):
            break
    return found


def _answered(rows: pl.DataFrame) -> pl.DataFrame:
    """Of the champions, accepted and answered by themselves."""
    if not rows.height:
        return rows
    kept = (pl.col("arm") == "champion") & (pl.col("outcome") == ACCEPTED[0]) & ~pl.col("excluded").fill_null(False)
    return rows.filter(kept)


def _normal(table: pl.DataFrame, service: Service, contract: DataContract) -> Baseline:
    features = table.select(pl.col(f"^{FEATURE.replace('.', '[.]')}.*$"))
    features = features.rename({name: name.removeprefix(FEATURE) for name in features.columns})
    known = {column.name for column in contract.columns}
    inputs = [name for name in features.columns if name in known]
    task, scores = service.experiment.task, None
    if task == "binary":
        scores = table["score"].cast(pl.Float64).fill_null(0.0).to_numpy()
    elif task == "multiclass":
        scores = table["scores"].struct.unnest().fill_null(0.0).to_numpy()
    facts = Packaged(
        service=service.metadata.name,
        task=task,
        threshold=service.experiment.threshold,
        label=service.data.label,
        classes=_classes(table, service),
        inputs=(),
        plain=tuple(inputs),
        module="",
        code="",
    )
    return baseline(features, inputs, facts, table["prediction"].to_numpy(), scores)


def _classes(table: pl.DataFrame, service: Service) -> tuple[Any, ...]:
    """In the order of the scores: of two the one with the highest score is the positive one, and the last."""
    if service.experiment.task == "regression":
        return ()
    if service.experiment.task == "multiclass":
        return tuple(table["scores"].struct.fields)
    found: Sequence[Any] = table["prediction"].drop_nulls().unique(maintain_order=True).to_list()
    positive = table.sort("score", descending=True, nulls_last=True)["prediction"].head(1).to_list()
    return (*sorted((one for one in found if one not in positive), key=str), *positive)


def _promise(normal: Baseline, places: Sequence[Place], service: Service) -> Promise:
    declared = service.monitor.live_metric
    answers = None if declared is None or not places else gather(places, normal, service.experiment.task)
    if declared is None or answers is None:
        return Promise(baseline=normal)
    try:
        rng = np.random.default_rng(answers.rows[0])
        return Promise(baseline=normal, metrics={declared.name: risk.live(declared.name, answers, rng=rng)})
    except NotEnoughData:
        return Promise(baseline=normal)
