"""The prediction log asked about answers: one by its id, many by the release that gave them. Reads, never writes."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from flyball.adapters.segments import frames_of, sealed_folders
from flyball.core.answers import AnswerRecord, Given
from flyball.core.prediction import PredictionRecord

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
        for path in sorted(folder.glob("*.frames"), reverse=True):
            for frame in frames_of(path):
                found += [_of(r, int(path.stem)) for r in frame.predictions if r.id.startswith(prefix)]
        for pane in reversed(sealed_folders(folder)):
            if len(found) >= limit:
                break
            if at is None or _may_hold(pane, at):
                rows = _scan(pane).filter(pl.col("id").str.starts_with(prefix)).head(limit).collect()
                found += [AnswerRecord(**row, pane=int(pane.name)) for row in rows.iter_rows(named=True)]
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
        folder = self._root / service
        panes = sealed_folders(folder)
        for start in range(0, len(panes), _AT_ONCE):
            yield pl.concat([_scan(pane) for pane in panes[start : start + _AT_ONCE]])
        sealed = {int(pane.name) for pane in panes}
        for path in sorted(folder.glob("*.frames")):
            if int(path.stem) not in sealed:
                rows = [r for frame in frames_of(path) for r in frame.predictions]
                yield pl.LazyFrame([_values(row) for row in rows], schema=_SCHEMA, orient="row")


_SCHEMA = {name: pl.Float64() if name == "at" else pl.Int64() if name == "epoch" else pl.String() for name in _COLUMNS}


def _scan(pane: Path) -> pl.LazyFrame:
    """A pane written before there was a column has none of it."""
    table = pl.scan_parquet(pane / "predictions.parquet")
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


def _may_hold(pane: Path, at: float) -> bool:
    header = msgspec.json.decode((pane / "pane.json").read_bytes())
    return bool(header["start"] - _SLACK_S <= at <= header["end"] + _SLACK_S)


def _of(record: PredictionRecord, pane: int) -> AnswerRecord:
    return AnswerRecord(**_values(record), pane=pane, sealed=False)


def _values(record: PredictionRecord) -> dict[str, Any]:
    given = record.prediction
    return {name: getattr(record, name) for name in _COLUMNS} | {"prediction": None if given is None else str(given)}
