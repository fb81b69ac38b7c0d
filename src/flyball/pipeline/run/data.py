"""The frozen data of a job as a typed table, checked against the manifest that names it."""

from pathlib import Path

import polars as pl

from flyball.core.contract import DataContract
from flyball.core.errors import TrainingFailed, Untrusted
from flyball.core.frames import conform, schema
from flyball.core.ports import TrainingJob
from flyball.core.release import Snapshot
from flyball.core.service import Service
from flyball.pipeline.manifest import Manifest, differences, manifest, of_bytes
from flyball.pipeline.split import ROW


def read_snapshot(folder: str, snapshot: Snapshot) -> pl.DataFrame:
    """All rows, in the order of the files.

    Raises: Untrusted: the files are not those that the snapshot names.
    """
    expected = manifest(snapshot.files)
    contents = {file.path: _read(Path(folder) / file.path) for file in snapshot.files}
    found = of_bytes({path: data for path, data in contents.items() if data is not None})
    if found.root != snapshot.root:
        raise Untrusted(f"snapshot {snapshot.root}: {'; '.join(differences(expected, found)) or 'another root'}")
    return pl.concat([pl.read_parquet(data) for data in contents.values() if data is not None])


def labelled(job: TrainingJob, contract: DataContract, service: Service) -> pl.DataFrame:
    """Rows with a label, in the contract's columns and types; ROW is kept where the snapshot has it.

    Raises: TrainingFailed: no row has a label.
    """
    table = read_snapshot(job.snapshot_folder, job.snapshot)
    dtypes = dict(schema(contract))
    typed = conform(table, dtypes | ({ROW: pl.Int64()} if ROW in table.columns else {}))
    if ROW not in typed.columns:  # rows without a label are left out below, so positions are written down before
        first = job.snapshot.first_row
        typed = typed.with_columns(pl.int_range(first, first + typed.height, dtype=pl.Int64).alias(ROW))
    label = pl.col(service.data.label)
    usable = label.is_not_null()
    if typed.schema[service.data.label].is_float():
        usable &= label.is_finite()
    kept = typed.filter(usable)
    if kept.height == 0:
        raise TrainingFailed(f"no row has a label: column {service.data.label!r} is empty in {typed.height} rows")
    return kept


def files_under(folder: Path) -> dict[str, bytes]:
    """Regular files below a folder, by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest_of(folder: Path, *, without: frozenset[str]) -> Manifest:
    """Manifest of a folder's files, those named in `without` left out."""
    return of_bytes({path: data for path, data in files_under(folder).items() if path not in without})


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
