"""Service levels of a data contract, judged: kept, broken, or unknown, each with what was measured and why.

Theory of operation. `observe` looks at the table's own times, once; what only an operator knows (arrivals, uptime,
incidents) is handed in. `judge` is a pure function of levels, observations and the time. What was not observed is
UNKNOWN, and never passes for kept. Two mistakes are guarded against:
- a time in the future makes old data look fresh: beyond the allowed skew of clocks it breaks the level, within it the
  age is 0;
- texts with and without an offset in one column have no common order: the level is UNKNOWN until the contract says
  where the bare ones were written (`defaultTimezone`). With that, every time is compared in UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl

from flyball.contracts.rows.values import has_offset
from flyball.contracts.tables.column_tests import readable
from flyball.core.contract import DataContract, ServiceLevel
from flyball.core.record import Record

SKEW_S = 300.0  # two clocks of a well-kept network differ by far less


class Standing(StrEnum):
    """What is known about a level."""

    OK = "OK"
    VIOLATED = "VIOLATED"
    UNKNOWN = "UNKNOWN"


class LevelResult(Record):
    """The word on one level."""

    level: str  # its id
    name: str
    standing: Standing
    reason: str  # for people: what was measured against what
    value: float | None = None  # in the unit of the limit; None where nothing could be measured
    limit: float = 0.0  # seconds, a share 0..1, rows/s or seconds since 1970, as in `ServiceLevel`

    @property
    def kept(self) -> bool:
        return self.standing is Standing.OK


class Incident(Record):
    """One thing that went wrong with the data; times are seconds since 1970, None: not yet."""

    began: float
    detected: float | None = None
    notified: float | None = None
    repaired: float | None = None


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times of one column."""

    moments: pl.Series  # distinct, rising, in UTC
    missing: int = 0  # rows without a readable time, count
    mixed: bool = False  # some texts name their offset and some do not
    arrived: pl.Series | None = None  # when each of `moments` arrived, in UTC, where somebody knows


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What was seen. None: nobody looked."""

    times: Mapping[str, Times] = field(default_factory=dict)  # by column
    up: tuple[int, int] | None = None  # probes that were answered, probes
    requests: tuple[int, int] | None = None  # failed, all
    rows_per_s: float | None = None
    incidents: tuple[Incident, ...] | None = None  # empty: somebody looked, and there were none
    unknown: Mapping[str, str] = field(default_factory=dict)  # name of a level -> why it cannot be judged


def observe(frame: pl.DataFrame, contract: DataContract) -> Observed:
    """The times of the columns that the contract's levels name.

    >>> from flyball.core.contract import Column
    >>> level = ServiceLevel(id="latency of at", name="latency", limit=60.0, column="at")
    >>> columns = (Column(name="at", kind="timestamp"),)
    >>> contract = DataContract(id="c", version="1", table="t", columns=columns, levels=(level,))
    >>> observe(pl.DataFrame({"at": ["2026-11-21T10:00:00+02:00", None]}), contract).times["at"].moments.to_list()
    [datetime.datetime(2026, 11, 21, 8, 0)]
    """
    wanted = {level.column for level in contract.levels if level.column}
    columns = {column.name: column for column in contract.promised if column.name in wanted}
    times: dict[str, Times] = {}
    for name, column in columns.items():
        if name not in frame.columns:
            continue
        moments = frame.select(readable(column, frame).value.cast(pl.Datetime("us")).alias(name)).get_column(name)
        known = moments.drop_nulls()
        mixed = False
        if frame.schema[name] == pl.String and column.kind == "timestamp" and column.default_timezone is None:
            texts = frame.get_column(name).filter(moments.is_not_null())
            forms = texts.str.replace_all(r"[0-9]", "0").unique()  # few shapes, however many values
            mixed = len({has_offset(column, text) for text in forms}) > 1
        times[name] = Times(moments=known.unique().sort(), missing=moments.len() - known.len(), mixed=mixed)
    return Observed(times=times)


def judge(
    levels: Iterable[ServiceLevel], observed: Observed, now: datetime, *, skew_s: float = SKEW_S
) -> tuple[LevelResult, ...]:
    """One answer a level, in order.

    Args:
        now: aware; what the ages are measured from.
        skew_s: how far ahead of `now` a time may be before it counts as a time in the future, seconds.

    >>> at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    >>> level = ServiceLevel(id="latency of at", name="latency", limit=3600.0, column="at")
    >>> seen = Observed(times={"at": Times(moments=pl.Series([datetime(2026, 11, 21, 9, 30)]))})
    >>> [(r.standing.value, r.value) for r in judge([level], seen, at)]
    [('OK', 1800.0)]
    >>> seen = Observed(times={"at": Times(moments=pl.Series([datetime(2026, 11, 21, 11, 30)]))})
    >>> [r.standing.value for r in judge([level], seen, at)], [r.standing.value for r in judge([level], Observed(), at)]
    (['VIOLATED'], ['UNKNOWN'])
    """
    if now.tzinfo is None:
        raise ValueError("now: expected an aware time, found one without a zone")
    return tuple(_judge(level, observed, now.astimezone(UTC), skew_s) for level in levels)


def _judge(level: ServiceLevel, observed: Observed, now: datetime, skew_s: float) -> LevelResult:
    if level.name in observed.unknown:
        return _unknown(level, observed.unknown[level.name])
    match level.name:
        case "latency" | "freshness" | "frequency" | "retention":
            return _of_times(level, observed.times.get(level.column or ""), now, skew_s)
        case "availability":
            return _of_share(level, observed.up, least=True)
        case "errorRate":
            return _of_share(level, observed.requests, least=False)
        case "throughput":
            if observed.rows_per_s is None:
                return _unknown(level, "nobody measured it")
            kept = observed.rows_per_s >= level.limit
            return _told(level, kept, observed.rows_per_s, f"{observed.rows_per_s:g} rows/s, promised {level.limit:g}")
        case "timeToDetect" | "timeToNotify" | "timeToRepair":
            return _of_incidents(level, observed.incidents, now)
        case "generalAvailability":
            there = now.timestamp() >= level.limit
            return _told(level, there, now.timestamp(), f"available from {level.said}")
        case "endOfSupport" | "endOfLife":
            before = now.timestamp() < level.limit
            return _told(level, before, now.timestamp(), f"until {level.said}")
        case _:
            return _unknown(level, f"{level.name} is not judged")


def _of_times(level: ServiceLevel, times: Times | None, now: datetime, skew_s: float) -> LevelResult:
    if times is None:
        return _unknown(level, f"no column {level.column} was observed")
    if times.mixed:
        return _unknown(level, f"{level.column} has times with and without an offset: declare a defaultTimezone")
    if times.moments.is_empty():
        return _unknown(level, f"{level.column} has no time that can be read")
    ages = [(now - moment.replace(tzinfo=UTC)).total_seconds() for moment in _ends(times.moments)]
    oldest, newest = ages
    if newest < -skew_s:
        ahead = f"{level.column} has a time {duration(-newest)} in the future, beyond a skew of {duration(skew_s)}"
        return _told(level, False, newest, ahead)
    missing = f"; {times.missing} rows have no time" if times.missing else ""
    age = max(0.0, newest)
    match level.name:
        case "retention":
            return _told(level, oldest <= level.limit, oldest, _against("the oldest row is", oldest, level) + missing)
        case "frequency":
            if times.moments.len() < 2:
                return _unknown(level, f"{level.column} has one time only, so nothing came after it")
            between = times.moments.diff().drop_nulls().dt.total_seconds(fractional=True).max()
            assert isinstance(between, (int, float))
            gap = max(float(between), age)
            return _told(level, gap <= level.limit, gap, _against("the longest pause was", gap, level) + missing)
        case "latency" if times.arrived is not None:
            late = (times.arrived - times.moments).drop_nulls().dt.total_seconds(fractional=True)
            if late.len() < times.moments.len():
                return _unknown(level, "some rows have no time of arrival")
            slowest = late.max()
            assert isinstance(slowest, (int, float))
            took = max(0.0, float(slowest))
            return _told(level, took <= level.limit, took, _against("the slowest row took", took, level) + missing)
        case _:
            return _told(level, age <= level.limit, age, _against("the newest row is", age, level) + missing)


def _ends(moments: pl.Series) -> Sequence[datetime]:
    return [moments[0], moments[-1]]


def _of_share(level: ServiceLevel, counted: tuple[int, int] | None, *, least: bool) -> LevelResult:
    if counted is None or counted[1] <= 0:
        return _unknown(level, "nothing was counted")
    share = counted[0] / counted[1]
    words = "promised at least" if least else "promised at most"
    kept = share >= level.limit if least else share <= level.limit
    return _told(level, kept, share, f"{share:.4%} of {counted[1]}, {words} {level.limit:.4%}")


def _of_incidents(level: ServiceLevel, incidents: tuple[Incident, ...] | None, now: datetime) -> LevelResult:
    if incidents is None:
        return _unknown(level, "nobody kept a record of incidents")
    if not incidents:
        return _told(level, True, None, "no incident in the time observed")
    name = {"timeToDetect": "detected", "timeToNotify": "notified", "timeToRepair": "repaired"}[level.name]
    worst, still = 0.0, False
    for incident in incidents:
        ended = getattr(incident, name)
        took = (now.timestamp() if ended is None else ended) - incident.began
        if took < 0:
            return _unknown(level, f"an incident was {name} {duration(-took)} before it began")
        if took >= worst:
            worst, still = took, ended is None
    kept = worst <= level.limit
    words = f"an incident is not {name} after" if still else f"the slowest was {name} after"
    return _told(level, kept, worst, _against(words, worst, level))


def _against(words: str, value: float, level: ServiceLevel) -> str:
    old = " old" if words.endswith("row is") else ""
    return f"{words} {duration(value)}{old}, promised at most {duration(level.limit)}"


def _told(level: ServiceLevel, kept: bool, value: float | None, reason: str) -> LevelResult:
    standing = Standing.OK if kept else Standing.VIOLATED
    return LevelResult(
        level=level.id, name=level.name, standing=standing, reason=reason, value=value, limit=level.limit
    )


def _unknown(level: ServiceLevel, reason: str) -> LevelResult:
    return LevelResult(level=level.id, name=level.name, standing=Standing.UNKNOWN, reason=reason, limit=level.limit)


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(90), duration(7200), duration(259_200)
    ('1.5 min', '2 h', '3 d')
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= size * (2 if unit == "d" else 1):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
