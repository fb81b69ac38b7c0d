"""What is tested: the rows, the packaged model's answers to them, and what the declaration says of both."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.contract import DataContract
from flyball.core.model import Label, Predictions, Scores
from flyball.core.service import ModelTests, Service, Task
from flyball.pipeline.evaluate import Scored

Predict = Callable[[pl.DataFrame], tuple[Predictions, Scores]]  # a frame with the model's inputs


class Fitted(Protocol):
    """A model fitted during a test, not packaged."""

    @property
    def classes(self) -> tuple[Label, ...]: ...

    def predict(self, made: pl.DataFrame) -> tuple[Predictions, Scores]:
        """Answers to a frame of features, as `features()` makes it."""
        ...


Learn = Callable[[pl.DataFrame, pl.Series], Fitted]  # (features, label) -> a model: one more call of the user's train()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One candidate with the rows it learned from and the rows it is judged on."""

    service: Service
    contract: DataContract | None
    train: pl.DataFrame  # all columns of the contract, in the order of time
    holdout: pl.DataFrame
    plain: tuple[str, ...]  # inputs of the model's features: without key, timestamp and label
    made_train: pl.DataFrame | None  # features of `train`; None where they were not computed
    made_holdout: pl.DataFrame | None
    scored: Scored  # the packaged model's answers to `holdout`, over `classes`
    classes: tuple[Label, ...]
    predict: Predict  # the packaged model

    @property
    def task(self) -> Task:
        return self.service.experiment.task

    @property
    def label(self) -> str:
        return self.service.data.label

    @property
    def metric(self) -> str:
        return self.service.experiment.metric

    @property
    def tests(self) -> ModelTests:
        return self.service.experiment.tests

    @property
    def features(self) -> pl.DataFrame:
        """What the estimator saw of the training rows, or the inputs where that is not known."""
        return self.made_train if self.made_train is not None else self.train.select(self.plain)

    def required(self) -> frozenset[str]:
        """Inputs that the contract does not let be missing."""
        if self.contract is None:
            return frozenset()
        return frozenset(column.name for column in self.contract.columns if column.required)


def groups(column: pl.Series, *, most: int = 12, parts: int = 4) -> tuple[list[str], npt.NDArray[np.int64]]:
    """(names, number of each row's group): values, or quantile ranges of a number with more than `most` values.

    >>> names, at = groups(pl.Series(["b", "a", None, "b"]))
    >>> names, at.tolist()
    (['(missing)', 'a', 'b'], [2, 1, 0, 2])
    """
    if column.dtype.is_numeric() and column.n_unique() > most:
        values = column.cast(pl.Float64).to_numpy()
        known = values[np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, parts + 1)[1:-1]))
        at = np.searchsorted(edges, values, side="right").astype(np.int64)
        at[~np.isfinite(values)] = edges.size + 1
        ends = ["-inf", *(f"{edge:.6g}" for edge in edges), "inf"]
        return [f"{a}..{b}" for a, b in pairwise(ends)] + ["(missing)"], at
    texts = ["(missing)" if value is None else str(value) for value in column.to_list()]
    names, at = np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)
    return [str(name) for name in names], at.astype(np.int64).ravel()


def taken(scored: Scored, rows: npt.ArrayLike) -> Scored:
    """The same answers for some of the rows."""
    at = np.asarray(rows)
    return Scored(
        truth=scored.truth[at],
        predictions=scored.predictions[at],
        scores=None if scored.scores is None else scored.scores[at],
    )
