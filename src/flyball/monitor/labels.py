"""Predictions wait here for their labels: late, repeated and corrected ones, at a flat cost an event.

A pane of predictions is kept as it came; a label finds its row by id and is written beside it. Nothing is joined again
when history grows. Of several labels of a row the one with the latest time stands, of two with the same time the
greater as text: so the order in which they are read does not matter. Panes are dropped from the old end once their
label window has passed and enough rows stand behind them: as many labelled ones as a retraining can use, or MOST_HELD
times as many of any kind. Labels without a prediction wait too, but no more of them than a retraining could use. So
memory is bounded, with and without labels.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.prediction import LabelRecord
from flyball.core.record import Record
from flyball.monitor.panes import ACCEPTED

ROW, AT = "flyball.row", "flyball.at"  # stream position and time of a captured row
_NOBODY = pl.Series([None], dtype=pl.String)
MOST_HELD = 20  # rows held for each one that a retraining may use: labels on 5 % of the rows fill it
PREFIX = "x."  # of the feature columns in the prediction log


class Arrivals(Record):
    """What became of a batch of labels."""

    new: int = 0
    duplicate: int = 0  # the same value again
    corrected: int = 0  # another value: it replaces the first
    outdated: int = 0  # another value, but older than the one that stands: it changes nothing
    invalid: int = 0  # no value, or not a number: no label
    unmatched: int = 0  # no such prediction (yet): kept, in case its pane is still to come
    forgotten: int = 0  # of these, let go again, oldest first, because too many waited


@dataclass(kw_only=True, eq=False)
class HeldPane:
    """One pane of predictions with the labels that have come so far."""

    frame: pl.DataFrame
    first_row: int
    end: float  # seconds since the epoch
    ids: list[str]
    labels: list[Any]
    by: list[str | None]  # release that answered the row itself and may be judged by it; None: no release did
    usable: npt.NDArray[np.bool_]  # accepted by the contract and not excluded
    told_at: list[float]  # time of the label that stands, seconds since the epoch
    first_at: list[float]  # time of the earliest one that came, whatever it said
    labelled: int = 0
    caused: int = 0  # of these, rows that a release answered itself
    passed: int = 0  # rows from the first one on whose label window has passed

    def answer(self, at: int) -> Any:
        """What the champion said about a row; None where it gave no answer of its own."""
        return self.frame["prediction"][at] if self.by[at] is not None else None


Place = tuple[HeldPane, int]  # a row: its pane, and where in it


def judged_at_all(held: HeldPane, at: int) -> bool:
    """Whether a row is anybody's to answer for: accepted, so its arm's, or answered by a release."""
    return bool(held.usable[at]) or held.by[at] is not None


class Told(NamedTuple):
    """A label as it came."""

    value: Any
    at: float  # seconds since the epoch
    first_at: float  # of the earliest label of the row


# a label put in (1) or taken out (-1) of a row: pane, where in it, label, time of its earliest label, sign. A plain
# tuple, for there is one for every label
Event = tuple[HeldPane, int, Any, float, int]


@dataclass(kw_only=True)
class WaitingRows:
    """The join. Memory: the panes held; cost of an event: one dictionary look-up."""

    keep_rows: int  # labelled rows that a retraining may ask for
    label_window_s: float = 0.0
    total: Arrivals = field(default_factory=Arrivals)
    _panes: deque[HeldPane] = field(default_factory=deque)
    _place: dict[str, Place] = field(default_factory=dict)
    _early: dict[str, Told] = field(default_factory=dict)
    _events: list[Event] = field(default_factory=list)
    _labelled: int = 0
    _held: int = 0
    _now: float = 0.0  # end of the newest pane

    @property
    def most_rows(self) -> int:
        """Rows held at most once their label window has passed, give or take a pane."""
        return MOST_HELD * self.keep_rows

    @property
    def held_rows(self) -> int:
        """Rows held, count."""
        return self._held

    @property
    def waiting_labels(self) -> int:
        """Labels whose prediction has not come, count."""
        return len(self._early)

    @property
    def oldest_row(self) -> int:
        """Stream position of the first row that is held; 0: none is."""
        return self._panes[0].first_row if self._panes else 0

    @property
    def newest(self) -> HeldPane:
        """The pane that was added last."""
        return self._panes[-1]

    def add(self, predictions: pl.DataFrame, *, first_row: int, end: float) -> list[Place]:
        """Hold a pane; returns the rows whose label was here already."""
        self._forget()  # by the time of the pane before: the labels that came during this one are still to be read
        self._now = max(self._now, end)
        usable = predictions["outcome"].is_in(ACCEPTED)
        if "excluded" in predictions.columns:
            usable = usable & ~predictions["excluded"]
        ids = predictions["id"].to_list()
        held = HeldPane(
            frame=predictions,
            first_row=first_row,
            end=end,
            ids=ids,
            labels=[None] * predictions.height,
            told_at=[0.0] * predictions.height,
            first_at=[0.0] * predictions.height,
            by=predictions["release"].zip_with(usable & (predictions["outcome"] == "answered"), _NOBODY).to_list(),
            usable=usable.to_numpy(),
        )
        self._panes.append(held)
        self._held += len(ids)
        self._place.update((id_, (held, at)) for at, id_ in enumerate(ids))
        matured = []
        if self._early:
            for at, id_ in enumerate(ids):
                if id_ in self._early:
                    early = self._early.pop(id_)
                    self._write(held, at, early.value, early.at, early.first_at)
                    matured.append((held, at))
        return matured

    def label(self, labels: Sequence[LabelRecord] | pl.DataFrame) -> list[Place]:
        """Write labels beside their rows; returns the rows that have one now for the first time, in order of arrival.

        A label of None or NaN is no label, and counted.
        """
        if isinstance(labels, pl.DataFrame):
            at_all = labels["at"].to_list() if "at" in labels.columns else [self._now] * labels.height
            told = zip(labels["id"].to_list(), labels["label"].to_list(), at_all, strict=True)
        else:
            told = zip(*([getattr(one, name) for one in labels] for name in ("id", "label", "at")), strict=True)
        matured: list[Place] = []
        count = dict.fromkeys(("duplicate", "corrected", "outdated", "invalid", "unmatched"), 0)
        for id_, value, at in told:
            if value is None or value != value:  # NaN is not itself
                count["invalid"] += 1
                continue
            place = self._place.get(id_)
            if place is None:
                count["unmatched"] += 1
                self._early[id_] = _latest(self._early.get(id_), value, at)
            elif place[0].labels[place[1]] is None:
                self._write(*place, value, at, at)
                matured.append(place)
            else:
                count[self._again(*place, value, at)] += 1
        forgotten = max(0, len(self._early) - self.keep_rows)
        for id_ in list(islice(self._early, forgotten)):
            del self._early[id_]
        added = {"new": len(matured), "forgotten": forgotten, **count}
        self.total = Arrivals(**{name: getattr(self.total, name) + rows for name, rows in added.items()})
        return matured

    def events(self) -> list[Event]:
        """What labels did to rows since the last call, in order."""
        found, self._events = self._events, []
        return found

    def find(self, id_: str) -> Place | None:
        """Where a prediction is held."""
        return self._place.get(id_)

    def captured(self, rows: int, since_row: int | None, *, label: str) -> pl.DataFrame | None:
        """The newest accepted rows with a label, oldest first: raw features, label, `flyball.row`, `flyball.at`."""
        parts: list[pl.DataFrame] = []
        found = 0
        for held in reversed(self._panes):
            if found >= rows or (since_row is not None and held.first_row + held.frame.height <= since_row):
                break
            part = self._labelled_rows(held, since_row, label)
            found += part.height
            parts.append(part)
        parts = [part for part in parts if part.height]
        return pl.concat(parts[::-1], how="vertical_relaxed").tail(rows) if parts else None

    def caused(self, rows: int) -> tuple[int, int]:
        """(labelled rows, of these answered by a release) among the newest about `rows`, to a pane."""
        labelled = caused = 0
        for held in reversed(self._panes):
            if labelled >= rows:
                break
            labelled, caused = labelled + held.labelled, caused + held.caused
        return labelled, caused

    def matured_rows(self, since_row: int) -> int:
        """Accepted rows with a label at or after a stream position, count."""
        if self._panes and self._panes[0].first_row >= since_row:
            return self._labelled  # all that are held; mostly so, and there may be thousands of panes
        found = 0
        for held in reversed(self._panes):
            if held.first_row + len(held.ids) <= since_row:
                break
            if held.first_row >= since_row:
                found += held.labelled
            else:
                found += sum(
                    value is not None and bool(held.usable[at]) and held.first_row + at >= since_row
                    for at, value in enumerate(held.labels)
                )
        return found

    def _write(self, held: HeldPane, at: int, value: Any, told_at: float, first_at: float) -> None:
        held.labels[at] = value
        held.told_at[at] = told_at
        held.first_at[at] = first_at
        self._events.append((held, at, value, first_at, 1))
        if held.usable[at]:
            held.labelled += 1
            held.caused += held.by[at] is not None
            self._labelled += 1

    def _again(self, held: HeldPane, at: int, value: Any, told_at: float) -> str:
        """A further label of a row that has one; returns what it is called."""
        before = Told(held.labels[at], held.told_at[at], held.first_at[at])
        after = _latest(before, value, told_at)
        held.labels[at], held.told_at[at], held.first_at[at] = after
        if (before.value, before.first_at) != (after.value, after.first_at):
            self._events.append((held, at, before.value, before.first_at, -1))
            self._events.append((held, at, after.value, after.first_at, 1))
        if before.value == value:
            return "duplicate"
        return "corrected" if after.value == value else "outdated"

    def _labelled_rows(self, held: HeldPane, since_row: int | None, label: str) -> pl.DataFrame:
        known = np.fromiter((value is not None for value in held.labels), dtype=bool, count=len(held.labels))
        rows = np.arange(held.first_row, held.first_row + len(held.labels))
        wanted = known & held.usable & (rows >= (since_row or 0))
        features = [name for name in held.frame.columns if name.startswith(PREFIX)]
        part = held.frame.select(
            *(pl.col(name).alias(name.removeprefix(PREFIX)) for name in features), pl.col("at").alias(AT)
        )
        return part.with_columns(
            pl.Series(label, held.labels, strict=False), pl.Series(ROW, rows, dtype=pl.Int64)
        ).filter(pl.Series(wanted))

    def _forget(self) -> None:
        """Drop panes whose labels may no longer come and that no retraining will ask for, or that are too many."""
        while len(self._panes) > 1:
            oldest = self._panes[0]
            enough = self._labelled - oldest.labelled >= self.keep_rows
            if self._now - oldest.end <= self.label_window_s or not (enough or self._held > self.most_rows):
                return
            self._panes.popleft()
            self._labelled -= oldest.labelled
            self._held -= len(oldest.ids)
            for id_ in oldest.ids:
                self._place.pop(id_, None)


def _latest(before: Told | None, value: Any, at: float) -> Told:
    """Which of the two labels stands."""
    if before is None:
        return Told(value, at, at)
    first = min(before.first_at, at)
    if (at, str(value)) > (before.at, str(before.value)):
        return Told(value, at, first)
    return before._replace(first_at=first)
