"""Reads a graph of ONNX with onnxruntime, in one thread, behind the interface of scikit-learn."""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.adapters.models.onnx_columns import MISSING, name_of
from flyball.core.service import Task

MATRIX = "table"  # the input of a graph whose columns are all numbers
REFUSES, BY_NAME = "flyball.refuses", "flyball.by_name"  # metadata of the file
_ORDINARY = 1e30  # far below the largest float32


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


def _typed(values: npt.NDArray[np.float64], kind: str) -> npt.NDArray[Any]:
    return values.astype(np.float32) if kind == "tensor(float)" else values


def _runtime() -> Any:
    """onnxruntime, which since 1.32 gathers how it is used, in a file and for the network: not from here."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when it is imported
    import onnxruntime

    return onnxruntime
