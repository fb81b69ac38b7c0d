"""Prediction records turned on their side: a list a field, as the log writes and reads them.

A table is built of columns, so whoever makes records of them in between pays for every value twice, and for an object a
row. A column whose values are all one (release, arm, outcome mostly) is kept as that one value.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from flyball.core.prediction import PredictionRecord

_FIELDS = tuple(name for name in PredictionRecord.__struct_fields__ if name != "features")
_DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(PredictionRecord)}
_AT_FEATURES = PredictionRecord.__struct_fields__.index("features")
# where equal values are the same value: 1, 1.0 and True are equal predictions, and not the same
_ONCE = frozenset(
    ("arm", "release", "epoch", "outcome", "fallback", "reason", "error", "slow", "answered_by", "excluded")
)


class LogColumns(msgspec.Struct, array_like=True):
    """So many records. A feature that a row lacks is None."""

    rows: int
    fields: dict[str, list[Any]]  # a list of one value stands for a column full of it
    features: dict[str, list[Any]]

    def field(self, name: str) -> list[Any]:
        """One value a row."""
        values = self.fields.get(name)
        if values is None:  # frames of an earlier version, which did not have it
            return [_DEFAULTS[name]] * self.rows
        return values if len(values) == self.rows else values * self.rows

    def feature(self, name: str) -> list[Any]:
        """One value a row."""
        return self.features.get(name) or [None] * self.rows

    def records(self) -> list[PredictionRecord]:
        """As they were offered, less the features that were None.

        >>> one = PredictionRecord(id="a", at=1.0, unit="u", arm=None, release="r", epoch=1, outcome="rejected")
        >>> columns_of([one, one]).records() == [one, one]
        True
        """
        names = list(self.features)
        columns = [self.features[name] for name in names]
        inputs = zip(*columns, strict=True) if columns else [()] * self.rows
        return [
            PredictionRecord(
                **dict(zip(_FIELDS, values, strict=True)),
                features={name: value for name, value in zip(names, row, strict=True) if value is not None},
            )
            for values, row in zip(zip(*map(self.field, _FIELDS), strict=True), inputs, strict=True)
        ]


def columns_of(records: Sequence[PredictionRecord]) -> LogColumns:
    """Turn them, in order."""
    if not records:
        return LogColumns(0, {name: [] for name in _FIELDS}, {})
    turned = list(zip(*map(msgspec.structs.astuple, records), strict=True))
    features = turned.pop(_AT_FEATURES)
    fields = {name: _once(name, column) for name, column in zip(_FIELDS, turned, strict=True)}
    return LogColumns(len(records), fields, _inputs(features))


def joined(parts: Iterable[LogColumns]) -> LogColumns:
    """One after the other."""
    rows, fields, features = 0, {name: list[Any]() for name in _FIELDS}, dict[str, list[Any]]()
    for part in parts:
        for name, column in fields.items():
            column += part.field(name)
        for name in part.features.keys() - features.keys():
            features[name] = [None] * rows
        for name, column in features.items():
            column += part.feature(name)
        rows += part.rows
    return LogColumns(rows, fields, features)


def _once(name: str, column: tuple[Any, ...]) -> list[Any]:
    first = column[0]
    one = (first is None or name in _ONCE) and column.count(first) == len(column)
    return [first] if one else list(column)


def _inputs(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Mostly all rows have the same keys; then each is read in one go."""
    longest = max(len(row) for row in rows)
    names = list(next(row for row in rows if len(row) == longest))
    if not names:
        return {}
    if any(len(row) != longest for row in rows):
        return _mixed(rows)
    get: Callable[[dict[str, Any]], Any] = itemgetter(*names)
    try:
        values = [get(row) for row in rows]
    except KeyError:  # as many keys, and others
        return _mixed(rows)
    columns = zip(*values, strict=True) if len(names) > 1 else [values]
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _mixed(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
