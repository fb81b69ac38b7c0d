"""What a table looks like: each column with its type, gaps, values and distribution, and which columns go together.

Every figure of a single column is of all rows; pairs of columns are judged on at most SAMPLE rows, evenly spread, so
that the time is bounded. Values of personal columns appear nowhere: no examples, no bars, no extremes.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import polars as pl

from flyball.contracts.draft.associations import cramers_v, pearson, ranks
from flyball.contracts.draft.text import kind_of
from flyball.core.contract import PERSONAL
from flyball.core.record import Record

SAMPLE = 50_000  # rows
MOST_COLUMNS = 40  # of one kind, whose pairs are judged
MOST_CATEGORIES = 50
BINS = 24
TOP = 8  # values shown of a category
EXAMPLES = 3
WIDTH = 32  # characters of a value


class Bar(Record):
    label: str
    count: int


class ColumnProfile(Record):
    name: str
    kind: str  # of the contract, or the dtype where no contract can hold it
    missing: int  # rows without a value, NaN included
    distinct: int  # values
    personal: str | None  # classification
    facts: tuple[tuple[str, str], ...]  # in words: smallest, median ...
    bars: tuple[Bar, ...]  # of a number from low to high, of a category from frequent to rare
    numeric: bool
    examples: tuple[str, ...]
    skew: float | None = None  # third standardised moment
    infinite: int = 0


class Pair(Record):
    """Two columns and how they go together; a measure that does not apply is None."""

    first: str
    second: str
    pearson: float | None = None
    spearman: float | None = None
    cramers_v: float | None = None

    @property
    def strength(self) -> float:
        """The largest of the measures, from 0 to 1."""
        return max(abs(value) for value in (self.pearson, self.spearman, self.cramers_v, 0.0) if value is not None)


class Profile(Record):
    name: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    duplicates: int  # rows that are equal to an earlier one
    pairs: tuple[Pair, ...]  # strongest first
    sampled: int  # rows that the pairs were judged on


def profile(table: pl.DataFrame, *, name: str, personal: Mapping[str, str]) -> Profile:
    """The figures of a table.

    Args:
        personal: classification by column, of those that have one.

    >>> made = profile(pl.DataFrame({"a": [1.0, 2.0, None], "b": ["x", "x", "y"]}), name="t", personal={})
    >>> [(column.name, column.missing, column.distinct) for column in made.columns]
    [('a', 1, 2), ('b', 0, 2)]
    """
    sound = table.select(pl.col(column) for column, dtype in table.schema.items() if kind_of(dtype) is not None)
    sample = sound.gather_every(max(1, -(-sound.height // SAMPLE)))
    hidden = {column for column, word in personal.items() if word.lower() in PERSONAL}
    return Profile(
        name=name,
        rows=table.height,
        columns=tuple(
            _column(values, personal.get(values.name), values.name in hidden) for values in table.get_columns()
        ),
        duplicates=sound.height - sound.hash_rows().n_unique() if sound.width else 0,
        pairs=tuple(sorted(_pairs(sample), key=lambda pair: -pair.strength)),
        sampled=sample.height,
    )


def _column(values: pl.Series, classification: str | None, hidden: bool) -> ColumnProfile:
    kind = kind_of(values.dtype)
    if kind is None:
        return ColumnProfile(
            name=values.name,
            kind=str(values.dtype),
            missing=values.null_count(),
            distinct=0,
            personal=classification,
            facts=(),
            bars=(),
            numeric=False,
            examples=(),
        )
    sound = values.cast(pl.Float64).fill_nan(None) if kind == "number" else values
    present = sound.drop_nulls()
    numeric = kind in ("number", "integer", "date", "timestamp")
    finite = present.filter(present.is_finite()) if kind == "number" else present
    shown = [] if hidden else present.unique(maintain_order=True).head(EXAMPLES).to_list()
    measured = kind in ("number", "integer") and finite.len() > 0
    return ColumnProfile(
        name=values.name,
        kind=kind,
        missing=sound.null_count(),
        distinct=present.n_unique(),
        personal=classification,
        facts=() if hidden or finite.is_empty() else _facts(finite, kind),
        bars=() if hidden else _histogram(finite) if numeric else _top(present),
        numeric=numeric,
        examples=tuple(short(value) for value in shown),
        skew=_skew(finite) if measured else None,
        infinite=present.len() - finite.len(),
    )


def _skew(values: pl.Series) -> float | None:
    found = values.cast(pl.Float64).skew()
    return None if found is None or not np.isfinite(found) else float(found)


def _facts(values: pl.Series, kind: str) -> tuple[tuple[str, str], ...]:
    if kind in ("number", "integer"):
        numbers = values.cast(pl.Float64)
        at = {word: numbers.quantile(q, "nearest") for word, q in (("5 %", 0.05), ("median", 0.5), ("95 %", 0.95))}
        found = {"smallest": numbers.min(), **at, "largest": numbers.max(), "mean": numbers.mean(), "sd": numbers.std()}
        return tuple((word, f"{value:.6g}") for word, value in found.items() if isinstance(value, float))
    if kind in ("date", "timestamp"):
        return (("earliest", short(values.min())), ("latest", short(values.max())))
    if kind == "string":
        length = values.cast(pl.String).str.len_chars()
        ends = (("shortest", length.min()), ("longest", length.max()))
        return tuple((word, f"{count} characters") for word, count in ends if isinstance(count, int))
    return ()


def _histogram(values: pl.Series) -> tuple[Bar, ...]:
    if values.is_empty():
        return ()
    temporal = values.dtype.is_temporal()
    numbers = (values.cast(pl.Datetime("us")).dt.epoch("s") if temporal else values).cast(pl.Float64).to_numpy()
    low, high = float(numbers.min()), float(numbers.max())
    if not np.isfinite(high - low) or low == high:
        return (Bar(label=short(values[0]), count=values.len()),)
    bins = min(BINS, max(1, int(high - low) + 1)) if values.dtype.is_integer() else BINS
    counts, edges = np.histogram(numbers, bins=bins, range=(low, high))
    words = [_moment(edge) if temporal else f"{edge:.4g}" for edge in edges]
    return tuple(
        Bar(label=f"{start} to {end}", count=int(count))
        for start, end, count in zip(words[:-1], words[1:], counts, strict=True)
    )


def _moment(seconds: float) -> str:
    return str(pl.from_epoch(pl.Series([int(seconds)]), "s").dt.to_string("%Y-%m-%d")[0])


def _top(values: pl.Series) -> tuple[Bar, ...]:
    counted = (
        values.cast(pl.String).alias("value").value_counts(sort=True).sort("count", "value", descending=[True, False])
    )
    top = [Bar(label=short(value), count=count) for value, count in counted.head(TOP).iter_rows()]
    if counted.height == values.len() > TOP:
        return ()  # every value is another: nothing is more frequent
    rest = values.len() - sum(bar.count for bar in top)
    return (*top, Bar(label=f"{counted.height - TOP} others", count=rest)) if rest else tuple(top)


def short(value: object) -> str:
    """A value in at most WIDTH printable characters.

    >>> short("x" * 40), short(True), short("a\\nb")
    ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…', 'true', 'a b')
    """
    match value:
        case bool():
            text = str(value).lower()
        case float():
            text = f"{value:g}"
        case _:
            text = str(value)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _pairs(sample: pl.DataFrame) -> list[Pair]:
    numbers = [column for column, dtype in sample.schema.items() if dtype.is_numeric()][:MOST_COLUMNS]
    texts = [column for column, dtype in sample.schema.items() if kind_of(dtype) in ("string", "boolean")]
    texts = [column for column in texts if 2 <= sample.get_column(column).n_unique() <= MOST_CATEGORIES][:MOST_COLUMNS]
    found: list[Pair] = []
    if len(numbers) > 1:
        columns = sample.select(pl.col(numbers).cast(pl.Float64)).fill_null(float("nan")).to_numpy()
        columns = np.where(np.isfinite(columns), columns, np.nan)
        linear, monotone = pearson(columns), pearson(ranks(columns))
        for i, j in combinations(range(len(numbers)), 2):
            if np.isfinite(linear[i, j]) and np.isfinite(monotone[i, j]):
                found.append(
                    Pair(
                        first=numbers[i],
                        second=numbers[j],
                        pearson=float(linear[i, j]),
                        spearman=float(monotone[i, j]),
                    )
                )
    for first, second in combinations(texts, 2):
        value = cramers_v(sample.get_column(first), sample.get_column(second))
        if value is not None:
            found.append(Pair(first=first, second=second, cramers_v=value))
    return found
