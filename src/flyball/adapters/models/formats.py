"""`core.model.Formats`: which adapter writes and reads which model file; vendors are imported when needed."""

from importlib.util import find_spec
from typing import Any

import polars as pl

from flyball.core.errors import Unavailable
from flyball.core.model import Exported, ModelFile

_NEEDS = {  # file -> extra and the modules that it brings: to read, to write
    "model.onnx": ("onnx", ("onnxruntime",), ("onnx", "onnxruntime")),
    "model.txt": ("lightgbm", ("lightgbm",), ("lightgbm",)),
    "model.ubj": ("xgboost", ("xgboost",), ("xgboost",)),
    "model.tar": ("", (), ()),  # what the class itself imports, its own code says
}


def write(model: ModelFile, estimator: Any, sample: pl.DataFrame) -> Exported | str:
    """The estimator in this format, or in words why there is none."""
    if (why := _absent(model, reading=False)) is not None:
        return why
    if model == "model.onnx":
        from flyball.adapters.models import onnx_model

        return onnx_model.write(estimator, sample)
    if model == "model.ubj":
        from flyball.adapters.models import xgboost_model

        return xgboost_model.write(estimator)
    if model == "model.tar":
        from flyball.adapters.models import own_model

        return own_model.write(estimator)
    from flyball.adapters.models import lightgbm_text

    return lightgbm_text.write(estimator)


def read(model: ModelFile, data: bytes) -> Any:
    """What is asked instead of the estimator.

    Raises: Unavailable: the extra is not installed.
    """
    if (why := _absent(model, reading=True)) is not None:
        raise Unavailable(f"{model} cannot be read: {why}")
    if model == "model.onnx":
        from flyball.adapters.models.onnx_estimator import OnnxEstimator

        return OnnxEstimator(data)
    if model == "model.ubj":
        from flyball.adapters.models.xgboost_model import BoosterEstimator

        return BoosterEstimator.read(data)
    if model == "model.tar":
        from flyball.adapters.models import own_model

        return own_model.read(data)
    from flyball.adapters.models.lightgbm_text import TextEstimator

    return TextEstimator(data)


def _absent(model: ModelFile, *, reading: bool) -> str | None:
    if model not in _NEEDS:
        raise ValueError(f"{model} is no format of an export")
    extra, to_read, to_write = _NEEDS[model]
    missing = [name for name in (to_read if reading else to_write) if find_spec(name) is None]
    return f"{missing[0]} is not installed: pip install 'flyball[{extra}]'" if missing else None
