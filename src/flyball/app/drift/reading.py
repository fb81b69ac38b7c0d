"""Two tables become counts on the same bins, in memory that depends on neither's length.

Three passes: bins are fitted on the reference (`fitting` says on which of its rows), then the reference is counted,
then the current table. Nothing is dropped: a value that cannot be what the reference's values are is counted as
unparsed, and as missing; a column that only one table has is named.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from flyball.app.drift.columns import kind_of, read_as
from flyball.app.drift.counting import SideCount
from flyball.app.drift.fitting import Bins, CategoryFit, NumericFit, SampledRows
from flyball.app.drift.pair import FeaturePair, Kind, OnProgress, Progress, Side, Stage, TablePair
from flyball.app.drift.streams import Table, opened
from flyball.core.errors import BadInput, Fault
from flyball.monitor.state.grids import Scratch


def profile_tables(
    reference: Path,
    current: Path,
    *,
    bins: int = 64,
    psi_bins: int = 10,
    categories: int = 64,
    columns: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> TablePair:
    """Both tables on bins that the reference fixes.

    Args:
        reference: a Parquet or CSV file, a folder of them, or a glob. current: the same.
        bins: fine bins of a number, count, 2 to 256. psi_bins: those that PSI is read on.
        categories: known values of a text at most; the rest share `other`.
        columns: to look at; None: all. exclude: columns to pass over.
        on_progress: called after each batch.

    Raises: BadInput: what is no table, on both sides at once, or columns that are named and neither table has.
    """
    one, two = _both(reference, current)
    _refuse_unknown(one, two, (*(columns or ()), *exclude), f"{reference} and {current}")
    every = list(dict.fromkeys([*one.schema, *two.schema]))
    asked = [name for name in every if (columns is None or name in columns) and name not in exclude]
    both = [name for name in asked if name in one.schema and name in two.schema]
    kinds = {name: _kind(one.schema[name], two.schema[name]) for name in both}
    told = _Told(on_progress)
    supported = [name for name in both if kinds[name] != "unsupported"]
    fitted, fitted_rows = _fit(one, supported, kinds, told, bins=bins, psi_bins=psi_bins, categories=categories)
    likes = {name: read_as(one.schema[name], two.schema[name]) for name in supported}
    ours, rows = _count(one, one.schema, kinds, fitted, told, "reference")
    theirs, current_rows = _count(two, likes, kinds, fitted, told, "current")
    features = [
        _pair(name, kinds[name], fitted.get(name), ours.get(name), theirs.get(name), (one, two)) for name in both
    ]
    return TablePair(
        features=tuple(features),
        only_reference=tuple(name for name in asked if name not in two.schema),
        only_current=tuple(name for name in asked if name not in one.schema),
        reference_rows=rows,
        current_rows=current_rows,
        fitted_rows=fitted_rows,
    )


def _both(reference: Path, current: Path) -> tuple[Table, Table]:
    """Both tables, or the faults of both."""
    tables: list[Table] = []
    errors: list[BadInput] = []
    for source in (reference, current):
        try:
            tables.append(opened(source))
        except BadInput as error:
            errors.append(error)
    if errors:
        faults = tuple(fault for error in errors for fault in error.faults)
        raise BadInput(" ".join(Exception.__str__(error) for error in errors), faults)
    return tables[0], tables[1]


def _refuse_unknown(one: Table, two: Table, named: Sequence[str], where: str) -> None:
    """Raises: BadInput: every column that is named and in neither table."""
    faults = tuple(
        Fault(where=where, path=name, expected="a column of either table", found="none there")
        for name in named
        if name not in one.schema and name not in two.schema
    )
    if faults:
        raise BadInput("There is no such column.", faults)


class _Told:
    """Says how far the reading is."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._say = on_progress
        self._cells = 0

    def batches(self, table: Table, names: Sequence[str], stage: Stage) -> Iterator[pl.DataFrame]:
        """Batches of one group of columns."""
        for batch in table.batches(names):
            yield batch
            self._cells += batch.height * batch.width
            if self._say is not None:
                self._say(Progress(stage=stage, cells=self._cells, of=self._of))

    def begin(self, table: Table, columns: int) -> None:
        """A stage."""
        self._cells, self._of = 0, None if table.rows is None else table.rows * columns


def _kind(ours: pl.DataType, theirs: pl.DataType) -> Kind:
    """By the reference; by the current table where the reference has no type because it has no value."""
    return kind_of(theirs if ours == pl.Null else ours)


def _fit(
    table: Table,
    names: Sequence[str],
    kinds: dict[str, Kind],
    told: _Told,
    *,
    bins: int,
    psi_bins: int,
    categories: int,
) -> tuple[dict[str, Bins], int]:
    """Bins of each column, and how many rows they were fitted on."""
    found: dict[str, Bins] = {}
    sampled = 0
    told.begin(table, len(names))
    for group in table.groups(names):
        numeric = {name: NumericFit(like=table.schema[name]) for name in group if kinds[name] == "numeric"}
        texts = {name: CategoryFit(like=table.schema[name]) for name in group if kinds[name] == "category"}
        rows = SampledRows()
        for batch in told.batches(table, group, "fit"):
            mine, stay = rows.take(batch.height)
            for name, numbers in numeric.items():
                numbers.take(batch[name], mine, stay)
            for name, text in texts.items():
                text.take(batch[name])
        last = rows.last()
        for name, numbers in numeric.items():
            numbers.keep(last)
            found[name] = numbers.bins(bins=bins, psi_bins=psi_bins)
        found |= {name: text.bins(most=categories) for name, text in texts.items()}
        sampled = rows.kept
    return found, sampled


def _count(
    table: Table,
    likes: Mapping[str, pl.DataType],
    kinds: Mapping[str, Kind],
    fitted: Mapping[str, Bins],
    told: _Told,
    stage: Stage,
) -> tuple[dict[str, Side], int]:
    """Each column's side, and the rows of the table. `likes`: what a text is read as."""
    sides: dict[str, Side] = {}
    wanted = list(fitted) or list(table.schema)[:1]  # one column at least, for the rows
    rows = 0
    scratch = Scratch()
    told.begin(table, len(wanted))
    for group in table.groups(wanted):
        counting = {
            name: SideCount(kind=kinds[name], dtype=table.schema[name], like=likes[name], bins=fitted[name])
            for name in group
            if name in fitted
        }
        rows = 0
        for batch in told.batches(table, group, stage):
            rows += batch.height
            for name, count in counting.items():
                count.take(batch[name], scratch)
        sides |= {name: count.side() for name, count in counting.items()}
    return sides, rows


def _pair(
    name: str, kind: Kind, bins: Bins | None, ours: Side | None, theirs: Side | None, tables: tuple[Table, Table]
) -> FeaturePair:
    if bins is None or ours is None or theirs is None:
        types = [str(table.schema[name]) for table in tables]
        why = f"{types[0] if types[0] != 'Null' else types[1]} is neither a number, a time, a text nor a flag"
        return FeaturePair(
            name=name, kind="unsupported", reference=Side(dtype=types[0]), current=Side(dtype=types[1]), reason=why
        )
    return FeaturePair(
        name=name,
        kind=kind,
        reference=ours,
        current=theirs,
        edges=bins.edges,
        psi_edges=bins.psi_edges,
        values=bins.values,
        distinct=bins.distinct,
    )
