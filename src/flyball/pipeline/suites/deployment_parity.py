"""The parity gate: an exported model answers as the original does, or it is not used.

Compared are scores (numbers of a regression) within the tolerance that the format states, labels exactly, and what is
refused: an answer where the original has none is as wrong as a wrong one. On the whole holdout, on rows made to find
differences (`deployment_edges`), all at once and one by one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.model import Predictions, Scores
from flyball.core.record import Record
from flyball.core.release import TestResult
from flyball.pipeline.suites.deployment_edges import edge_rows

Outputs = Callable[[pl.DataFrame], tuple[Predictions, Scores]]  # may raise: it refuses these rows
ALONE = 24  # rows that are asked one by one as well
NAME = "model file"


class Parity(Record):
    """What a comparison found."""

    rows: int  # of the holdout
    edges: int  # generated
    tolerance: float
    worst: float = 0.0  # largest difference, absolute up to 1 and relative above
    off: int = 0  # rows beyond the tolerance
    changed: int = 0  # rows with another label
    refused: int = 0  # rows that only one of the two answers
    where: str = ""  # the worst row, in words

    @property
    def agrees(self) -> bool:
        return not (self.off or self.changed or self.refused)


def parity(original: Outputs, exported: Outputs, holdout: pl.DataFrame, *, tolerance: float) -> Parity:
    """Both are asked for the answers to the same features.

    >>> one = lambda table: (table["x"].to_numpy() > 0, table["x"].to_numpy() * 0.5)
    >>> rounded = lambda table: (table["x"].to_numpy() > 0, (table["x"].to_numpy() * 0.5).astype(np.float32))
    >>> rows = pl.DataFrame({"x": [0.1, 0.9]})
    >>> parity(one, one, rows, tolerance=0.0).agrees, parity(one, rounded, rows, tolerance=0.0).agrees
    (True, False)
    """
    edges = edge_rows(holdout, lambda table: _answers(exported, table)[1])
    table = pl.concat([holdout, edges])
    theirs, ours = _answers(original, table), _answers(exported, table)
    at = _alone(holdout.height, table.height)
    twice = _joined(theirs, (theirs[0][at], theirs[1][at]))
    ours = _joined(ours, *(_answers(exported, table[row]) for row in at))
    index = np.concatenate([np.arange(table.height), np.array(at)])
    return _compared(twice, ours, table, index, Parity(rows=holdout.height, edges=edges.height, tolerance=tolerance))


def words(found: Parity) -> str:
    """One sentence: agreement with its numbers, or what is wrong and the worst row."""
    on = f"{found.rows} rows of the holdout and {found.edges} made to find differences"
    if found.agrees:
        return f"agrees with the original within {found.tolerance:g} on {on}; largest difference {found.worst:.2g}"
    wrong = [
        f"{count} {what}"
        for count, what in (
            (found.off, f"off by more than {found.tolerance:g}"),
            (found.changed, "with another label"),
            (found.refused, "answered by one of the two only"),
        )
        if count
    ]
    return f"does not agree with the original: of {on}, {', '.join(wrong)}; worst {found.where}"


def kept_as_pickle(why: str) -> TestResult:
    """No failure: what is packaged is the estimator itself.

    >>> kept_as_pickle("experiment.export says so").reason
    'kept as pickle because experiment.export says so'
    """
    return TestResult(
        suite="deployment",
        name=NAME,
        dimension="quality",
        verdict="PASS",
        reason=f"kept as pickle because {why}",
        hard=False,
    )


def result(file: str, found: Parity) -> TestResult:
    """Of the model file that is packaged."""
    return TestResult(
        suite="deployment",
        name=NAME,
        dimension="quality",
        verdict="PASS" if found.agrees else "FAIL",
        reason=f"{file} {words(found)}",
        value=found.worst,
        limit=found.tolerance,
        n=found.rows + found.edges,
    )


Answered = tuple[npt.NDArray[Any], npt.NDArray[np.float64]]  # labels [n], numbers [n, k]; NaN where refused


def _answers(ask: Outputs, table: pl.DataFrame) -> Answered:
    """Where a batch is refused its halves are asked, down to the rows that are at fault."""
    try:
        with np.errstate(all="ignore"):
            labels, scores = ask(table)
    except Exception:  # whatever it raises, these rows have no answer
        if table.height == 1:
            return np.array([None], dtype=object), np.full((1, 1), np.nan)
        half = table.height // 2
        return _joined(_answers(ask, table[:half]), _answers(ask, table[half:]))
    numbers = np.asarray(labels if scores is None else scores, dtype=np.float64).reshape(table.height, -1)
    kept = np.asarray(np.isfinite(numbers).all(axis=1))
    named = np.full(table.height, None, dtype=object)  # the answer of a regression is its number
    if scores is not None:
        named[kept] = np.asarray(labels, dtype=object)[kept]
    return named, np.where(kept[:, None], numbers, np.nan)


def _joined(*parts: Answered) -> Answered:
    return np.concatenate([labels for labels, _ in parts]), np.concatenate(_equally_wide(*(part for _, part in parts)))


def _equally_wide(*parts: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """A refusal has one column, whatever the answers have."""
    wide = max(part.shape[1] for part in parts)
    return [np.broadcast_to(part, (len(part), wide)) if part.shape[1] == 1 else part for part in parts]


def _compared(theirs: Answered, ours: Answered, table: pl.DataFrame, index: npt.NDArray[Any], empty: Parity) -> Parity:
    left, right = _equally_wide(theirs[1], ours[1])
    gone = np.isnan(left).all(axis=1), np.isnan(right).all(axis=1)
    with np.errstate(all="ignore"):
        distance = np.nan_to_num((np.abs(left - right) / np.maximum(1.0, np.abs(left))).max(axis=1), nan=0.0)
    refused = gone[0] != gone[1]
    changed = (theirs[0] != ours[0]) & ~gone[0] & ~gone[1]
    off = distance > empty.tolerance
    wrong = off | changed | refused
    worst = int(np.argmax(np.where(wrong, distance + 10.0 * changed + 100.0 * refused, -1.0)))
    return Parity(
        rows=empty.rows,
        edges=empty.edges,
        tolerance=empty.tolerance,
        worst=float(distance.max(initial=0.0)),
        off=len(set(index[off].tolist())),
        changed=len(set(index[changed].tolist())),
        refused=len(set(index[refused].tolist())),
        where=_row(table, int(index[worst]), empty.rows, left[worst], right[worst]) if wrong.any() else "",
    )


def _row(table: pl.DataFrame, at: int, holdout: int, left: Any, right: Any) -> str:
    values = ", ".join(f"{name}={value!r}" for name, value in list(table.row(at, named=True).items())[:12])
    kind = f"row {at} of the holdout" if at < holdout else "a generated row"
    return f"{kind} ({values}): {_numbers(left)} became {_numbers(right)}"


def _numbers(values: Any) -> str:
    if np.isnan(values).all():
        return "no answer"
    return ", ".join(f"{value:.9g}" for value in values[:4].tolist())


def _alone(holdout: int, rows: int) -> list[int]:
    """Some of the holdout, some of the generated rows."""
    first = np.linspace(0, holdout - 1, min(ALONE, holdout)).astype(np.int64)
    rest = np.linspace(holdout, rows - 1, min(ALONE, rows - holdout)).astype(np.int64)
    return [int(row) for row in np.unique(np.concatenate([first, rest]))]
