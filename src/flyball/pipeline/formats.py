"""Which model files are worth a try for an estimator: the table behind `experiment.export`.

`auto` tries what is known to convert; the parity gate decides about each. Anything else stays a pickle, with the
reason. A class of the service's own is never tried, even where it inherits from a known one: what it adds would be
lost.
"""

from typing import Any, Literal

from flyball.core.model import ModelFile

TREES = frozenset(
    f"{family}{kind}"
    for family in ("HistGradientBoosting", "GradientBoosting", "RandomForest", "ExtraTrees", "DecisionTree")
    for kind in ("Classifier", "Regressor")
)
LINEAR = frozenset({"LogisticRegression", "LinearRegression", "Ridge", "Lasso", "ElasticNet"})
OTHERS = frozenset({"MLPClassifier", "MLPRegressor", "CalibratedClassifierCV"})
STEPS = frozenset(
    {
        "ColumnTransformer",
        "FunctionTransformer",  # without a function: it passes on
        "MaxAbsScaler",
        "MinMaxScaler",
        "OneHotEncoder",
        "OrdinalEncoder",
        "StandardScaler",
    }
)
TEXT = frozenset({"LGBMClassifier", "LGBMRegressor"})
BOOSTERS = frozenset({"XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"})


def candidates(
    export: Literal["auto", "onnx", "pickle"], estimator: Any, *, warm_start: bool = False
) -> tuple[tuple[ModelFile, ...], str]:
    """Files to try in this order, and why there is none.

    >>> from sklearn.linear_model import LogisticRegression
    >>> candidates("auto", LogisticRegression())
    (('model.onnx',), '')
    >>> candidates("auto", object())
    ((), 'object is not among the estimators that are exported')
    """
    if export == "onnx":
        return ("model.onnx",), ""
    if _is(estimator, frozenset({"OwnEstimator"}), "flyball"):
        return ("model.tar",), ""  # it says itself how it is written
    if export == "pickle":
        return (), "experiment.export says so"
    if warm_start:
        return (), "experiment.warm_start hands the estimator itself to the next training"
    if _is(estimator, TEXT, "lightgbm"):
        return ("model.txt",), ""
    if _is(estimator, BOOSTERS, "xgboost") or _is(estimator, frozenset({"BoosterEstimator"}), "flyball"):
        return ("model.ubj",), ""
    strange = _strange(estimator)
    return ((), f"{strange} is not among the estimators that are exported") if strange else (("model.onnx",), "")


def _strange(estimator: Any) -> str:
    """The first part of an estimator that the table does not know; empty where it knows all."""
    *first, last = _steps(estimator)
    if not _is(last, TREES | LINEAR | OTHERS, "sklearn"):
        return type(last).__name__
    for step in first:
        if not _known_step(step):
            return type(step).__name__
        for _, inner, _ in getattr(step, "transformers_", ()):
            if not isinstance(inner, str) and not _known_step(inner):
                return type(inner).__name__
    return ""


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps] if _is(estimator, frozenset({"Pipeline"}), "sklearn") else [estimator]


def _known_step(step: Any) -> bool:
    if step in ("passthrough", "drop") or step is None:
        return True
    return _is(step, STEPS, "sklearn") and getattr(step, "func", None) is None


def _is(estimator: Any, names: frozenset[str], package: str) -> bool:
    kind = type(estimator)
    return kind.__name__ in names and kind.__module__.split(".")[0] == package
