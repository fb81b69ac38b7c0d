"""`core.model.Formats`: which adapter writes and reads which model file; vendors are imported when needed."""

from importlib.util import find_spec
from typing import Any

import polars as pl

from flyball.core.errors import Unavailable
from flyball.core.model import Exported, ModelFile

_NEEDS = {  # file -> extra and the modules that it brings: to read, to write
    "model.onnx": ("onnx", ("onnxruntime",), ("onnx", "onnxruntime")),
    "model.txt": ("lightgbm", ("lightgbm",), ("lightgbm",)),
}


def write(model: ModelFile, estimator: Any, sample: pl.DataFrame) -> Exported | str:
    """The estimator in this format, or in words why there is none."""
    if (why := _absent(model, reading=False)) is not None:
        return why
    if model == "model.onnx":
        from flyball.adapters import onnx_model

        return onnx_model.write(estimator, sample)
    from flyball.adapters import lightgbm_text

    return lightgbm_text.write(estimator)


def read(model: ModelFile, data: bytes) -> Any:
    """What is asked instead of the estimator.

    Raises: Unavailable: the extra is not installed.
    """
    if (why := _absent(model, reading=True)) is not None:
        raise Unavailable(f"{model} cannot be read: {why}")
    if model == "model.onnx":
        from flyball.adapters.onnx_model import OnnxEstimator

        return OnnxEstimator(data)
    from flyball.adapters.lightgbm_text import TextEstimator

    return TextEstimator(data)


def _absent(model: ModelFile, *, reading: bool) -> str | None:
    if model not in _NEEDS:
        raise ValueError(f"{model} is no format of an export")
    extra, to_read, to_write = _NEEDS[model]
    missing = [name for name in (to_read if reading else to_write) if find_spec(name) is None]
    return f"{missing[0]} is not installed: pip install 'flyball[{extra}]'" if missing else None
