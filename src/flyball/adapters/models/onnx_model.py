"""ONNX: written from a fitted scikit-learn estimator in float64; `onnx_estimator` reads it.

Trees are written by `onnx_trees`, logistic regression by `onnx_linear`, everything else by skl2onnx, LightGBM and
XGBoost by onnxmltools (float32: the only thing they write). A pipeline that ends in one of ours is both: its first
steps from skl2onnx, ours behind them. None of it is believed: what is written here is compared with the original before
it is used (`pipeline.suites.deployment_parity`).

A graph answers whatever numbers it gets, where an estimator may refuse them. So the original is asked once with a
missing, an infinite and a huge value; what it refuses is written into the file and refused when that is asked.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from flyball.adapters.models import onnx_linear, onnx_trees
from flyball.adapters.models.onnx_columns import counted, name_of, selects_columns
from flyball.adapters.models.onnx_estimator import BY_NAME, MATRIX, REFUSES
from flyball.core.model import Exported

DOMAIN, MAIN, TREES = "ai.onnx.ml", 20, 5  # operator sets: TreeEnsemble with float64 came with 5
ANSWER = "answer"
TOLERANCE = 1e-9  # float64 throughout: only the last bits of exp and of sums may differ
TOLERANCE_SINGLE = 1e-6  # float32
_REFUSED = {"missing": None, "infinite": float("inf"), "huge": 1e300}  # 1e300 has no float32
_TREES = ("HistGradientBoosting", "GradientBoosting", "RandomForest", "ExtraTrees", "DecisionTree")
Nodes = Callable[[str, str], Iterator[Any]]  # from the name of a table to the name of the answer
_OTHERS = ("lightgbm", "xgboost")


def write(estimator: Any, sample: pl.DataFrame) -> Exported | str:
    """The same estimator twice gives the same bytes. In words why it cannot be written, where it cannot."""
    texts = [name for name, dtype in sample.schema.items() if dtype == pl.String]
    others = [
        name for name, dtype in sample.schema.items() if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.String))
    ]
    if others:
        return f"column {others[0]!r} is {sample.schema[others[0]]}: an ONNX input here is a number or text"
    by_name = bool(texts) or selects_columns(estimator)
    single = type(_last(estimator)).__module__.split(".")[0] in _OTHERS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of converters about versions; what counts is compared later
            model = _graph(estimator, sample, by_name=by_name, single=single)
            refuses = _refuses(estimator, sample)
    except Exception as error:  # a converter raises whatever it likes at what it does not know
        return f"it cannot be converted: {type(error).__name__}: {_first_line(error)}"
    if isinstance(model, str):
        return model
    model.metadata_props.clear()
    for key, value in ((REFUSES, json.dumps(refuses)), (BY_NAME, json.dumps(by_name))):
        model.metadata_props.add(key=key, value=value)
    data: bytes = model.SerializeToString(deterministic=True)
    return Exported(model="model.onnx", data=data, tolerance=TOLERANCE_SINGLE if single else TOLERANCE)


def _graph(estimator: Any, sample: pl.DataFrame, *, by_name: bool, single: bool) -> Any:
    """An ONNX model, or why there is none."""
    last = _last(estimator)
    end = _end(last)
    if isinstance(end, str):
        return end
    if end is None:
        return _converted(estimator, sample, by_name=by_name, single=single)
    if last is estimator:
        return _assembled(*end, sample.width, first=None)
    first = type(estimator)(estimator.steps[:-1])
    return _assembled(*end, sample.width, first=_converted(first, sample, by_name=by_name, single=False))


def _end(last: Any) -> tuple[Nodes, int] | str | None:
    """How the last step is written in float64, and how many columns it answers; None: skl2onnx writes it."""
    if not type(last).__module__.startswith("sklearn."):
        return None
    if type(last).__name__.startswith(_TREES):
        forest = onnx_trees.forest(last)
        return forest if isinstance(forest, str) else (partial(onnx_trees.nodes, forest), forest.outputs)
    if type(last).__name__ == "LogisticRegression":
        linear = onnx_linear.linear(last)
        return linear if isinstance(linear, str) else (partial(onnx_linear.nodes, linear), linear.outputs)
    return None


def _assembled(end: Nodes, outputs: int, width: int, *, first: Any) -> Any:
    """The last step, behind what prepares its table where there is something."""
    from onnx import TensorProto, checker, helper

    inputs, prepared, constants = [helper.make_tensor_value_info(MATRIX, TensorProto.DOUBLE, [None, width])], [], []
    table = MATRIX
    if first is not None:
        if len(first.graph.output) != 1 or first.graph.output[0].type.tensor_type.elem_type != TensorProto.DOUBLE:
            return "its first steps do not give one table of float64"
        inputs, prepared = list(first.graph.input), list(first.graph.node)
        constants, table = list(first.graph.initializer), first.graph.output[0].name
    answer = helper.make_tensor_value_info(ANSWER, TensorProto.DOUBLE, [None, outputs])
    graph = helper.make_graph([*prepared, *end(table, ANSWER)], "flyball", inputs, [answer], constants)
    versions = [helper.make_opsetid("", MAIN), helper.make_opsetid(DOMAIN, TREES)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=9, producer_name="flyball")
    checker.check_model(model)
    return model


def _converted(estimator: Any, sample: pl.DataFrame, *, by_name: bool, single: bool) -> Any:
    """By skl2onnx, in float64 where the converter can write it."""
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    number = FloatTensorType if single else DoubleTensorType
    if single:
        _register_others(estimator)
    types = [(MATRIX, number([None, sample.width]))]
    if by_name:
        kinds = [StringTensorType if dtype == pl.String else number for dtype in sample.dtypes]
        types = [(name_of(at), kind([None, 1])) for at, kind in enumerate(kinds)]
    options = {id(_last(estimator)): {"zipmap": False}} if hasattr(_last(estimator), "predict_proba") else None
    return skl2onnx.convert_sklearn(
        counted(estimator, sample.columns) if by_name else estimator,
        name="flyball",
        initial_types=types,
        options=options,
        target_opset={"": MAIN, DOMAIN: 3},
    )


def _register_others(estimator: Any) -> None:
    """LightGBM and XGBoost inside a pipeline, by the converters of onnxmltools."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    last = type(_last(estimator))
    if last.__module__.startswith("lightgbm"):
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm as converter
    else:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost as converter
    classifies = hasattr(last, "predict_proba")
    update_registered_converter(
        last,
        f"{last.__module__.split('.')[0]}_{last.__name__}",
        calculate_linear_classifier_output_shapes if classifies else calculate_linear_regressor_output_shapes,
        converter,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]} if classifies else None,
    )


def _refuses(estimator: Any, sample: pl.DataFrame) -> dict[str, list[int]]:
    """Which odd values the original refuses, and in which columns of numbers."""
    ask = getattr(estimator, "predict_proba", None) or estimator.predict
    found = {}
    for word, value in _REFUSED.items():
        rows = {
            at: _with(sample, at, value)
            for at, dtype in enumerate(sample.dtypes)
            if dtype.is_float() or (value is None and dtype != pl.String)
        }
        if rows and _raises(ask, pl.concat(rows.values())):  # seldom, and then the columns are asked one by one
            found[word] = [at for at, row in rows.items() if _raises(ask, row)]
    return found


def _with(sample: pl.DataFrame, at: int, value: float | None) -> pl.DataFrame:
    name = sample.columns[at]
    return sample.head(1).with_columns(pl.lit(value, dtype=sample.schema[name]).alias(name))


def _raises(ask: Any, rows: pl.DataFrame) -> bool:
    try:
        with np.errstate(all="ignore"):
            ask(rows)
    except Exception:  # that it refuses is what was asked
        return True
    return False


def _last(estimator: Any) -> Any:
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason was given"])[0][:300]
