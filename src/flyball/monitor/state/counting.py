"""Rows of the prediction log become a state: one pass over each column.

The rules of what counts are those of `monitor.panes`: excluded rows nowhere; features of accepted rows only;
predictions and scores of rows that the release answered itself. A label comes later: `labelled` is the state to add
then, and the state to subtract when it is corrected.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from flyball.monitor.panes import LEFT_OUT, answer_column, class_places, numbers
from flyball.monitor.state.categories import count_categories
from flyball.monitor.state.cells import prepared
from flyball.monitor.state.frame import LABEL, Frame, Part
from flyball.monitor.state.grids import Places, Scratch
from flyball.monitor.state.state import Counts, State


def counted(frame: Frame, rows: pl.DataFrame) -> State:
    """State of rows of one release.

    Args: rows: with the columns of `PredictionRecord`, features in `x.<name>`; a column that is absent counts nothing.
    """
    if "excluded" in rows.columns and rows["excluded"].any():
        rows = rows.filter(~rows["excluded"])
    counts = np.zeros(frame.size, dtype=np.int64)
    counts[0] = rows.height
    outcome = rows["outcome"]
    accepted = rows.filter(~outcome.is_in(LEFT_OUT))
    answered = accepted.filter(accepted["outcome"] == "answered")
    scratch = Scratch()
    classes = _classes(frame, answered["prediction"]) if frame.classes and "prediction" in rows.columns else None
    for part in frame.parts.values():
        if part.role == "feature" and f"x.{part.name}" in rows.columns:
            counts[part.place] += _counted(accepted[f"x.{part.name}"], part, scratch)
        elif part.role == "prediction" and (column := answer_column(answered, part.name)) is not None:
            counts[part.place] += _counted(column, part, scratch)
        elif part.role == "by_class" and classes is not None and f"x.{part.name}" in rows.columns:
            bins = _bins(answered[f"x.{part.name}"], part)
            counts[part.place] += np.bincount(classes * (part.size // part.rows) + bins, minlength=part.size)
    return State(frame, counts)


def labelled(frame: Frame, predicted: Sequence[object], labels: Sequence[object]) -> State:
    """Joint cells of predicted class and label, shape [n] each; no other count, no rows. None: no label.

    Raises: ValueError: the release predicts no classes, or the two differ in length.
    """
    part = frame.parts.get(("label", LABEL))
    if part is None or len(predicted) != len(labels):
        expected = "classes" if part is None else f"{len(predicted)} labels"
        raise ValueError(f"expected {expected}, found {'a regression' if part is None else len(labels)}")
    counts = np.zeros(frame.size, dtype=np.int64)
    ours, theirs = (_classes(frame, pl.Series(_texts(values), dtype=pl.String)) for values in (predicted, labels))
    counts[part.place] = np.bincount(ours * part.rows + theirs, minlength=part.size)
    return State(frame, counts)


def _counted(column: pl.Series, part: Part, scratch: Scratch) -> Counts:
    if not part.numeric:
        return _of_categories(column, part.values)
    found = prepared(part.edges).count(numbers(column), scratch)
    return np.concatenate([found.counts, np.array([found.neg_inf, found.pos_inf], dtype=np.int64)])


def _of_categories(column: pl.Series, values: tuple[str, ...]) -> Counts:
    """Under whatever text a value came: a label 1 may have travelled as `1.0`."""
    places = class_places(values)
    known = tuple(places)
    found = count_categories(column, known)
    folded = np.zeros(len(values) + 2, dtype=np.int64)
    np.add.at(folded, np.array([*places.values(), len(values), len(values) + 1], dtype=np.intp), found)
    return folded


def _bins(column: pl.Series, part: Part) -> Places:
    """The PSI bin of each row, shape [n]."""
    if part.numeric:
        values = numbers(column)
        at = np.searchsorted(np.asarray(part.edges), values, side="right")
        at[np.isnan(values)] = len(part.edges) + 1
        return at
    return _codes(column, part.values)


def _classes(frame: Frame, column: pl.Series) -> Places:
    return _codes(column, frame.classes)


def _codes(column: pl.Series, values: tuple[str, ...]) -> Places:
    places = class_places(values)
    texts = column.cast(pl.String)
    if column.dtype == pl.Boolean:
        texts = texts.str.to_titlecase()
    codes = texts.replace_strict(places, default=len(values), return_dtype=pl.Int64)
    return codes.zip_with(texts.is_not_null(), pl.Series([len(values) + 1], dtype=pl.Int64)).to_numpy().astype(np.intp)


def _texts(values: Sequence[object]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]
