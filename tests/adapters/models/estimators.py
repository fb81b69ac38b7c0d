"""Fitted estimators of every family that is exported, on one small table; and the parity gate over real bytes."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from flyball.core.model import Packaged, outputs
from flyball.core.service import Task
from flyball.pipeline.suites.deployment_parity import Parity, parity

ROWS, HELD = 1200, 300
NAN = float("nan")


@cache
def table() -> pl.DataFrame:
    """Numbers with holes, a whole number that is a category, a flag, a text with holes. Names are any text."""
    rng = np.random.default_rng(5)
    numbers = rng.normal(size=(ROWS, 3)) * [1.0, 100.0, 1e4]
    return pl.DataFrame(
        {
            "in euro": numbers[:, 0],
            "x.y": np.where(rng.random(ROWS) < 0.1, NAN, numbers[:, 1]),
            "größe": numbers[:, 2],
            "kind": rng.integers(0, 6, ROWS),
            "flag": rng.random(ROWS) < 0.4,
            "city": [[None, "a", "b", "c"][at] for at in rng.choice(4, ROWS, p=[0.1, 0.3, 0.3, 0.3])],
        }
    ).with_columns(pl.col("x.y").fill_nan(None))


def numbers() -> pl.DataFrame:
    return table().drop("city")


def whole() -> pl.DataFrame:
    return numbers().with_columns(pl.col("x.y").fill_null(0.0))


def label(task: Task) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(6)
    known = whole()
    value = known["in euro"].to_numpy() + (known["kind"].to_numpy() == 2) * 2 + rng.normal(size=ROWS) * 0.5
    if task == "regression":
        return np.asarray(value)
    return np.asarray(value > 0) if task == "binary" else np.digitize(value, [-0.5, 1.0])


def with_text(last: Any, encoder: Any) -> Any:
    return make_pipeline(make_column_transformer((encoder, ["city"]), remainder="passthrough"), last)


def ordinal() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=NAN, encoded_missing_value=NAN)


Case = tuple[Callable[[], Any], Callable[[], pl.DataFrame], Task]
CASES: dict[str, Case] = {
    "histogram": (lambda: HistGradientBoostingClassifier(max_iter=20), numbers, "binary"),
    "histogram of a category": (
        lambda: HistGradientBoostingClassifier(max_iter=20, categorical_features=["kind"]), numbers, "binary"
    ),
    "histogram of three classes": (lambda: HistGradientBoostingClassifier(max_iter=8), numbers, "multiclass"),
    "histogram regression": (lambda: HistGradientBoostingRegressor(max_iter=20), numbers, "regression"),
    "histogram of an absolute error": (
        lambda: HistGradientBoostingRegressor(max_iter=10, loss="absolute_error", categorical_features=["kind"]),
        numbers,
        "regression",
    ),
    "histogram behind a scaler": (
        lambda: make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20)), numbers, "binary"
    ),
    "drafted": (lambda: with_text(HistGradientBoostingClassifier(max_iter=10), ordinal()), table, "binary"),
    "forest": (lambda: RandomForestClassifier(n_estimators=15, random_state=0), whole, "binary"),
    "forest that knows missing": (lambda: RandomForestClassifier(n_estimators=5, random_state=0), numbers, "binary"),
    "forest of three classes": (lambda: RandomForestClassifier(n_estimators=8, random_state=0), whole, "multiclass"),
    "forest regression": (lambda: RandomForestRegressor(n_estimators=8, random_state=0), whole, "regression"),
    "extra trees": (lambda: ExtraTreesClassifier(n_estimators=8, random_state=0), whole, "binary"),
    "tree": (lambda: DecisionTreeClassifier(random_state=0), whole, "multiclass"),
    "boosted": (lambda: GradientBoostingClassifier(n_estimators=10, random_state=0), whole, "binary"),
    "boosted, three classes": (lambda: GradientBoostingClassifier(n_estimators=5, random_state=0), whole, "multiclass"),
    "boosted regression": (lambda: GradientBoostingRegressor(n_estimators=10, random_state=0), whole, "regression"),
    "logistic": (lambda: make_pipeline(StandardScaler(), LogisticRegression()), whole, "binary"),
    "logistic, three classes": (lambda: make_pipeline(StandardScaler(), LogisticRegression()), whole, "multiclass"),
    "logistic of a text": (
        lambda: with_text(LogisticRegression(max_iter=2000), OneHotEncoder(handle_unknown="ignore")),
        lambda: table().with_columns(pl.col("x.y").fill_null(0.0), pl.col("größe") / 1e4),
        "binary",
    ),
    "ridge": (lambda: Ridge(), whole, "regression"),
    "network": (lambda: make_pipeline(StandardScaler(), MLPClassifier(max_iter=15, random_state=0)), whole, "binary"),
}  # fmt: skip


def fitted(case: Case) -> tuple[Any, pl.DataFrame, Packaged]:
    """The estimator, rows that it has not seen, and how its answers are read."""
    make, rows, task = case
    estimator = make().fit(rows()[:-HELD], label(task)[:-HELD])
    return estimator, rows()[-HELD:], facts_of(estimator, task)


def facts_of(estimator: Any, task: Task) -> Packaged:
    classes = () if task == "regression" else tuple(np.asarray(estimator.classes_).tolist())
    return Packaged(
        service="s", task=task, threshold=0.5, label="y", classes=classes, inputs=(), plain=(), module="m", code="c"
    )


def compared(original: Any, other: Any, held: pl.DataFrame, facts: Packaged, *, tolerance: float) -> Parity:
    return parity(
        lambda rows: outputs(original, rows, facts),
        lambda rows: outputs(other, rows, facts),
        held,
        tolerance=tolerance,
    )
