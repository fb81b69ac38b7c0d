"""A pane of predictions as codes, made once: whatever a label of it changes is then arithmetic on a few numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.service import BusinessValue, Task
from flyball.monitor.answers import plain_text
from flyball.monitor.labels import HeldPane
from flyball.monitor.realised.forms import TOP, Known
from flyball.monitor.realised.tally import Batch, Floats, Ints
from flyball.stats.scoring.score_counts import BINS, bins_of

_LEAST_P = 1e-15  # as `stats.metrics`
_BEYOND = 1e60  # a number as large as this is no target: its fourth power is none any more
Owner = tuple[str, str]  # arm, and the release that answered in it


@dataclass(frozen=True, kw_only=True, eq=False)
class CodedPane:
    """One pane."""

    held: HeldPane
    window: int  # which window of the book it is in
    owners: tuple[Owner, ...]
    owner: Ints  # of each row, -1: no release answered it itself, shape [n]
    arrived: Floats  # seconds since the epoch, shape [n]
    answer: Floats  # class number (k: none of the known) or number, shape [n]
    scores: Floats | None  # P(positive) [n] or P(class) [n, k]; nan: none
    slices: tuple[Ints, ...]  # of each declared slice: number of the group a row is in, -1: in none
    worth: Floats | None  # what a right answer to the row is worth, before weights; nan: not known


def owners_of(held: HeldPane) -> tuple[tuple[Owner, ...], Ints]:
    """Who answered each row itself."""
    arm, by = held.frame["arm"], held.by
    if by and by[0] is not None and by.count(by[0]) == len(by) and arm.n_unique() == 1:
        return ((arm[0], by[0]),), np.zeros(len(by), dtype=np.int64)
    index: dict[Owner, int] = {}
    owner = [
        -1 if release is None or arm is None else index.setdefault((arm, release), len(index))
        for arm, release in zip(arm.to_list(), by, strict=True)
    ]
    return tuple(index), np.array(owner, dtype=np.int64)


def answers_of(frame: pl.DataFrame, owner: Ints, of: Sequence[Known], task: Task) -> Floats:
    """The answers as numbers: of a class its place in its release's own list."""
    if task == "regression":
        return np.asarray(frame["prediction"].cast(pl.Float64, strict=False).to_numpy(), dtype=np.float64)
    values = frame["prediction"].to_list()
    if len(of) == 1:
        return codes(values, of[0]).astype(np.float64)
    found = np.full(owner.size, -1.0)
    for number, known in enumerate(of):
        mine = owner == number
        found[mine] = codes(values, known)[mine]
    return found


def codes(values: Sequence[Any], known: Known) -> Ints:
    """Number of each class in the release's list; k: it is none of them."""
    if len(set(map(type, values))) > 1:  # 1 and True are equal, yet are two classes
        return np.array([known.place.get(plain_text(value), known.form.k) for value in values], dtype=np.int64)
    place = {value: known.place.get(plain_text(value), known.form.k) for value in set(values)}
    return np.array(list(map(place.__getitem__, values)), dtype=np.int64)


def scores_of(frame: pl.DataFrame, classes: tuple[str, ...], task: Task) -> Floats | None:
    """P(positive), or P(class) in the order of these classes; None: the pane has none of them."""
    if task == "binary" and "score" in frame.columns:
        return np.asarray(frame["score"].cast(pl.Float64).to_numpy(), dtype=np.float64)
    if task == "multiclass" and "scores" in frame.columns:
        told = frame["scores"].struct.unnest()
        if all(name in told.columns for name in classes):
            return np.asarray(told.select(classes).cast(pl.Float64).to_numpy(), dtype=np.float64)
    return None


def batch(pane: CodedPane, rows: Ints, labels: Sequence[Any], known: Known, declared: BusinessValue | None) -> Batch:
    """What these rows of one owner add with these labels. Args: rows: places in the pane, shape [n]."""
    answer = pane.answer[rows]
    worth = pane.worth[rows] if pane.worth is not None else np.ones(rows.size)
    if known.form.task == "regression":
        return _numbers(answer, np.array([_number(label) for label in labels]), worth, declared)
    k = known.form.k
    if not k:  # nothing is right or wrong without classes
        return Batch(n=rows.size, known=np.zeros(rows.size, dtype=bool), wrong=np.zeros(rows.size))
    truth = codes(labels, known)
    said = answer.astype(np.int64)
    terms = dict.fromkeys(("log_loss", "log_loss2", "brier", "brier2"), np.full(rows.size, np.nan))
    bins = shown = None
    if pane.scores is not None and known.form.ranked:
        score = pane.scores[rows]
        bins, shown = _ranked(score, truth, known)
        terms = _losses(score, truth, k)
    if declared is not None:
        terms |= _valued(worth * _weights(truth, said, declared, known.form.task))
    return Batch(
        n=rows.size,
        known=np.ones(rows.size, dtype=bool),
        wrong=((truth != said) | (truth == k)).astype(np.float64),
        cell=truth * (k + 1) + said,
        score=bins if bins is not None else np.full((len(known.form.ranked), rows.size), -1, dtype=np.int64),
        said=shown if shown is not None else np.zeros((len(known.form.ranked), rows.size)),
        terms=terms,
    )


def losses(of: Batch) -> Floats:
    """How wrong each answer was: absolute error, or 1 for a wrong class and 0 for a right one."""
    if of.wrong is not None:
        return of.wrong
    return np.where(of.known, of.terms["absolute"], 0.0)


def _numbers(answer: Floats, truth: Floats, worth: Floats, declared: BusinessValue | None) -> Batch:
    good = (np.abs(truth) < _BEYOND) & (np.abs(answer) < _BEYOND)  # false for nan
    size = np.abs(np.where(good, answer - truth, 0.0))
    # a label of 0 has no relative error, and one next to it none that is worth a mean
    ratio = good & (np.abs(truth) * _BEYOND > size) & (truth != 0)
    relative = np.divide(size, np.abs(truth), out=np.full(size.size, np.nan), where=ratio)
    terms = {"absolute": size, "square": size**2, "fourth": size**4}
    terms |= {"relative": relative, "relative2": relative**2}
    if declared is not None:
        terms |= _valued(worth * declared.error * size)
    return Batch(n=truth.size, known=np.asarray(good), terms=terms)


def _ranked(score: Floats, truth: Ints, known: Known) -> tuple[Ints, Floats]:
    k, columns = known.form.k, score if score.ndim == 2 else score[:, None]
    told = np.isfinite(columns).all(axis=1) & (truth < k)
    safe = np.where(told[:, None], columns, 0.0)
    codes, shown = [], []
    for number, label in enumerate(known.form.ranked):
        if label == TOP:
            column, hit = safe.max(axis=1), safe.argmax(axis=1) == truth
        else:
            column, hit = safe[:, label if score.ndim == 2 else 0], truth == label
        codes.append(np.where(told, (number * 2 + hit) * BINS + bins_of(column), -1))
        shown.append(column)
    return np.array(codes, dtype=np.int64), np.array(shown)


def _losses(score: Floats, truth: Ints, k: int) -> dict[str, Floats]:
    """Of rows whose label the release knows."""
    if score.ndim == 1:
        p = np.where(truth == 1, score, 1 - score)
        brier = (1 - p) ** 2
    else:
        at = np.minimum(truth, k - 1)
        rows = np.arange(truth.size)
        brier = np.sum((score - np.eye(k)[at]) ** 2, axis=1)
        p = score[rows, at] / score.sum(axis=1)
    loss = -np.log(np.clip(p, _LEAST_P, 1.0))
    loss, brier = (np.where(truth < k, values, np.nan) for values in (loss, brier))
    return {"log_loss": loss, "log_loss2": loss**2, "brier": brier, "brier2": brier**2}


def _weights(truth: Ints, said: Ints, declared: BusinessValue, task: Task) -> Floats:
    right, wrong = declared.right, declared.wrong
    if task != "binary":
        return np.where(truth == said, right, wrong)
    cells = np.full((3, 3), wrong)
    cells[1, 1] = right if declared.tp is None else declared.tp
    cells[0, 0] = right if declared.tn is None else declared.tn
    cells[0, 1] = wrong if declared.fp is None else declared.fp
    cells[1, 0] = wrong if declared.fn is None else declared.fn
    return cells[np.minimum(truth, 2), np.minimum(said, 2)]


def _valued(value: Floats) -> dict[str, Floats]:
    value = np.where(np.abs(value) < _BEYOND, value, np.nan)
    return {"value": value, "value2": value**2}


def _number(label: Any) -> float:
    try:
        return float(label)
    except (TypeError, ValueError):
        return float("nan")  # told as unusable


def worth_of(frame: pl.DataFrame, column: str) -> Floats | None:
    """The declared column as numbers; None: the log does not have it."""
    name = f"x.{column}"
    if name not in frame.columns:
        return None
    values: npt.NDArray[np.float64] = frame[name].cast(pl.Float64, strict=False).to_numpy()
    return np.asarray(values, dtype=np.float64)


def joined(frame: pl.DataFrame, on: str, worth: Mapping[str, float]) -> Floats:
    """What the table says of each row; nan: it says nothing of it."""
    name = f"x.{on}"
    if name not in frame.columns:
        return np.full(frame.height, np.nan)
    ids = frame[name].cast(pl.String).to_list()
    return np.array([worth.get(each, math.nan) if each is not None else math.nan for each in ids])
