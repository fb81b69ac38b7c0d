"""Where reports of a comparison may be written: never over a table that is compared, nor over one another."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path

from flyball.core.errors import BadInput, Fault


def refuse_outputs(outputs: dict[str, Path | None], inputs: tuple[Path, ...]) -> None:
    """Look at every output before anything is read.

    Args:
        outputs: by option; None: not asked for.
        inputs: a file, a folder or a glob each.

    Raises: BadInput: an output is an input, lies in a folder of inputs, is asked for twice, is a folder, or its folder
        is not there.
    """
    faults: list[Fault] = []
    before: dict[Path, str] = {}
    for option, file in outputs.items():
        if file is None:
            continue
        where = file.resolve()
        problem = _problem(file, inputs)
        if problem is None and where in before:
            problem = "a file of its own", f"that of {before[where]}"
        if problem is not None:
            expected, found = problem
            fix = "name another file"
            faults.append(Fault(where=str(file), path=option, expected=expected, found=found, fix=fix))
        before[where] = option
    if faults:
        raise BadInput("The report cannot be written there, so nothing was read.", tuple(faults))


def _problem(file: Path, inputs: tuple[Path, ...]) -> tuple[str, str] | None:
    """What was expected of an output, and what was found."""
    if file.is_dir():
        return "a file", "a folder"
    if not file.parent.is_dir():
        return "a folder that is there", f"no folder {file.parent}"
    for source in inputs:
        if source.is_dir() and file.resolve().is_relative_to(source.resolve()):
            return "a file outside of the tables", f"one in {source}"
        pattern = has_magic(str(source)) and not source.exists()
        if pattern and fnmatch(str(file.resolve()), str(source.absolute())):
            return "a file outside of the tables", f"one that {source} names"
        if any(_same(file, table) for table in _files(source, pattern=pattern)):
            return "a file that is no table", f"the table {source}"
    return None


def _files(source: Path, *, pattern: bool) -> Iterator[Path]:
    if source.is_dir():
        yield from (path for path in source.rglob("*") if path.is_file())
    elif pattern:
        yield from (Path(name) for name in glob(str(source), recursive=True))
    else:
        yield source


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return os.path.samefile(one, other)
    return one.resolve() == other.resolve()
