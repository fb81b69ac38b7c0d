"""What `data.source` names: one file, a folder of Parquet and CSV files, or a glob such as `$FLYBALL_DATA/*.parquet`.

Files are read in the order of their paths and laid one below the other; all have the same columns. In a folder, hidden
files, files that begin with `_`, and other endings are passed over, as writers of tables leave such marks there.
"""

from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".parquet", ".pq", ".csv", ".tsv")


def base_of(source: Path) -> Path:
    """The folder that the names of a source's files are relative to.

    >>> base_of(Path("/data/2026/*.csv")).as_posix(), base_of(Path("/data/table.csv")).as_posix()
    ('/data/2026', '/data')
    """
    if source.is_dir():
        return source
    for parent in (*reversed(source.parents), source):
        if has_magic(parent.name) and not parent.exists():
            return parent.parent
    return source.parent


def files_of(source: Path) -> tuple[Path, ...]:
    """Every file, sorted by path. A file is itself, whatever its ending and whether it is there or not.

    Raises: BadInput: a folder or a glob without a table in it.
    """
    if source.is_dir():
        found = [path for path in source.rglob("*") if not _is_aside(path.relative_to(source))]
    elif has_magic(str(source)) and not source.exists():
        found = [Path(name) for name in glob(str(source), recursive=True)]
    else:
        return (source,)
    tables = sorted(path for path in found if path.suffix.lower() in ENDINGS and not path.is_dir())
    if not tables:
        expected = f"at least one file that ends in {', '.join(ENDINGS)}"
        what = f"{len(found)} of another kind" if found else "nothing"
        fault = Fault(where=str(source), path="(files)", expected=expected, found=what)
        raise BadInput(f"{source} holds no table.", (fault,))
    return tuple(tables)


def read(source: Path, *how: Any) -> "pl.DataFrame":
    """All rows of a source. `how` is handed on to `tables.read`.

    Raises: BadInput: no table that can be read, or files whose columns differ; each file that differs is named.
    """
    import polars as pl

    from flyball.app import tables

    files = files_of(source)
    parts = [tables.read(path, *how) for path in files]
    if len(parts) == 1:
        return parts[0]
    first = parts[0].columns
    faults = [fault for path, part in zip(files, parts, strict=True) for fault in _misfits(path, parts[0], part)]
    if faults:
        raise BadInput(f"The files of {source} are not one table.", tuple(faults))
    return pl.concat([part.select(first) for part in parts], how="vertical_relaxed")


def _misfits(path: Path, first: "pl.DataFrame", part: "pl.DataFrame") -> Iterator[Fault]:
    """Where a file differs from the first one: in its columns, or in a type that numbers do not share."""
    where, fix = str(path), f"bring {path.name} to the form of the first file, or name fewer files"
    if set(part.columns) != set(first.columns):
        expected, found = ", ".join(first.columns), ", ".join(part.columns)
        yield Fault(where=where, path="columns", expected=expected, found=found, fix=fix)
        return
    for name, theirs in part.schema.items():
        ours = first.schema[name]
        if (
            ours != theirs
            and not (ours.is_numeric() and theirs.is_numeric())
            and "Null" not in (str(ours), str(theirs))
        ):
            yield Fault(where=where, path=name, expected=f"{ours} as in the first file", found=str(theirs), fix=fix)


def _is_aside(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)
