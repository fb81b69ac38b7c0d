"""XGBoost's own file gives the same answers to the last bit, and equal fits give equal bytes."""

import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.adapters.models.estimators import HELD, compared, facts_of, label, numbers

from flyball.adapters.models import formats
from flyball.adapters.models.xgboost_model import BoosterEstimator, is_booster
from flyball.core.model import Exported
from flyball.core.service import Task
from flyball.pipeline.formats import candidates

xgboost = pytest.importorskip("xgboost")
PINNED = {"n_jobs": 1, "random_state": 3, "n_estimators": 20}


def fit(task: Task, *, named: bool = False, **options: Any) -> Any:
    """`named`: from a frame, whose names the learner then keeps."""
    kind = xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier
    rows = numbers()[:-HELD]
    return kind(**(PINNED | options)).fit(rows if named else rows.to_numpy(), label(task)[:-HELD])


def written(estimator: Any) -> bytes:
    found = formats.write("model.ubj", estimator, numbers())
    assert isinstance(found, Exported), found
    assert found.tolerance == 0.0
    return found.data


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_file_answers_bit_for_bit(task: Task, named: bool) -> None:
    estimator = fit(task, named=named)
    assert candidates("auto", estimator) == (("model.ubj",), "")
    reader = formats.read("model.ubj", written(estimator))
    held, facts = numbers()[-HELD:], facts_of(estimator, task)
    found = compared(estimator, reader, held, facts, tolerance=0.0)
    assert found.agrees
    assert found.worst == 0.0
    matrix = held.select(pl.all().cast(pl.Float64)).to_numpy()
    ask = reader.predict if task == "regression" else reader.predict_proba
    assert np.array_equal(reader.ask_matrix(matrix, held.columns, task), ask(held))


def test_two_fits_give_the_same_bytes() -> None:
    assert written(fit("binary")) == written(fit("binary"))


def test_a_learner_of_its_own_interface_is_asked_as_an_estimator() -> None:
    rows, target = numbers()[:-HELD].to_numpy(), label("multiclass")[:-HELD]
    options = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
    learner = xgboost.train(options, xgboost.DMatrix(rows, target), num_boost_round=10)
    assert is_booster(learner)
    one = BoosterEstimator(learner)
    held = numbers()[-HELD:]
    expected = learner.predict(xgboost.DMatrix(held.to_numpy()))
    assert candidates("auto", one) == (("model.ubj",), "")
    for each in (one, pickle.loads(pickle.dumps(one)), formats.read("model.ubj", written(one))):
        assert np.array_equal(each.predict_proba(held), expected)


def test_an_early_stopped_model_keeps_its_best_iteration() -> None:
    rows, target = numbers().to_numpy(), label("binary")
    options = PINNED | {"n_estimators": 300, "learning_rate": 0.5, "early_stopping_rounds": 5}
    estimator = xgboost.XGBClassifier(**options)
    estimator.fit(rows[:600], target[:600], eval_set=[(rows[600:], target[600:])], verbose=False)
    assert estimator.best_iteration < 200
    for each in (formats.read("model.ubj", written(estimator)), BoosterEstimator(estimator.get_booster())):
        assert np.array_equal(each.predict_proba(numbers()), estimator.predict_proba(rows))


def test_what_would_answer_otherwise_is_told_in_words() -> None:
    own = fit("regression", objective=lambda y, p: (p - y, np.ones_like(y)))
    assert "function of the service's own" in str(formats.write("model.ubj", own, pl.DataFrame()))
    zero = fit("regression", missing=0.0)
    assert "takes 0 for a missing value" in str(formats.write("model.ubj", zero, pl.DataFrame()))
    codes = numbers().with_columns(pl.col("kind").cast(pl.String).cast(pl.Categorical))
    learned = xgboost.XGBRegressor(**PINNED, enable_categorical=True).fit(codes, label("regression"))
    assert "categories were learned" in str(formats.write("model.ubj", learned, pl.DataFrame()))
    assert "not object" in str(formats.write("model.ubj", object(), pl.DataFrame()))


def test_bytes_that_are_no_such_file_are_refused() -> None:
    with pytest.raises(xgboost.core.XGBoostError):
        formats.read("model.ubj", b"no model")
