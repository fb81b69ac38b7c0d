"""ONNX: written from a fitted scikit-learn estimator in float64, read by onnxruntime with one thread.

Trees are written by `onnx_trees`, logistic regression by `onnx_linear`, everything else by skl2onnx, LightGBM and
XGBoost by onnxmltools (float32: the only thing they write). A pipeline that ends in one of ours is both: its first
steps from skl2onnx, ours behind them. None of it is believed: what is written here is compared with the original before
it is used (`pipeline.suites.deployment_parity`).

A graph answers whatever numbers it gets, where an estimator may refuse them. So the original is asked once with a
missing, an infinite and a huge value; what it refuses is written into the file and refused when that is asked.
"""

import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.adapters.models import onnx_linear, onnx_trees
from flyball.adapters.models.onnx_columns import MISSING, counted, name_of, selects_columns
from flyball.core.model import Exported
from flyball.core.service import Task

DOMAIN, MAIN, TREES = "ai.onnx.ml", 20, 5  # operator sets: TreeEnsemble with float64 came with 5
MATRIX, ANSWER = "table", "answer"
REFUSES, BY_NAME = "flyball.refuses", "flyball.by_name"  # metadata of the file
TOLERANCE = 1e-9  # float64 throughout: only the last bits of exp and of sums may differ
TOLERANCE_SINGLE = 1e-6  # float32
_REFUSED = {"missing": None, "infinite": float("inf"), "huge": 1e300}  # 1e300 has no float32
_ORDINARY = 1e30  # far below the largest float32
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


def _runtime() -> Any:
    """onnxruntime, which since 1.32 gathers how it is used, in a file and for the network: not from here."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when it is imported
    import onnxruntime

    return onnxruntime


class OnnxEstimator:
    """A graph behind the interface of scikit-learn."""

    def __init__(self, data: bytes) -> None:
        onnxruntime = _runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        about = self._session.get_modelmeta().custom_metadata_map
        self._refuses: dict[str, list[int]] = json.loads(about.get(REFUSES, "{}"))
        self._by_name: bool = json.loads(about.get(BY_NAME, "false"))
        self._types = {entry.name: entry.type for entry in self._session.get_inputs()}
        self._output = self._session.get_outputs()[-1].name  # of a classifier the label comes first

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        """One column a class. Raises: ValueError: a value that the original refuses."""
        return _both(self._ask(table))

    def predict(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        return self._ask(table).ravel()

    @property
    def takes_matrix(self) -> bool:
        """Whether all columns are one matrix of numbers, so that nobody needs a frame."""
        return not self._by_name

    def ask_matrix(self, matrix: npt.NDArray[np.float64], names: Sequence[str], task: Task) -> npt.NDArray[np.float64]:
        """`predict_proba`, or `predict` for a regression, of all columns as one matrix; `names` are theirs.

        Raises: ValueError: a value that the original refuses.
        """
        if self._refuses and not _ordinary(matrix):
            for word, columns in self._refuses.items():
                _refuse(word, matrix[:, columns], names[columns[0]] if columns else "")
        found = self._run({MATRIX: _typed(matrix, self._types[MATRIX])})
        return found.ravel() if task == "regression" else _both(found)

    def _ask(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        numbers = table
        if not all(isinstance(dtype, pl.Float64) for dtype in table.dtypes):  # a query costs more than the graph
            numbers = table.select(
                pl.col(name).cast(pl.Float64) for name, dtype in table.schema.items() if dtype != pl.String
            )
        matrix = numbers.to_numpy()
        if self._refuses and not _ordinary(matrix):
            places = {name: place for place, name in enumerate(numbers.columns)}
            for word, columns in self._refuses.items():
                names = [table.columns[at] for at in columns]
                _refuse(word, matrix[:, [places[name] for name in names]], names[0] if names else "")
        feeds = {MATRIX: _typed(matrix, self._types[MATRIX])} if not self._by_name else self._named(table, numbers)
        return self._run(feeds)

    def _run(self, feeds: dict[str, Any]) -> npt.NDArray[np.float64]:
        found = np.asarray(self._session.run([self._output], feeds)[0], dtype=np.float64)
        return found[:, None] if found.ndim == 1 else found

    def _named(self, table: pl.DataFrame, numbers: pl.DataFrame) -> dict[str, Any]:
        feeds: dict[str, Any] = {}
        for at, name in enumerate(table.columns):
            if (kind := self._types.get(name_of(at))) is None:
                continue  # the first step drops this column
            if name in numbers.columns:
                feeds[name_of(at)] = _typed(numbers[name].to_numpy()[:, None], kind)
            else:
                feeds[name_of(at)] = table[name].fill_null(MISSING).to_numpy().astype(object)[:, None]
        return feeds


def _ordinary(matrix: npt.NDArray[np.float64]) -> bool:
    """Whether no value is missing, infinite or huge: one sum of squares, which no such value leaves small."""
    flat = matrix.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(flat.dot(flat) < _ORDINARY**2)


def _both(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """One column a class, where a graph of two classes gives the second's only."""
    if shares.shape[1] != 1:
        return shares
    both = np.empty((len(shares), 2))
    np.subtract(1.0, shares[:, 0], out=both[:, 0])
    both[:, 1] = shares[:, 0]
    return both


def _refuse(word: str, values: npt.NDArray[np.float64], column: str) -> None:
    match word:
        case "missing":
            wrong = np.isnan(values)
        case "infinite":
            wrong = np.isinf(values)
        case _:
            wrong = np.isfinite(values) & (np.abs(values) > np.finfo(np.float32).max)
    if wrong.any():
        raise ValueError(f"the estimator refuses {word} values in {column!r} and the like")


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


def _typed(values: npt.NDArray[np.float64], kind: str) -> npt.NDArray[Any]:
    return values.astype(np.float32) if kind == "tensor(float)" else values


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason was given"])[0][:300]
