"""The rows that a contract keeps out, each with the rule it broke first: what a quarantine file holds.

The original columns stand as they came, so that a mended row can be fed in again. What we add begins with a prefix that
no original column has.
"""

from typing import Any

import polars as pl

from flyball.contracts.check import Report
from flyball.contracts.rows import CompiledRows
from flyball.core.contract import DataContract

PREFIX = "flyball_"
ADDED = ("rule", "reason", "verdict", "row", "contract", "contract_version")


def quarantined(table: pl.DataFrame, contract: DataContract, report: Report) -> pl.DataFrame:
    """Rows that are not accepted, with six columns before their own, in the order of the table.

    `rule` is the id of the first promise that the row breaks (`amount.range`), `reason` its code, `row` the position in
    the table, from 0, as in the report.

    >>> from flyball.contracts.check import check
    >>> from flyball.core.contract import Column
    >>> contract = DataContract(
    ...     id="c", version="1.0.0", table="t", columns=(Column(name="a", kind="number", minimum=0),)
    ... )
    >>> table = pl.DataFrame({"a": [1.0, -1.0]})
    >>> quarantined(table, contract, check(table, contract)).rows()
    [('a.range', 'range', 'quarantine', 1, 'c', '1.0.0', -1.0)]
    """
    out = ~report.accepted
    rows = table.filter(out)
    prefix = PREFIX
    while any(name.startswith(prefix) for name in table.columns):
        prefix = f"_{prefix}"  # a quarantine file that is judged again
    rules, reasons = _blamed(rows, contract)
    values = (
        rules,
        reasons,
        report.verdict.filter(out),
        out.arg_true().cast(pl.Int64),
        pl.repeat(contract.id, rows.height, dtype=pl.String, eager=True),
        pl.repeat(contract.version, rows.height, dtype=pl.String, eager=True),
    )
    added = [value.alias(f"{prefix}{name}") for name, value in zip(ADDED, values, strict=True)]
    return pl.DataFrame([*added, *rows.get_columns()])


def _blamed(rows: pl.DataFrame, contract: DataContract) -> tuple[pl.Series, pl.Series]:
    """Rule id and reason code of each row.

    The one seam to how rows are judged: a row alone gets the verdict that it gets in the table, so it is asked alone.
    """
    known = [column.name for column in contract.columns if column.name in rows.columns]
    plain = rows.select(
        pl.col(name).cast(pl.Float64) if rows.schema[name].is_decimal() else pl.col(name) for name in known
    )
    documents: list[dict[str, Any]] = plain.to_dicts() if known else [{}] * rows.height
    told = CompiledRows(contract).check(documents)
    rules = [None if checked is None else f"{checked.column}.{checked.reason}" for checked in told]
    reasons = [None if checked is None else checked.reason for checked in told]
    return pl.Series("rule", rules, dtype=pl.String), pl.Series("reason", reasons, dtype=pl.String)
