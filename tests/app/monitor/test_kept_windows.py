"""The last 5 minutes, hour, day and week of an arm come from the same buckets, and say where these are not enough."""

import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.state.frames import a_frame, rows

from flyball.app.monitor.kept_windows import ArmWindows, KeptWindow, arm_windows
from flyball.app.monitor.words import over_time
from flyball.core.release import Baseline, Reference
from flyball.core.service import Psi
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import frame
from flyball.monitor.state.windows import DAY, HOUR, MINUTES_5, WEEK, TimedState

FRAME = a_frame()
NOW = 1_796_601_600.0 + 13 * HOUR + 130  # a Monday, 13:02:10 UTC


def bucket(start: float, n: int = 100) -> TimedState:
    state = counted(FRAME, rows(n, seed=int(start) % 1000).with_columns(excluded=pl.lit(False)))
    return TimedState(start=start, end=start + MINUTES_5, state=state)


def told(panes: list[TimedState], at: float = NOW) -> ArmWindows:
    return arm_windows("champion", "sha256:aa01", panes, FRAME, at=at, limits=Psi())


def window(found: ArmWindows, over: str) -> KeptWindow:
    (one,) = (each for each in found.windows if each.over == over)
    return one


def test_a_span_reaches_back_to_the_start_of_the_bucket_that_it_begins_in() -> None:
    newest = NOW // MINUTES_5 * MINUTES_5
    ages = {"now": 0, "5 minutes": MINUTES_5, "6": 2 * MINUTES_5, "hour": HOUR, "day": DAY, "week": WEEK}
    panes = sorted((bucket(newest - age) for age in ages.values()), key=lambda pane: pane.start)
    found = told(panes)
    counts = {over: window(found, over).rows for over in ("5m", "1h", "24h", "7d")}
    assert counts == {"5m": 200, "1h": 400, "24h": 500, "7d": 600}
    day = window(found, "24h")
    assert (day.first, day.end) == ("2026-12-06T13:00:00.000000Z", "2026-12-07T13:02:10.000000Z")


def test_what_has_too_few_rows_is_not_enough_and_says_why() -> None:
    found = told([bucket(NOW - NOW % MINUTES_5, n=20)])
    assert [each.over for each in found.windows] == ["5m", "1h", "24h", "7d", "hour"]
    for each in found.windows:
        assert (each.verdict, each.largest, each.drifted) == ("INSUFFICIENT", None, ())
        assert over_time(each)[3:] == ("-", "not enough", "-")
    assert "fewer than 50 rows" in window(found, "5m").reason
    assert window(found, "hour").reason == "no pane in hour 12 of any of the last 4 weeks"
    assert window(told([]), "7d").reason == "no rows"


@pytest.mark.parametrize("weeks", [1, 4])
def test_the_last_whole_hour_is_beside_the_same_hour_of_earlier_weeks(weeks: int) -> None:
    noon = NOW // HOUR * HOUR - HOUR
    panes = [bucket(noon - week * WEEK, n=500) for week in range(weeks, 0, -1)]
    panes += [bucket(noon - week * WEEK + HOUR, n=5000) for week in range(weeks, 0, -1)]  # another hour
    found = window(told([*panes, bucket(noon, n=400), bucket(noon + HOUR, n=50)]), "hour")
    assert (found.weeks, found.earlier_rows, found.rows, found.verdict) == (weeks, 500 * weeks, 400, "OK")
    assert (found.start[:16], found.end[:16]) == ("2026-12-07T12:00", "2026-12-07T13:00")
    name, *_ = over_time(found)
    assert name == f"12:00 to 13:00Z, {'1 earlier week' if weeks == 1 else '4 earlier weeks'}"


def test_what_drifted_is_named_with_its_level() -> None:
    found = window(told([bucket(NOW - 60, n=2000)]), "1h")
    assert found.largest is not None
    assert found.largest.name in found.drifted
    assert over_time(found)[2:5] == ("2000", f"{found.largest.name} {found.largest.psi:.4f}", "DRIFT (act)")


def test_a_span_in_which_anything_drifted_has_drifted_whatever_is_largest() -> None:
    usual = Reference(kind="category", values=("a", "b"), counts=(500, 500, 0, 0))
    varies = replace(usual, stretches=((500, 0, 0, 0), (0, 500, 0, 0)))  # of itself
    mine = frame(Baseline(rows=1000, features={"weather": varies, "shop": usual}, prediction={}))
    table = pl.DataFrame(
        {
            "outcome": "answered",
            "x.weather": ["a"] * 75 + ["b"] * 425,
            "x.shop": ["a"] * 150 + ["b"] * 350,
            "excluded": False,
        }
    )
    pane = TimedState(start=NOW - 60, end=NOW, state=counted(mine, table))
    found = window(arm_windows("champion", "sha256:aa01", [pane], mine, at=NOW, limits=Psi()), "1h")
    assert found.largest is not None
    assert (found.largest.name, found.largest.verdict, found.drifted) == ("weather", "OK", ("shop",))
    assert (found.verdict, found.level) == ("DRIFT", "warn")
    assert over_time(found)[3].startswith("weather ")
    assert over_time(found)[4:] == ("DRIFT (warn)", "shop")
