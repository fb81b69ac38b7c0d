"""Quality rules of type sql: read once, executed by polars, never more than read."""

from pathlib import Path

import polars as pl
import pytest

from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.tables.check import check
from flyball.contracts.tables.sql import Unreadable, scalar
from flyball.core.errors import BadInput

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: c
version: "1"
status: draft
schema:
  - name: orders
    properties:
      - name: amount
        logicalType: number
        quality:
          - {id: paid, type: sql, query: "SELECT COUNT(*) FROM ${table} WHERE ${column} < 0", mustBe: 0}
      - {name: day, logicalType: date}
    quality:
      - {id: some, type: sql, query: "QUERY", mustBeGreaterThan: 0}
"""
TABLE = pl.DataFrame({"amount": [1.0, -2.0, float("nan")], "day": ["2026-11-21", "2026-11-22", "soon"]})


def told(query: str, table: pl.DataFrame = TABLE) -> dict[str, str]:
    report = check(table, parse_contract(CONTRACT.replace("QUERY", query)).contract)
    return {violation.rule: violation.found for violation in report.violations}


def test_a_query_gives_one_value_that_its_operator_judges() -> None:
    assert told("SELECT COUNT(*) FROM {object}")["paid"] == "1"
    assert "some" not in told("SELECT COUNT(*) FROM {object}")
    assert told("SELECT COUNT(*) FROM orders WHERE amount > 100")["some"] == "0"


def test_a_query_sees_the_contract_kinds_so_nan_is_null_and_a_day_in_text_is_a_day() -> None:
    assert "some" not in told("SELECT COUNT(*) FROM orders WHERE amount IS NULL")
    assert "some" not in told("SELECT COUNT(*) FROM orders WHERE day > DATE '2026-11-21'")
    assert told("SELECT COUNT(*) FROM orders WHERE day IS NULL", TABLE.drop("day")).get("some") is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT MAX(amount) FROM orders WHERE amount > 9", "no value: the query gives NULL"),
        ("SELECT amount FROM orders", "3 rows instead of one value"),
        ("SELECT MIN(day) FROM orders", "instead of a number or a boolean"),
    ],
)
def test_what_gives_no_single_number_has_not_passed(query: str, found: str) -> None:
    assert found in told(query)["some"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELEC COUNT(*) FROM orders", "a statement that is no SELECT"),
        ("SELECT COUNT( FROM orders", "sql parser error"),
        ("SELECT COUNT(*) FROM nowhere", "relation 'nowhere' was not found"),
        ("SELECT SUM(amont) FROM orders", "amont"),
        ("DROP TABLE orders", "no SELECT"),
        ("DELETE FROM orders", "no SELECT"),
        ("TRUNCATE TABLE orders", "no SELECT"),
        ("SELECT 1; SELECT 2", "several statements"),
        ("WITH x AS (SELECT 1) DELETE FROM orders", "no SELECT"),
        ("SELECT COUNT(*) FROM read_csv('/etc/hostname')", "opens files"),
        ("SELECT COUNT(*) FROM READ_PARQUET ('x')", "opens files"),
        ("SELECT amount, day FROM orders", "2 columns instead of one value"),
        ("SELECT COUNT({property}) FROM orders", "in a query of the table"),
    ],
)
def test_a_query_that_cannot_be_executed_is_a_fault_before_there_are_data(query: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_contract(CONTRACT.replace("QUERY", query))
    (fault,) = caught.value.faults
    assert fault.path == "schema[0].quality[0].query"
    assert why in fault.found
    assert fault.fix


def test_words_in_quotes_and_comments_are_no_statements() -> None:
    table = pl.DataFrame({"drop": ["delete; it", "x"]})
    assert scalar("SELECT COUNT(*) /* ; drop */ FROM t WHERE \"drop\" = 'delete; it' -- insert", "t", table) == 1
    with pytest.raises(Unreadable):
        scalar("SELECT COUNT(*) FROM t; DROP TABLE t", "t", table)


def test_faults_of_queries_and_of_columns_are_told_together() -> None:
    text = CONTRACT.replace("QUERY", "DROP TABLE orders").replace("logicalType: date", "logicalType: day")
    with pytest.raises(BadInput) as caught:
        parse_contract(text)
    assert [fault.path for fault in caught.value.faults] == [
        "schema[0].properties[1].logicalType",
        "schema[0].quality[0].query",
    ]
    text = CONTRACT.replace("QUERY", "SELECT COUNT(day) FROM orders").replace("logicalType: date", "logicalType: day")
    with pytest.raises(BadInput) as caught:
        parse_contract(text)
    (fault,) = caught.value.faults  # nothing is said of a query over a column that nobody can read
    assert fault.path == "schema[0].properties[1].logicalType"


OPENS = (
    "SELECT COUNT(*) FROM \"read_csv\"('FILE')",
    "SELECT COUNT(*) FROM `read_csv`('FILE')",
    "SELECT COUNT(*) FROM `Read_Csv` /* x */ ('FILE')",
    "SELECT COUNT(*) FROM read_csv -- x\n ('FILE')",
    "SELECT COUNT(*) FROM t, \"read_csv\"('FILE')",
    "SELECT COUNT(*) FROM t AS a, t AS b, `read_csv`('FILE')",
    "SELECT COUNT(*) FROM t CROSS JOIN \"read_csv\"('FILE') AS x",
    "SELECT COUNT(*) FROM (t CROSS JOIN \"read_csv\"('FILE') AS x)",
    "SELECT (SELECT COUNT(*) FROM \"read_csv\"('FILE'))",
    "SELECT COUNT(*) FROM t WHERE a IN (SELECT q FROM `read_csv`('FILE'))",
    "WITH x AS (SELECT * FROM \"read_csv\"('FILE')) SELECT COUNT(*) FROM x",
    'WITH "read_csv" AS (SELECT 1) SELECT COUNT(*) FROM "read_csv"(\'FILE\')',
    "SELECT COUNT(*) FROM t UNION ALL SELECT COUNT(*) FROM \"read_csv\"('FILE')",
    "SELECT COUNT(*) /* /* */ ' */ FROM \"read_csv\"('FILE') --'",
    "SELECT COUNT(*) FROM -- '\n \"read_csv\"('FILE') --'",
    "SELECT 'a\\' , COUNT(*) FROM \"read_csv\"('FILE') --'",
    "SELECT COUNT(*) FROM t WHERE a IS DISTINCT FROM (SELECT COUNT(*) FROM `read_csv`('FILE'))",
    "SELECT EXTRACT(YEAR FROM DATE '2026-01-01') + (SELECT COUNT(*) FROM `read_csv`('FILE'))",
    "SELECT COUNT(*) FROM E'\\' , read_csv' \"read_csv\"('FILE')",
    "SELECT COUNT(*) FROM $$ ' $$ \"read_csv\"('FILE') --'",
    "SELECT COUNT(*) FROM UNNEST([1, 2]) AS x",
    "SELECT COUNT(*) FROM other",
    "SELECT COUNT(*) FROM public.t",
)


@pytest.mark.parametrize("query", OPENS)
def test_no_way_of_writing_a_query_opens_a_file(query: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("q\n1\n2\n")
    with pytest.raises(Unreadable):
        scalar(query.replace("FILE", str(file)), "t", pl.DataFrame({"a": [1.0, 2.0]}))


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ('SELECT COUNT(*) FROM "t"', 2),
        ("SELECT COUNT(*) FROM `t`", 2),
        ("SELECT COUNT(*) FROM T", 2),
        ("SELECT COUNT(*) FROM t AS b, t AS c", 4),
        ("SELECT COUNT(*) FROM (SELECT a FROM t WHERE a > 1) AS x", 1),
        ("WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT COUNT(*) FROM y JOIN t ON y.a = t.a", 2),
        ("SELECT COUNT(*) FROM t WHERE a IS DISTINCT FROM 1", 1),
        ("SELECT SUM(EXTRACT(YEAR FROM DATE '2026-01-01')) FROM t", 4052),
        ("SELECT COUNT(*) /* FROM read_csv('x') /* nested */ */ FROM t -- FROM read_csv('x')", 2),
        ("SELECT COUNT(*) FROM t WHERE 'FROM read_csv(''x'')' IS NOT NULL", 2),
        ("SELECT COUNT(*) FROM t WHERE a IN (SELECT MAX(a) FROM t) GROUP BY a ORDER BY a, a", 1),
    ],
)
def test_what_reads_only_its_own_table_is_executed(query: str, value: int) -> None:
    assert scalar(query, "t", pl.DataFrame({"a": [1, 2]})) == value


def test_a_boolean_is_compared_with_true() -> None:
    text = CONTRACT.replace("QUERY", "SELECT COUNT(*) > 1 FROM orders").replace("mustBeGreaterThan: 0", "mustBe: true")
    assert "some" not in {v.rule for v in check(TABLE, parse_contract(text).contract).violations}
