"""The `model.py` of a drafted service: gradient-boosted trees that take categories and missing values as they are."""

import json
from collections.abc import Sequence

from flyball.core.service import Task

_TEMPLATE = '''"""How this service learns. Flyball calls `train`; whatever it returns is packaged, signed and served."""

import polars as pl

APART: list[str] = {apart}  # sent with each row, but no features: key, time, and what only runs on with the rows


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """What the model sees of a row: the one code path for training and serving. Each row by itself, always."""
    frame = frame.drop(APART)
    numbers = [
        pl.col(name).dt.epoch("s").cast(pl.Float64) if dtype.is_temporal() else pl.col(name).cast(pl.Float64)
        for name, dtype in frame.schema.items()
        if dtype != pl.String
    ]
    texts = [pl.col(name) for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.select([*numbers, *texts])


def train(features: pl.DataFrame, label: pl.Series, *, config: dict[str, object], seed: int) -> object:
    """A scikit-learn estimator, fitted. `config` comes from service.yaml, `seed` from Flyball."""
    from sklearn.compose import make_column_transformer  # here, so that serving need not import it
    from sklearn.ensemble import {estimator}
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=float("nan"), encoded_missing_value=float("nan")
    )
    columns = make_column_transformer(
        (categories, [name for name, dtype in features.schema.items() if dtype == pl.String]),
        remainder="passthrough",
    )
    model = make_pipeline(columns, {estimator}(random_state=seed, **config))
    return model.fit(features, label)
'''


def model_text(task: Task, apart: Sequence[str] = ()) -> str:
    """The file's text for one kind of prediction. `apart`: input columns that the model may not see."""
    estimator = "HistGradientBoostingRegressor" if task == "regression" else "HistGradientBoostingClassifier"
    return _TEMPLATE.format(estimator=estimator, apart=json.dumps(list(apart), ensure_ascii=False))
