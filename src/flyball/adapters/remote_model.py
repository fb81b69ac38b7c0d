"""A remote model as an estimator: what `train` of an imported endpoint gives, and what its release asks.

The release holds the address, not the model. Its probe rows are asked again whenever the release is loaded, so an
endpoint that answers otherwise than when it was judged is not served.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.adapters.oip_client import Endpoint, Tensor, infer

_WHOLE = ("INT", "UINT")


class RemoteModel:
    """`predict` and `predict_proba` over frames whose columns are the model's inputs.

    Args:
        inputs: name of each input tensor -> datatype; one name for all columns where `matrix` is set.
        output: name of the tensor that holds the numbers: of a regression the prediction; of two classes the
            probability of the second, [n] or [n,1], or both, [n,2]; of k classes [n,k].
        classes: in the order of that tensor's columns, unless its parameter `classes` names them in another.
    """

    def __init__(
        self,
        endpoint: Mapping[str, Any],
        *,
        inputs: Mapping[str, str],
        output: str,
        matrix: bool = False,
        classes: Sequence[Any] = (),
    ) -> None:
        self.endpoint = Endpoint(**endpoint)
        self.inputs, self.output, self.matrix = dict(inputs), output, matrix
        if classes:
            self.classes_ = np.asarray(classes)

    def predict(self, table: pl.DataFrame) -> npt.NDArray[Any]:
        """Numbers of a regression, else the most probable class. Raises: Unavailable, ValueError."""
        if not hasattr(self, "classes_"):
            return self._asked(table)
        chosen: npt.NDArray[Any] = self.classes_[np.argmax(self.predict_proba(table), axis=1)]
        return chosen

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Shape [n, k]. Raises: Unavailable: no answer. ValueError: an answer of another shape."""
        if table.height == 0:
            return np.empty((0, max(1, len(self.classes_))))
        return self._asked(table)

    def _asked(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        return (
            self.found(infer(self.endpoint, self.tensors(table), self.output), table.height)
            if table.height
            else np.empty(0)
        )

    def found(self, outputs: Sequence[Tensor], rows: int) -> npt.NDArray[np.float64]:
        """What the server's answer to so many rows says: numbers [n] of a regression, else probabilities [n, k].

        Raises: ValueError: it is of another shape.
        """
        values = self._numbers(outputs, rows)
        if not hasattr(self, "classes_"):
            return values.reshape(rows)
        if len(self.classes_) == 2 and values.size == rows:
            positive = values.reshape(rows)
            return np.column_stack([1.0 - positive, positive])
        return values.reshape(rows, len(self.classes_))

    def _numbers(self, outputs: Sequence[Tensor], rows: int) -> npt.NDArray[np.float64]:
        """The output's values, row-major; columns in the order of `classes_`."""
        named = {tensor.name: tensor for tensor in outputs}
        found = named.get(self.output)
        if found is None or found.data is None:
            raise ValueError(f"expected an output {self.output!r}, found {', '.join(named) or 'none'}")
        values = np.asarray(found.data, dtype=np.float64).ravel()
        if values.size == 0 or values.size % rows:
            raise ValueError(f"expected {rows} rows in {self.output!r}, found {values.size} values")
        classes = (found.parameters or {}).get("classes")
        return values if classes is None else self._in_order(values.reshape(rows, -1), str(classes).split(","))

    def _in_order(self, values: npt.NDArray[np.float64], named: list[str]) -> npt.NDArray[np.float64]:
        """Columns that the answer names, as a gateway of ours does, in the order of `classes_`."""
        wanted = [str(name) for name in getattr(self, "classes_", np.array([])).tolist()]
        if sorted(named) != sorted(wanted) or values.shape[1] != len(named):
            raise ValueError(f"expected the classes {', '.join(wanted)} in {self.output!r}, found {', '.join(named)}")
        return values[:, [named.index(name) for name in wanted]].ravel()

    def tensors(self, table: pl.DataFrame) -> list[Tensor]:
        """What a frame is sent as."""
        if not self.matrix:
            return [
                Tensor(name, kind, [table.height, 1], _plain(table[name], kind)) for name, kind in self.inputs.items()
            ]
        ((name, kind),) = self.inputs.items()
        values = table.select(pl.all().cast(pl.Float64)).to_numpy().ravel().tolist()
        return [Tensor(name, kind, [table.height, table.width], _missing_as_null(values))]


def _plain(column: pl.Series, datatype: str) -> list[Any]:
    if datatype == "BYTES":
        return column.cast(pl.String).to_list()
    if datatype == "BOOL":
        return column.cast(pl.Boolean).to_list()
    return (
        column.cast(pl.Int64).to_list()
        if datatype.startswith(_WHOLE)
        else _missing_as_null(column.cast(pl.Float64).to_list())
    )


def _missing_as_null(values: list[Any]) -> list[Any]:
    return [None if value is None or value != value else value for value in values]  # JSON knows no NaN
