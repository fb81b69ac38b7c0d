"""The prediction log as three lazy tables: sealed panes and open ones, of any age, under one schema.

Panes that were written under another contract have other columns, or other dtypes: folders with one schema are one
scan, and the scans are joined with the wider dtype and with nulls where a column was not there yet.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from flyball.adapters.prediction_log.files import TABLES, Frame, Sealed
from flyball.adapters.prediction_log.labels import waiting_labels
from flyball.adapters.prediction_log.pending import pending
from flyball.core.log_tables import FEATURE, LogTables

_SLACK_S = 120.0  # a row's arrival and the pane that it is in may be this far apart


def tables(
    folder: Path,
    names: tuple[str, ...] = TABLES,
    *,
    since: float | None = None,
    until: float | None = None,
    advance: Callable[[int], None] = lambda folders: None,  # noqa: ARG005 -- nobody need watch
) -> Mapping[str, pl.LazyFrame]:
    """The tables of one service, nothing of them read yet but their schemas and what is not sealed.

    Args: since, until: predictions that arrived from, and before, these seconds since the epoch. advance: told of
        folders that were looked at.
    """
    left, there = pending(folder)
    newest = there[-1] if there else None
    found = {}
    for name in names:
        last = None if name == "labels" else until  # a label may come long after its row, never before it
        near = there if since is None and last is None else [each for each in there if _within(each, since, last)]
        parts = _scans([each.table(name) for each in near], advance)
        parts += [table.lazy() for each in left if (table := getattr(each, name, None)) is not None]
        kinds = pl.read_parquet_schema(newest.table(name)) if newest else parts[-1].collect_schema() if parts else None
        frames = [frame for each in left for frame in each.frames]
        extra = _unsealed(name, frames, folder, newest.last if newest else -1, kinds)
        found[name] = pl.concat([*parts, extra.lazy()], how="diagonal_relaxed")
    if "predictions" in found:
        found["predictions"] = found["predictions"].filter(
            pl.lit(True) if since is None else pl.col("at") >= since,
            pl.lit(True) if until is None else pl.col("at") < until,
        )
    return found


def _within(each: Sealed, since: float | None, until: float | None) -> bool:
    panes = each.panes()
    return (since is None or panes[-1].end + _SLACK_S >= since) and (
        until is None or panes[0].start - _SLACK_S <= until
    )


def _scans(paths: list[Path], advance: Callable[[int], None]) -> list[pl.LazyFrame]:
    """One scan for each schema, that of the newest folder last."""
    groups: dict[tuple[tuple[str, pl.DataType], ...], list[Path]] = {}
    for path in paths:
        schema = tuple(pl.read_parquet_schema(path).items())
        group = groups.pop(schema, [])
        group.append(path)
        groups[schema] = group  # moved to the end
        advance(1)
    return [pl.scan_parquet(group) for group in groups.values()]


def _unsealed(
    name: str, frames: list[Frame], folder: Path, newest: int, kinds: Mapping[str, pl.DataType] | None
) -> pl.DataFrame:
    """What no folder has yet, in the dtypes of the newest folder, or in those that fit its values."""
    if name == "labels":
        labels = waiting_labels(folder, newest)
        answer = kinds["label"] if kinds else _fits([record.label for record in labels])
        return LogTables(features={}, answer=answer).labels(labels)
    if name == "shadows":
        shadows = [record for frame in frames for record in frame.shadows]
        answer = kinds["prediction"] if kinds else _fits([record.prediction for record in shadows])
        return LogTables(features={}, answer=answer).shadows(shadows)
    rows = [record for frame in frames for record in frame.predictions]
    answer = kinds["prediction"] if kinds else _fits([record.prediction for record in rows])
    if kinds:
        features = {c.removeprefix(FEATURE): kind for c, kind in kinds.items() if c.startswith(FEATURE)}
    else:
        given: dict[str, list[object]] = defaultdict(list)
        for record in rows:
            for column, value in record.features.items():
                given[column].append(value)
        features = {column: _fits(values) for column, values in given.items()}
    return LogTables(features=features, answer=answer).predictions(rows)


def _fits(values: list[object]) -> pl.DataType:
    """The dtype that holds all these; text where they have nothing else in common."""
    found = {type(value) for value in values if value is not None}
    for dtype, types in ((pl.Boolean(), {bool}), (pl.Int64(), {bool, int}), (pl.Float64(), {bool, int, float})):
        if found and found <= types:
            return dtype
    return pl.String()
