"""Features are the same bits for a row wherever it comes from: any batch, the packaged code, another process.

Features that look at neighbours (a rank, a rolling mean, a fill from the row above) work in training and break in
serving, where a row comes alone. They are found here (`unlike`), before anything is fitted on them. Features that
depend on what their process has seen before are found by asking the packaged code again (`packaged`).
"""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from flyball.core.release import TestResult

SAMPLE_ROWS = 48  # each is computed alone
BATCHES = 6


def unlike(
    features: Callable[[pl.DataFrame], pl.DataFrame], frame: pl.DataFrame, *, rng: np.random.Generator
) -> str | None:
    """Where the whole frame and parts of it disagree, in words for the author of the code; None where nowhere.

    >>> rank = lambda frame: frame.select(pl.col("x").rank())
    >>> unlike(rank, pl.DataFrame({"x": [1.0, 5.0, 3.0]}), rng=np.random.default_rng(0)).split(":")[0]
    'features() is not row-wise'
    """
    whole = features(frame)
    for rows in _parts(frame.height, rng):
        part = features(frame[rows])
        column = _first_difference(whole[rows], part)
        if column is not None:
            how = "one row at a time" if len(rows) == 1 else f"in a batch of {len(rows)} rows"
            return (
                f"features() is not row-wise: column {column!r} differs when computed {how} and over the whole table; "
                "bring what depends on other rows in as a column of the data"
            )
    return None


def packaged(training: pl.DataFrame, again: pl.DataFrame, *, where: str) -> TestResult:
    """What the packaged code makes of rows, beside what the model was fitted and judged on. `where` it ran.

    >>> packaged(pl.DataFrame({"x": [0.5]}), pl.DataFrame({"x": [0.25]}), where="in a clean process").verdict
    'FAIL'
    """
    column = _first_difference(training, again)
    same = f"the packaged code, asked {where}, gives {training.height} rows the features of the training, bit for bit"
    other = f"the packaged code, asked {where}, gives other features than in training: column {column!r}"
    return TestResult(
        suite="deployment",
        name=f"same features {where}",
        dimension="quality",
        verdict="PASS" if column is None else "FAIL",
        reason=same if column is None else other,
        n=training.height,
    )


def _parts(height: int, rng: np.random.Generator) -> Iterator[list[int]]:
    sample = rng.choice(height, size=min(SAMPLE_ROWS, height), replace=False)
    yield from ([int(row)] for row in sample)
    for _ in range(BATCHES):
        size = int(rng.integers(1, min(height, 500) + 1))
        yield rng.choice(height, size=size, replace=False).tolist()


def _first_difference(whole: pl.DataFrame, part: pl.DataFrame) -> str | None:
    if whole.columns != part.columns:
        return next(
            (name for name in [*whole.columns, *part.columns] if (name in whole.columns) != (name in part.columns)),
            "(order of columns)",
        )
    return next((name for name in whole.columns if not _same_bits(whole[name], part[name])), None)


def _same_bits(left: pl.Series, right: pl.Series) -> bool:
    if left.dtype != right.dtype or not left.equals(right, null_equal=True):
        return False
    if not left.dtype.is_float():
        return True
    # equal floats may still differ in the sign of a zero
    return left.fill_null(0.0).to_numpy().tobytes() == right.fill_null(0.0).to_numpy().tobytes()
