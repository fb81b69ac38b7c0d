"""Logistic regression as an ONNX graph in float64: one product, one sum, one link.

skl2onnx writes it too, but behind an encoder with a step that knows float32 only, and then the file does not load.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Linear:
    weights: npt.NDArray[np.float64]  # shape [columns, outputs]
    start: npt.NDArray[np.float64]  # of each output, shape [outputs]
    link: Literal["sigmoid", "softmax"]

    @property
    def outputs(self) -> int:
        return len(self.start)


def linear(estimator: Any) -> Linear | str:
    """The numbers of a fitted `LogisticRegression`, or why they cannot be written."""
    weights = np.asarray(estimator.coef_, dtype=np.float64).T
    if weights.shape[1] > 1 and estimator.solver == "liblinear":
        return "liblinear fits one class against the rest"
    start = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64).ravel(), (weights.shape[1],))
    return Linear(weights=weights, start=start, link="sigmoid" if weights.shape[1] == 1 else "softmax")


def nodes(model: Linear, table: str, answer: str) -> Iterator[Any]:
    """The nodes from the float64 matrix `table` to `answer`; of two classes the probability of the second."""
    from onnx import helper, numpy_helper

    for name, value in (("linear_weights", model.weights), ("linear_start", model.start)):
        yield helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.ascontiguousarray(value)))
    yield helper.make_node("MatMul", [table, "linear_weights"], ["linear_product"])
    yield helper.make_node("Add", ["linear_product", "linear_start"], ["linear_sum"])
    yield helper.make_node("Sigmoid" if model.link == "sigmoid" else "Softmax", ["linear_sum"], [answer])
