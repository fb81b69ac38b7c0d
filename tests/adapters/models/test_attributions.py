"""Attributions of real estimators: what does not matter gets nothing, and the order is right."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import DMatrix, XGBClassifier, train

from flyball.adapters.models.attributions import attributions
from flyball.adapters.models.xgboost_model import BoosterEstimator

DICE = np.random.default_rng(0)
TABLE = pl.DataFrame({"much": DICE.normal(size=800), "little": DICE.normal(size=800), "none": np.zeros(800)})
LABEL = (3 * TABLE["much"] + TABLE["little"] > 0).cast(pl.Int64).to_numpy()


@pytest.mark.parametrize(
    ("estimator", "method"),
    [
        (HistGradientBoostingClassifier(max_iter=30, random_state=0), "shap tree"),
        (RandomForestRegressor(n_estimators=10, random_state=0), "shap tree"),
        (LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1), "shap tree"),
        (XGBClassifier(n_estimators=20, n_jobs=1), "shap tree"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "shap linear"),
        (KNeighborsClassifier(), "permutation"),
    ],
)
def test_what_matters_comes_first_and_a_constant_gets_nothing(estimator: Any, method: str) -> None:
    fitted = estimator.fit(TABLE.to_numpy(), LABEL)

    def answer(table: pl.DataFrame) -> Any:
        values = table.to_numpy()
        return fitted.predict_proba(values)[:, 1] if hasattr(fitted, "predict_proba") else fitted.predict(values)

    found = attributions(fitted, TABLE, answer, output="score", seed=1)
    assert found.method == method
    ranks = [line.feature for line in found.features]
    if ranks != ["much", "little", "none"]:  # a transformer without names calls them by their place
        assert ranks == ["x0", "x1", "x2"]
    assert found.features[-1].mean_abs == pytest.approx(0, abs=1e-12)
    assert found == attributions(fitted, TABLE, answer, output="score", seed=1)


def test_a_pipeline_is_explained_by_the_names_its_transformers_give() -> None:
    table = TABLE.with_columns(colour=pl.Series(DICE.choice(["red", "blue"], 800)))
    label = (table["colour"] == "red").cast(pl.Int64).to_numpy()
    before = ColumnTransformer([("hot", OneHotEncoder(), ["colour"]), ("rest", "passthrough", ["much"])])
    fitted = make_pipeline(before, LogisticRegression()).fit(table, label)
    found = attributions(fitted, table, lambda part: fitted.predict_proba(part)[:, 1], output="score", seed=1)
    assert found.features[0].feature.startswith("hot__colour")


def test_a_learner_of_xgboost_is_explained_as_its_classifier_is() -> None:
    fitted = BoosterEstimator(train({"objective": "binary:logistic"}, DMatrix(TABLE.to_numpy(), LABEL), 10))
    found = attributions(fitted, TABLE, lambda part: fitted.predict_proba(part)[:, 1], output="score", seed=1)
    assert (found.method, found.features[0].feature) == ("shap tree", "much")
