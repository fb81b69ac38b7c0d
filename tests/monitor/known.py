"""Data sets whose changes are known become streams for the watcher: what answers them. The table: `known_sets`.

Where a set carries a model's answers they are used, else a small model is fitted on the first rows. The settings are
the same for all: windows of 1,000 rows, labels 500 rows late, the default limits. Where one differs the entry says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from tests.monitor.streams import Stream

from flyball.core.service import Task
from flyball.stats.sensitivity import permutation_sensitivity

WINDOW, DELAY = 1000, 500


@dataclass(frozen=True, kw_only=True)
class Known:
    """One change of one data set."""

    name: str
    stream: Callable[[Path], Stream]
    change: int | None  # row; None: there is none
    until: int | None = None  # last row of a gradual change
    kinds: frozenset[str]  # all of them are to be said within three windows
    features: frozenset[str] = frozenset()  # named, and no others
    window: int = WINDOW
    delay: int = DELAY
    slow: bool = False
    why: str = ""  # of a setting that differs

    @property
    def unheard(self) -> frozenset[str]:
        """Kinds that may not be said before the change; that nothing harms may."""
        return self.kinds - {"harmless"}


def fitted(
    table: pl.DataFrame,
    features: Sequence[str],
    label: str,
    *,
    train: int,
    reference: int,
    rows: slice,
    task: Task = "binary",
    metric: str = "accuracy",
    window: int = WINDOW,
    spread: bool = False,
    delay: int = DELAY,
    max_loss: float | str = 0.05,
    leaf: int = 20,
) -> Stream:
    """A boosted tree model of the first `train` rows; rows up to `reference` are the baseline, the newest held out."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # one thread, a second for them all

    inputs, truth = _numbers(table, features), table[label].to_numpy()
    seen = np.arange(len(inputs)) < train
    if spread:  # every fifth row of the reference is held out, so that the holdout spans the seasons too
        seen = (np.arange(len(inputs)) < reference) & (np.arange(len(inputs)) % 5 != 0)
    score: str | None = None
    classes: tuple[int, ...] = ()
    if task == "regression":
        tree = DecisionTreeRegressor(random_state=0, min_samples_leaf=20).fit(inputs[seen], truth[seen])
        table = table.with_columns(pl.Series("answer", tree.predict(inputs)))
    else:
        tree = DecisionTreeClassifier(random_state=0, min_samples_leaf=leaf).fit(inputs[seen], truth[seen])
        p = tree.predict_proba(inputs)[:, 1]
        table = table.with_columns(pl.Series("p", p), pl.Series("answer", (p >= 0.5).astype(np.int64)))
        score, classes = "p", (0, 1)
    coded = pl.DataFrame(inputs[:reference][~seen[:reference]][:500], schema=list(features))
    cares = permutation_sensitivity(
        lambda rows: tree.predict(rows.to_numpy()) if score is None else tree.predict_proba(rows.to_numpy())[:, 1],
        coded,
        features,
        rng=np.random.default_rng(0),
    )
    return Stream(
        reference=table[:reference],
        held=reference - train,
        held_out=table[:reference].filter(pl.Series(~seen[:reference])) if spread else None,
        sensitivity=cares,
        table=table[rows],
        features=features,
        label=label,
        prediction="answer",
        score=score,
        task=task,
        metric=metric,
        classes=classes,
        first_row=rows.start,
        delay=delay,
        max_loss=max_loss,
        window_rows=window,
    )


def _numbers(table: pl.DataFrame, features: Sequence[str]) -> npt.NDArray[np.float64]:
    """Texts by the rank of their value, missing as -1."""
    return table.select(
        (pl.col(name).rank("dense") if table[name].dtype == pl.String else pl.col(name)).cast(pl.Float64).fill_null(-1)
        for name in features
    ).to_numpy()


def nannyml(
    name: str, features: str, rows: slice, *, label: str, metric: str = "accuracy", task: Task = "binary", **more: Any
) -> Callable[[Path], Stream]:
    def made(data: Path) -> Stream:
        folder = data / f"nannyml_{name}"
        return Stream(
            reference=pl.read_parquet(folder / "reference.parquet").tail(10_000),
            table=pl.read_parquet(folder / "monitoring.parquet")[rows],
            features=features.split(),
            label=label,
            prediction="y_pred",
            task=task,
            metric=metric,
            first_row=rows.start,
            **more,
        )

    return made


def own(
    path: str,
    label: str,
    *,
    rows: slice,
    train: int = 4000,
    reference: int = 6000,
    without: str = "timestamp",
    plant: Callable[[pl.DataFrame], pl.DataFrame] = lambda table: table,
    **more: Any,
) -> Callable[[Path], Stream]:
    """A set without answers: all columns but the label are features."""

    def made(data: Path) -> Stream:
        table = plant(pl.read_parquet(data / path))
        features = [name for name in table.columns if name != label and name not in without.split()]
        return fitted(table, features, label, rows=rows, train=train, reference=reference, **more)

    return made
