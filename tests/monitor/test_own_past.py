"""A service beside its own past: the same hour of earlier weeks, or the hours before; by the real monitor."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from msgspec.structs import replace
from tests.monitor.streams import contract, log, segment, service

from flyball.core.release import Baseline, Reference
from flyball.core.watching import OwnPast, Pane, WindowReport
from flyball.monitor.own_past import HOUR_S, WEEK, PastHours
from flyball.monitor.watch import Promise, Watcher

MONDAY = 345_600.0
BASELINE = Baseline(
    rows=1000, features={"a": Reference(kind="numeric", edges=(0.5,), counts=(500, 500, 0))}, prediction={}
)


@dataclass(kw_only=True)
class Hours:
    """A pane an hour through the real Watcher."""

    window_rows: int = 40
    release: str = "r1"

    def __post_init__(self) -> None:
        declared = service("binary", "accuracy", label="label", window_rows=self.window_rows)
        declared = replace(declared, monitor=replace(declared.monitor, live_metric=None))
        table = pl.DataFrame({"a": [0.1], "label": [0]})
        self.watcher = Watcher(declared, contract(table, ["a", "label"]), lambda _: Promise(baseline=BASELINE))
        self.hour = self.row = 0

    def feed(
        self, rows: int, *, errors: int = 0, missing: int = 0, latency_ms: float = 5.0, covered: float = 1.0
    ) -> list[WindowReport]:
        ids = pl.Series("id", [f"p{self.row + at}" for at in range(rows)], dtype=pl.String)
        values = [None] * missing + [(at % 10) / 10 for at in range(rows - missing)]
        table = log(ids, release=self.release, latency_ms=latency_ms).with_columns(
            pl.Series("error", [True] * errors + [False] * (rows - errors), dtype=pl.Boolean),
            pl.Series("prediction", [0] * rows, dtype=pl.Int64),
            pl.Series("x.a", values, dtype=pl.Float64),
        )
        made = segment(self.hour, table, first_row=self.row)
        start = MONDAY + self.hour * HOUR_S
        made = replace(made, pane=replace(made.pane, start=start, end=start + covered * HOUR_S))
        self.hour, self.row = self.hour + 1, self.row + rows
        return self.watcher.feed(made, champion=self.release)


def figure(report: WindowReport, name: str) -> OwnPast:
    return next(one for one in report.own_past if one.figure == name)


def told(report: WindowReport) -> set[tuple[str, str, str | None]]:
    """Signals that came from the own past."""
    return {
        (signal.signal, signal.level, signal.feature)
        for signal in report.signals
        if "moving average" in signal.detail or "hour of the week" in signal.detail
    }


def test_with_little_past_nothing_is_judged_and_the_reason_is_told() -> None:
    world = Hours()
    first, second = world.feed(60), world.feed(300)
    assert {one.verdict for one in (*first[0].own_past, *second[0].own_past)} == {"INSUFFICIENT"}
    assert "no hour is over" in figure(first[0], "volume").reason
    assert "0 earlier weeks" in figure(second[0], "volume").reason
    assert "24 are needed" in figure(second[0], "volume").reason
    assert not told(second[0])


def test_before_there_are_weeks_a_moving_average_is_compared_with() -> None:
    world, rng = Hours(), np.random.default_rng(1)
    quiet = [
        report for _ in range(40) for report in world.feed(int(rng.poisson(80)), errors=int(rng.binomial(80, 0.02)))
    ]
    assert not any(told(report) for report in quiet)
    assert figure(quiet[-1], "volume").against == figure(quiet[-1], "error_rate").against == "moving average"
    world.feed(400, errors=100, missing=60, latency_ms=90.0)
    (report,) = world.feed(80)
    assert told(report) == {
        ("quality", "warn", "rows"),
        ("quality", "warn", "a"),
        ("error", "warn", None),
        ("latency", "warn", None),
    }
    assert figure(report, "volume").found == 400
    (after,) = world.feed(80)
    assert not told(after)


def test_a_season_is_no_alarm_and_the_same_volume_at_the_wrong_hour_is() -> None:
    """Nights have 40 rows, noons 100: after five weeks a noon with a night's traffic is too little, a night is not."""
    world, rng = Hours(window_rows=400), np.random.default_rng(2)

    def usual() -> int:
        return int(rng.poisson(100 if 8 <= world.hour % 24 < 20 else 45))

    for _ in range(5 * WEEK + 1):
        world.feed(usual())
    reports = [report for _ in range(81) for report in world.feed(usual())]
    assert world.hour % WEEK == 82  # ten in the morning of a Thursday
    assert figure(reports[-1], "volume").against == "same hour of the week"
    assert sum(bool(told(report)) for report in reports) <= 1
    world.feed(12)
    (report,) = world.feed(500)  # fills a window, whose newest whole hour is the one before
    low = figure(report, "volume")
    assert (low.verdict, low.found, low.against) == ("LOW", 12.0, "same hour of the week")
    assert ("quality", "warn", "rows") in told(report)


def test_an_hour_that_panes_do_not_cover_is_neither_judged_nor_learned() -> None:
    world = Hours()
    for _ in range(30):
        world.feed(80)
    world.feed(40, covered=0.4)
    (report,) = world.feed(80)
    assert figure(report, "volume").verdict == "INSUFFICIENT"
    assert "cover 40%" in figure(report, "volume").reason
    (report,) = world.feed(80)
    assert figure(report, "volume").verdict == "OK"


def test_a_promotion_does_not_forget_the_past_of_the_service() -> None:
    world = Hours()
    for _ in range(30):
        world.feed(80)
    world.release = "r2"
    (report,) = world.feed(80)
    assert (report.release, report.index) == ("r2", 0)
    assert figure(report, "volume").against == "moving average"


def test_a_pane_of_an_hour_that_is_over_changes_nothing() -> None:
    one, other = PastHours(), PastHours()
    for hour in range(30):
        one.take(pane(hour), 100, None)
        other.take(pane(hour), 100, None)
        other.take(pane(hour - 1), 5000, None)
    assert one.figures() == other.figures()


def test_taxi_each_labelled_window_is_told_and_what_else_is_told_are_holidays(data_folder: Path) -> None:
    """Passengers of New York by hours. Nobody labelled 1 September, 13 October, 23 December and 19 January."""
    folder = data_folder / "nab_nyc_taxi"
    table = pl.read_parquet(folder / "nyc_taxi.parquet")
    windows = json.loads((folder / "label_windows.json").read_text())["windows"]
    past, alarms, asked = PastHours(), [], 0
    hours = table["passenger_count"].to_numpy().reshape(-1, 2).sum(axis=1).tolist()
    for hour, rows in enumerate(hours):
        past.take(pane(hour), rows, None)  # judges the hour before
        one = figure_of(past)
        if one.against:
            asked += 1
            alarms += [2 * hour - 2] if one.verdict in ("LOW", "HIGH") else []
    inside = [[row for row in alarms if w["row_start"] - 2 < row <= w["row_end"]] for w in windows]
    assert all(inside)
    outside = [row for row in alarms if not any(row in found for found in inside)]
    days = {str(table["timestamp"][row])[:10] for row in outside}
    assert len(outside) < 0.005 * asked, (len(outside), asked, days)
    assert days <= {"2014-08-17", "2014-09-01", "2014-10-13", "2014-12-23", "2015-01-19"}


def pane(hour: int) -> Pane:
    return Pane(service="s", index=hour, start=hour * HOUR_S, end=(hour + 1) * HOUR_S)


def figure_of(past: PastHours) -> OwnPast:
    return next(one for one in past.figures() if one.figure == "volume")
