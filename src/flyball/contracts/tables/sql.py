"""Quality rules of type sql, executed by polars: one query, one value, one operator.

The query sees the contract's columns as values of their kinds: what is missing, NaN or of another type is NULL, an
absent column is NULL throughout. It may only read, and only this table: one SELECT that names nothing else behind FROM
and JOIN but its own WITH names and queries in parentheses, and no table function, for those open files. A query that
fails or gives no value is a violation, never a pass.
"""

import re
from collections.abc import Iterator, Mapping

import polars as pl

from flyball.contracts.tables.column_tests import TYPES, readable
from flyball.contracts.tables.report import Violation
from flyball.contracts.tables.rules import OPERATORS
from flyball.contracts.tables.sql_tables import Hidden, Token, only_reads, tokens
from flyball.core.contract import DataContract, Field

_PLACEHOLDERS = re.compile(r"\$?\{(object|table|schema|property|column|field)\}")
_OF_TABLE = frozenset({"object", "table", "schema"})
_READS = re.compile(r"\s*\(*\s*(SELECT|WITH)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|DROP|CREATE|ALTER|TRUNCATE|MERGE|GRANT|REVOKE|COPY|ATTACH|INTO)\b", re.IGNORECASE
)


class Unreadable(Exception):
    """A query that cannot be executed: why, and what to do. The reader of the contract turns it into a fault."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


def check(frame: pl.DataFrame, contract: DataContract) -> Iterator[Violation]:
    """The queries whose value does not keep its operator."""
    if not contract.queries:
        return
    seen = _as_promised(frame, contract)
    for query in contract.queries:
        limit = " and ".join(f"{number:g}" for number in query.bound)
        try:
            value = scalar(query.sql, contract.table, seen)
        except Unreadable as error:
            found = error.why
        else:
            if OPERATORS[query.operator](value, query.bound):
                continue
            found = f"{value:g}"
        yield Violation(
            rule=query.id,
            column=query.column,
            expected=f"value of the query {query.operator} {limit}",
            found=found,
            rows=0,
            severity=query.severity,
        )


def filled(text: str, table: str, column: str | None) -> str:
    """The query with its placeholders filled in, quoted.

    >>> filled("SELECT COUNT(*) FROM {object} WHERE ${column} IS NULL", "t", "a b")
    'SELECT COUNT(*) FROM "t" WHERE "a b" IS NULL'
    """

    def fill(match: re.Match[str]) -> str:
        name = table if match[1] in _OF_TABLE else column
        if name is None:
            raise Unreadable(f"{match[0]} in a query of the table", "move the rule to a column, or name the column")
        return '"' + name.replace('"', '""') + '"'

    return _PLACEHOLDERS.sub(fill, text)


def scalar(query: str, table: str, frame: pl.DataFrame) -> float:
    """The one value of a query, true as 1.

    Raises: Unreadable: it writes, opens files, cannot be read by polars, or gives anything but one number or boolean.

    >>> scalar('SELECT COUNT(*) FROM "t" WHERE a > 1', "t", pl.DataFrame({"a": [1, 2, 3]}))
    2.0
    """
    answer = _executed(query, table, frame)
    if answer.height != 1:
        raise Unreadable(f"{answer.height} rows instead of one value", "aggregate: SELECT COUNT(*), MAX(...)")
    value = answer.item()
    if value is None:
        raise Unreadable("no value: the query gives NULL", "COALESCE it, if nothing is a number here")
    if not isinstance(value, (int, float)):
        raise Unreadable(f"{value!r} instead of a number or a boolean", "cast it")
    if value != value:
        raise Unreadable("NaN instead of a number", "filter the rows it is computed from")
    return float(value)


def verify(
    query: str, contract_fields: tuple[Field, ...], table: str, *, unknown: frozenset[str] = frozenset()
) -> None:
    """Try the query on an empty table of the contract's columns, so that a fault is told before there are data.

    Args: unknown: columns of which nothing is known; a query that names one is not executed.

    Raises: Unreadable.
    """
    if unknown & _names_in(_readable(query, table)):
        return
    columns = {field.name: pl.Series(field.name, [], dtype=_dtype(field)) for field in contract_fields}
    _executed(query, table, pl.DataFrame(columns))


def _readable(query: str, table: str) -> list[Token]:
    """Its tokens, where it is one SELECT that reads nothing but its table. Raises: Unreadable."""
    try:
        words = tokens(query)
    except Hidden as error:
        raise Unreadable(str(error), "write it with plain quotes, comments and strings") from error
    bare = " ".join(word.said for word in words if word.kind in ("word", "mark"))
    if not _READS.match(bare) or _WRITES.search(bare):
        raise Unreadable("a statement that is no SELECT", "a rule only reads: SELECT ... or WITH ... SELECT ...")
    if ";" in bare.rstrip().rstrip(";"):
        raise Unreadable("several statements", "write one")
    try:
        only_reads(table, words)
    except Hidden as error:
        raise Unreadable(str(error), f"a rule reads its own table, {table}") from error
    return words


def _names_in(words: list[Token]) -> frozenset[str]:
    return frozenset(word.said for word in words if word.names)


def _executed(query: str, table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """One column, whatever it holds."""
    _readable(query, table)
    try:
        answer = pl.SQLContext({table: frame}).execute(query, eager=True)
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0]
        fix = "write it in the SQL of polars, or as type custom with the engine that runs it"
        raise Unreadable(why, fix) from error
    if answer.width != 1:
        raise Unreadable(f"{answer.width} columns instead of one value", "select one expression")
    return answer


def _as_promised(frame: pl.DataFrame, contract: DataContract) -> pl.DataFrame:
    """The table with the contract's columns as values of their kinds; columns it does not know stay as they are."""
    values: dict[str, pl.Expr] = {}
    for field in contract.promised:
        if field.kind in TYPES:
            values[field.name] = readable(field, frame).value
        elif field.name not in frame.columns:
            values[field.name] = pl.lit(None, dtype=_dtype(field))
    return frame.with_columns(**values)


def _dtype(field: Field) -> pl.DataType:
    parts: Mapping[str, pl.DataType] = {part.name: _dtype(part) for part in field.fields}
    match field.kind:
        case "object":
            return pl.Struct(parts)
        case "map":
            return pl.List(pl.Struct(parts))
        case "array" | "vector":
            return pl.List(parts.get("[]", pl.String()))
        case kind:
            return TYPES[kind]
