"""A table in batches of a bounded number of rows, a few columns at a time, so that memory does not grow with the table.

Parquet is decoded row group by row group; columns are read in groups, because a row group may be the whole file. CSV is
read as text, all columns at once; types come from the first rows, and a cell that does not fit its type is for the
reader of the batch to count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flyball.app import sources, tables
from flyball.app.csv_text import check_text, faults_of_lines, names_of
from flyball.app.table_faults import refuse
from flyball.core.errors import BadInput, Fault

BATCH_ROWS = 65_536
GROUP_BYTES = 256 << 20  # of a group of columns, should the whole table be one row group
FIRST_ROWS = 10_000  # of a CSV, for its types
ALIKE = 0.95  # share of the texts of a column that are numbers, for it to be one of numbers
CHECKED_BYTES = 256 << 20  # of a CSV whose lines are all checked for their number of cells before it is read


@dataclass(kw_only=True)
class Table:
    """Files with the same columns, one below the other."""

    schema: dict[str, pl.DataType]
    rows: int | None  # None: known once it has been read
    frames: list[pl.LazyFrame] = field(default_factory=list)

    def groups(self, names: Sequence[str]) -> Iterator[list[str]]:
        """The names in groups that are read together."""
        width = max(1, GROUP_BYTES // (8 * max(self.rows or BATCH_ROWS, BATCH_ROWS)))
        if self.rows is None:  # text is parsed once for all of its columns
            width = max(1, len(names))
        for first in range(0, len(names), width):
            yield list(names[first : first + width])

    def batches(self, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """These columns, in the order of the rows.

        Raises: BadInput: the file cannot be read to its end.
        """
        try:
            for frame in self.frames:
                yield from frame.select(names).collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
        except pl.exceptions.PolarsError as error:
            first = str(error).splitlines()[0]
            raise BadInput(f"The table cannot be read to its end: {first}", hint="write or copy it again") from error


def opened(source: Path) -> Table:
    """What one side of a comparison names: a file, a folder or a glob of Parquet and CSV files. Empty tables are fine.

    Raises: BadInput: nothing that is a table, or files whose columns differ.
    """
    parts = [_opened(path) for path in sources.files_of(source)]
    first = parts[0]
    for path, part in zip(sources.files_of(source), parts, strict=True):
        if set(part.schema) != set(first.schema):
            expected, found = ", ".join(first.schema), ", ".join(part.schema)
            fault = Fault(where=str(path), path="columns", expected=expected, found=found, fix="name fewer files")
            raise BadInput(f"The files of {source} are not one table.", (fault,))
    rows = [part.rows for part in parts]
    known = None if None in rows else sum(n for n in rows if n is not None)
    return Table(schema=first.schema, rows=known, frames=[frame for part in parts for frame in part.frames])


def _opened(path: Path) -> Table:
    first = tables.first_line(path)
    return _parquet(path, first) if tables.is_parquet(path) else _text(path, first)


def _parquet(path: Path, first: bytes) -> Table:
    tables.check_parquet(path, first)
    try:
        frame = pl.scan_parquet(path)
        schema = dict(frame.collect_schema())
        rows = int(frame.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        fix = "it may be cut off: write or copy it again"
        raise refuse(path, "(file)", "a Parquet file", str(error).splitlines()[0], fix) from error
    return Table(schema=schema, rows=rows, frames=[frame])


def _text(path: Path, first: bytes) -> Table:
    check_text(path, first)
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    names = names_of(path, first, separator)
    frame = pl.scan_csv(path, separator=separator, infer_schema=False)
    try:
        if path.stat().st_size <= CHECKED_BYTES:
            faults_of_lines(path, separator, len(names))
        head = frame.head(FIRST_ROWS).collect()
        made = pl.read_csv(path, separator=separator, try_parse_dates=True, n_rows=FIRST_ROWS, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise refuse(path, "(file)", "a CSV file in UTF-8", str(error).splitlines()[0]) from error
    schema = {name: _type(head[name], dtype) for name, dtype in made.schema.items()}
    return Table(schema=schema, rows=None if head.height == FIRST_ROWS else head.height, frames=[frame])


def _type(texts: pl.Series, inferred: pl.DataType) -> pl.DataType:
    """A column of numbers with a few strangers is one of numbers: the strangers are counted where they are read."""
    present = len(texts) - texts.null_count()
    if inferred != pl.String or not present:
        return pl.Null() if inferred == pl.String else inferred
    parsed = texts.str.strip_chars().cast(pl.Float64, strict=False).is_not_null().sum()
    return pl.Float64() if parsed >= ALIKE * present else inferred
