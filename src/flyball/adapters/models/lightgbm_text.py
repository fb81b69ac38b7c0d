"""LightGBM's own text: the same trees, read again by the same library, without a pickle.

The text holds every threshold and leaf with all its digits, so answers are the original's to the last bit. Labels are
not in it: the package knows them, in the order of the probabilities.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.model import Exported

_CLASSES = ("LGBMClassifier", "LGBMRegressor")


def write(estimator: Any) -> Exported | str:
    """The text of a fitted `LGBMClassifier` or `LGBMRegressor`, up to its best iteration.

    The parameters at its end name no machine: equal trainings give equal bytes.
    """
    if type(estimator).__name__ not in _CLASSES or not type(estimator).__module__.startswith("lightgbm."):
        return f"LightGBM text holds LGBMClassifier and LGBMRegressor, not {type(estimator).__name__}"
    if callable(getattr(estimator, "objective_", None)):
        return "its objective is a function of the service's own: the text would give raw scores"
    if estimator.booster_.pandas_categorical:
        return "its categories were learned from pandas, and come as codes here"
    return Exported(model="model.txt", data=estimator.booster_.model_to_string().encode(), tolerance=0.0)


class TextEstimator:
    """A booster behind the interface of scikit-learn; one thread, as neighbours want to run too."""

    def __init__(self, data: bytes) -> None:
        import lightgbm

        self._booster = lightgbm.Booster(model_str=data.decode())

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        """One column a class; of two classes the booster gives the second."""
        shares = self.predict(table)
        return np.column_stack([1.0 - shares, shares]) if shares.ndim == 1 else shares

    def predict(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        rows = table.select(pl.all().cast(pl.Float64)).to_numpy()
        return np.asarray(self._booster.predict(rows, num_threads=1), dtype=np.float64)
