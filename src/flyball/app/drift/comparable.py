"""Every column of two tables: counts that can be compared, or the reason why they cannot.

What is odd about a column is no error: the column says why, and the others are compared. Times, and whole numbers that
grow with every row, always move and never mean anything; they are compared only where they are asked for by name.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl

from flyball.app.drift.pair import FeaturePair, New, TablePair
from flyball.app.drift.persons import speaks_of_persons
from flyball.stats.binning.bins import MISSING, CategoryBins, Counts, NumericBins

LEAST_KNOWN = 0.5  # share of the reference's values that have a bin of their own, else it is a key or free text
LEAST_APART = 64  # float64 values that the range of large whole numbers holds, else they cannot be told apart
LEAST_RUNNING = 50  # rows from which a whole number that grows with every row is a key

Kind = Literal["number", "category", "time"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that at least one of the tables has."""

    name: str
    types: tuple[str | None, str | None]  # of reference and current table; None: it has no such column
    pair: FeaturePair | None = None  # where both have it
    kind: Kind = "category"
    unfit: str = ""  # why it cannot be compared, for people; empty where it can
    labels: tuple[str, ...] = ()  # what each bin holds, shape [B]; the last is missing
    reference: Counts | None = None  # rows in each bin that PSI is read on, shape [B]; None where `unfit`
    current: Counts | None = None  # the same bins
    new: New | None = None  # categories that the reference never had
    persons: bool = False  # it speaks of persons, so these are counted and not named


def columns_of(tables: TablePair, *, named: Collection[str] = ()) -> tuple[Column, ...]:
    """In the order of the reference, then what only one table has.

    Args:
        named: columns that are compared although they are times or keys.
    """
    both = [_column(pair, named=pair.name in named) for pair in tables.features]
    gone = [Column(name=name, types=("", None), unfit="the current table lacks it") for name in tables.only_reference]
    new = [Column(name=name, types=(None, ""), unfit="the reference lacks it") for name in tables.only_current]
    return (*both, *gone, *new)


def _column(pair: FeaturePair, *, named: bool) -> Column:
    types = (pair.reference.dtype, pair.current.dtype)
    kind = _kind(pair)
    if unfit := _unfit(pair, kind, named=named):
        return Column(name=pair.name, types=types, pair=pair, kind=kind, unfit=unfit)
    before, now = (np.asarray(counts, dtype=np.int64) for counts in pair.psi_counts())
    new = pair.current.new
    return Column(
        name=pair.name,
        types=types,
        pair=pair,
        kind=kind,
        labels=_labels(pair, kind),
        reference=before,
        current=now,
        new=new,
        persons=new is not None and speaks_of_persons(pair.name, [*(value for value, _ in new.named), *pair.values]),
    )


def _kind(pair: FeaturePair) -> Kind:
    if pair.kind != "numeric":
        return "category"
    return "time" if pair.reference.dtype.startswith(("Date", "Time", "Duration")) else "number"


def _unfit(pair: FeaturePair, kind: Kind, *, named: bool) -> str:
    if pair.kind == "unsupported":
        return pair.reason
    before, now = pair.reference, pair.current
    rows = sum(before.counts), sum(now.counts)
    if all(rows) and before.missing == rows[0] and now.missing == rows[1]:
        return "every value is missing on both sides"
    if pair.kind == "numeric" and not before.n and before.missing < rows[0]:
        return f"no finite number in the reference: {before.neg_inf + before.pos_inf} of its values are infinite"
    if now.unparsed and now.unparsed == rows[1] - (now.missing - now.unparsed):
        wanted = {"number": "number", "time": "time"}.get(kind, "flag" if before.dtype == "Boolean" else "text")
        return f"another type: {before.dtype} in the reference, {now.dtype} now, and no value of it is a {wanted}"
    if _too_large(pair):
        return "whole numbers beyond 2^53, nearer to one another than a float64 can tell apart: give them as text"
    if named:
        return ""
    if kind == "time" and not before.dtype.startswith("Duration"):
        return "a time, and times move on by nature"
    if before.rising and rows[0] >= LEAST_RUNNING:
        return "a key: it grows with every row of the reference"
    if pair.kind == "category" and pair.values:
        present = rows[0] - before.missing
        known = sum(before.counts[:-2])
        if known < LEAST_KNOWN * present:
            return (
                f"a key or free text: its {len(pair.values)} most frequent values are {known / present:.1%} of the rows"
            )
    return ""


def _too_large(pair: FeaturePair) -> bool:
    """Whole numbers that are one and the same once they are float64: identifiers, most likely."""
    low, high = pair.reference.low, pair.reference.high
    if not pair.reference.dtype.startswith(("Int", "UInt")) or low is None or high is None:
        return False
    furthest = max(abs(low), abs(high))
    return furthest > 2.0**53 and high - low < LEAST_APART * float(np.spacing(furthest))


def _labels(pair: FeaturePair, kind: Kind) -> tuple[str, ...]:
    if pair.kind == "category":
        return CategoryBins(values=pair.values).labels()
    if kind == "number":
        return NumericBins(edges=pair.psi_edges).labels()
    told = [str(moment) for moment in pl.from_epoch(pl.Series(pair.psi_edges).cast(pl.Int64))]
    if not told:
        return ("any", MISSING)
    return (f"before {told[0]}", *(f"{a} .. {b}" for a, b in pairwise(told)), f"since {told[-1]}", MISSING)
