"""A book of realised figures with rows and labels of one's own: row i arrives at second i, a pane holds ten rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace
from tests.monitor.streams import contract, log, service

from flyball.core.prediction import LabelRecord
from flyball.core.realised import RealisedGroup, RealisedWindow
from flyball.core.release import Baseline, Reference
from flyball.core.service import BusinessValue, Slice, Task
from flyball.core.watching import Pane
from flyball.monitor.labels import WaitingRows
from flyball.monitor.realised.book import RealisedBook

PANE_ROWS = 10
BINARY = Reference(kind="category", values=("0", "1"), counts=(50, 50, 0, 0))
THREE = Reference(kind="category", values=("a", "b", "c"), counts=(50, 50, 50, 0, 0))
NUMBER = Reference(kind="numeric", edges=(1.0, 2.0, 4.0), counts=(25, 25, 25, 25, 0))
ANSWERS: dict[Task, Reference] = {"binary": BINARY, "multiclass": THREE, "regression": NUMBER}


class World:
    """Rows, labels and the book that counts them."""

    def __init__(
        self,
        task: Task = "binary",
        *,
        slices: tuple[str | Slice, ...] = (),
        value: BusinessValue | None = None,
        label_window_s: float = 0.0,
        examples: int = 20,
        window_panes: int = 1,
        personal: tuple[str, ...] = (),
        keep_rows: int = 100_000,
        answers: Mapping[str, Reference] | None = None,
    ) -> None:
        table = pl.DataFrame({"amount": [1.0], "region": ["x"], "label": [1]})
        declared = service(task, "mae" if task == "regression" else "accuracy", label="label")
        monitor = replace(declared.monitor, slices=slices, value=value, examples=examples)
        data = replace(declared.data, label_window_s=label_window_s)
        promised = contract(table, table.columns)
        columns = tuple(
            replace(column, classification="pii") if column.name in personal else column for column in promised.columns
        )
        told_before = {"prediction": ANSWERS[task]} if answers is None else dict(answers)
        features = {"amount": Reference(kind="numeric", edges=(10.0, 20.0, 30.0), counts=(25, 25, 25, 25, 0))}
        self.rows = WaitingRows(keep_rows=keep_rows, label_window_s=label_window_s)
        self.book = RealisedBook(
            service=replace(declared, monitor=monitor, data=data),
            contract=replace(promised, columns=columns),
            baseline_of=lambda _: Baseline(rows=100, features=features, prediction=told_before),
        )
        self._window_panes, self._panes = window_panes, 0

    def predict(
        self,
        answers: Sequence[Any],
        scores: Sequence[Any] | None = None,
        *,
        releases: Sequence[str] | None = None,
        arms: Sequence[str] | None = None,
        **features: Sequence[Any],
    ) -> "World":
        """Rows more, in panes; each run of `window_panes` panes is a window."""
        for start in range(0, len(answers), PANE_ROWS):
            part = slice(start, start + PANE_ROWS)
            first = self._panes * PANE_ROWS
            ids = pl.Series("id", [f"p{first + at}" for at in range(len(answers[part]))], dtype=pl.String)
            frame = log(ids).with_columns(
                at=np.arange(first, first + ids.len(), dtype=np.float64), prediction=pl.Series(answers[part])
            )
            if scores is not None and isinstance(scores[0], dict):
                frame = frame.with_columns(scores=pl.Series(scores[part]))
            elif scores is not None:
                frame = frame.with_columns(score=pl.Series(scores[part], dtype=pl.Float64))
            for name, column in (("release", releases), ("arm", arms)):
                if column is not None:
                    frame = frame.with_columns(pl.Series(name, column[part]))
            for name, values in features.items():
                frame = frame.with_columns(pl.Series(f"x.{name}", values[part]))
            end = float(first + ids.len())
            self.rows.add(frame, first_row=first, end=end)
            pane = Pane(
                service="s",
                index=self._panes,
                start=float(first),
                end=end,
                first_row=first,
                last_row=first + ids.len() - 1,
            )
            self.book.forget(self.rows.oldest_row, end)
            index = self._panes // self._window_panes
            self.book.pane(self.rows.newest, pane, release="r1", index=index)
            self.book.labels(self.rows.events())
            self._panes += 1
            if self._panes % self._window_panes == 0:
                self.book.complete()
        return self

    def label(self, labels: Sequence[LabelRecord]) -> "World":
        self.rows.label(labels)
        self.book.labels(self.rows.events())
        return self

    def all_labelled(self, truth: Sequence[Any], *, delay: float = 0.0) -> "World":
        """Every row's label, so many seconds after it."""
        return self.label([told(row, value, row + delay) for row, value in enumerate(truth)])

    def windows(self, now: float = 1e6) -> tuple[RealisedWindow, ...]:
        """As they stand; the order in which labels came may show in the number of revisions alone."""
        return tuple(replace(window, revision=0) for window in self.book.windows(now))

    def group(self, slice: str = "", *, window: int = 0) -> RealisedGroup:
        (found,) = [each for each in self.windows()[window].groups if each.slice == slice]
        return found


def told(row: int, value: Any, at: float) -> LabelRecord:
    return LabelRecord(id=f"p{row}", label=value, at=float(at))
