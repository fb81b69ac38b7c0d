"""A model of MLflow's `python_function`, whatever flavour made it, as a class that saves and loads itself.

Its folder is the model, unchanged. What lies in it may be a pickle and code: MLflow opens it where this class loads it,
which is in the training and, after signature and root were verified, in a worker or an arm process. Needs the extra
`pyfunc`, and whatever the model's own requirements name.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.errors import Unavailable

MODEL, CLASSES = "model", "classes.json"
_NUMBERS = {"double": "float64", "float": "float32", "long": "int64", "integer": "int32"}


class PyfuncModel:
    """Subclassed in a service's code by what `flyball import` writes there."""

    INPUTS: ClassVar[Mapping[str, str]] = {}  # column -> MLflow's name of its type, in the model's order
    OUTPUT: ClassVar[str | None] = None  # column of the answer that holds the numbers; None: the only one

    def __init__(self, folder: Path, classes: Sequence[Any] = ()) -> None:
        """`folder`: as MLflow saved it. `classes`: sorted labels; none: a regression. Raises: Unavailable."""
        self._folder, self._classes = folder, list(classes)
        if classes:
            self.classes_ = np.asarray(classes)
        self._model = _opened(folder)

    def save(self, folder: Path) -> None:
        shutil.copytree(self._folder, folder / MODEL)
        (folder / CLASSES).write_text(json.dumps(self._classes))

    @classmethod
    def load(cls, folder: Path) -> "PyfuncModel":
        return cls(folder / MODEL, json.loads((folder / CLASSES).read_text()))

    def predict(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Numbers [n] of a regression; else the probability of the second class [n], or of each class [n, k].

        An answer of labels is no probability: the class it names has 1, the others 0. Raises: ValueError: an answer
        of another form. Whatever MLflow and the model raise.
        """
        found = self._numbers(self._model.predict(self._table(frame)), frame.height)
        if not self._classes:
            return found.astype(np.float64).reshape(frame.height)
        if found.ndim == 2:
            return found.astype(np.float64)
        if len(self._classes) == 2 and np.issubdtype(found.dtype, np.floating):
            return found.astype(np.float64)
        labels = found.tolist()
        if unknown := [label for label in labels if label not in self._classes]:
            raise ValueError(f"expected one of the classes {self._classes}, found {unknown[0]!r}")
        return np.array([[float(label == each) for each in self._classes] for label in labels])

    def _table(self, frame: pl.DataFrame) -> Any:
        import pandas as pd

        return pd.DataFrame({name: _column(frame[name], kind) for name, kind in self.INPUTS.items()})

    def _numbers(self, answer: Any, rows: int) -> npt.NDArray[Any]:
        """[n], or [n, k] in the order of the classes."""
        columns = [str(name) for name in getattr(answer, "columns", ())]
        named = [str(each) for each in self._classes]
        if self.OUTPUT is not None:
            if self.OUTPUT not in columns:
                raise ValueError(f"expected a column {self.OUTPUT!r}, found {', '.join(columns) or 'none with a name'}")
            answer = answer.iloc[:, columns.index(self.OUTPUT)]
        elif named and set(named) <= set(columns):
            answer = answer.iloc[:, [columns.index(name) for name in named]]
        values = np.asarray(answer)
        values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        wide = () if values.ndim == 1 else (len(self._classes),)
        if values.shape != (rows, *wide):
            raise ValueError(f"expected {rows} numbers, or as many a row as there are classes, found {values.shape}")
        return values


def _opened(folder: Path) -> Any:
    missing = [name for name in ("mlflow", "pandas") if find_spec(name) is None]
    if missing:
        raise Unavailable(f"{missing[0]} is not installed: pip install 'flyball[pyfunc]'")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(folder))


def _column(values: pl.Series, kind: str) -> Any:
    if kind in _NUMBERS:
        if values.null_count():
            return values.cast(pl.Float64).to_numpy()  # a missing whole number is MLflow's to refuse
        return values.cast(pl.Float64 if kind in ("double", "float") else pl.Int64).to_numpy().astype(_NUMBERS[kind])
    if kind == "boolean":
        return values.cast(pl.Boolean).to_numpy()
    return values.to_numpy() if kind == "datetime" else np.asarray(values.cast(pl.String).to_list(), dtype=object)
