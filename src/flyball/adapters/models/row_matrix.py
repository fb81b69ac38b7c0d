"""Rows as one float64 matrix without a frame between: only where it is bit for bit the matrix that the frame becomes.

A frame of a few rows costs more than the model: some ten microseconds a column, whatever its height. A service without
`features()` whose release is an ONNX graph over one table of numbers needs none of it. Values that a frame would
convert (a text for a number, 3.5 for an integer) are not converted here: such rows take the way through the frame.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from flyball.core.contract import Kind

_NAN = float("nan")
_OWN: Mapping[Kind, type[int]] = {"integer": int, "boolean": bool}  # what a frame does not hold as float64
_LARGEST = 1 << 63
Matrix = npt.NDArray[np.float64]


def row_matrix(columns: Sequence[tuple[str, Kind]]) -> Callable[[Sequence[Mapping[str, Any]]], Matrix | None] | None:
    """A function from rows to their matrix, columns in this order; None: a column is neither number nor truth value.

    What it makes is None where the frame has to decide. A missing value, or one that a row lacks, is NaN.

    >>> matrix = row_matrix([("a", "number"), ("b", "integer")])
    >>> matrix([{"a": 1.5, "b": 2}, {"b": 3}]).tolist(), matrix([{"a": "1.5"}])
    ([[1.5, 2.0], [nan, 3.0]], None)
    """
    if not columns or any(kind not in ("number", "integer", "boolean") for _, kind in columns):
        return None
    names = [name for name, _ in columns]
    width = len(names)
    get = itemgetter(*names) if width > 1 else lambda row: (row[names[0]],)
    exact = [(at, _OWN[kind]) for at, (_, kind) in enumerate(columns) if kind in _OWN]

    def made(rows: Sequence[Mapping[str, Any]]) -> Matrix | None:
        values: list[Any] = []
        try:
            for row in rows:
                values += get(row)
        except KeyError:
            values = [row.get(name) for row in rows for name in names]
        for at, own in exact:
            for value in values[at::width]:
                if value is not None and (type(value) is not own or not -_LARGEST <= value < _LARGEST):
                    return None
        try:
            numbers = array("d", values)
        except (TypeError, OverflowError):  # the one way with a missing value, and seldom
            try:
                numbers = array("d", [_NAN if value is None else value for value in values])
            except (TypeError, OverflowError):
                return None
        return np.frombuffer(numbers, dtype=np.float64).reshape(len(rows), width)

    return made
