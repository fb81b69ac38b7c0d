"""`flyball check`: is the declaration sound, and do the data keep the contract?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flyball.app.cli.door import JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.app.declared import Declared
    from flyball.contracts.check import Report


def check(
    service: Annotated[Path, Parameter(help="service.yaml, or its folder.")] = Path("service.yaml"),
    data: Annotated[Path | None, Parameter(help="Table to check; without it the service's own source.")] = None,
    /,
    *,
    json: JsonFlag = False,
) -> int:
    """Check a service declaration, its data contract and the data.

    Exit code 0: sound. 1: the data violate the contract. 2: the declaration is faulty, or a file cannot be read.
    """
    from flyball.app.declared import load, read_table
    from flyball.contracts.check import check as check_table

    declared = load(service)
    path = data if data is not None else declared.source
    with progress(f"checking {path.name}"):
        table = read_table(path, needed=(declared.service.data.label,), contract=declared.contract)
        report = check_table(table, declared.contract)
    document = _document(declared, path, report)
    emit(document, as_json=json, text=lambda: _text(declared, path, report))
    return 0 if report.passed else 1


def _document(declared: "Declared", path: Path, report: "Report") -> dict[str, Any]:
    return {
        "service": declared.service.metadata.name,
        "ok": report.passed,
        "data": {"path": str(path), **report.document()},
        "notes": declared.notes,
        "not_executed": declared.not_executed,
    }


def _text(declared: "Declared", path: Path, report: "Report") -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    counts = report.document()
    name = declared.service.metadata.name
    parts: list[Any] = [Text(f"{name}: the declaration is sound, {len(declared.contract.columns)} columns promised.")]
    if report.violations:
        table = Table("rule", "expected", "found", "rows", "first rows")
        for violation in report.violations:
            rule = violation.rule if violation.severity == "error" else f"{violation.rule} (warning)"
            rows = ", ".join(map(str, violation.first_rows))
            table.add_row(Text(rule), Text(violation.expected), Text(violation.found), str(violation.rows), rows)
        parts.append(table)
    verdict = "keeps the contract" if report.passed else "violates the contract"
    split = ", ".join(f"{counts[key]} {key}" for key in ("accepted", "quarantined", "rejected"))
    parts.append(Text(f"{path}: {report.rows} rows ({split}): {verdict}."))
    if report.extra:
        parts.append(Text(f"columns without a promise: {', '.join(report.extra)}"))
    parts += [Text(f"note: {note}") for note in (*declared.notes, *declared.not_executed)]
    return Group(*parts)
