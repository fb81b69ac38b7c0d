"""The frozen data of a job as a typed table, checked against the manifest that names it."""

import unicodedata
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path

import polars as pl

from flyball.core.contract import DataContract
from flyball.core.errors import TrainingFailed, Untrusted
from flyball.core.frames import conform, schema
from flyball.core.ports import TrainingJob
from flyball.core.release import File, Snapshot
from flyball.core.service import Service
from flyball.pipeline.manifest import Manifest, differences, manifest
from flyball.pipeline.split import ROW


def read_snapshot(folder: str, snapshot: Snapshot) -> pl.DataFrame:
    """All rows, in the order of the files.

    Raises: Untrusted: the files are not those that the snapshot names.
    """
    tables: list[pl.DataFrame] = []
    found: list[File] = []
    for file in snapshot.files:
        path = Path(folder) / file.path
        if not path.is_file():
            continue
        with path.open("rb") as opened:  # one open file for both: what was hashed is what is read
            found.append(_entry(file.path, opened))
            opened.seek(0)
            if found[-1] == file:
                tables.append(pl.read_parquet(opened))
    seen = manifest(found)
    if seen.root != snapshot.root:
        words = "; ".join(differences(manifest(snapshot.files), seen)) or "another root"
        raise Untrusted(f"snapshot {snapshot.root}: {words}")
    return pl.concat(tables)


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
    """Manifest of a folder's files, those named in `without` left out; each is read in pieces."""
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in without:
            with path.open("rb") as opened:
                found.append(_entry(name, opened))
    return manifest(found)


def _entry(name: str, opened: BufferedReader) -> File:
    digest = file_digest(opened, "sha256").hexdigest()
    return File(path=unicodedata.normalize("NFC", name), size=opened.tell(), sha256=digest)
