"""The `quality` section of ODCS: library metrics become rules, everything else is listed as not executed."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

from flyball.contracts.odcs_column import Findings, is_pattern
from flyball.contracts.rules import OPERATORS
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.values import EXPECTED, bound
from flyball.contracts.yaml_text import Path, show
from flyball.core.contract import Column, Rule

METRICS: tuple[str, ...] = get_args(Rule.__annotations__["metric"])
OLD_NAMES = {"duplicateCount": "duplicateValues", "nullCount": "nullValues"}  # `rule:` of v3.0
_WITH_COLUMN = ("nullValues", "missingValues", "invalidValues")


def rules_of(
    quality: Any, at: Path, column: Column | None, columns: Sequence[Column], findings: Findings
) -> list[Rule]:
    """The executable rules of one column, or of the table where `column` is None."""
    if not isinstance(quality, list):
        return []
    rules: list[Rule] = []
    for index, item in enumerate(quality):
        if not isinstance(item, dict):
            continue  # told by the structure
        here: Path = (*at, index)
        kind = item.get("type", "library")
        if kind != "library":
            findings.skip(here, f"quality of type {kind} {item.get('name') or item.get('engine') or ''}".rstrip())
            continue
        rule = _rule(item, here, column, columns, findings)
        if rule is not None:
            rules.append(rule)
    return rules


def absolute(column: Column, rules: Sequence[Rule]) -> tuple[Column, list[Rule]]:
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
    item: dict[str, Any], at: Path, column: Column | None, columns: Sequence[Column], findings: Findings
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
    operator = _operator(item, at, findings)
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
    severity: Literal["error", "warning"] = "warning" if item.get("severity") in ("warning", "info") else "error"
    name = item.get("id") or item.get("name") or f"{column.name if column else 'table'}.{metric}"
    return Rule(
        id=str(name),
        metric=metric,
        column=column.name if column is not None and metric != "rowCount" else None,
        operator=operator,
        bound=_numbers(item[operator]),
        unit="percent" if item.get("unit") == "percent" else "rows",
        arguments=arguments,
        severity=severity,
    )


def _operator(item: dict[str, Any], at: Path, findings: Findings) -> str | None:
    given = [operator for operator in OPERATORS if item.get(operator) is not None]
    if len(given) != 1:
        expected = f"exactly one of {', '.join(OPERATORS)}"
        findings.fault(at, expected, " and ".join(given) or "none of them")
        return None
    operator, value = given[0], item[given[0]]
    numbers = _numbers(value)
    if len(numbers) != (2 if operator.endswith("Between") else 1):
        findings.fault((*at, operator), "two numbers" if operator.endswith("Between") else "a number", found(value))
        return None
    if numbers[0] > numbers[-1]:
        findings.fault((*at, operator), "the smaller number first", found(value))
        return None
    return operator


def _numbers(value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value]
    sound = [float(item) for item in values if isinstance(item, (int, float)) and not isinstance(item, bool)]
    return tuple(sound) if len(sound) == len(values) else ()


def _arguments(
    metric: str, given: Any, at: Path, column: Column | None, columns: Sequence[Column], findings: Findings
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
            if bound(column.kind, value) is None:
                findings.fault((*at, "validValues", index), EXPECTED[column.kind], found(value))
                sound = False
    if known == ("properties",):
        sound = _properties(arguments.get("properties", []), (*at, "properties"), columns, findings) and sound
    return dict(arguments) if sound else None


def _properties(names: list[Any], at: Path, columns: Sequence[Column], findings: Findings) -> bool:
    known = [column.name for column in columns]
    if not names:
        findings.fault(at, "the columns that are unique together", "none")
        return False
    unknown = [(index, name) for index, name in enumerate(names) if name not in known]
    for index, name in unknown:
        findings.fault((*at, index), f"a column of {show(at[:2])}", found(name), nearest(name, known))
    return not unknown
