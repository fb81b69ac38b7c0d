"""`flyball check`: is the declaration sound, and do the data keep the contract?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.app.declared import Declared
    from flyball.app.wiring.training.quarantine import Kept
    from flyball.contracts.declaration.open_decisions import OpenDecision
    from flyball.contracts.tables.check import Report
    from flyball.contracts.tables.levels import LevelResult

QuarantineOption = Annotated[
    Path | None, Parameter(help="Keep the rows that are not accepted in this folder, as Parquet.")
]


def check(
    service: Annotated[Path, Parameter(help="service.yaml, or its folder.")] = Path("service.yaml"),
    data: Annotated[Path | None, Parameter(help="Table to check; without it the service's own source.")] = None,
    /,
    *,
    quarantine: QuarantineOption = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Check a service declaration, its data contract and the data.

    Exit code 0: sound. 1: the data violate the contract or a service level. 2: the declaration is faulty, or a file
    cannot be read.
    """
    from flyball.app.baselines import baselines
    from flyball.app.declared import load, read_table, read_text
    from flyball.app.home import find_home
    from flyball.app.wiring.asking.levels import standing
    from flyball.app.wiring.training.quarantine import keep
    from flyball.contracts.declaration.drills_sense import unpayable
    from flyball.contracts.declaration.open_decisions import open_decisions
    from flyball.contracts.draft.learnable import remarks, with_label
    from flyball.contracts.tables.check import check as check_table

    declared = load(service)
    path = data if data is not None else declared.source
    with progress(f"checking {path.name}"):
        table = read_table(path, needed=(declared.service.data.label,), contract=declared.contract)
        compared = baselines(declared.contract, declared.contract_folder)
        report = check_table(table, declared.contract, baselines=compared)
        if data is None:  # what is learned from; another table may well hold one class only
            report = with_label(report, table, declared.service)
        kept = None if quarantine is None else keep(quarantine, path.stem, table, declared.contract, report)
        place = find_home(home, (declared.file,))
        levels = standing(table, declared.contract, home=place, service=declared.service.metadata.name)
        notes = (*declared.notes, *remarks(table, declared.service), *unpayable(declared.service))
    decisions = open_decisions(read_text(declared.file, where=str(declared.file)), declared.service)
    document = _document(declared, path, report, kept, levels, notes) | {"decisions": decisions}
    emit(document, as_json=json, text=lambda: _text(declared, path, report, kept, levels, notes, decisions))
    return 0 if document["ok"] else 1


def _document(
    declared: "Declared",
    path: Path,
    report: "Report",
    kept: "Kept | None",
    levels: "tuple[LevelResult, ...]",
    notes: tuple[str, ...],
) -> dict[str, Any]:
    from flyball.app.cli.judged import kept_all

    return {
        "service": declared.service.metadata.name,
        "ok": kept_all(report, levels),
        "data": {"path": str(path), **report.document()},
        "quarantine": kept,
        "levels": levels,
        "notes": notes,
        "not_executed": declared.not_executed,
    }


def _text(
    declared: "Declared",
    path: Path,
    report: "Report",
    kept: "Kept | None",
    levels: "tuple[LevelResult, ...]",
    notes: tuple[str, ...],
    decisions: "tuple[OpenDecision, ...]",
) -> "Group":
    from rich.console import Group
    from rich.text import Text

    from flyball.app.cli.judged import levels_told, lines

    name = declared.service.metadata.name
    parts: list[Any] = [Text(f"{name}: the declaration is sound, {len(declared.contract.columns)} columns promised.")]
    parts += lines(path, report, kept)
    parts += levels_told(levels)
    parts += [Text(f"note: {note}") for note in (*notes, *declared.not_executed)]
    if decisions:
        parts.append(Text(f"allowed, but left open ({len(decisions)}): write the key, also where the default is right"))
        parts += [Text(f"  {each.key}: {each.name}; now: {each.holds}") for each in decisions]
    return Group(*parts)
