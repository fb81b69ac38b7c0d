"""Service levels: every name and unit is read, and what was not observed is never a promise kept."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.contracts.durations import MONTH_S, YEAR_S
from flyball.contracts.odcs.document import Reading, parse_contract
from flyball.contracts.odcs.level import NAMES, SHORT
from flyball.contracts.tables.levels import Incident, LevelResult, Observed, Standing, Times, judge, observe
from flyball.core.contract import ServiceLevel
from flyball.core.errors import BadInput

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: c
version: "1"
status: draft
schema:
  - name: t
    properties: [{name: at, logicalType: timestamp}, {name: n, logicalType: number}]
"""


def read(level: str) -> Reading:
    return parse_contract(f"{HEAD}slaProperties: [{{{level}}}]\n")


def limit(level: str) -> float:
    (found,) = read(level).contract.levels
    return found.limit


def of(name: str, limit: float, observed: Observed, now: datetime = NOW, **how: float) -> LevelResult:
    (result,) = judge([ServiceLevel(id=name, name=name, limit=limit, column="at")], observed, now, **how)
    return result


def times(*moments: datetime, **more: Any) -> Observed:
    series = pl.Series([moment.astimezone(UTC).replace(tzinfo=None) for moment in moments], dtype=pl.Datetime("us"))
    return Observed(times={"at": Times(moments=series.sort(), **more)})


@pytest.mark.parametrize("short", sorted(SHORT))
def test_every_name_is_read_whatever_its_case_and_by_its_short_form(short: str) -> None:
    value = "value: 2030-01-01" if SHORT[short] in ("generalAvailability", "endOfSupport", "endOfLife") else "value: 1"
    unit = "" if "value: 2030" in value or SHORT[short] in ("availability", "errorRate", "throughput") else ", unit: d"
    value = "value: 0.5" if SHORT[short] in ("availability", "errorRate") else value
    for said in (short, short.upper(), SHORT[short], SHORT[short].lower()):
        (level,) = read(f"property: {said}, {value}{unit}, element: t.at").contract.levels
        assert level.name == SHORT[short]
    assert set(SHORT.values()) == set(NAMES)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("value: 4, unit: d", 4 * 86_400),
        ("value: 4, unit: Days", 4 * 86_400),
        ("value: '90', unit: min", 5_400),
        ("value: 1, unit: mo", MONTH_S),
        ("value: 3, unit: y", 3 * YEAR_S),
        ("value: PT15M", 900),
        ("value: P1M", MONTH_S),
        ("value: 2, unit: P1D", 2 * 86_400),
    ],
)
def test_units_are_read_in_words_letters_and_iso_8601(said: str, seconds: float) -> None:
    assert limit(f"property: latency, element: t.at, {said}") == pytest.approx(seconds)


@pytest.mark.parametrize("said", ["value: 99.9, unit: percent", "value: 0.999", "value: '99.9%'"])
def test_a_share_is_read_in_percent_and_as_a_share(said: str) -> None:
    assert limit(f"property: availability, {said}") == pytest.approx(0.999)


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("property: latency, value: 4, unit: m, element: t.at", "minutes or months"),
        ("property: latency, value: 4, element: t.at", "a unit of time"),
        ("property: latency, value: soon, unit: d, element: t.at", "a number from 0"),
        ("property: latency, value: 4, unit: d, element: t.n", "a column of dates"),
        ("property: latency, value: 4, unit: d, element: t.nowhere", "a column of dates"),
        ("property: endOfLife, value: someday", "a date or a timestamp"),
        ("property: availability, value: 200, unit: percent", "at most 100 percent"),
        ("property: availability, value: 99.9", "of 1, or percent?"),
        ("property: errorRate, value: 1", "of 1, or percent?"),
        ("property: er, value: '5'", "of 1, or percent?"),
    ],
)
def test_a_level_that_cannot_be_judged_is_a_fault(level: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(level)
    assert told in str(caught.value.faults[0])


@pytest.mark.parametrize("name", NAMES[:-4])
def test_what_nobody_observed_is_unknown_and_not_kept(name: str) -> None:
    result = of(name, 1.0, Observed())
    assert (result.standing, result.kept) == (Standing.UNKNOWN, False)
    assert result.reason


def test_the_newest_row_tells_latency_and_freshness() -> None:
    for name in ("latency", "freshness"):
        assert of(name, 3600, times(NOW - timedelta(hours=5), NOW - timedelta(minutes=30))).standing == "OK"
        assert of(name, 3600, times(NOW - timedelta(hours=2))).standing == "VIOLATED"


def test_with_times_of_arrival_latency_is_what_the_slowest_row_took() -> None:
    old = NOW - timedelta(days=9)
    arrived = pl.Series([(old + timedelta(minutes=m)).replace(tzinfo=None) for m in (1, 5)])
    seen = times(old, old + timedelta(seconds=1), arrived=arrived)
    result = of("latency", 600, seen)
    assert (result.standing, result.value) == ("OK", 299.0)


@given(st.integers(-10_000, 10_000))
def test_a_time_in_the_future_never_makes_data_fresh(ahead_s: int) -> None:
    result = of("freshness", 100, times(NOW - timedelta(days=3), NOW + timedelta(seconds=ahead_s)), skew_s=300)
    expected = "VIOLATED" if ahead_s > 300 or ahead_s < -100 else "OK"
    assert result.standing == expected
    assert ("future" in result.reason) == (ahead_s > 300)


def test_time_zones_are_brought_together_and_a_mixture_is_unknown() -> None:
    contract = read("property: latency, value: 2, unit: h, element: t.at").contract
    zoned = observe(pl.DataFrame({"at": ["2026-11-21T11:30:00+02:00", "2026-11-21T03:00:00-05:00"]}), contract)
    assert [r.value for r in judge(contract.levels, zoned, NOW)] == [1800.0]
    mixed = observe(pl.DataFrame({"at": ["2026-11-21T11:30:00+02:00", "2026-11-21T09:30:00"]}), contract)
    (result,) = judge(contract.levels, mixed, NOW)
    assert (result.standing, "offset" in result.reason) == ("UNKNOWN", True)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert judge(contract.levels, zoned, elsewhere) == judge(contract.levels, zoned, NOW)


def test_retention_looks_at_the_oldest_row_and_frequency_at_the_longest_pause() -> None:
    seen = times(*(NOW - timedelta(days=day) for day in (9, 8, 5, 1)))
    assert of("retention", 10 * 86_400, seen).standing == "OK"
    assert of("retention", 8 * 86_400, seen).standing == "VIOLATED"
    assert of("frequency", 4 * 86_400, seen).value == 4 * 86_400
    assert of("frequency", 2 * 86_400, seen).standing == "VIOLATED"
    assert of("frequency", 86_400, times(NOW)).standing == "UNKNOWN"


def test_incidents_count_while_they_last_and_none_at_all_is_a_promise_kept() -> None:
    began = NOW.timestamp() - 3600
    open_one = Observed(incidents=(Incident(began=began, detected=began + 60),))
    assert of("timeToDetect", 120, open_one).standing == "OK"
    assert of("timeToNotify", 120, open_one).standing == "VIOLATED"
    assert of("timeToRepair", 7200, open_one).standing == "OK"
    assert of("timeToRepair", 1, Observed(incidents=())).standing == "OK"
    assert of("timeToDetect", 1, Observed(incidents=(Incident(began=began, detected=began - 5),))).standing == "UNKNOWN"


def test_rates_and_dates() -> None:
    assert of("availability", 0.999, Observed(up=(999, 1000))).standing == "OK"
    assert of("availability", 0.9991, Observed(up=(999, 1000))).standing == "VIOLATED"
    assert of("availability", 0.5, Observed(up=(0, 0))).standing == "UNKNOWN"
    assert of("errorRate", 0.01, Observed(requests=(2, 100))).standing == "VIOLATED"
    assert of("throughput", 10, Observed(rows_per_s=12)).standing == "OK"
    assert of("endOfLife", NOW.timestamp() - 1, Observed()).standing == "VIOLATED"
    assert of("generalAvailability", NOW.timestamp() - 1, Observed()).standing == "OK"


def test_now_has_a_zone() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        of("latency", 1, times(NOW), now=datetime(2026, 11, 21))
