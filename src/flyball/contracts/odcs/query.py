"""Quality of type sql: the query with its placeholders filled in, and the operator on its one value."""

from typing import Any

from flyball.contracts.odcs.findings import Finder
from flyball.contracts.odcs.said import bound_of, name_of, operator_of, severity_of
from flyball.contracts.schema_faults import found
from flyball.contracts.tables.sql import Unreadable, filled
from flyball.contracts.yaml_text import Path
from flyball.core.contract import Query


def query_of(item: dict[str, Any], at: Path, column: str | None, table: str, findings: Finder) -> Query | None:
    """The rule, or None where it cannot be executed; why is in the findings. Whether polars can read the query is
    judged by `sql.verify`, once all columns are known."""
    operator = operator_of(item, at, findings, flags=True)
    query = item.get("query")
    if not isinstance(query, str) or not query.strip():
        findings.fault((*at, "query"), "a SELECT that gives one value", found(query), "add it")
        return None
    try:
        sql = filled(query, table, column)
    except Unreadable as error:
        findings.fault((*at, "query"), "placeholders that stand for something", error.why, error.fix)
        return None
    if operator is None:
        return None
    value = item[operator]
    return Query(
        id=name_of(item, column, "sql"),
        sql=sql,
        column=column,
        operator=operator,
        bound=(float(value),) if isinstance(value, bool) else bound_of(value),
        severity=severity_of(item),
    )
