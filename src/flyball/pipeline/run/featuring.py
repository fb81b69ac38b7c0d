"""Step: the features of every row, after the test that each row gets the same bits however rows are batched.

Kept is always that the test was passed; the table itself only where computing it took longer than reading it would.
"""

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl

from flyball.core.errors import TrainingFailed
from flyball.core.model import Code, features
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.seed import seed_of
from flyball.pipeline.suites import deployment_features

WORTH_KEEPING_S = 0.2  # a table that took less is computed again, which is cheaper than a copy of each snapshot
_TABLE, _TESTED = "features.arrow", "tested"


class Made:
    """The features, computed when they are asked for; `kept` is what a store gets."""

    def __init__(self, compute: Callable[[], pl.DataFrame], kept: Mapping[str, bytes]) -> None:
        self._compute, self.kept = compute, kept
        self._table: pl.DataFrame | None = None

    @property
    def table(self) -> pl.DataFrame:
        if self._table is None:
            self._table = self._compute()
        return self._table


def make(of: Subject, code: Code, table: pl.DataFrame) -> Made:
    """Raises: TrainingFailed: `features` looks at other rows. Whatever the service's own code raises."""
    frame = of.frame(table)
    started = time.perf_counter()
    made = features(code.features, frame, of.plain)
    took_s = time.perf_counter() - started
    if code.features is not None:
        # which rows are asked follows from the code, not from the seed: another seed leaves the features as they are
        rng = np.random.default_rng(seed_of(of.job.code))  # noqa: TID251 -- a verb makes it
        fault = deployment_features.unlike(lambda part: features(code.features, part, of.plain), frame, rng=rng)
        if fault is not None:
            raise TrainingFailed(fault)
    kept = {_TESTED: b"1"} | ({_TABLE: _bytes(made)} if took_s > WORTH_KEEPING_S else {})
    return Made(lambda: made, kept)


def again(files: Mapping[str, bytes], of: Subject, code: Code, table: pl.DataFrame) -> Made:
    """The features of a run before: read, or computed without the test that was passed already."""
    kept = files.get(_TABLE)
    if kept is not None:
        return Made(lambda: pl.read_ipc(BytesIO(kept)), files)
    return Made(lambda: features(code.features, of.frame(table), of.plain), files)


def _bytes(made: pl.DataFrame) -> bytes:
    buffer: Any = BytesIO()
    try:
        made.write_ipc(buffer, compression="zstd")
    except pl.exceptions.PolarsError as error:  # a column of Python objects has no file form
        raise TrainingFailed(f"the table of features() cannot be written: {error}") from error
    return bytes(buffer.getvalue())
