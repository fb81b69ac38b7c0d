"""Custom clauses of ours, executed: is a column distributed as its baseline, within a tolerance?

The measures and their error rates are those of `flyball.stats`: an effect above the tolerance that chance does not
explain is a violation. Too little data to tell is a violation as well, and says so: INSUFFICIENT has not passed.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.contracts.tables.column_tests import readable
from flyball.contracts.tables.report import Violation
from flyball.core.contract import DataContract, Distribution, Field, Shares

MEASURES: Mapping[str, str] = {  # name in a contract -> name in `stats.two_sample`
    "psi": "psi",
    "kl": "kl",
    "js": "jensen_shannon",
    "jensen_shannon": "jensen_shannon",
    "hellinger": "hellinger",
    "ks": "ks",
}
NUMERIC = frozenset({"number", "integer"})
EXACT = 10**9  # rows behind shares that are stated, not counted: their own error is nil
Counts = npt.NDArray[np.float64]


def check(frame: pl.DataFrame, contract: DataContract, baselines: Mapping[str, pl.DataFrame]) -> Iterator[Violation]:
    """The clauses that do not hold, or of which the data are too few to say so.

    >>> from flyball.core.contract import Column
    >>> clause = Distribution(id="drift", column="a", metric="psi", baseline="then.parquet", tolerance=0.1)
    >>> columns = (Column(name="a", kind="number"),)
    >>> contract = DataContract(id="c", version="1", table="t", columns=columns, distributions=(clause,))
    >>> then = {"then.parquet": pl.DataFrame({"a": [float(i) for i in range(4000)]})}
    >>> [v.found.split(":")[0] for v in check(pl.DataFrame({"a": [float(i) for i in range(2000)]}), contract, then)]
    ['DRIFT']
    >>> list(check(then["then.parquet"], contract, then))
    []
    """
    fields = {column.name: column for column in contract.columns}
    for clause in contract.distributions:
        told = _judged(clause, fields[clause.column], frame, baselines)
        if told is not None:
            yield Violation(
                rule=clause.id,
                column=clause.column,
                expected=f"{clause.metric} of {clause.column} at most {clause.tolerance:g} from its baseline",
                found=told,
                rows=0,
                severity=clause.severity,
            )


def _judged(
    clause: Distribution, field: Field, frame: pl.DataFrame, baselines: Mapping[str, pl.DataFrame]
) -> str | None:
    """What was found; None where the clause holds."""
    from flyball.stats.two_sample.compare import Reading, compare

    current = _values(field, frame)
    if isinstance(clause.baseline, Shares):
        reference, counted = _from_shares(clause.baseline, field, current)
    else:
        table = baselines.get(clause.baseline)
        if table is None:
            return f"INSUFFICIENT: the baseline {clause.baseline} was not read"
        if field.name not in table.columns:
            return f"INSUFFICIENT: the baseline {clause.baseline} has no column {field.name}"
        before = _values(field, table)
        if clause.metric == "ks":
            from flyball.stats.two_sample.kolmogorov import compare_ks

            sides = [side.cast(pl.Float64).fill_null(np.nan).to_numpy() for side in (before, current)]
            found = compare_ks(*sides, limit=clause.tolerance, alpha=clause.alpha, floor=clause.min_rows, null="zero")
            return None if found.verdict is Reading.OK else f"{found.verdict.value}: {found.reason}"
        reference, counted = _counted(field, before, current, clause.bins)
    measure = MEASURES[clause.metric]
    limit, alpha, floor = clause.tolerance, clause.alpha, clause.min_rows
    found = compare(reference, counted, measure=measure, limit=limit, alpha=alpha, floor=floor, null="zero")
    return None if found.verdict is Reading.OK else f"{found.verdict.value}: {found.reason}"


def _values(field: Field, frame: pl.DataFrame) -> pl.Series:
    """The column's values; null where missing or of another type."""
    read = readable(field, frame)
    values = frame.select(read.value.alias(field.name)).get_column(field.name)
    return values if values.len() == frame.height else pl.repeat(None, frame.height, dtype=values.dtype, eager=True)


def _counted(field: Field, before: pl.Series, current: pl.Series, bins: int) -> tuple[Counts, Counts]:
    """Both sides in bins of the baseline."""
    from flyball.stats.binning.bins import fit_categories, fit_numeric

    if field.kind in NUMERIC:
        numbers = [side.cast(pl.Float64).fill_null(np.nan).to_numpy() for side in (before, current)]
        numeric = fit_numeric(numbers[0], bins=bins)
        return numeric.count(numbers[0]).astype(np.float64), numeric.count(numbers[1]).astype(np.float64)
    tables = [_tally(side) for side in (before, current)]
    ranked = sorted(((rows, value) for value, rows in tables[0].items() if value is not None), reverse=True)
    categories = fit_categories([value for _, value in ranked[:64]])
    return (
        categories.count_table(tables[0]).astype(np.float64),
        categories.count_table(tables[1]).astype(np.float64),
    )


def _tally(values: pl.Series) -> dict[str | None, int]:
    counts = values.cast(pl.String).alias("value").value_counts()
    return dict(zip(counts["value"].to_list(), counts["count"].to_list(), strict=True))


def _from_shares(shares: Shares, field: Field, current: pl.Series) -> tuple[Counts, Counts]:
    from flyball.stats.binning.bins import CategoryBins, NumericBins

    reference = np.asarray(shares.shares) * (shares.rows or EXACT)
    if field.kind in NUMERIC:
        numbers = current.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return reference, NumericBins(edges=shares.edges).count(numbers).astype(np.float64)
    return reference, CategoryBins(values=shares.values).count_table(_tally(current)).astype(np.float64)
