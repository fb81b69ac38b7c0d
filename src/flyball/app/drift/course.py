"""How drift and risk went along the rows of the current table: what a single figure for all of it hides.

The table is cut into windows of equal length, in the order of its rows. Of each window: the PSI of the column that
moved most, and, where the table holds labels and predictions, the risk on its labelled rows. Drift that comes with risk
is a reason to act, drift without it is not; so both stand over one axis of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from flyball.app.drift.columns import read_as
from flyball.app.drift.comparable import Column
from flyball.app.drift.counting import SideCount
from flyball.app.drift.estimated import Expected, estimated
from flyball.app.drift.fitting import Bins
from flyball.app.drift.losses import Level, Risk, level, loss_of, losses, mean, unit_of
from flyball.app.drift.streams import Table, opened
from flyball.monitor.state.grids import Scratch
from flyball.stats.binning.bins import Counts
from flyball.stats.binning.fine_bins import coarsened
from flyball.stats.two_sample.compare import LIMITS, Measure, Reading, compare

WINDOWS = 24
FEWEST_ROWS = 100  # of a window
PSI_LIMIT = LIMITS["psi"]

Likes = Mapping[str, pl.DataType]  # what a text of the current table is read as
Found = dict[str, list[Measure]]  # PSI of each column in each window


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some rows of the current table."""

    first_row: int  # from 0
    last_row: int
    column: str | None  # the one with the largest PSI
    psi: float | None  # its effect against the reference
    risk: float | None  # in the unit of the course; None: no labelled row


@dataclass(frozen=True, kw_only=True)
class Change:
    """The stretch of windows in which columns are surely above the limit."""

    first_row: int  # from 0
    last_row: int
    lasts: bool  # to the end of the table
    columns: tuple[tuple[str, float], ...]  # name and largest PSI of a window, largest first; never empty


@dataclass(frozen=True, kw_only=True)
class Course:
    """All windows."""

    windows: tuple[Window, ...]
    unit: str | None  # `error rate` or `mean absolute error`; None: no labels were given
    change: Change | None = None  # of the column that moved most, with all that moved in the same windows
    before: Level | None = None  # risk over the reference
    now: Level | None = None  # over the current table
    since: Level | None = None  # over the rows of the change
    expected: Expected = field(default_factory=Expected)  # over the current table, without its labels

    @property
    def reference_risk(self) -> float | None:
        return None if self.before is None else self.before.value


def course(
    reference: Path,
    current: Path,
    columns: Sequence[Column],
    *,
    rows: int,
    risk: Risk | None,
    limit: float = LIMITS["psi"],
) -> Course:
    """One pass over the columns that can be compared, and one over labels and predictions.

    Args:
        columns: of both tables, as they were compared. rows: of the current table.
        limit: PSI above which a window has moved.

    Raises: BadInput: a table lacks the prediction, or the reference the label.
    """
    count = max(1, min(WINDOWS, rows // FEWEST_ROWS))
    edges = np.linspace(0, rows, count + 1).astype(np.int64)
    known, table = opened(reference), opened(current)
    asked = [each for each in columns if each.reference is not None]
    likes = {each.name: read_as(known.schema[each.name], table.schema[each.name]) for each in asked}
    found = _read(table, asked, likes, edges, limit)
    worst = _worst(found, count)
    change = change_of(found, edges)
    unit: str | None = None
    levels: tuple[Level | None, Level | None, Level | None] = (None, None, None)
    risks: list[float | None] = [None] * count
    expected = Expected()
    if risk is not None:
        sides = losses(known, reference, risk), losses(table, current, risk, labelled=False)
        unit = unit_of(sides[0])
        ours, theirs = (loss_of(side, unit) for side in sides)
        risks = [mean(theirs[a:b]) for a, b in pairwise(edges)]
        since = None if change is None else level(theirs[change.first_row : change.last_row + 1], unit)
        levels = (level(ours, unit), level(theirs, unit), since)
        expected = estimated(known, table, asked, likes, risk, unit)
    windows = tuple(
        Window(first_row=int(edges[at]), last_row=int(edges[at + 1]) - 1, column=name, psi=psi, risk=risks[at])
        for at, (name, psi) in enumerate(worst)
    )
    before, now, since = levels
    return Course(windows=windows, unit=unit, change=change, before=before, now=now, since=since, expected=expected)


def change_of(found: Found, edges: Counts) -> Change | None:
    """Where the column that moved most began to be above the limit; the others are those above it in the same windows.

    Args:
        found: of each column the reading of each window. edges: first row of each window, and the number of rows.
    """
    runs = {name: run for name, readings in found.items() if (run := _run(readings)) is not None}
    if not runs:
        return None
    peaks = {name: max(found[name][at].value or 0.0 for at in range(*runs[name])) for name in runs}
    ranked = sorted(peaks, key=lambda name: (-peaks[name], name))
    first, end = runs[ranked[0]]
    both = tuple((name, peaks[name]) for name in ranked if runs[name][0] < end and runs[name][1] > first)
    last_row, whole = int(edges[end]) - 1, int(edges[-1])
    return Change(first_row=int(edges[first]), last_row=last_row, lasts=last_row == whole - 1, columns=both)


def _run(readings: Sequence[Measure]) -> tuple[int, int] | None:
    """The longest stretch of windows above the limit, [first, end); of equal ones the last."""
    best: tuple[int, int] | None = None
    first = 0
    for at, each in enumerate(readings):
        if each.verdict is not Reading.DRIFT:
            first = at + 1
        elif best is None or at + 1 - first >= best[1] - best[0]:
            best = first, at + 1
    return best


def _worst(found: Found, count: int) -> list[tuple[str | None, float | None]]:
    worst: list[tuple[str | None, float | None]] = [(None, None)] * count
    for name, readings in found.items():
        for at, each in enumerate(readings):
            best = worst[at][1]
            if each.value is not None and (best is None or each.value > best):
                worst[at] = (name, each.value)
    return worst


def _read(table: Table, columns: Sequence[Column], likes: Likes, edges: Counts, limit: float) -> Found:
    found: Found = {}
    by_name = {each.name: each for each in columns}
    for group in table.groups(list(by_name)):
        counts = _counted(table, [by_name[name] for name in group], likes, edges)
        for name in group:
            reference = by_name[name].reference
            assert reference is not None
            found[name] = [compare(reference, counted, limit=limit) for counted in counts[name]]
    return found


def _counted(table: Table, columns: Sequence[Column], likes: Likes, edges: Counts) -> dict[str, list[Counts]]:
    """Counts of each column in each window, on the bins that PSI is read on."""
    found: dict[str, list[Counts]] = {each.name: [] for each in columns}
    sides = {each.name: _side(table, each, likes) for each in columns}
    scratch = Scratch()
    row, at = 0, 1
    for batch in table.batches([each.name for each in columns]):
        while batch.height:
            part, batch = batch.head(int(edges[at]) - row), batch.slice(int(edges[at]) - row)
            row += part.height
            for name, side in sides.items():
                side.take(part[name], scratch)
            if row == edges[at] and at < edges.size:
                for each in columns:
                    found[each.name].append(_coarse(each, sides[each.name].counts))
                sides = {each.name: _side(table, each, likes) for each in columns}
                at = min(at + 1, edges.size - 1)
    return found


def _side(table: Table, column: Column, likes: Likes) -> SideCount:
    pair = column.pair
    assert pair is not None
    bins = Bins(edges=pair.edges, psi_edges=pair.psi_edges, values=pair.values)
    return SideCount(kind=pair.kind, dtype=table.schema[column.name], like=likes[column.name], bins=bins)


def _coarse(column: Column, counts: Counts) -> Counts:
    pair = column.pair
    assert pair is not None
    return coarsened(counts, pair.edges, pair.psi_edges) if pair.kind == "numeric" else counts
