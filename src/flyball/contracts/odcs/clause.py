"""Quality of type custom with `engine: flyball`: a clause on the distribution of a column.

    implementation: {metric: psi, baseline: reference.parquet, tolerance: 0.1, alpha: 0.01, bins: 10, min_rows: 50}

The baseline is a table beside the contract, or shares: `{edges: [10, 20], shares: [0.2, 0.5, 0.3]}` for numbers,
`{shares: {no: 0.6, se: 0.4}}` for categories, each with `missing` (default 0) and `rows`, the count behind them.
"""

from typing import Any

from flyball.contracts.odcs.findings import Finder
from flyball.contracts.odcs.said import name_of, severity_of
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.tables.distributions import MEASURES, NUMERIC
from flyball.contracts.yaml_text import Path, read
from flyball.core.contract import Column, Distribution, Field, Shares

_KEYS = ("metric", "baseline", "tolerance", "alpha", "bins", "min_rows")
_SHARE_KEYS = ("edges", "shares", "missing", "rows")
_TABLES = (".parquet", ".csv")
_OFF = 1e-6  # how far shares may be from a sum of 1


def clause_of(item: dict[str, Any], at: Path, column: Field | None, findings: Finder) -> Distribution | None:
    """The clause, or None where it is faulty; the findings say why."""
    here: Path = (*at, "implementation")
    said = item.get("implementation")
    if isinstance(said, str):
        said = read(said, file="implementation").data
    if not isinstance(column, Column):
        what = "the table" if column is None else f"a column of logicalType {column.kind}"
        findings.fault(at, "a column that has a distribution: text, numbers, booleans or dates", what)
        return None
    if not isinstance(said, dict):
        findings.fault(here, f"a mapping with {', '.join(_KEYS)}", found(item.get("implementation")))
        return None
    sound = True

    def fault(key: str, expected: str, what: Any, fix: str = "") -> None:
        nonlocal sound
        sound = False
        findings.fault((*here, key), expected, what if isinstance(what, str) else found(what), fix)

    for key in said:
        if key not in _KEYS:
            fault(str(key), f"one of {', '.join(_KEYS)}", "an unknown key", nearest(key, _KEYS))
    metric = said.get("metric")
    if not isinstance(metric, str) or metric not in MEASURES:
        fault("metric", f"one of {', '.join(MEASURES)}", found(metric), nearest(metric, MEASURES))
    for key, (low, high) in {"tolerance": (0.0, float("inf")), "alpha": (0.0, 1.0)}.items():
        value = said.get(key, 0.01 if key == "alpha" else None)
        if not (_is_number(value) and low < float(value or 0) < high):
            fault(key, f"a number above {low:g}" + (f" and below {high:g}" if high < 2 else ""), found(value))
    for key, least in {"bins": 2, "min_rows": 1}.items():
        value = said.get(key, least)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            fault(key, f"a whole number from {least}", found(value))
    baseline = _baseline(said.get("baseline"), (*here, "baseline"), column, findings)
    if metric == "ks" and column.kind not in NUMERIC:
        fault("metric", "a metric for categories: psi, js, kl, hellinger", "ks, which needs numbers")
    elif metric == "ks" and isinstance(baseline, Shares):
        fault("baseline", "a table: ks compares values", "shares of bins", "use psi, or name a table")
    if not sound or baseline is None:
        return None
    return Distribution(
        id=name_of(item, column.name, str(metric)),
        column=column.name,
        metric=str(metric),
        baseline=baseline,
        tolerance=float(said["tolerance"]),
        alpha=float(said.get("alpha", 0.01)),
        bins=said.get("bins", 10),
        min_rows=said.get("min_rows", 50),
        severity=severity_of(item),
    )


def _baseline(given: Any, at: Path, column: Column, findings: Finder) -> str | Shares | None:
    if isinstance(given, str) and given:
        if given.startswith("/") or ".." in given.split("/") or not given.endswith(_TABLES):
            findings.fault(at, f"a table beside the contract ({' or '.join(_TABLES)})", found(given))
            return None
        return given
    if not isinstance(given, dict):
        findings.fault(at, "the name of a table beside the contract, or shares", found(given), "add it")
        return None
    unknown = [key for key in given if key not in _SHARE_KEYS]
    for key in unknown:
        findings.fault((*at, str(key)), f"one of {', '.join(_SHARE_KEYS)}", "an unknown key", nearest(key, _SHARE_KEYS))
    rows = given.get("rows")
    if rows is not None and (not isinstance(rows, int) or isinstance(rows, bool) or rows < 1):
        findings.fault((*at, "rows"), "how many rows were counted", found(rows))
        return None
    shares = _shares(given, at, column, findings)
    return None if unknown else shares


def _shares(given: dict[str, Any], at: Path, column: Column, findings: Finder) -> Shares | None:
    """Bins as the statistics have them: those of values, the rest of a category, then missing."""
    said, edges = given.get("shares"), given.get("edges", [])
    if column.kind in NUMERIC:
        if not isinstance(edges, list) or not all(_is_number(edge) for edge in edges) or sorted(set(edges)) != edges:
            findings.fault((*at, "edges"), "a rising list of numbers", found(edges))
            return None
        if not isinstance(said, list) or len(said) != len(edges) + 1:
            findings.fault(
                (*at, "shares"), f"{len(edges) + 1} shares: one below, between and above the edges", found(said)
            )
            return None
        values: tuple[str, ...] = ()
        parts = list(said)
    else:
        if not isinstance(said, dict) or not said:
            findings.fault((*at, "shares"), "a mapping from each value to its share", found(said))
            return None
        values = tuple(_written(key) for key in said)
        parts = list(said.values())
    parts.append(given.get("missing", 0.0))
    if not all(_is_number(part) and 0 <= part <= 1 for part in parts) or sum(parts) > 1 + _OFF:
        findings.fault((*at, "shares"), "shares between 0 and 1 that sum to 1", found(said))
        return None
    rest = 1 - sum(parts)
    if column.kind in NUMERIC and rest > _OFF:
        findings.fault((*at, "shares"), "shares that sum to 1", f"a sum of {sum(parts):g}")
        return None
    if column.kind not in NUMERIC:
        parts.insert(-1, max(0.0, rest))  # every other value
    return Shares(
        edges=tuple(float(edge) for edge in edges) if column.kind in NUMERIC else (),
        values=values,
        shares=tuple(float(part) for part in parts),
        rows=given.get("rows"),
    )


def _written(key: Any) -> str:
    """A key of YAML as the column's values are written: true is `true`."""
    return str(key).lower() if isinstance(key, bool) else str(key)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
