"""Answers with their labels, in the form that metrics read: class numbers and score columns, or plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.release import Baseline
from flyball.core.service import Task
from flyball.monitor.labels import HeldPane
from flyball.monitor.panes import class_places

_SCORE = "p."  # prefix of a class's probability
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Rows of one release whose labels are known."""

    truth: Values  # class number or target, shape [n]
    prediction: Values  # the same, shape [n]
    score: Values | None  # P(positive) [n], or P(class) [n, k]
    classes: tuple[int, ...]  # class numbers; empty for a regression
    rows: tuple[int, int]  # first and last stream position


def gather(places: Sequence[tuple[HeldPane, int]], baseline: Baseline, task: Task) -> Answers | None:
    """The rows at these places, pane by pane; None where no label is one that the release knows."""
    by_pane: dict[int, tuple[HeldPane, list[int]]] = {}
    for held, at in places:
        by_pane.setdefault(id(held), (held, []))[1].append(at)
    frames, labels, rows = [], [], []
    for held, offsets in by_pane.values():
        frames.append(_columns(held.frame, task)[offsets])
        labels += [held.labels[at] for at in offsets]
        rows += [held.first_row + at for at in offsets]
    if not rows:
        return None
    table = pl.concat(frames, how="diagonal_relaxed")
    if task == "regression":
        return _numbers(table, labels, rows)
    return _classes(table, labels, rows, baseline.prediction["prediction"].values, task)


def _columns(frame: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Prediction and scores of a pane; one column a class, because panes may know different classes."""
    parts = [frame["prediction"]]
    if task == "binary" and "score" in frame.columns:
        parts.append(frame["score"])
    if task == "multiclass" and "scores" in frame.columns:
        scores = frame["scores"].struct.unnest()
        parts += [column.alias(f"{_SCORE}{column.name}") for column in scores]
    return pl.DataFrame(parts)


def _numbers(table: pl.DataFrame, labels: list[Any], rows: list[int]) -> Answers | None:
    truth = np.array([float(value) for value in labels])
    prediction = table["prediction"].cast(pl.Float64, strict=False).to_numpy()
    kept = np.isfinite(truth) & np.isfinite(prediction)
    if not kept.any():
        return None
    return Answers(truth=truth[kept], prediction=prediction[kept], score=None, classes=(), rows=(min(rows), max(rows)))


def _classes(
    table: pl.DataFrame, labels: list[Any], rows: list[int], known: tuple[str, ...], task: Task
) -> Answers | None:
    place = class_places(known)
    truth = np.array([place.get(plain_text(value), -1) for value in labels], dtype=np.float64)
    prediction = np.array(
        [place.get(plain_text(value), -1) for value in table["prediction"].to_list()], dtype=np.float64
    )
    score = _scores(table, known, task)
    kept = (truth >= 0) & (prediction >= 0)
    if score is not None:
        kept &= np.isfinite(score) if score.ndim == 1 else np.isfinite(score).all(axis=1)
    if not kept.any():
        return None
    return Answers(
        truth=truth[kept],
        prediction=prediction[kept],
        score=None if score is None else score[kept],
        classes=tuple(range(len(known))),
        rows=(min(rows), max(rows)),
    )


def _scores(table: pl.DataFrame, known: tuple[str, ...], task: Task) -> Values | None:
    if task == "binary":
        if "score" not in table.columns or table["score"].null_count() == table.height:
            return None
        return table["score"].cast(pl.Float64).to_numpy()
    columns = [f"{_SCORE}{name}" for name in known]
    if any(name not in table.columns for name in columns):
        return None
    return table.select(columns).cast(pl.Float64).to_numpy()


def plain_text(value: Any) -> str:
    """A class as the log writes it: a label that came as a boolean is `true` or `false`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
