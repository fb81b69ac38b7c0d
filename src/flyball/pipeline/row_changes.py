"""How two tables differ: columns, and rows changed, added or removed."""

import polars as pl

from flyball.pipeline.split import ROW


def row_changes(
    before: pl.DataFrame, after: pl.DataFrame, *, part: str = "the table", key: str | None = None
) -> tuple[str, ...]:
    """One sentence a difference; empty where the two hold the same values in the same order.

    Tables of one height are compared by position, others as bags of rows. Values are told of numbers, times and yes or
    no, never of texts or of the `key`: who reads a difference need not be allowed to read the data.

    >>> table = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    >>> row_changes(table, table.with_columns(x=pl.Series([1, 3])))
    ('1 row of the table is changed, first row 2: x 2 -> 3',)
    >>> row_changes(table, table.head(1))
    ('1 row of the table is removed',)
    """
    words = list(_columns(before, after))
    common = [name for name in before.columns if name != ROW and before.schema[name] == after.schema.get(name)]
    left, right = before.select(common), after.select(common)
    if left.equals(right, null_equal=True):
        if not words and not before.equals(after, null_equal=True):
            words.append(f"the same rows of {part} stand at other places of the stream")
        return tuple(words)
    removed, added = _bags(left, right)
    if left.height == right.height and not removed:
        words.append(f"the same rows of {part} are in another order")
    elif left.height == right.height:
        words.append(_by_position(left, right, part, key))
    else:
        words += [f"{_rows(n)} of {part} {_is(n)} {how}" for n, how in ((added, "added"), (removed, "removed")) if n]
    return tuple(words)


def _columns(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    words = [f"column {name} is removed" for name in before.columns if name not in after.columns]
    words += [f"column {name} is added" for name in after.columns if name not in before.columns]
    both = [name for name in before.columns if name in after.columns]
    return words + [
        f"column {name}: {before.schema[name]} -> {after.schema[name]}"
        for name in both
        if before.schema[name] != after.schema[name]
    ]


def _by_position(left: pl.DataFrame, right: pl.DataFrame, part: str, key: str | None) -> str:
    unlike = pl.DataFrame({name: left[name].ne_missing(right[name]) for name in left.columns})
    at = unlike.select(pl.any_horizontal(pl.all())).to_series().arg_true()
    first = int(at[0])
    changed = [name for name in left.columns if unlike[name][first]]
    told = [
        name for name in changed if name != key and not left.schema[name].is_nested() and left.schema[name] != pl.String
    ]
    example = ", ".join([f"{name} {left[name][first]} -> {right[name][first]}" for name in told[:3]] or changed[:3])
    columns = [name for name in left.columns if unlike[name].any()]
    where = f" in {', '.join(columns)}" if columns != changed else ""
    return f"{_rows(len(at))} of {part} {_is(len(at))} changed{where}, first row {first + 1}: {example}"


def _bags(left: pl.DataFrame, right: pl.DataFrame) -> tuple[int, int]:
    """How many rows of the left are not in the right, and the other way round; equal rows are counted."""
    one, other = (side.hash_rows(seed=0).value_counts(name="n") for side in (left, right))
    key = one.columns[0]
    both = one.join(other.rename({other.columns[0]: key}), on=key, how="full", coalesce=True, suffix="_right")
    n, m = both["n"].fill_null(0).cast(pl.Int64), both["n_right"].fill_null(0).cast(pl.Int64)
    return int((n - m).clip(lower_bound=0).sum()), int((m - n).clip(lower_bound=0).sum())


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
