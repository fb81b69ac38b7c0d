"""The library metrics of ODCS, executed: how many rows each counts, and whether its operator holds."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from flyball.contracts.rows.patterns import unmatched
from flyball.contracts.rows.values import limit
from flyball.contracts.tables.column_tests import Readable, readable
from flyball.contracts.tables.repeats import repeated
from flyball.core.contract import DataContract, Field, Rule

OPERATORS: dict[str, Callable[[float, tuple[float, ...]], bool]] = {
    "mustBe": lambda value, limit: value == limit[0],
    "mustNotBe": lambda value, limit: value != limit[0],
    "mustBeGreaterThan": lambda value, limit: value > limit[0],
    "mustBeGreaterOrEqualTo": lambda value, limit: value >= limit[0],
    "mustBeLessThan": lambda value, limit: value < limit[0],
    "mustBeLessOrEqualTo": lambda value, limit: value <= limit[0],
    "mustBeBetween": lambda value, limit: limit[0] <= value <= limit[1],
    "mustNotBeBetween": lambda value, limit: not limit[0] <= value <= limit[1],
}


def rule_masks(contract: DataContract, frame: pl.DataFrame) -> Iterator[pl.Expr]:
    """One boolean expression a rule, true on the rows that its metric counts. An absent column is all missing: its
    masks are literals, to be broadcast to the table's height before they are summed."""
    columns = {column.name: column for column in contract.promised}
    for rule in contract.rules:
        yield _counted(rule, columns, frame).fill_null(False)


def judge(rule: Rule, counted: int, rows: int) -> tuple[str, str, int] | None:
    """What was expected, what was found and the count behind it; None where the rule holds.

    A percentage of an empty table is 0.
    """
    value = counted if rule.unit == "rows" else (100 * counted / rows if rows else 0.0)
    if OPERATORS[rule.operator](value, rule.bound):
        return None
    return expected(rule), f"{value:g} {_unit(rule)}", counted


def expected(rule: Rule) -> str:
    """The rule in words.

    >>> expected(Rule(id="r", metric="nullValues", column="a", operator="mustBe", bound=(0.0,)))
    'nullValues of a mustBe 0 rows'
    """
    limit = " and ".join(f"{number:g}" for number in rule.bound)
    name = f"{rule.metric} of {rule.column}" if rule.column else rule.metric
    return f"{name} {rule.operator} {limit} {_unit(rule)}"


def absent(rule: Rule, frame: pl.DataFrame) -> bool:
    """Whether values are to be told apart in a column that is not there: nobody can say whether they repeat."""
    return rule.metric == "duplicateValues" and any(name not in frame.columns for name in _together(rule))


def _unit(rule: Rule) -> str:
    return "rows" if rule.unit == "rows" else "%"


def _together(rule: Rule) -> list[str]:
    return [rule.column] if rule.column else list(rule.arguments.get("properties", ()))


def _counted(rule: Rule, columns: dict[str, Field], frame: pl.DataFrame) -> pl.Expr:
    if rule.metric == "rowCount":
        return pl.int_range(pl.len()) >= 0
    if rule.metric == "duplicateValues":
        return _repeats(rule, columns, frame)
    assert rule.column is not None, "the reader gives these metrics a column"
    column = columns[rule.column]
    read = readable(column, frame)
    match rule.metric:
        case "nullValues":
            return read.missing
        case "missingValues":
            said = _comparable(column, rule.arguments.get("missingValues", ()))
            return read.missing | read.among(said) if said else read.missing
        case "invalidValues":
            return ~read.missing & ~_valid(rule, column, frame, read)


def _repeats(rule: Rule, columns: dict[str, Field], frame: pl.DataFrame) -> pl.Expr:
    """Rows beyond the first of each value (or combination); rows without a value repeat nothing."""
    names = _together(rule)
    if absent(rule, frame):
        return pl.lit(False)
    values = [readable(columns[name], frame).value.alias(name) for name in names]
    if len(values) == 1:
        return pl.lit(repeated(frame, values[0], beyond_first=True))
    whole = pl.all_horizontal([value.is_not_null() for value in values])
    return pl.lit(repeated(frame, pl.when(whole).then(pl.struct(values)), beyond_first=True))


def _valid(rule: Rule, column: Field, frame: pl.DataFrame, read: Readable) -> pl.Expr:
    valid = read.value.is_not_null()
    allowed = rule.arguments.get("validValues")
    if allowed is not None:
        valid = valid & read.among(_comparable(column, allowed))
    pattern = rule.arguments.get("pattern")
    if pattern is not None and column.name in frame.columns:
        # as text, so that a pattern can be asked of numbers too
        text = pl.col(column.name).cast(pl.String)
        valid = valid & ~unmatched(pattern, text, frame.get_column(column.name).cast(pl.String))
    return valid


def _comparable(column: Field, values: Any) -> list[Any]:
    """Those of the values that a column of this kind can hold at all."""
    known = (limit(column, value) for value in values)
    return [value for value in known if value is not None]
