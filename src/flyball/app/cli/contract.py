"""`flyball contract lint | check | diff | draft`: a data contract by itself, without a service around it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from flyball.app.cli.check import QuarantineOption
from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.contracts.diff.compatibility import Mode
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from flyball.contracts.diff.edition import Edition
    from flyball.core.contract import DataContract

app = App(name="contract", help="Lint, check, compare or draft a data contract.")

ContractFile = Annotated[Path, Parameter(help="The contract, ODCS v3.0 to v3.2.")]
TableName = Annotated[str | None, Parameter(name="--table", help="Table of the contract, where it has several.")]


@app.command
def lint(file: ContractFile, /, *, json: JsonFlag = False) -> int:
    """All faults of a contract file at once. Exit code 0: sound. 2: faulty."""
    edition = _edition(file)
    document = {
        "contract": edition.id,
        "version": edition.version,
        "file": str(file),
        "ok": True,
        "tables": {table.table: len(table.columns) for table in edition.tables},
        "not_executed": edition.not_executed,
    }
    tables = ", ".join(f"{table.table} ({len(table.columns)} columns)" for table in edition.tables)
    told = [f"{edition.id} {edition.version}: sound, {tables}", *(f"note: {note}" for note in edition.not_executed)]
    emit(document, as_json=json, text=lambda: "\n".join(told))
    return 0


@app.command
def check(
    file: ContractFile,
    data: Annotated[Path, Parameter(help="Table, Parquet or CSV.")],
    /,
    *,
    table: TableName = None,
    quarantine: QuarantineOption = None,
    home: HomeOption = None,
    service: Annotated[str | None, Parameter(help="Service of the home that runs on the contract.")] = None,
    json: JsonFlag = False,
) -> int:
    """Judge a table. Exit code 0: it keeps the contract. 1: it, or a service level, does not. 2: contract or table is
    faulty.
    """
    from rich.console import Group
    from rich.text import Text

    from flyball.app.baselines import baselines
    from flyball.app.cli.judged import kept_all, levels_told, lines
    from flyball.app.declared import read_table
    from flyball.app.home import find_home
    from flyball.app.wiring.asking.levels import standing
    from flyball.app.wiring.training.quarantine import keep
    from flyball.contracts.tables.check import check as check_table

    edition = _edition(file)
    contract = _table(edition, table, data)
    with progress(f"checking {data.name}"):
        frame = read_table(data, contract=contract)
        report = check_table(frame, contract, baselines=baselines(contract, file.parent))
        kept = None if quarantine is None else keep(quarantine, data.stem, frame, contract, report)
        place = None if home is None else find_home(home)
        levels = standing(frame, contract, home=place, service=service)
    document = {
        "contract": edition.id,
        "version": edition.version,
        "table": contract.table,
        "ok": kept_all(report, levels),
        "data": {"path": str(data), **report.document()},
        "quarantine": kept,
        "levels": levels,
        "not_executed": edition.not_executed,
    }
    notes = [Text(f"note: {note}") for note in edition.not_executed]
    emit(document, as_json=json, text=lambda: Group(*lines(data, report, kept, levels), *levels_told(levels), *notes))
    return 0 if document["ok"] else 1


@app.command
def diff(
    files: Annotated[
        tuple[Path, ...],
        Parameter(help="Older versions, oldest first, then the new one.", consume_multiple=True),
    ],
    /,
    *,
    mode: Annotated[Mode, Parameter(help="What has to be compatible with what.")] = "BACKWARD",
    json: JsonFlag = False,
) -> int:
    """Class every change between two versions, propose the new version, and judge the compatibility mode.

    Exit code 0: the mode is kept and the declared version says enough. 1: not so. 2: a file is faulty.
    """
    from flyball.app.cli.contract_text import compared
    from flyball.contracts.diff.compared import changes
    from flyball.contracts.diff.compatibility import breaks
    from flyball.contracts.diff.semver import largest, misnumbered, raised

    if len(files) < 2:
        found = f"{len(files)} file" if len(files) == 1 else "no file"
        fault = Fault(where="command line", path="flyball contract diff", expected="OLD and NEW", found=found)
        raise BadInput("The command line is faulty.", (fault,))
    *older, new = _editions(files)
    made = changes(older[-1], new)
    bump = largest(change.bump for change in made)
    finding = misnumbered(older[-1].version, new.version, bump)
    broken = breaks(mode, older, new)
    document: dict[str, Any] = {
        "contract": new.id,
        "ok": not broken and finding is None,
        "mode": mode,
        "compatible": not broken,
        "breaking": any(change.breaking for change in made),
        "bump": bump,
        "versions": {
            "old": older[-1].version,
            "new": new.version,
            "proposed": raised(older[-1].version, bump),
            "finding": finding,
        },
        "changes": [change.document() for change in made],
        "breaks": [
            {"against": each.against, "file": each.file, "direction": each.direction, "path": each.change.path}
            | {"reason": each.change.reason}
            for each in broken
        ],
    }
    emit(document, as_json=json, text=lambda: compared(older[-1], new, made, document))
    return 0 if document["ok"] else 1


@app.command
def draft(
    data: Annotated[Path, Parameter(help="Sample, Parquet or CSV.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="File for the contract, else standard output.")] = None,
    profile: Annotated[Path | None, Parameter(help="File for a report on the sample, HTML.")] = None,
    label: Annotated[str | None, Parameter(help="Column to predict.")] = None,
    name: Annotated[str | None, Parameter(help="Name of contract and table; without it the file's.")] = None,
    json: JsonFlag = False,
) -> None:
    """Propose a contract from a sample; the sample keeps it. No file is overwritten."""
    from flyball.app.cli.profile_page import page
    from flyball.app.declared import read_table
    from flyball.app.wiring.whole_files import write_text
    from flyball.contracts.draft.contract import propose
    from flyball.contracts.draft.profile import profile as profile_of
    from flyball.contracts.draft.profile_warnings import remarks

    _refuse_to_overwrite(out, profile)
    table = read_table(data, needed=() if label is None else (label,))
    with progress(f"drafting from {data.name}"):
        made = propose(table, name=name or data.stem, label=label)
        warnings: tuple[Any, ...] = ()
        if profile is not None:
            figures = profile_of(table, name=data.name, personal=made.personal)
            warnings = remarks(figures, table, label=label)
            write_text(profile, page(figures, warnings, label=label))
        if out is not None:
            write_text(out, made.text)
    document = {
        "contract": made.text,
        "file": None if out is None else str(out),
        "profile": None if profile is None else str(profile),
        "rows": table.height,
        "columns": made.columns,
        "personal": made.personal,
        "key": made.key,
        "freshness": made.freshness,
        "left_out": made.left_out,
        "warnings": warnings,
    }
    written = [f"{len(made.columns)} columns of {data}, {table.height} rows"]
    written += [f"contract written to {out}"] if out is not None else []
    written += [f"profile with {len(warnings)} warnings written to {profile}"] if profile is not None else []
    written += [f"left out, no contract can hold it: {column}" for column in made.left_out]
    emit(document, as_json=json, text=lambda: "\n".join(written) if out is not None else made.text.rstrip())


def _refuse_to_overwrite(*files: Path | None) -> None:
    faults = tuple(
        Fault(where=str(file), path="(file)", expected="no such file", found="one", fix="choose another name")
        for file in files
        if file is not None and file.exists()
    )
    if faults:
        raise BadInput("Nothing was written: draft never overwrites.", faults)


def _edition(file: Path) -> "Edition":
    from flyball.app.declared import read_text
    from flyball.contracts.diff.edition import read_edition

    return read_edition(read_text(file, where=str(file)), file=str(file))


def _editions(files: tuple[Path, ...]) -> list["Edition"]:
    """All files, or all faults of all of them."""
    editions: list[Edition] = []
    errors: list[BadInput] = []
    for file in files:
        try:
            editions.append(_edition(file))
        except BadInput as error:
            errors.append(error)
    if errors:
        faults = tuple(fault for error in errors for fault in error.faults)
        raise BadInput(" ".join(Exception.__str__(error) for error in errors), faults)
    return editions


def _table(edition: "Edition", wanted: str | None, data: Path) -> "DataContract":
    """The table named, else the one named like the data, else the only one."""
    named = [table for table in edition.tables if table.table == (wanted or data.stem)]
    if wanted is None and not named and len(edition.tables) == 1:
        return edition.tables[0]
    if named:
        return named[0]
    names = ", ".join(table.table for table in edition.tables)
    found = wanted or f"{data.stem}, the name of the data"
    fault = Fault(where=edition.file, path="--table", expected=f"one of {names}", found=found)
    raise BadInput("The contract has no such table.", (fault,))
