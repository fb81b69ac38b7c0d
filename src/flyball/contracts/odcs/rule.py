"""The `quality` section of ODCS: library metrics, queries and our own custom clauses; the rest is listed by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec

from flyball.contracts.odcs.clause import clause_of
from flyball.contracts.odcs.findings import Finder, is_pattern
from flyball.contracts.odcs.query import query_of
from flyball.contracts.odcs.said import bound_of, name_of, operator_of, severity_of
from flyball.contracts.rows.values import EXPECTED, limit
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.yaml_text import Path, show
from flyball.core.contract import Distribution, Field, Query, Rule

ENGINE = "flyball"
METRICS: tuple[str, ...] = get_args(Rule.__annotations__["metric"])
OLD_NAMES = {"duplicateCount": "duplicateValues", "nullCount": "nullValues"}  # `rule:` of v3.0
_WITH_COLUMN = ("nullValues", "missingValues", "invalidValues")


@dataclass
class Quality:
    """What is executed of a `quality` section."""

    rules: list[Rule] = field(default_factory=list)
    queries: list[tuple[Path, Query]] = field(default_factory=list)  # each with where it stands
    distributions: list[Distribution] = field(default_factory=list)

    def add(self, other: "Quality") -> None:
        self.rules += other.rules
        self.queries += other.queries
        self.distributions += other.distributions


def quality_of(
    quality: Any, at: Path, column: Field | None, columns: Sequence[Field], table: str, findings: Finder
) -> Quality:
    """The executable rules of one column, or of the table where `column` is None."""
    made = Quality()
    for index, item in enumerate(quality if isinstance(quality, list) else []):
        if not isinstance(item, dict):
            continue  # told by the structure
        here: Path = (*at, index)
        name = column.name if column is not None else None
        match item.get("type", "library"):
            case "library":
                rule = _rule(item, here, column, columns, findings)
                made.rules += [] if rule is None else [rule]
            case "sql":
                query = query_of(item, here, name, table, findings)
                made.queries += [] if query is None else [(here, query)]
            case "custom" if str(item.get("engine")).lower() == ENGINE:
                clause = clause_of(item, here, column, findings)
                made.distributions += [] if clause is None else [clause]
            case kind:
                what = item.get("name") or item.get("engine") or ""
                findings.skip(here, f"quality of type {kind} {what}".rstrip())
    return made


def absolute(column: Field, rules: Sequence[Rule]) -> tuple[Field, list[Rule]]:
    """`invalidValues mustBe 0` says of every single row what `enum` or `pattern` says: so rows are judged by it too.

    ODCS before v3.2 has no other way to write an enumeration.
    """
    kept: list[Rule] = []
    for rule in rules:
        never = rule.metric == "invalidValues" and rule.operator == "mustBe" and rule.bound == (0.0,)
        if never and rule.severity == "error" and set(rule.arguments) == {"validValues"} and column.enum is None:
            column = msgspec.structs.replace(column, enum=tuple(rule.arguments["validValues"]))
        elif never and rule.severity == "error" and set(rule.arguments) == {"pattern"} and column.pattern is None:
            column = msgspec.structs.replace(column, pattern=rule.arguments["pattern"])
        else:
            kept.append(rule)
    return column, kept


def _rule(
    item: dict[str, Any], at: Path, column: Field | None, columns: Sequence[Field], findings: Finder
) -> Rule | None:
    metric = item.get("metric")
    if metric is None and item.get("rule") is not None:
        metric = OLD_NAMES.get(str(item["rule"]), item["rule"])
        if metric not in METRICS:
            findings.skip(at, f"rule {item['rule']} of ODCS v3.0")
            return None
    if metric not in METRICS:
        findings.fault((*at, "metric"), f"one of {', '.join(METRICS)}", found(metric), nearest(metric, METRICS))
        return None
    operator = operator_of(item, at, findings)
    arguments = _arguments(metric, item.get("arguments"), (*at, "arguments"), column, columns, findings)
    if column is None and metric in _WITH_COLUMN:
        findings.fault(
            (*at, "metric"), "a metric of the table: rowCount, duplicateValues", metric, "move it to a column"
        )
        return None
    if item.get("unit") not in (None, "rows", "percent"):
        findings.fault((*at, "unit"), "rows or percent", found(item["unit"]))
        return None
    if operator is None or arguments is None:
        return None
    return Rule(
        id=name_of(item, column.name if column else None, str(metric)),
        metric=metric,
        column=column.name if column is not None and metric != "rowCount" else None,
        operator=operator,
        bound=bound_of(item[operator]),
        unit="percent" if item.get("unit") == "percent" else "rows",
        arguments=arguments,
        severity=severity_of(item),
    )


def _arguments(
    metric: str, given: Any, at: Path, column: Field | None, columns: Sequence[Field], findings: Finder
) -> dict[str, Any] | None:
    """The arguments that the metric reads; None where they are faulty."""
    arguments = given if isinstance(given, dict) else {}
    known = {"missingValues": ("missingValues",), "invalidValues": ("validValues", "pattern")}.get(metric, ())
    if metric == "duplicateValues" and column is None:
        known = ("properties",)
    sound = True
    for key in arguments:
        if key not in known:
            findings.fault((*at, key), f"one of {', '.join(known) or '(none)'}", "an unknown key", nearest(key, known))
            sound = False
    for key in ("missingValues", "validValues", "properties"):
        if key in known and key in arguments and not isinstance(arguments[key], list):
            findings.fault((*at, key), "a list", found(arguments[key]))
            return None
    if metric == "invalidValues" and not arguments:
        findings.fault(at, "validValues or pattern", "neither")
        return None
    if "pattern" in arguments and not is_pattern(arguments["pattern"], (*at, "pattern"), findings):
        return None
    if column is not None:
        for index, value in enumerate(arguments.get("validValues", ())):
            if limit(column, value) is None:
                findings.fault((*at, "validValues", index), EXPECTED[column.kind], found(value))
                sound = False
    if known == ("properties",):
        sound = _properties(arguments.get("properties", []), (*at, "properties"), columns, findings) and sound
    return dict(arguments) if sound else None


def _properties(names: list[Any], at: Path, columns: Sequence[Field], findings: Finder) -> bool:
    known = [column.name for column in columns]
    if not names:
        findings.fault(at, "the columns that are unique together", "none")
        return False
    unknown = [(index, name) for index, name in enumerate(names) if name not in known]
    for index, name in unknown:
        findings.fault((*at, index), f"a column of {show(at[:2])}", found(name), nearest(name, known))
    return not unknown
