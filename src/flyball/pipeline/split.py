"""Which rows a model learns from and which it is judged on: the newest rows are held out.

A row is known by its position in the stream (1 is the first row of the source; captured rows count on from there).
`ROW` is the column that carries it in a snapshot; without one the rows are the stream from `first_row` on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.errors import NotEnoughData

ROW = "flyball_row"

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of the table, from 0, in the order of learning and judging."""

    train: Rows
    holdout: Rows
    shared: Rows  # part of the holdout that the champion was not trained on either, for comparing


def temporal(
    table: pl.DataFrame,
    *,
    timestamp: str | None,
    holdout: float,
    first_row: int = 1,
    champion_last_row: int = 0,
    champion_rows: pl.DataFrame | None = None,
) -> Split:
    """The newest share of the rows is held out.

    Args:
        timestamp: column that orders the rows; equal times keep their order. None: the order of the table.
        holdout: share of the rows, 0..1; at least one row on each side.
        first_row: stream position of the table's first row where there is no column ROW.
        champion_last_row: newest stream row that the champion was fitted on; 0: none is known.
        champion_rows: rows that the champion was fitted on, where positions of two tables do not compare: a row with
            the same values is taken for the same row.

    Raises: NotEnoughData: fewer than two rows.

    >>> split = temporal(pl.DataFrame({"at": [3, 1, 2, 4]}), timestamp="at", holdout=0.5)
    >>> split.train.tolist(), split.holdout.tolist()
    ([1, 2], [0, 3])
    """
    if table.height < 2:
        raise NotEnoughData(f"rows={table.height}: training and judging need at least 2")
    order = np.arange(table.height, dtype=np.int64)
    if timestamp is not None:
        order = table[timestamp].arg_sort(nulls_last=False).to_numpy().astype(np.int64)
    held = min(max(round(table.height * holdout), 1), table.height - 1)
    judged = order[-held:]
    unseen = positions(table, first_row)[judged] > champion_last_row
    if champion_rows is not None:
        unseen &= ~_found_in(table[judged.tolist()], champion_rows)
    return Split(train=order[:-held], holdout=judged, shared=judged[unseen])


def positions(table: pl.DataFrame, first_row: int) -> Rows:
    """Stream position of each row of the table, shape [n]."""
    if ROW in table.columns:
        return table[ROW].to_numpy().astype(np.int64)
    return np.arange(first_row, first_row + table.height, dtype=np.int64)


def _found_in(rows: pl.DataFrame, others: pl.DataFrame) -> npt.NDArray[np.bool_]:
    columns = [name for name in rows.columns if name != ROW and name in others.columns]
    if not columns:
        return np.zeros(rows.height, dtype=np.bool_)
    marked = others.select(columns).unique().with_columns(pl.lit(True).alias("_seen"))
    joined = rows.select(columns).join(marked, on=columns, how="left", nulls_equal=True, maintain_order="left")
    return joined["_seen"].fill_null(False).to_numpy()
