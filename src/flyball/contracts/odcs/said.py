"""What every kind of quality rule says alike: its name, its severity, one operator with its bound."""

from typing import Any

from flyball.contracts.odcs.findings import Finder
from flyball.contracts.schema_faults import found
from flyball.contracts.tables.rules import OPERATORS
from flyball.contracts.yaml_text import Path
from flyball.core.contract import Severity


def operator_of(item: dict[str, Any], at: Path, findings: Finder, *, flags: bool = False) -> str | None:
    """The one operator of a rule; `flags`: mustBe and mustNotBe take true and false too."""
    given = [operator for operator in OPERATORS if item.get(operator) is not None]
    if len(given) != 1:
        expected = f"exactly one of {', '.join(OPERATORS)}"
        findings.fault(at, expected, " and ".join(given) or "none of them")
        return None
    operator, value = given[0], item[given[0]]
    if flags and isinstance(value, bool) and operator in ("mustBe", "mustNotBe"):
        return operator
    numbers = bound_of(value)
    if len(numbers) != (2 if operator.endswith("Between") else 1) or any(number != number for number in numbers):
        findings.fault((*at, operator), "two numbers" if operator.endswith("Between") else "a number", found(value))
        return None
    if numbers[0] > numbers[-1]:
        findings.fault((*at, operator), "the smaller number first", found(value))
        return None
    return operator


def bound_of(value: Any) -> tuple[float, ...]:
    """The numbers of a bound; empty where one of them is none."""
    values = value if isinstance(value, list) else [value]
    sound = [float(item) for item in values if isinstance(item, (int, float)) and not isinstance(item, bool)]
    return tuple(sound) if len(sound) == len(values) else ()


def severity_of(item: dict[str, Any]) -> Severity:
    return "warning" if item.get("severity") in ("warning", "info") else "error"


def name_of(item: dict[str, Any], column: str | None, metric: str) -> str:
    """The rule's id or name, or one made of where it stands.

    >>> name_of({}, "amount", "nullValues"), name_of({"name": "enough"}, None, "rowCount")
    ('amount.nullValues', 'enough')
    """
    return str(item.get("id") or item.get("name") or f"{column or 'table'}.{metric}")
