"""LightGBM's text gives the same answers to the last bit, and equal fits give equal text."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.adapters.models.estimators import HELD, compared, facts_of, label, numbers

from flyball.adapters.models import formats
from flyball.core.model import Exported
from flyball.core.service import Task
from flyball.pipeline.formats import candidates

lightgbm = pytest.importorskip("lightgbm")
PINNED = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "random_state": 3, "n_estimators": 20}


def fit(task: Task) -> Any:
    kind = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    target = label(task)[:-HELD]
    return kind(verbose=-1, **PINNED).fit(numbers()[:-HELD].to_numpy(), target)


def text(estimator: Any) -> bytes:
    found = formats.write("model.txt", estimator, numbers())
    assert isinstance(found, Exported), found
    assert found.tolerance == 0.0
    return found.data


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_text_answers_bit_for_bit(task: Task) -> None:
    estimator = fit(task)
    assert candidates("auto", estimator) == (("model.txt",), "")
    reader = formats.read("model.txt", text(estimator))
    found = compared(estimator, reader, numbers()[-HELD:], facts_of(estimator, task), tolerance=0.0)
    assert found.agrees
    assert found.worst == 0.0


def test_two_fits_give_the_same_text() -> None:
    assert text(fit("binary")) == text(fit("binary"))


def test_an_early_stopped_model_keeps_its_best_iteration() -> None:
    rows, target = numbers().to_numpy(), label("binary")
    estimator = lightgbm.LGBMClassifier(verbose=-1, **{**PINNED, "n_estimators": 300, "learning_rate": 0.5})
    estimator.fit(
        rows[:600], target[:600], eval_set=[(rows[600:], target[600:])], callbacks=[lightgbm.early_stopping(5)]
    )
    assert estimator.best_iteration_ < 300
    reader = formats.read("model.txt", text(estimator))
    assert np.array_equal(reader.predict_proba(numbers()), estimator.predict_proba(rows))


def test_what_would_answer_otherwise_is_told_in_words() -> None:
    own = lightgbm.LGBMRegressor(verbose=-1, objective=lambda y, p: (p - y, np.ones_like(y)), **PINNED)
    own.fit(numbers().to_numpy(), label("regression"))
    assert "function of the service's own" in str(formats.write("model.txt", own, pl.DataFrame()))
    assert "not object" in str(formats.write("model.txt", object(), pl.DataFrame()))
