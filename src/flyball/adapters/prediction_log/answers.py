"""The prediction log asked about answers: one by its id, many by the release that gave them. Reads, never writes."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from flyball.adapters.prediction_log.files import Sealed
from flyball.adapters.prediction_log.pending import Pending, pending
from flyball.core.answers import AnswerRecord, Given
from flyball.core.prediction import PredictionRecord
from flyball.core.watching import Pane

_COLUMNS = ("id", "at", "arm", "release", "epoch", "outcome", "fallback", "reason", "answered_by", "prediction")
_AT_ONCE = 200  # panes whose columns are in memory together
_SLACK_S = 120.0  # an id's time and its pane may be this far apart


class Answers:
    """`root`: the folder with one folder a service."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def services(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in self._root.iterdir() if path.is_dir())) if self._root.is_dir() else ()

    def find(self, service: str, prefix: str, *, limit: int = 10) -> tuple[AnswerRecord, ...]:
        """Answers whose id begins so, newest panes first, at most `limit`."""
        found: list[AnswerRecord] = []
        folder = self._root / service
        at = _time_of(prefix.removeprefix(f"{service}."))
        left, stream = pending(folder)
        for one in reversed(left):
            for rows in _rows_of(one):
                chosen = rows.filter(pl.col("id").str.starts_with(prefix)).head(limit).collect()
                found += [
                    AnswerRecord(**values, pane=one.index, sealed=False) for values in chosen.iter_rows(named=True)
                ]
        for each in reversed(stream):
            if len(found) >= limit:
                break
            panes = each.panes()
            if at is None or panes[0].start - _SLACK_S <= at <= panes[-1].end + _SLACK_S:
                rows = _scan(each).with_row_index("row").filter(pl.col("id").str.starts_with(prefix)).head(limit)
                found += [_at(panes, values) for values in rows.collect().iter_rows(named=True)]
        once = {each.id: each for each in reversed(found)}  # a pane may be sealed and not yet tidied up
        return tuple(once.values())[:limit]

    def given(self, service: str, releases: Collection[str]) -> tuple[Given, ...]:
        """How many answers were assigned to or given by these releases; however many, few lines come back."""
        wanted = pl.col("release").is_in(list(releases)) | pl.col("answered_by").is_in(list(releases))
        parts = [_counted(part.filter(wanted)) for part in self._parts(service)]
        if not parts:
            return ()
        total = _merged(pl.concat(parts))
        return tuple(Given(service=service, **row) for row in total.iter_rows(named=True))

    def _parts(self, service: str) -> Iterator[pl.LazyFrame]:
        left, there = pending(self._root / service)
        for start in range(0, len(there), _AT_ONCE):
            yield pl.concat([_scan(each) for each in there[start : start + _AT_ONCE]])
        for one in left:
            yield from _rows_of(one)


_SCHEMA = {name: pl.Float64() if name == "at" else pl.Int64() if name == "epoch" else pl.String() for name in _COLUMNS}


def _rows_of(one: Pending) -> Iterator[pl.LazyFrame]:
    """Of a pane that is in no folder of the stream yet."""
    rows = [record for frame in one.frames for record in frame.predictions]
    yield pl.LazyFrame([_values(row) for row in rows], schema=_SCHEMA, orient="row")
    if one.predictions is not None:
        yield _narrow(one.predictions.lazy())


def _scan(each: Sealed) -> pl.LazyFrame:
    return _narrow(pl.scan_parquet(each.table("predictions")))


def _narrow(table: pl.LazyFrame) -> pl.LazyFrame:
    """The columns that are asked about; a pane written before there was a column has none of it."""
    there = table.collect_schema().names()
    return table.select(
        pl.col(name).cast(kind) if name in there else pl.lit(None, dtype=kind).alias(name)
        for name, kind in _SCHEMA.items()
    )


def _counted(part: pl.LazyFrame) -> pl.DataFrame:
    return (
        part.group_by("release", "answered_by", "arm", "outcome")
        .agg(
            predictions=pl.len().cast(pl.Int64),
            first=pl.col("id").sort_by("at", "id").first(),
            last=pl.col("id").sort_by("at", "id").last(),
            first_at=pl.col("at").min(),
            last_at=pl.col("at").max(),
        )
        .collect()
    )


def _merged(parts: pl.DataFrame) -> pl.DataFrame:
    return (
        parts.group_by("release", "answered_by", "arm", "outcome")
        .agg(
            predictions=pl.col("predictions").sum(),
            first=pl.col("first").sort_by("first_at").first(),
            last=pl.col("last").sort_by("last_at").last(),
            first_at=pl.col("first_at").min(),
            last_at=pl.col("last_at").max(),
        )
        .sort("first_at", "release", "arm", "outcome")
    )


def _time_of(body: str) -> float | None:
    """The moment in an id's first 12 hex digits, seconds since the epoch; None where they are not all there."""
    try:
        return int(body[:12], 16) / 1000 if len(body) >= 12 else None
    except ValueError:
        return None


def _at(panes: list[Pane], values: dict[str, Any]) -> AnswerRecord:
    """A row of a folder that holds these panes, one after the other; its place is counted in the whole log."""
    place = panes[0].first_row + values.pop("row")
    pane = next(each for each in reversed(panes) if each.first_row <= place and each.written)
    return AnswerRecord(**values, row=place, pane=pane.index)


def _values(record: PredictionRecord) -> dict[str, Any]:
    given = record.prediction
    return {name: getattr(record, name) for name in _COLUMNS} | {"prediction": None if given is None else str(given)}
