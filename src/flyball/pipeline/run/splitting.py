"""Step: which rows the model learns from, and which it is judged on; kept as row numbers.

Which of the latter the champion may be judged on too is found out anew in each run, so another champion refits nothing.
"""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import polars as pl

from flyball.core.frames import conform
from flyball.pipeline.run.data import read_snapshot
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.split import ROW, Split, positions, temporal

_PARTS = ("train", "holdout", "shared")


def split(of: Subject, table: pl.DataFrame) -> Split:
    """Raises: NotEnoughData: fewer than two rows."""
    data, experiment = of.service.data, of.service.experiment
    return temporal(table, timestamp=data.timestamp, holdout=experiment.split.holdout)


def with_champion(of: Subject, table: pl.DataFrame, parts: Split) -> Split:
    """The same split, with the rows of the holdout that the champion was not fitted on.

    Raises: Untrusted: the champion's snapshot does not verify.
    """
    job, theirs = of.job, None
    if job.champion is None:
        return parts
    if job.champion_snapshot is not None and job.champion_snapshot_folder is not None:
        known = read_snapshot(job.champion_snapshot_folder, job.champion_snapshot)
        seen = positions(known, job.champion_snapshot.first_row) <= job.champion_last_row
        theirs = conform(known.filter(pl.Series(seen)), {n: t for n, t in table.schema.items() if n != ROW})
    return temporal(
        table,
        timestamp=of.service.data.timestamp,
        holdout=of.service.experiment.split.holdout,
        champion_last_row=job.champion_last_row if theirs is None else 0,
        champion_rows=theirs,
    )


def dump(parts: Split) -> Mapping[str, bytes]:
    return {f"{name}.npy": _bytes(getattr(parts, name)) for name in _PARTS}


def load(files: Mapping[str, bytes]) -> Split:
    return Split(**{name: np.load(BytesIO(files[f"{name}.npy"]), allow_pickle=False) for name in _PARTS})


def _bytes(rows: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> bytes:
    buffer = BytesIO()
    np.save(buffer, rows, allow_pickle=False)
    return buffer.getvalue()
