"""What two counted tables say of each column, and which columns may be reported together as drifted.

A column is DRIFT when the deciding measure is surely above its limit (a true effect at the limit explains it with less
than 1 %), and when it survives the comparison with all other columns. For that each column has an e-value against "it
has not moved" (a PSI up to 0.005 is no move), 0 where it is not surely above the limit. The reported set is e-BH over
all of them: of the columns that are named, at most 5 % on average have not moved, however many columns there are and
however they depend on each other. What falls out in this step is INSUFFICIENT: it is not "no drift".
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from flyball.app.drift.comparable import Column
from flyball.app.drift.positions import positions
from flyball.app.drift.supply import supply
from flyball.core.watching import QualityFinding
from flyball.monitor.compat.pair import Beside
from flyball.stats.binning.bins import Counts
from flyball.stats.change.bets import bets
from flyball.stats.change.edetector import begin, e_bh, level, step
from flyball.stats.two_sample.compare import LIMITS, MEASURES, ORDERED, Measure, Reading, compare
from flyball.stats.two_sample.measure import without_value

FALSE_DISCOVERIES = 0.05  # expected share of the reported columns that have not moved
NO_MOVE = 0.005  # PSI up to which a column has not moved, whatever the limit of its verdict
PARTS = 8  # of the current table
DEAL = 8  # seed of the deal
MOST_DEALT = 10**9  # rows; of more, a part is dealt
LN10 = math.log(10)
RANK = {Reading.DRIFT: 0, Reading.INSUFFICIENT: 1, Reading.INVALID: 2, Reading.OK: 3}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where an effect begins to matter."""

    measure: str = "psi"  # the one that decides, one of MEASURES
    warn: float = 0.10  # above: DRIFT
    act: float = 0.25  # above: a large change, another colour and no other verdict
    measures: tuple[str, ...] = MEASURES  # those that are reported

    def of(self, measure: str) -> float:
        """The limit of any measure; one that does not decide has its usual one."""
        return self.warn if measure == self.measure else LIMITS[measure]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column, judged."""

    column: Column
    verdict: Reading
    deciding: Measure
    measures: dict[str, Measure]  # by name, the deciding one among them
    log_e: float | None = None  # ln of the e-value against "it has not moved"; None: it could not be compared
    quality: tuple[QualityFinding, ...] = ()  # what of its supply is broken; empty: nothing that two tables show
    like: tuple[Beside, ...] = ()  # another tool's answers, its default first; empty: not asked

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def log10_e(self) -> float | None:
        return None if self.log_e is None else round(self.log_e / LN10, 4)

    @property
    def on_rows(self) -> bool:
        """Whether it was judged on rows as wholes, and not on counts of one column."""
        return "mmd" in self.measures

    def told(self, measure: Measure) -> dict[str, Any]:
        """One of its measures for `--json`; the deciding one has the e-value."""
        found = {name: getattr(measure, name) for name in ("value", "ci", "p", "n", "m", "mde", "reason")}
        if self.log_e is None or measure.measure != self.deciding.measure:
            return found
        return found | {"log10_e": self.log10_e}

    def document(self) -> dict[str, Any]:
        """For `--json`; what was not asked for, or not found, has no key."""
        found: dict[str, Any] = {
            "name": self.name,
            "verdict": self.verdict.value,
            "measures": {name: self.told(measure) for name, measure in self.measures.items()},
        }
        if new := self.column.new:
            named = [] if self.column.persons else [{"value": value, "rows": rows} for value, rows in new.named]
            found["new_values"] = {"count": new.count, "more": new.more, "rows": new.rows, "named": named}
        if self.quality:
            found["quality"] = [
                {name: getattr(each, name) for name in ("kind", "value", "limit", "detail")} for each in self.quality
            ]
        return found | ({"like": [asdict(answer) for answer in self.like]} if self.like else {})


@dataclass(frozen=True, kw_only=True)
class Report:
    """Both tables, judged."""

    limits: Limits
    rows: tuple[int, int]  # reference, current
    features: tuple[Feature, ...]  # worst first
    compared: int  # columns with an e-value: those that the control is over

    @property
    def drifted(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features if feature.verdict is Reading.DRIFT)

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "features": [feature.document() for feature in self.features],
            "drifted": list(self.drifted),
            "rows": {"reference": self.rows[0], "current": self.rows[1]},
        }


def judge(columns: Sequence[Column], limits: Limits, rows: tuple[int, int], more: Sequence[Feature] = ()) -> Report:
    """Every column of two tables.

    Args:
        rows: of the reference and of the current table.
        more: what was judged on rows; it stands in the place of the column of the same name.
    """
    others = {each.name for each in more}
    features = [*more, *(_feature(column, limits, rows) for column in columns if column.name not in others)]
    asked = [
        (each.name, each.log_e if each.verdict is Reading.DRIFT else -math.inf)
        for each in features
        if each.log_e is not None
    ]
    named = {asked[at][0] for at in e_bh([log_e for _, log_e in asked], alpha=FALSE_DISCOVERIES).tolist()}
    kept = [
        replace(each if each.name in named else _left_open(each, len(asked)), quality=supply(each.column))
        for each in features
    ]
    return Report(limits=limits, rows=rows, features=tuple(sorted(kept, key=_badness)), compared=len(asked))


def _feature(column: Column, limits: Limits, rows: tuple[int, int]) -> Feature:
    if column.unfit or column.reference is None or column.current is None:
        n, m = (0 if dtype is None else side for dtype, side in zip(column.types, rows, strict=True))
        nothing = without_value(limits.measure, n, m, Reading.INVALID, column.unfit)
        return Feature(column=column, verdict=Reading.INVALID, deciding=nothing, measures={limits.measure: nothing})
    names = dict.fromkeys((limits.measure, *limits.measures))
    found = {name: measure for name in names if (measure := _measured(name, column, limits)) is not None}
    if limits.measure not in found:
        reason = f"{limits.measure} needs numbers in an order, and this is a column of categories"
        nothing = without_value(limits.measure, *rows, Reading.INVALID, reason)
        return Feature(
            column=column, verdict=Reading.INVALID, deciding=nothing, measures={limits.measure: nothing} | found
        )
    deciding = found[limits.measure]
    return Feature(column=column, verdict=deciding.verdict, deciding=deciding, measures=found, log_e=_log_e(column))


def _measured(name: str, column: Column, limits: Limits) -> Measure | None:
    """One measure of one column; None: it needs an order and the column has none."""
    limit = limits.of(name)
    if name not in ORDERED:
        assert column.reference is not None
        assert column.current is not None
        return compare(column.reference, column.current, measure=name, limit=limit)
    at = positions(column.pair) if column.pair is not None else None
    if column.pair is None or at is None:
        return None
    return compare(column.pair.reference.counts, column.pair.current.counts, measure=name, limit=limit, positions=at)


def _log_e(column: Column) -> float | None:
    """Evidence that a column has moved, nats; None where a side has no row.

    The current table is dealt into parts at random and they are read one after the other, as windows are: its rows are
    exchangeable where it has not moved, so each deal is a sequence of windows to which the promise of the e-value
    applies. Read at once, only changes of a shape that was thought of beforehand would tell; what the first parts have
    shown is the bet on the next ones.
    """
    assert column.reference is not None
    assert column.current is not None
    if not column.reference.sum() or not column.current.sum():
        return None
    all_bets = bets(column.reference, "category" if column.kind == "category" else "numeric", tolerance=NO_MOVE)
    evidence = begin(column.reference, all_bets)
    for part in _dealt(column.current):
        evidence = step(evidence, part, all_bets)
    return level(evidence, all_bets).log_e


def _dealt(counts: Counts) -> Iterator[Counts]:
    """The rows in PARTS parts of one size, nearly; always the same deal of the same counts."""
    rng = np.random.default_rng(DEAL)
    left = counts
    while left.sum() >= MOST_DEALT:
        left = rng.binomial(left, 0.5)  # each row stays or goes by itself
    for parts in range(PARTS, 1, -1):
        part = rng.multivariate_hypergeometric(left, int(left.sum()) // parts, method="marginals")
        yield part
        left = left - part
    yield left


def _left_open(feature: Feature, compared: int) -> Feature:
    """A column that is not among the named: where it would have been alone, that is said."""
    if feature.verdict is not Reading.DRIFT:
        return feature
    reason = f"{feature.deciding.reason}; but of {compared} columns one may be like this by chance"
    deciding = replace(feature.deciding, verdict=Reading.INSUFFICIENT, reason=reason)
    measures = feature.measures | {deciding.measure: deciding}
    return replace(feature, verdict=Reading.INSUFFICIENT, deciding=deciding, measures=measures)


def _badness(feature: Feature) -> tuple[int, float, str]:
    return RANK[feature.verdict], -(feature.deciding.value or 0.0), feature.name
