"""The code of one service for each form of model file: the same features, the same table, another estimator."""

_HEAD = """\
import polars as pl


def features(frame: pl.DataFrame) -> pl.DataFrame:
    if (frame["hour"] < 0).any():
        raise ValueError("a negative hour")
    return frame.select("amount", "hour", pl.col("distance_km").cast(pl.Float64))


def train(features: pl.DataFrame, label: pl.Series, *, config: dict, seed: int):
"""


def _training(body: str) -> str:
    return _HEAD + "".join(f"    {line}\n" for line in body.strip().splitlines())


SKLEARN = _training(
    """
from sklearn.ensemble import HistGradientBoostingClassifier
return HistGradientBoostingClassifier(random_state=seed, max_iter=20, **config).fit(features, label)
"""
)
LIGHTGBM = _training(
    """
from lightgbm import LGBMClassifier
options = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "random_state": seed, "verbose": -1}
return LGBMClassifier(n_estimators=20, **options, **config).fit(features.to_numpy(), label.to_numpy())
"""
)
XGBOOST = _training(
    """
from xgboost import XGBClassifier
return XGBClassifier(n_estimators=20, n_jobs=1, random_state=seed, **config).fit(features, label.to_numpy())
"""
)
BOOSTER = _training(
    """
import xgboost
table = xgboost.DMatrix(features.to_numpy(), label.to_numpy())
return xgboost.train({"objective": "binary:logistic", "nthread": 1, "seed": seed, **config}, table, 20)
"""
)
OWN = (
    "import json\nimport numpy as np\n"
    + _training("return Slope(0.4, -3.0)")
    + '''

class Slope:
    """A logistic curve over the amount; its file is JSON."""

    def __init__(self, weight: float, base: float) -> None:
        self.weight, self.base = weight, base
        self.never_pickled = lambda: None

    def save(self, folder) -> None:
        (folder / "deep").mkdir()
        (folder / "deep" / "slope.json").write_text(json.dumps({"weight": self.weight, "base": self.base}))

    @classmethod
    def load(cls, folder) -> "Slope":
        return cls(**json.loads((folder / "deep" / "slope.json").read_text()))

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        return 1 / (1 + np.exp(-self.weight * np.log1p(frame["amount"].to_numpy()) - self.base))
'''
)
