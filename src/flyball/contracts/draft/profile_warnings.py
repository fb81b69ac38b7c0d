"""What somebody should look at before a model learns from a table: each warning with its column and its figure."""

from collections.abc import Iterator

import polars as pl

from flyball.contracts.draft.associations import cramers_v
from flyball.contracts.draft.profile import SAMPLE, ColumnProfile, Pair, Profile
from flyball.contracts.draft.text import kind_of
from flyball.core.record import Record
from flyball.stats.scoring.ranking import rank

MUCH_MISSING = 0.5  # share of the rows
HIGH_CARDINALITY = 1_000  # different texts
SKEWED = 5.0  # third standardised moment; that of an exponential is 2
RARE_CLASS = 0.05  # share of the smallest class of a label
ONE_VALUE = 0.99  # share of the most frequent value of an input
ALIKE = 0.99  # correlation of two columns that say the same
LEAK = 0.98  # association with the label, or AUC, that is too good to be true
FEW_OF_A_KIND = 0.01  # share of numbers among texts, or the reverse, that is a kind of its own


class Remark(Record):
    """One warning."""

    kind: str
    column: str | None  # None: the table as a whole
    text: str


def remarks(made: Profile, table: pl.DataFrame, *, label: str | None = None) -> tuple[Remark, ...]:
    """All warnings, those about the table first.

    >>> from flyball.contracts.draft.profile import profile
    >>> table = pl.DataFrame({"a": [1.0] * 20, "b": list(range(20))})
    >>> [(remark.kind, remark.column) for remark in remarks(profile(table, name="t", personal={}), table)]
    [('constant', 'a')]
    """
    found = list(_of_table(made))
    for column in made.columns:
        found += _of_column(column, made.rows, is_label=column.name == label)
        found += _mixed(table.get_column(column.name))
    found += [remark for pair in made.pairs if (remark := _alike(pair, label)) is not None]
    if label is not None and label in table.columns:
        found += _leaks(table, label)
    return tuple(found)


def _of_table(made: Profile) -> Iterator[Remark]:
    if made.duplicates:
        share = made.duplicates / made.rows
        yield Remark(kind="duplicates", column=None, text=f"{made.duplicates} rows ({share:.1%}) repeat an earlier one")


def _of_column(column: ColumnProfile, rows: int, *, is_label: bool) -> Iterator[Remark]:
    present = rows - column.missing

    def say(kind: str, text: str) -> Remark:
        return Remark(kind=kind, column=column.name, text=text)

    if present == 0:
        yield say("empty", "no row has a value")
        return
    if column.missing > MUCH_MISSING * rows:
        yield say("missing", f"{column.missing / rows:.0%} of the rows have no value")
    if column.distinct == 1:
        yield say("constant", "every row that has a value has the same one")
    elif column.kind == "string" and column.distinct > HIGH_CARDINALITY:
        unique = ", as many as rows: is it a key?" if column.distinct == present else ""
        yield say("high cardinality", f"{column.distinct} different texts{unique}")
    if column.infinite:
        yield say("infinite", f"{column.infinite} rows hold an infinity")
    if column.skew is not None and abs(column.skew) > SKEWED and column.distinct > 2:
        yield say("skew", f"a long tail to the {'right' if column.skew > 0 else 'left'} (skewness {column.skew:.1f})")
    if column.bars and not column.numeric and column.distinct > 1:
        largest = column.bars[0].count / present
        rarest = min(bar.count for bar in column.bars) / present
        if is_label and rarest < RARE_CLASS:
            yield say("imbalance", f"the rarest class is {rarest:.1%} of the rows: judge by precision and recall")
        elif not is_label and largest > ONE_VALUE:
            yield say("imbalance", f"{largest:.1%} of the values are the same")
    if is_label and column.numeric and column.distinct == 2 and column.bars:
        rarest = min(bar.count for bar in column.bars if bar.count) / present
        if rarest < RARE_CLASS:
            yield say("imbalance", f"the rarer class is {rarest:.1%} of the rows: judge by precision and recall")


def _mixed(values: pl.Series) -> Iterator[Remark]:
    if values.dtype != pl.String:
        return
    texts = values.drop_nulls()
    if texts.is_empty():
        return
    numbers = int(texts.str.strip_chars().cast(pl.Float64, strict=False).is_not_null().sum())
    if FEW_OF_A_KIND * texts.len() <= numbers < texts.len():
        told = f"{numbers} of {texts.len()} texts are numbers, the others are not"
        yield Remark(kind="mixed types", column=values.name, text=told)


def _alike(pair: Pair, label: str | None) -> Remark | None:
    if pair.strength < ALIKE or label in (pair.first, pair.second):
        return None
    return Remark(kind="alike", column=pair.first, text=f"says nearly the same as {pair.second} ({pair.strength:.3f})")


def _leaks(table: pl.DataFrame, label: str) -> Iterator[Remark]:
    """Inputs that alone tell the label nearly without error: known before the outcome, or written after it?"""
    sample = table.gather_every(max(1, -(-table.height // SAMPLE)))
    target = sample.get_column(label)
    for values in sample.get_columns():
        if values.name == label or kind_of(values.dtype) is None:
            continue
        told = _strength(values, target)
        if told is not None and told[1] >= LEAK:
            text = f"tells the label nearly alone ({told[0]} {told[1]:.3f}): is it known before the outcome?"
            yield Remark(kind="leakage", column=values.name, text=text)


def _strength(values: pl.Series, target: pl.Series) -> tuple[str, float] | None:
    both = pl.DataFrame({"x": values, "y": target}).drop_nulls()
    both = both.filter(pl.col(name).cast(pl.Float64).is_finite() for name in "xy" if both.schema[name].is_numeric())
    if both.height < 20 or both["x"].n_unique() < 2 or both["y"].n_unique() < 2:
        return None
    x, y = both["x"], both["y"]
    if x.dtype.is_temporal():
        x = x.cast(pl.Datetime("us")).dt.epoch("s")
    if x.dtype.is_numeric() and y.n_unique() == 2:
        positive = (y.rank("dense") == 2).to_numpy()
        area = rank(positive, x.cast(pl.Float64).to_numpy()).auc()
        return "AUC", max(area, 1 - area)
    if x.dtype.is_numeric() and y.dtype.is_numeric() and y.n_unique() > 2:
        ranked = pl.DataFrame({"x": x.rank(), "y": y.rank()}).select(pl.corr("x", "y")).item()
        return ("Spearman", abs(float(ranked))) if ranked is not None else None
    if not x.dtype.is_numeric() and x.n_unique() <= both.height // 10 and y.n_unique() <= 50:
        value = cramers_v(x, y)
        return None if value is None else ("Cramér's V", value)
    return None
