"""The rows that a contract keeps out, each with the rule it broke first: what a quarantine file holds.

The original columns stand as they came, so that a mended row can be fed in again. What we add begins with a prefix that
no original column has.
"""

import polars as pl

from flyball.contracts.tables.report import Report
from flyball.core.contract import DataContract

PREFIX = "flyball_"
ADDED = ("rule", "reason", "verdict", "row", "contract", "contract_version")


def quarantined(table: pl.DataFrame, contract: DataContract, report: Report) -> pl.DataFrame:
    """Rows that are not accepted, with six columns before their own, in the order of the table.

    `rule` is the id of the promise that the verdict rests on (`amount.range`), `reason` its code, `row` the position in
    the table, from 0: all of them as in the report.

    >>> from flyball.contracts.tables.check import check
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
    values = (
        report.rule.filter(out),
        report.reason.filter(out),
        report.verdict.filter(out),
        out.arg_true().cast(pl.Int64),
        pl.repeat(contract.id, rows.height, dtype=pl.String, eager=True),
        pl.repeat(contract.version, rows.height, dtype=pl.String, eager=True),
    )
    added = [value.alias(f"{prefix}{name}") for name, value in zip(ADDED, values, strict=True)]
    return pl.DataFrame([*added, *rows.get_columns()])
