"""What stands between a table of named columns and an ONNX graph: names of inputs, and texts that are missing.

Column names of a service may be any text, names in a graph may not, so inputs are counted. A text in a graph cannot be
missing, so `MISSING` stands for it: an encoder that has seen missing values gets it as a category, to any other it is a
value it has not seen. The fitted estimator stays as it is; what is changed is a copy.
"""

from copy import copy
from typing import Any

import numpy as np

MISSING = "\u0001missing"  # a control character: no text that a person types


def name_of(column: int) -> str:
    return f"in_{column}"


def selects_columns(estimator: Any) -> bool:
    """Whether its first step is a fitted ColumnTransformer, which knows columns by their names."""
    return hasattr(_first(estimator), "transformers_")


def counted(estimator: Any, columns: list[str]) -> Any:
    """A copy that selects counted inputs and knows `MISSING`."""
    first = _first(estimator)
    if not hasattr(first, "transformers_"):
        return estimator
    changed = copy(first)
    changed.transformers_ = [
        (name, _with_missing(step), _inputs(chosen, columns)) for name, step, chosen in first.transformers_
    ]
    changed.feature_names_in_ = np.array([name_of(at) for at in range(len(columns))], dtype=object)
    if not hasattr(estimator, "steps"):
        return changed
    whole = copy(estimator)
    whole.steps = [(estimator.steps[0][0], changed), *estimator.steps[1:]]
    return whole


def _first(estimator: Any) -> Any:
    return estimator.steps[0][1] if hasattr(estimator, "steps") else estimator


def _inputs(chosen: Any, columns: list[str]) -> Any:
    if isinstance(chosen, str):
        return name_of(columns.index(chosen))
    if isinstance(chosen, slice):
        return [name_of(at) for at in range(len(columns))[chosen]]
    found = np.asarray(chosen)
    match found.dtype.kind:
        case "b":
            return [name_of(at) for at in np.flatnonzero(found).tolist()]
        case "i" | "u":
            return [name_of(range(len(columns))[at]) for at in found.tolist()]
        case _:
            return [name_of(columns.index(name)) for name in found.tolist()]


def _with_missing(step: Any) -> Any:
    """To an encoder of scikit-learn a missing text is a category like any other."""
    known = getattr(step, "categories_", None)
    if known is None or not any(None in list(values) for values in known):
        return step
    changed = copy(step)
    changed.categories_ = [_replaced(values) for values in known]
    return changed


def _replaced(values: Any) -> Any:
    return np.array([MISSING if value is None else value for value in values], dtype=object)
