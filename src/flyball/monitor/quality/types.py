"""Another type: a column of numbers whose values are text that is no number, or words where only numbers were known.

Cast to numbers such values would silently be missing. They are counted before the cast.
"""

import polars as pl

from flyball.core.release import Reference
from flyball.core.watching import QualityFinding


def unreadable(column: pl.Series, reference: Reference) -> int:
    """Rows whose value is there and is not of the kind that the baseline counted.

    >>> numeric = Reference(kind="numeric", edges=(0.5,), counts=(5, 5, 0))
    >>> unreadable(pl.Series(["1.5", "n/a", None]), numeric), unreadable(pl.Series([1.5, None]), numeric)
    (1, 0)
    >>> words = Reference(kind="category", values=("a", "b"), counts=(5, 5, 0, 0))
    >>> unreadable(pl.Series(["7", "a"]), words)
    1
    """
    if reference.kind == "numeric":
        if column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype in (pl.Boolean, pl.Null):
            return 0
        text = column.cast(pl.String, strict=False)
        return column.len() - column.null_count() - (text.len() - text.cast(pl.Float64, strict=False).null_count())
    if any(_is_number(value) for value in reference.values) or not reference.values:
        return 0
    text = column.cast(pl.String, strict=False)
    return text.len() - text.cast(pl.Float64, strict=False).null_count()


def type_changed(name: str, wrong: int, rows: int, *, limit: float) -> QualityFinding | None:
    """Args: wrong: unreadable rows of the window; rows: all of them; limit: share of them that may be."""
    share = wrong / rows if rows else 0.0
    if share <= limit:
        return None
    return QualityFinding(
        kind="type_changed",
        feature=name,
        value=share,
        limit=limit,
        detail=f"{wrong} of {rows} values of {name} are of another type than its baseline's",
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
