"""The contract's plainest promises, held against the frozen rows: kind, required, values and bounds of each column.

Rows were judged by the whole contract before they were frozen. This is another look, by code that did not freeze them:
a contract that was changed since, or rows that came another way, show here.
"""

from collections.abc import Iterator

import polars as pl

from flyball.core.contract import Column, DataContract
from flyball.core.release import TestResult
from flyball.pipeline.suites.found import named, result

BOUNDS = (
    ("minimum", "below", pl.Series.lt),
    ("maximum", "above", pl.Series.gt),
    ("exclusive_minimum", "not above", pl.Series.le),
    ("exclusive_maximum", "not below", pl.Series.ge),
)


def contract_kept(contract: DataContract | None, table: pl.DataFrame) -> TestResult:
    """FAIL with every broken promise and how many rows break it.

    >>> one = DataContract(id="c", version="1.0.0", table="t", columns=(Column(name="x", kind="number", minimum=0),))
    >>> contract_kept(one, pl.DataFrame({"x": [1.0, -1.0]})).reason
    'promises of c 1.0.0 do not hold in the frozen rows: x is below 0 in 1 rows'
    """
    if contract is None:
        return result("data", "contract", "data", "FAIL", "missing evidence: the training has no data contract")
    broken = [words for column in contract.columns for words in _broken(column, table)]
    edition = f"{contract.id} {contract.version}"
    if broken:
        reason = f"promises of {edition} do not hold in the frozen rows: {named(broken)}"
        return result("data", "contract", "data", "FAIL", reason, value=float(len(broken)), limit=0.0, n=table.height)
    reason = f"the rows met {edition} before they were frozen; kinds, holes, values and bounds hold in them still"
    return result("data", "contract", "data", "PASS", reason, value=0.0, limit=0.0, n=table.height)


def _broken(column: Column, table: pl.DataFrame) -> Iterator[str]:
    if column.name not in table.columns:
        if column.required:
            yield f"{column.name} is not there"
        return
    values = table[column.name]
    if column.required and (holes := values.null_count()):
        yield f"{column.name} is missing in {holes} rows"
    values = values.drop_nulls()
    if len(values) == 0:
        return
    if not _of_kind(column, values.dtype):
        yield f"{column.name} is {values.dtype}, expected {column.kind}"
        return
    if column.enum is not None:
        known = {str(one) for one in column.enum}
        if strange := int((~values.cast(pl.String).is_in(known)).sum()) if values.dtype == pl.String else 0:
            yield f"{column.name} has other values than promised in {strange} rows"
    for name, words, breaks in BOUNDS:
        bound = getattr(column, name)
        if isinstance(bound, int | float) and values.dtype.is_numeric() and (count := int(breaks(values, bound).sum())):
            yield f"{column.name} is {words} {bound:g} in {count} rows"


def _of_kind(column: Column, dtype: pl.DataType) -> bool:
    match column.kind:
        case "string":
            return dtype in (pl.String, pl.Categorical, pl.Enum)
        case "integer":
            return dtype.is_integer()
        case "number":
            return dtype.is_numeric()
        case "boolean":
            return dtype == pl.Boolean
        case "date" | "timestamp":
            return dtype.is_temporal()
