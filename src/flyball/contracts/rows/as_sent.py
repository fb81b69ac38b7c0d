"""Rows of a table as a client would send them."""

from collections.abc import Sequence
from typing import Any

import polars as pl


def as_sent(rows: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Dates and times as ISO 8601 text, missing values as null."""
    texts = [
        pl.col(name).dt.to_string("iso:strict") if rows.schema[name].is_temporal() else pl.col(name) for name in columns
    ]
    return rows.select(texts).to_dicts()
