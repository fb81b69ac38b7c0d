"""A uniform sample of a table's rows, drawn in one pass and always the same for the same rows."""

from collections.abc import Sequence

import polars as pl

from flyball.app.drift.fitting import SampledRows
from flyball.app.drift.streams import Table

SAMPLE_ROWS = 5_000  # of each table


def sampled(table: Table, names: Sequence[str]) -> pl.DataFrame:
    """These columns of at most `SAMPLE_ROWS` rows."""
    rows, parts = SampledRows(most=SAMPLE_ROWS), []
    for batch in table.batches(names):
        mine, stay = rows.take(batch.height)
        parts.append(batch[mine])
        if stay is not None:
            parts = [pl.concat(parts)[stay]]
    whole = pl.concat(parts) if parts else pl.DataFrame(schema={name: table.schema[name] for name in names})
    last = rows.last()
    return whole if last is None else whole[last]
