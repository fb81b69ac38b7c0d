"""A trained release answers as a gateway asks: rows, bad rows among good ones, every task."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.pipeline.fraud import SERVICE, opened, trained, transactions, write_service

from flyball.adapters.models.predictor import FolderPredictor, load
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import NotFound, Untrusted
from flyball.core.frames import conform
from flyball.core.prediction import Answer, Failure

TOUCHY = '''\
import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression


class Touchy(LogisticRegression):
    """Dies of a negative hour and has no idea about an hour above 30."""

    def predict_proba(self, features):
        if (features["hour"] < 0).any():
            raise RuntimeError("a negative hour")
        shares = super().predict_proba(features)
        return np.where((features["hour"] > 30).to_numpy()[:, None], np.nan, shares)


def features(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col("amount").log1p(), "hour")


def train(features, label, *, config, seed):
    return Touchy().fit(features, label)
'''

TASKS = {
    "multiclass": ("country", "HistGradientBoostingClassifier", "accuracy"),
    "regression": ("hour", "HistGradientBoostingRegressor", "mae"),
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    trainer = ForkServerTrainer()
    with opened(tmp_path_factory.mktemp("home"), trainer) as found:
        yield found
    trainer.close()


@pytest.fixture(scope="module")
def touchy(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> FolderPredictor:
    service = SERVICE.replace("min: 0.70", "min: 0.4")
    file = write_service(tmp_path_factory.mktemp("services") / "fraud", service=service, model=TOUCHY)
    release = trained(pipeline, file).release
    return load(pipeline.releases.verified(release.root), release=release.root)


def rows(count: int) -> list[dict[str, Any]]:
    return transactions(count, seed=3).drop("is_fraud").to_dicts()


def test_one_answer_a_row_in_plain_values(touchy: FolderPredictor) -> None:
    reply = touchy.predict(rows(5))
    assert len(reply.answers) == 5
    for answer in reply.answers:
        assert isinstance(answer, Answer)
        assert type(answer.prediction) is bool
        assert type(answer.score) is float
        assert answer.prediction is (answer.score >= 0.5)
    assert reply.service_ms > 0


def test_a_bad_row_fails_alone(touchy: FolderPredictor) -> None:
    asked = rows(4)
    asked[1]["hour"], asked[2]["hour"] = -1, 99
    found = touchy.predict(asked).answers
    alone = touchy.predict(rows(4)).answers
    assert isinstance(found[1], Failure)
    assert (found[1].reason, "a negative hour" in found[1].message) == ("exception", True)
    assert isinstance(found[2], Failure)
    assert found[2].reason == "invalid"
    assert isinstance(found[0], Answer)
    assert isinstance(alone[0], Answer)
    assert found[0].score == pytest.approx(alone[0].score)
    assert isinstance(found[3], Answer)


def test_no_rows_no_answers(touchy: FolderPredictor) -> None:
    assert touchy.predict([]).answers == ()


def test_a_table_is_answered_as_its_rows_are(touchy: FolderPredictor) -> None:
    table = conform(transactions(50, seed=3), touchy.dtypes)
    predictions, scores = touchy.predict_frame(table)
    answers = [answer for answer in touchy.predict(rows(50)).answers if isinstance(answer, Answer)]
    assert scores is not None
    assert predictions.tolist() == [answer.prediction for answer in answers]
    assert scores.tolist() == [answer.score for answer in answers]


@pytest.mark.parametrize("task", TASKS)
def test_other_tasks_answer_in_their_own_terms(pipeline: Pipeline, tmp_path: Path, task: str) -> None:
    label, estimator, metric = TASKS[task]
    service = (
        SERVICE[: SERVICE.index("gates:")]
        .replace("name: fraud", f"name: {task}")
        .replace("label: is_fraud", f"label: {label}")
        .replace("task: binary", f"task: {task}")
        .replace("metric: roc_auc", f"metric: {metric}")
    )
    model = (
        f"import polars as pl\nfrom sklearn.ensemble import {estimator}\n"
        "def features(frame):\n    return frame.select('amount', 'distance_km')\n"
        f"def train(features, label, *, config, seed):\n    return {estimator}(max_iter=5).fit(features, label)\n"
    )
    release = trained(pipeline, write_service(tmp_path / task, service=service, model=model)).release
    predictor = load(pipeline.releases.verified(release.root), release=release.root)
    (answer,) = predictor.predict([transactions(1).drop(label).to_dicts()[0]]).answers
    assert isinstance(answer, Answer)
    assert metric in release.metrics
    if task == "multiclass":
        assert answer.scores is not None
        assert set(answer.scores) == {"far", "home", "near"}
        assert math.isclose(sum(answer.scores.values()), 1.0)
        assert answer.prediction == max(answer.scores, key=lambda name: (answer.scores or {})[name])
    else:
        assert type(answer.prediction) is float
        assert (answer.score, answer.scores) == (None, None)


@pytest.mark.parametrize(
    "name", ["model.pkl", "code/model.py", "release.json", "card.md", "evidence.json", "manifest.json"]
)
def test_one_altered_byte_anywhere_and_the_release_is_never_loaded(
    pipeline: Pipeline, tmp_path: Path, name: str
) -> None:
    file = write_service(tmp_path / "fraud", model=TOUCHY + f"# {name}\n", service=SERVICE.replace("0.70", "0.4"))
    release = trained(pipeline, file).release
    path = Path(pipeline.releases.verified(release.root)) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Untrusted):
        pipeline.releases.verified(release.root)


def test_a_signed_release_under_another_root_is_untrusted(pipeline: Pipeline, touchy: FolderPredictor) -> None:
    real = Path(pipeline.releases.verified(touchy.release))
    forged = "sha256:" + "0" * 64
    pipeline.releases.folder(forged).symlink_to(real)
    with pytest.raises(Untrusted):
        pipeline.releases.verified(forged)
    with pytest.raises(NotFound):
        pipeline.releases.verified("sha256:" + "1" * 64)


def test_a_features_answer_of_another_length_is_a_failure_not_a_shift(touchy: FolderPredictor) -> None:
    short = FolderPredictor("r", touchy.model.__class__(
        facts=touchy.facts, estimator=touchy.model.estimator, make_features=lambda frame: frame.head(1).select(
            pl.col("amount").log1p(), "hour"),
    ))  # fmt: skip
    found = short.predict(rows(3)).answers
    assert all(isinstance(answer, Answer) for answer in found)  # each row alone has one row of features
    with pytest.raises(ValueError, match="3 went in, 1 came out"):
        short.predict_frame(conform(transactions(3), short.dtypes))
