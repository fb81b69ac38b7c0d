"""The regimes that the governed run is measured against: the frozen first release, and a fixed schedule.

They call the service's own `train()` on the same rows, with the labels that had arrived, and answer the same rows.
"""

from collections.abc import Callable, Sequence
from statistics import median_low

import polars as pl

from flyball.app.replay.tracks import Track
from flyball.core.model import Model
from flyball.core.record import Record

Fit = Callable[[pl.DataFrame], Model]  # the service's train() on labelled rows


class Course(Record):
    """When a fixed schedule trains, and when each model begins to serve. Stream rows."""

    at: tuple[int, ...]
    lag: int


def course(rows: int, train_rows: int, trainings: int, lags: Sequence[int]) -> Course:
    """As many trainings as the governed run, evenly spaced, in service after its median rollout.

    >>> course(rows=10_000, train_rows=4_000, trainings=2, lags=[300, 500, 400])
    Course(at=(6000, 8000), lag=400)
    """
    gap = (rows - train_rows) / (trainings + 1)
    return Course(
        at=tuple(round(train_rows + i * gap) for i in range(1, trainings + 1)),
        lag=median_low(lags) if lags else 0,
    )


def answers(model: Model, table: pl.DataFrame) -> Track:
    """One model's answers to all rows of a table."""
    if table.is_empty():
        return Track()
    predictions, scores = model.predict_frame(table.select(model.dtypes.keys()))
    return Track(
        predictions=predictions.tolist(),
        scores=scores.tolist() if scores is not None else [None] * table.height,
    )


def scheduled(
    table: pl.DataFrame, first: Model, fits: Sequence[tuple[int, Model]], train_rows: int, *, lag: int
) -> Track:
    """The first model, then each of `fits` from its row plus `lag` on, to the end."""
    starts = [train_rows, *(min(row + lag, table.height) for row, _ in fits), table.height]
    models = [first, *(model for _, model in fits)]
    track = Track()
    for model, start, stop in zip(models, starts[:-1], starts[1:], strict=True):
        part = answers(model, table[start:stop])
        track.predictions += part.predictions
        track.scores += part.scores
    return track


def window(table: pl.DataFrame, row: int, *, label_delay_rows: int, window_rows: int) -> pl.DataFrame:
    """The newest rows whose labels have arrived when row `row` is about to come."""
    end = max(0, row - label_delay_rows)
    return table[max(0, end - window_rows) : end]
