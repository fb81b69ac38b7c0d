"""The table: 20 columns, of which about one value in a thousand breaks a rule, and some are missing."""

from pathlib import Path

import numpy as np
import polars as pl
from benchmarks._contracts import rules as r


def write(path: Path, rows: int) -> None:
    """Write it as Parquet; the same bytes for the same number of rows."""
    dice = np.random.Generator(np.random.PCG64(7))

    def some(share: float = 0.001) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return dice.random(rows) < share

    table: dict[str, pl.Series] = {}
    for name in r.NUMBERS:
        values = dice.random(rows) * 989
        values[some()] = 999.0
        values[some()] = -1.0
        table[name] = pl.Series(name, values)
    for name in r.WHOLES:
        whole = dice.integers(0, 990, rows)
        whole[some()] = 999
        table[name] = pl.Series(name, whole)
    table["i3"] = pl.Series("i3", dice.permutation(rows) % 990 if rows < 990 else dice.integers(0, 990, rows))
    for name in r.CODES:
        codes = pl.select(
            pl.format("{}-{}", pl.lit("AB"), pl.int_range(rows).cast(pl.String).str.zfill(6).str.tail(6))
        ).to_series()
        table[name] = pl.Series(name, codes).set(pl.Series(some()), "ab-12").shuffle(seed=len(table))
    for name in r.CLASSES:
        classes = pl.Series(r.ALLOWED).gather(pl.Series(dice.integers(0, len(r.ALLOWED), rows)))
        table[name] = classes.set(pl.Series(some()), "other")
    for name in r.TIMES:
        seconds = dice.integers(0, 363 * 86_400, rows) * 1_000_000 + 1_767_225_600_000_000
        seconds[some()] = 0
        table[name] = pl.Series(name, seconds).cast(pl.Datetime("us"))
    for name in r.FLAGS:
        table[name] = pl.Series(name, dice.random(rows) < 0.5)
    frame = pl.DataFrame(table)
    holes = {name: pl.Series(some()) for name in ("n0", "n1", "s2", "c0", "t0")}
    frame = frame.with_columns(
        pl.when(~hole).then(pl.col(name)).otherwise(None).alias(name) for name, hole in holes.items()
    )
    frame.write_parquet(path)
