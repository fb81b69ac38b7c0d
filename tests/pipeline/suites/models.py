"""Small honest and dishonest models, and a subject around them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import polars as pl
from sklearn.tree import DecisionTreeClassifier

from flyball.core.model import Label, Predictions, Scores
from flyball.core.service import Service
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.subject import Learn, Subject

SCORE = Callable[[pl.DataFrame], Any]


def service(**tests: Any) -> Service:
    return msgspec.convert(
        {
            "apiVersion": "flyball/v1",
            "kind": "Service",
            "metadata": {"name": "small", "owner": "somebody"},
            "data": {"contract": "contract.yaml", "source": "data.csv", "label": "y"},
            "experiment": {"task": "binary", "metric": "accuracy", "tests": tests},
        },
        Service,
    )


def table(rows: int, *, seed: int = 3) -> pl.DataFrame:
    """y follows x; `group` is unrelated, `unfair` is not."""
    rng = np.random.default_rng(seed)
    x, group = rng.normal(size=rows), rng.choice(["a", "b", "c"], rows, p=[0.48, 0.48, 0.04])
    y = (rng.random(rows) < 1 / (1 + np.exp(-2 * x))).astype(int)
    return pl.DataFrame({"x": x, "z": rng.normal(size=rows), "group": group, "y": y})


def subject(score: SCORE, *, rows: int = 4000, **tests: Any) -> Subject:
    """A binary candidate whose score is this function of the frame."""
    whole = table(rows)
    train, holdout = whole[: rows // 2], whole[rows // 2 :]

    def predict(frame: pl.DataFrame) -> tuple[Predictions, Scores]:
        scores = np.asarray(score(frame), dtype=np.float64)
        return (scores >= 0.5).astype(int), scores

    predictions, scores = predict(holdout)
    return Subject(
        service=service(**tests),
        contract=None,
        train=train,
        holdout=holdout,
        plain=("x", "z", "group"),
        made_train=train.select("x", "z"),
        made_holdout=holdout.select("x", "z"),
        scored=Scored(truth=holdout["y"].to_numpy(), predictions=predictions, scores=scores),
        classes=(0, 1),
        predict=predict,
    )


def honest(frame: pl.DataFrame) -> Any:
    return 1 / (1 + np.exp(-2 * frame["x"].fill_null(0.0).to_numpy()))


@dataclass(frozen=True)
class Trees:
    """A fitted scikit-learn model as the suites see it."""

    estimator: Any

    @property
    def classes(self) -> tuple[Label, ...]:
        return tuple(self.estimator.classes_.tolist())

    def predict(self, made: pl.DataFrame) -> tuple[Predictions, Scores]:
        scores = np.asarray(self.estimator.predict_proba(made))[:, 1]
        return np.asarray(self.estimator.classes_)[(scores >= 0.5).astype(int)], scores


def trees(*, seed: int | None = 0) -> Learn:
    def learn(made: pl.DataFrame, label: pl.Series) -> Trees:
        model = DecisionTreeClassifier(min_samples_leaf=20, random_state=seed)
        return Trees(model.fit(made, label))

    return learn


def changed(one: Subject, **fields: Any) -> Subject:
    return replace(one, **fields)
