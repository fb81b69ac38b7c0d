"""XGBoost's own binary JSON (UBJSON): the same trees, read again by the same library, without a pickle.

The file holds every threshold and leaf as the float32 that it is, so answers are the original's to the last bit. Labels
are not in it: XGBoost knows classes as 0 to k - 1, and the package knows what they are called.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.model import Exported
from flyball.core.service import Task

_OF_SKLEARN = ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor")


def is_booster(found: Any) -> bool:
    """Whether a training returned XGBoost's learner itself.

    >>> is_booster(object())
    False
    """
    return type(found).__name__ == "Booster" and type(found).__module__.split(".")[0] == "xgboost"


def write(estimator: Any) -> Exported | str:
    """The file of a fitted classifier, regressor or learner, up to its best iteration; equal fits give equal bytes."""
    if isinstance(estimator, BoosterEstimator):
        return _file(estimator.booster)
    if type(estimator).__name__ not in _OF_SKLEARN or not type(estimator).__module__.startswith("xgboost."):
        return f"XGBoost's file holds {', '.join(_OF_SKLEARN)} and Booster, not {type(estimator).__name__}"
    if callable(estimator.objective):
        return "its objective is a function of the service's own: the file would give raw scores"
    if not np.isnan(estimator.missing):
        return f"it takes {estimator.missing:g} for a missing value, and the file does not say so"
    return _file(estimator.get_booster())


def _file(booster: Any) -> Exported | str:
    if "c" in (booster.feature_types or ()):
        return "its categories were learned from pandas, and come as codes here"
    best = _best(booster)
    kept = booster if best is None else booster[: best + 1]
    return Exported(model="model.ubj", data=bytes(kept.save_raw("ubj")), tolerance=0.0)


def _best(booster: Any) -> int | None:
    """Where an early stop found the best iteration; None: there was none."""
    found = booster.attr("best_iteration")
    return None if found is None else int(found)


class BoosterEstimator:
    """A learner behind the interface of scikit-learn; one thread, as neighbours want to run too."""

    takes_matrix = True  # nobody needs a frame, and reading the file ran no code of its author

    def __init__(self, booster: Any) -> None:
        self.booster = booster
        booster.set_param({"nthread": 1})

    @classmethod
    def read(cls, data: bytes) -> "BoosterEstimator":
        """Raises: xgboost.core.XGBoostError: it is no such file."""
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(data))
        return cls(booster)

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        """One column a class; of two classes the learner gives the second."""
        return _both(self._ask(_matrix(table)))

    def predict(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Numbers of a regression; of a classification what the objective gives."""
        return self._ask(_matrix(table)).astype(np.float64)

    def ask_matrix(self, matrix: npt.NDArray[np.float64], names: Sequence[str], task: Task) -> npt.NDArray[np.float64]:  # noqa: ARG002
        """`predict_proba`, or `predict` for a regression, of all columns as one matrix."""
        found = self._ask(matrix)
        return found.astype(np.float64) if task == "regression" else _both(found)

    def _ask(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        best = _best(self.booster)
        until = (0, 0) if best is None else (0, best + 1)
        found = self.booster.inplace_predict(matrix, iteration_range=until, validate_features=False)
        return np.asarray(found, dtype=np.float32)


def _matrix(table: pl.DataFrame) -> npt.NDArray[np.float64]:
    return table.select(pl.all().cast(pl.Float64)).to_numpy()


def _both(shares: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """One column a class; the first of two in float32, as XGBoost's own classifier has it."""
    both = np.column_stack([np.float32(1) - shares, shares]) if shares.ndim == 1 else shares
    return both.astype(np.float64)
