"""How a contract's word on a table looks on a terminal, for `check` and for `contract check`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from flyball.app.wiring.training.quarantine import Kept
    from flyball.contracts.tables.check import Report
    from flyball.contracts.tables.levels import LevelResult


def lines(path: Path, report: "Report", kept: "Kept | None", levels: "Iterable[LevelResult]" = ()) -> list[Any]:
    """Violations as a table, then the verdict, then where the rows are that were kept out."""
    counts = report.document()
    parts: list[Any] = []
    if report.violations:
        table = Table("rule", "expected", "found", "rows", "first rows")
        for violation in report.violations:
            rule = violation.rule if violation.severity == "error" else f"{violation.rule} (warning)"
            rows = ", ".join(map(str, violation.first_rows))
            table.add_row(Text(rule), Text(violation.expected), Text(violation.found), str(violation.rows), rows)
        parts.append(table)
    verdict = "violates the contract"
    if report.passed:
        whole = kept_all(report, levels)
        verdict = "keeps the contract" if whole else "breaks no rule of the contract, but a service level is violated"
    split = ", ".join(f"{counts[key]} {key}" for key in ("accepted", "quarantined", "rejected"))
    parts.append(Text(f"{path}: {report.rows} rows ({split}): {verdict}."))
    if kept is not None:
        parts.append(Text(f"{kept.rows} rows kept in {kept.file}"))
    if report.extra:
        parts.append(Text(f"columns without a promise: {', '.join(report.extra)}"))
    return parts


def levels_told(levels: "Iterable[LevelResult]") -> list[Text]:
    """One line a service level."""
    return [Text(f"service level {level.level}: {level.standing.value}: {level.reason}") for level in levels]


def kept_all(report: "Report", levels: "Iterable[LevelResult]") -> bool:
    """Whether the table keeps the contract and no service level is broken; an unknown one is not."""
    return report.passed and all(level.standing != "VIOLATED" for level in levels)
