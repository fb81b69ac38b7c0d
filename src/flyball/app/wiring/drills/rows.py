"""Where a drill's requests come from: made-up transactions, or the rows that a service has learned from."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from flyball.app.declared import Declared, read_table
from flyball.app.demo.traffic import SHIFTED, USUAL, Transaction, transactions
from flyball.app.drills.clients import Row
from flyball.app.drills.columns import a_measure
from flyball.core.clock import Clock, timestamp

FAR = 0.9  # rows above this quantile of a measure stand for another region


class MadeUp:
    """Transactions of the drill's own service."""

    def __init__(self, dice: np.random.Generator, clock: Clock) -> None:
        self._dice, self._clock = dice, clock
        self._usual: Iterator[Transaction] = iter(())
        self._moved: Iterator[Transaction] = iter(())

    def next(self) -> tuple[Row, Any]:
        one = next(self._usual, None)
        if one is None:
            self._usual = transactions(self._dice, USUAL, self._clock.now())
            one = next(self._usual)
        return one.row, one.is_fraud

    def shift(self, _: Row, __: Any) -> tuple[Row, Any]:
        one = next(self._moved, None)
        if one is None:
            self._moved = transactions(self._dice, SHIFTED, self._clock.now())
            one = next(self._moved)
        return dict(one.row), one.is_fraud


class FromSource:
    """Rows of the table that a service has learned from, in no order."""

    def __init__(self, declared: Declared, dice: np.random.Generator, clock: Clock) -> None:
        """Raises: BadInput: the table cannot be read."""
        data = declared.service.data
        table = read_table(declared.source, needed=(data.label,), contract=declared.contract)
        names = [each.name for each in declared.contract.columns if each.name in table.columns]
        self._table = table.select(*dict.fromkeys((*names, data.label)))
        self._label, self._time, self._dice, self._clock = data.label, data.timestamp, dice, clock
        measure = a_measure(declared.contract, data.label)
        limit = self._table[measure].quantile(FAR)
        self._moved = self._table if limit is None else self._table.filter(pl.col(measure) >= limit)

    def next(self) -> tuple[Row, Any]:
        return self._one(self._table)

    def shift(self, _: Row, __: Any) -> tuple[Row, Any]:
        return self._one(self._moved)

    def _one(self, table: pl.DataFrame) -> tuple[Row, Any]:
        row = table.row(int(self._dice.integers(0, table.height)), named=True)
        label = row.pop(self._label)
        row = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        if self._time in row:
            row[self._time] = timestamp(self._clock.now())
        return row, label
