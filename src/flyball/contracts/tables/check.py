"""A data contract executed on a table: one polars select, every violation with its rule, its rows and examples.

The verdict of a row, its reason and its rule are those that `rows.CompiledRows` gives it (a law in the tests). What
only a table can break (unique, keys, quality rules, SQL, distributions) is reported, but blames no single row. Columns
that the contract does not know are listed; they break nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.contracts.rows.promises import REJECTS
from flyball.contracts.tables import distributions, references, sql
from flyball.contracts.tables.column_tests import TYPES, Test, column_tests, readable
from flyball.contracts.tables.repeats import repeated
from flyball.contracts.tables.report import Codes, Report, RowRule, Violation
from flyball.contracts.tables.rules import absent, expected, judge, rule_masks
from flyball.core.contract import DataContract, Field

__all__ = ["Report", "Violation", "check"]
EXAMPLES = 3
Places = npt.NDArray[np.integer]  # rows that break one promise, positions from 0, rising


def check(
    frame: pl.DataFrame, contract: DataContract, *, baselines: Mapping[str, pl.DataFrame] | None = None
) -> Report:
    """Judge a table. NaN in a numeric column is a missing value; an absent column is all missing.

    Args:
        baselines: the tables that custom clauses name, by the name in the contract. A clause whose table is not
            handed in is broken: what could not be compared has not passed.

    >>> from flyball.core.contract import Column
    >>> amount = Column(name="amount", kind="number", required=True, minimum=0)
    >>> contract = DataContract(id="c", version="1", table="t", columns=(amount,))
    >>> report = check(pl.DataFrame({"amount": [1.0, -2.0, None]}), contract)
    >>> report.verdict.to_list(), [violation.rule for violation in report.violations]
    (['accept', 'quarantine', 'reject'], ['amount.required', 'amount.range'])
    >>> report.rule.to_list()
    [None, 'amount.range', 'amount.required']
    """
    broken = _broken(frame, contract)
    rules, codes = _verdicts(frame.height, broken)
    violations = [_violation(frame, test, places) for test, places in broken]
    violations += _of_rules(frame, contract)
    violations += references.check(frame, contract)
    violations += sql.check(frame, contract)
    violations += distributions.check(frame, contract, baselines or {})
    known = {column.name for column in contract.promised}
    return Report(
        rows=frame.height,
        violations=tuple(violations),
        extra=tuple(name for name in frame.columns if name not in known),
        codes=codes,
        rules=rules,
    )


def _broken(frame: pl.DataFrame, contract: DataContract) -> list[tuple[Test, Places]]:
    """The tests that some row fails, in the order of `promises`, each with its rows."""
    tests = [test for column in contract.columns for test in column_tests(column, frame)]
    tests += _primary_key(contract, frame)
    masks = _evaluated(frame, [test.broken for test in tests])
    found = [(test, mask.arg_true().to_numpy()) for test, mask in zip(tests, masks, strict=True) if mask.any()]
    return list(chain(found, _nested(frame, contract)))


def _evaluated(frame: pl.DataFrame, masks: Sequence[pl.Expr]) -> list[pl.Series]:
    """All masks in one pass; a literal is broadcast to the table's height."""
    nothing = (pl.int_range(pl.len()) < 0).alias("none")
    each = [mask.fill_null(False).alias(str(index)) for index, mask in enumerate(masks)]
    return frame.select([nothing, *each]).get_columns()[1:]


def _nested(frame: pl.DataFrame, contract: DataContract) -> Iterator[tuple[Test, Places]]:
    if not contract.beyond:
        return
    from flyball.contracts.tables.nested import nested_tests

    for field in contract.beyond:
        for broken in nested_tests(field, frame, field.name, field.name):
            if broken.mask.any():
                yield broken.test, np.flatnonzero(broken.mask)


def _primary_key(contract: DataContract, frame: pl.DataFrame) -> list[Test]:
    """Key columns are unique together; they are named in their declared order."""
    keys = sorted((c for c in contract.promised if c.primary_key), key=lambda c: c.primary_key_position or 0)
    names = [column.name for column in keys]
    if not names or any(name not in frame.columns for name in names):
        return []
    values = [_identity(column, frame) for column in keys]
    missing = pl.any_horizontal([value.is_null() for value in values])
    broken = pl.lit(repeated(frame, pl.when(~missing).then(pl.struct(values)) if len(values) > 1 else values[0]))
    expected = f"each combination of {', '.join(names)} once"
    return [Test(rule="primary_key", column=None, reason="unique", expected=expected, broken=broken)]


def _identity(column: Field, frame: pl.DataFrame) -> pl.Expr:
    """What a key is compared by: two ways to write a moment are one moment."""
    value = readable(column, frame).value if column.kind in TYPES else pl.col(column.name)
    return value.alias(column.name)


def _of_rules(frame: pl.DataFrame, contract: DataContract) -> Iterator[Violation]:
    """The library metrics that do not keep their operator."""
    masks = _evaluated(frame, list(rule_masks(contract, frame)))
    for rule, mask in zip(contract.rules, masks, strict=True):
        told = judge(rule, int(mask.sum()), frame.height)
        if absent(rule, frame):
            told = expected(rule), "no such column", 0
        if told is not None:
            wanted, found, rows = told
            yield Violation(
                rule=rule.id, column=rule.column, expected=wanted, found=found, rows=rows, severity=rule.severity
            )


def _violation(frame: pl.DataFrame, test: Test, places: Places) -> Violation:
    if test.column is None or test.column not in frame.columns:
        found = "no such column" if test.column else "repeated"
    else:
        # examples: not worth a sort of a million values
        few = frame.get_column(test.column).gather(places[: EXAMPLES * 100]).to_list()
        shown = list(dict.fromkeys(map(_shown, few)))
        found = ", ".join(shown[:EXAMPLES]) + (", ..." if len(shown) > EXAMPLES else "")
    return Violation(
        rule=test.rule,
        column=test.column,
        expected=test.expected,
        found=found,
        rows=places.size,
        first_rows=tuple(places[:EXAMPLES].tolist()),
    )


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _verdicts(height: int, broken: list[tuple[Test, Places]]) -> tuple[tuple[RowRule, ...], Codes]:
    """Per row the first promise that rejects it, or else the first that quarantines it."""
    by_row = [(test, places) for test, places in broken if test.reason != "unique"]
    by_row.sort(key=lambda pair: pair[0].reason not in REJECTS)  # stable
    codes = np.full(height, -1, dtype=np.int32)
    for index in range(len(by_row) - 1, -1, -1):
        codes[by_row[index][1]] = index
    rules = tuple(
        RowRule(rule=test.rule, reason=test.reason, verdict="reject" if test.reason in REJECTS else "quarantine")
        for test, _ in by_row
    )
    return rules, codes
