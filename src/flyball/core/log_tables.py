"""Records of the prediction log as tables: the one place that decides their columns and dtypes.

Columns are the fields of the records in `core.prediction`; a feature is `x.<column>`; `scores` is a struct {class: p},
present where a row has any. Prediction and label share a dtype: that of the contract's label column, a float for
regression, where a model answers 3.2 about an integer.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from flyball.core.contract import DataContract
from flyball.core.frames import DTYPES, schema, series
from flyball.core.log_columns import LogColumns, columns_of
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.service import Task

FEATURE = "x."

_PREDICTION: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "at": pl.Float64(),
    "unit": pl.String(),
    "arm": pl.String(),
    "release": pl.String(),
    "epoch": pl.Int64(),
    "outcome": pl.String(),
    "fallback": pl.String(),
    "answered_by": pl.String(),
    "reason": pl.String(),
    "error": pl.Boolean(),
    "slow": pl.Boolean(),
    "score": pl.Float64(),
    "latency_ms": pl.Float64(),
    "service_ms": pl.Float64(),
    "queue_ms": pl.Float64(),
    "excluded": pl.Boolean(),
}
_SHADOW: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "at": pl.Float64(),
    "release": pl.String(),
    "epoch": pl.Int64(),
    "error": pl.Boolean(),
    "slow": pl.Boolean(),
    "score": pl.Float64(),
    "service_ms": pl.Float64(),
    "agrees": pl.Boolean(),
}


@dataclass(frozen=True, kw_only=True)
class LogTables:
    """Makes the tables of one service."""

    features: Mapping[str, pl.DataType]  # input columns in the contract's order; hashed ones are text
    answer: pl.DataType  # of predictions and labels

    def predictions(self, records: Sequence[PredictionRecord] | LogColumns) -> pl.DataFrame:
        """The table of these records, in order."""
        told = records if isinstance(records, LogColumns) else columns_of(records)
        columns = [pl.Series(name, told.field(name), dtype=dtype) for name, dtype in _PREDICTION.items()]
        columns += _answers(told.field("prediction"), told.field("scores"), self.answer)
        try:
            inputs = self._inputs(told.feature)
        except pl.exceptions.PolarsError:
            # the text of a date that the contract did not accept; what it did accept can be read
            accepted = [outcome in ("answered", "fallback", "failed") for outcome in told.field("outcome")]
            inputs = self._inputs(
                lambda name: [value if ok else None for value, ok in zip(told.feature(name), accepted, strict=True)]
            )
        return pl.DataFrame([*columns, *inputs])

    def _inputs(self, feature: Callable[[str], Sequence[Any]]) -> list[pl.Series]:
        return [series(name, feature(name), dtype).alias(FEATURE + name) for name, dtype in self.features.items()]

    def shadows(self, records: Sequence[ShadowRecord]) -> pl.DataFrame:
        answers = _answers([r.prediction for r in records], [r.scores for r in records], self.answer)
        return pl.DataFrame([*_columns(records, _SHADOW), *answers])

    def labels(self, records: Sequence[LabelRecord]) -> pl.DataFrame:
        return pl.DataFrame(
            [
                pl.Series("id", [record.id for record in records], dtype=pl.String()),
                pl.Series("label", [record.label for record in records], dtype=self.answer, strict=False),
                pl.Series("at", [record.at for record in records], dtype=pl.Float64()),
            ]
        )


def log_tables(contract: DataContract, *, label: str, task: Task, hidden: Collection[str] = ()) -> LogTables:
    """The tables of a service. `hidden`: columns whose values are hashed before they are written."""
    features = schema(contract, without=(label,))
    features |= {name: pl.String() for name in hidden if name in features}
    kinds = [column.kind for column in contract.columns if column.name == label]
    answer = DTYPES[kinds[0]] if kinds and task != "regression" else pl.Float64()
    return LogTables(features=features, answer=answer)


def _columns(records: Sequence[Any], dtypes: Mapping[str, pl.DataType]) -> list[pl.Series]:
    return [pl.Series(name, [getattr(r, name) for r in records], dtype=dtype) for name, dtype in dtypes.items()]


def _answers(predictions: Sequence[Any], scores: Sequence[Any], dtype: pl.DataType) -> list[pl.Series]:
    found = [pl.Series("prediction", predictions, dtype=dtype, strict=False)]
    classes = sorted({name for row in scores if row for name in row})
    if classes:
        fields = pl.Struct({name: pl.Float64() for name in classes})
        found.append(pl.Series("scores", scores, dtype=fields))
    return found
