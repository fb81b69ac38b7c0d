"""`flyball init`: from a table and the name of its label to a service folder that checks and trains."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import os_user
from flyball.app.cli.door import JsonFlag, emit
from flyball.core.errors import BadInput, Fault

FILES = ("service.yaml", "contract.yaml", "model.py")


def init(
    folder: Annotated[Path, Parameter(help="Folder of the service; made if absent.")],
    /,
    *,
    data: Annotated[Path, Parameter(help="Training table, Parquet or CSV.")],
    label: Annotated[str, Parameter(help="Column to predict.")],
    timestamp: Annotated[str | None, Parameter(help="Column with the time of a row.")] = None,
    key: Annotated[str | None, Parameter(help="Column that sticks to an arm, such as a customer id.")] = None,
    name: Annotated[str | None, Parameter(help="Name of the service; without it the folder's.")] = None,
    json: JsonFlag = False,
) -> None:
    """Write service.yaml, contract.yaml and model.py. Nothing is ever overwritten."""
    from flyball.app.declared import load, read_table
    from flyball.contracts.draft.from_sample import draft

    _refuse_to_overwrite(folder)
    table = read_table(data)
    service = name or re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")[:63] or "service"
    # an absolute path works from every folder; the owner may put $FLYBALL_DATA in its place
    made = draft(
        table,
        name=service,
        source=str(data.resolve()),
        label=label,
        owner=os_user(),
        timestamp=timestamp,
        key=key,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in zip(FILES, (made.service, made.contract, made.model), strict=True):
        with (folder / file).open("x", encoding="utf-8") as out:
            out.write(text)
    load(folder)
    document = {
        "service": service,
        "task": made.task,
        "folder": str(folder),
        "files": FILES,
        "left_out": made.left_out,
    }
    next_step = f"flyball check {folder}/service.yaml && flyball train {folder}/service.yaml"
    told = [f"{service} ({made.task}): {', '.join(FILES)} written to {folder}"]
    if made.left_out:
        told.append(f"not in the contract, as each value speaks of a person: {', '.join(made.left_out)}")
    emit(document, as_json=json, text=lambda: "\n".join([*told, f"next: {next_step}"]))


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        fault = Fault(where=str(folder), path="(folder)", expected="a folder", found="a file")
        raise BadInput("Nothing was written.", (fault,))
    there = [file for file in FILES if (folder / file).exists()]
    if there:
        faults = tuple(
            Fault(where=str(folder), path=file, expected="no such file", found="one", fix="choose another folder")
            for file in there
        )
        raise BadInput("Nothing was written: init never overwrites.", faults)
