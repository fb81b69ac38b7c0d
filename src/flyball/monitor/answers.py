"""Answers with their labels, in the form that metrics read: class numbers and score columns, or plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.release import Baseline
from flyball.core.service import Task
from flyball.monitor.labels import PREFIX, HeldPane
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
    kept: npt.NDArray[np.bool_]  # which of the places these rows are, pane by pane, shape [places]


def gather(places: Sequence[tuple[HeldPane, int]], baseline: Baseline, task: Task) -> Answers | None:
    """The rows at these places, pane by pane; None where no label is one that the release knows."""
    frames, labels, rows = [], [], []
    for held, offsets in _by_pane(places):
        frames.append(_columns(held.frame, task)[offsets])
        labels += [held.labels[at] for at in offsets]
        rows += [held.first_row + at for at in offsets]
    if not rows:
        return None
    table = pl.concat(frames, how="diagonal_relaxed")
    if task == "regression":
        return _numbers(table, labels, rows)
    return _classes(table, labels, rows, baseline.prediction["prediction"].values, task)


def features(places: Sequence[tuple[HeldPane, int]], found: Answers) -> pl.DataFrame:
    """Features of the rows of `found`, in their order, by their own names."""
    parts = [
        held.frame.select(pl.col(f"^{PREFIX.replace('.', '[.]')}.*$"))[offsets] for held, offsets in _by_pane(places)
    ]
    table = pl.concat(parts, how="diagonal_relaxed").filter(pl.Series(found.kept))
    return table.rename({name: name.removeprefix(PREFIX) for name in table.columns})


def _by_pane(places: Sequence[tuple[HeldPane, int]]) -> list[tuple[HeldPane, list[int]]]:
    """Places in the order of the first row of each pane."""
    found: dict[int, tuple[HeldPane, list[int]]] = {}
    for held, at in places:
        found.setdefault(id(held), (held, []))[1].append(at)
    return list(found.values())


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
    return Answers(
        truth=truth[kept],
        prediction=prediction[kept],
        score=None,
        classes=(),
        rows=(min(rows), max(rows)),
        kept=kept,
    )


def _classes(
    table: pl.DataFrame, labels: list[Any], rows: list[int], known: tuple[str, ...], task: Task
) -> Answers | None:
    place = class_places(known)
    truth = _class_numbers(labels, place)
    prediction = _class_numbers(table["prediction"].to_list(), place)
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
        kept=kept,
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


def _class_numbers(values: list[Any], place: dict[str, int]) -> Values:
    """Number of each class, -1: it is none of them. Shape [n]."""
    if set(map(type, values)) <= {int} or set(map(type, values)) <= {str}:  # then what is equal reads the same
        number = {value: place.get(plain_text(value), -1) for value in set(values)}
        return np.array([number[value] for value in values], dtype=np.float64)
    return np.array([place.get(plain_text(value), -1) for value in values], dtype=np.float64)


def plain_text(value: Any) -> str:
    """A class as the log writes it: a label that came as a boolean is `true` or `false`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unlabelled(frame: pl.DataFrame, baseline: Baseline, task: Task) -> tuple[Values, Values | None] | None:
    """(prediction, score) of answered rows, labels or none; None: no row.

    An unknown class is -1, what is no number NaN.
    """
    if not frame.height:
        return None
    table = _columns(frame, task)
    if task == "regression":
        return table["prediction"].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(), None
    known = baseline.prediction["prediction"].values
    place = class_places(known)
    return _class_numbers(table["prediction"].to_list(), place), _scores(table, known, task)
