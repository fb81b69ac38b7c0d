"""A data contract executed on a table: one polars select, every violation with its rule, its rows and examples.

The verdict of a row is the one `rows.CompiledRows` gives it (a law in the tests). What only a table can break
(unique, primary key, library rules) is reported, but blames no single row. Columns that the contract does not know
are listed; they break nothing.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from flyball.contracts.column_tests import Test, column_tests
from flyball.contracts.rows import REJECTS
from flyball.contracts.rules import judge, rule_masks
from flyball.core.contract import DataContract, Severity
from flyball.core.record import Record

EXAMPLES = 3


class Violation(Record):
    """One promise that the table breaks."""

    rule: str  # `amount.range`, `amount.unique`, the id of a library rule
    column: str | None
    expected: str
    found: str  # examples, or the measured value
    rows: int  # how many break it
    first_rows: tuple[int, ...] = ()  # positions, from 0
    severity: Severity = "error"


@dataclass(frozen=True)
class Report:
    """The contract's word on a table."""

    rows: int
    violations: tuple[Violation, ...]
    extra: tuple[str, ...]  # columns that the contract does not know
    verdict: pl.Series  # `accept`, `quarantine` or `reject`, one a row

    @property
    def passed(self) -> bool:
        return not any(violation.severity == "error" for violation in self.violations)

    @property
    def accepted(self) -> pl.Series:
        """Boolean mask: rows that a model may learn from."""
        return self.verdict == "accept"

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        counts = self.verdict.value_counts()
        verdicts = dict(zip(counts["verdict"].to_list(), counts["count"].to_list(), strict=True))
        return {
            "passed": self.passed,
            "rows": self.rows,
            "accepted": verdicts.get("accept", 0),
            "quarantined": verdicts.get("quarantine", 0),
            "rejected": verdicts.get("reject", 0),
            "violations": self.violations,
            "extra_columns": self.extra,
        }


def check(frame: pl.DataFrame, contract: DataContract) -> Report:
    """Judge a table. NaN in a numeric column is a missing value; an absent column is all missing.

    >>> from flyball.core.contract import Column
    >>> amount = Column(name="amount", kind="number", required=True, minimum=0)
    >>> contract = DataContract(id="c", version="1", table="t", columns=(amount,))
    >>> report = check(pl.DataFrame({"amount": [1.0, -2.0, None]}), contract)
    >>> report.verdict.to_list(), [violation.rule for violation in report.violations]
    (['accept', 'quarantine', 'reject'], ['amount.required', 'amount.range'])
    """
    tests = [test for column in contract.columns for test in column_tests(column, frame)]
    tests += _primary_key(contract, frame)
    masks = [test.broken.fill_null(False).alias(f"test {index}") for index, test in enumerate(tests)]
    masks += [mask.alias(f"rule {index}") for index, mask in enumerate(rule_masks(contract, frame))]
    broken = frame.select([(pl.int_range(pl.len()) < 0).alias("none"), *masks])
    violations = [
        _violation(frame, test, mask)
        for test, mask in ((test, broken.get_column(f"test {index}")) for index, test in enumerate(tests))
        if mask.any()
    ]
    for index, rule in enumerate(contract.rules):
        told = judge(rule, int(broken.get_column(f"rule {index}").sum()), frame.height)
        if told is not None:
            expected, found, count = told
            violations.append(
                Violation(
                    rule=rule.id, column=rule.column, expected=expected, found=found, rows=count, severity=rule.severity
                )
            )
    known = {column.name for column in contract.columns}
    return Report(
        rows=frame.height,
        violations=tuple(violations),
        extra=tuple(name for name in frame.columns if name not in known),
        verdict=_verdict(tests, broken),
    )


def _primary_key(contract: DataContract, frame: pl.DataFrame) -> list[Test]:
    """Key columns are unique together."""
    names = [column.name for column in contract.columns if column.primary_key]
    if not names or any(name not in frame.columns for name in names):
        return []
    broken = pl.struct(names).is_duplicated()
    expected = f"each combination of {', '.join(names)} once"
    return [Test(rule="primary_key", column=None, reason="unique", expected=expected, broken=broken)]


def _violation(frame: pl.DataFrame, test: Test, mask: pl.Series) -> Violation:
    places = mask.arg_true()
    if test.column is None or test.column not in frame.columns:
        found = "no such column" if test.column else "repeated"
    else:
        values = frame.get_column(test.column).gather(places).unique(maintain_order=True)
        more = ", ..." if values.len() > EXAMPLES else ""
        found = ", ".join(_shown(value) for value in values.head(EXAMPLES)) + more
    return Violation(
        rule=test.rule,
        column=test.column,
        expected=test.expected,
        found=found,
        rows=int(mask.sum()),
        first_rows=tuple(places.head(EXAMPLES)),
    )


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _verdict(tests: list[Test], broken: pl.DataFrame) -> pl.Series:
    """Reject outweighs quarantine outweighs accept."""
    by_row = [(index, test) for index, test in enumerate(tests) if test.reason != "unique"]
    reject = [pl.col(f"test {index}") for index, test in by_row if test.reason in REJECTS]
    quarantine = [pl.col(f"test {index}") for index, test in by_row if test.reason not in REJECTS]
    nothing = pl.col("none")
    return broken.select(
        pl.when(pl.any_horizontal(nothing, *reject))
        .then(pl.lit("reject"))
        .when(pl.any_horizontal(nothing, *quarantine))
        .then(pl.lit("quarantine"))
        .otherwise(pl.lit("accept"))
        .alias("verdict")
    ).to_series()
