"""What of a prediction log is in no folder of its stream yet: open panes, and panes of workers nobody has taken over.

Somebody seals and takes over while we read. So frames are read first, then what workers have sealed, then the stream is
listed; whatever is in a later place too is left out of the earlier one. A row is missed nowhere and counted once.
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from flyball.adapters.prediction_log.files import Frame, Sealed, frames_of, open_files, sealed
from flyball.adapters.prediction_log.worker_panes import SOURCE, WORKERS, Source

_NEWEST = 500  # panes of the stream that may have been taken over while we read


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """One pane that is not in the stream."""

    index: int  # in the stream, or in its worker's own
    worker: str | None  # None: the stream itself is written by one process
    frames: list[Frame] = field(default_factory=list)  # where it is open
    predictions: pl.DataFrame | None = None  # where its worker has sealed it
    shadows: pl.DataFrame | None = None


def pending(folder: Path) -> tuple[list[Pending], list[Sealed]]:
    """Panes that are not in the stream of the service in this folder, oldest first for each writer, and the stream."""
    workers = sorted((folder / WORKERS).iterdir()) if (folder / WORKERS).is_dir() else []
    found = [
        Pending(index=int(path.stem), worker=name, frames=list(frames_of(path)))
        for name, writer in [(None, folder), *((worker.name, worker) for worker in workers)]
        for path in open_files(writer)
    ]
    newest: dict[str | None, int] = {}
    done: list[Pending] = []
    for worker in workers:
        there = sealed(worker)
        newest[worker.name] = max((each.last for each in there), default=-1)
        done += [one for each in there if (one := _sealed_by(worker.name, each)) is not None]
    stream = sealed(folder)
    newest[None] = stream[-1].last if stream else -1
    taken = _taken(stream) if workers else set()
    found = [each for each in found if each.index > newest[each.worker]]
    return [each for each in (*done, *found) if (each.worker, each.index) not in taken], stream


def _sealed_by(worker: str, each: Sealed) -> Pending | None:
    """None: it was taken over, and only its header is left."""
    if not each.table("predictions").exists():
        return None
    try:
        predictions, shadows = (pl.read_parquet(each.table(name)) for name in ("predictions", "shadows"))
    except FileNotFoundError:
        return None
    return Pending(index=each.first, worker=worker, predictions=predictions, shadows=shadows)


def _taken(stream: list[Sealed]) -> set[tuple[str | None, int]]:
    """Where the newest panes of the stream came from."""
    found: set[tuple[str | None, int]] = set()
    for each in stream[-_NEWEST:]:
        try:
            source = msgspec.json.decode((each.path / SOURCE).read_bytes(), type=Source)
        except FileNotFoundError:
            continue  # the supervisor's own, or merged meanwhile: then it was taken over long ago
        found.add((source.worker, source.index))
    return found
