"""The last 5 minutes, hour, day and 7 days of each arm, and its last hour beside the same hour of earlier weeks. Pure.

All of them are sums of the same kept buckets of five minutes. A span reaches back to the start of the bucket that it
begins in, so it is up to five minutes longer than its name; the hour is the newest whole one.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from flyball.app.monitor.arm_sums import ArmSums, Summed
from flyball.core.clock import timestamp
from flyball.core.record import Record
from flyball.core.service import Psi
from flyball.monitor.state.frame import Frame
from flyball.monitor.state.reading import CountsRead, beside_earlier, beside_reference
from flyball.monitor.state.windows import DAY, HOUR, MINUTES_5, WEEK, TimedState, seasonal

Over = Literal["5m", "1h", "24h", "7d", "hour"]
SPANS: dict[Over, float] = {"5m": MINUTES_5, "1h": HOUR, "24h": DAY, "7d": WEEK}  # seconds
WEEKS = 4  # that a last hour is beside


class KeptWindow(Record):
    """What the rows of one span say, its times in RFC 3339."""

    over: Over  # `hour`: beside the same hour of the week; the others beside the release's reference
    start: str
    end: str
    first: str | None  # start of the oldest counts in it; None: it has none
    rows: int
    verdict: Literal["OK", "DRIFT", "INSUFFICIENT"]  # DRIFT: anything drifted; else that of the largest one
    level: Literal["warn", "act"] | None  # the highest of those that drifted; None: none did
    largest: CountsRead | None  # the largest PSI that can be told; None: not enough
    drifted: tuple[str, ...]  # names, largest PSI first
    reason: str  # why it is not enough, where it is not
    weeks: int | None = None  # earlier weeks that have rows in that hour; None: not asked
    earlier_rows: int | None = None  # in these


class ArmWindows(Record):
    """One arm of a service."""

    arm: str  # `champion`, `candidate`, or an arm of an A/B test
    release: str
    windows: tuple[KeptWindow, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be read, and why


def arm_windows(
    arm: str, release: str, panes: Iterable[TimedState], frame: Frame, *, at: float, limits: Psi
) -> ArmWindows:
    """Each pane is added as it comes and let go.

    Args: panes: of the last five weeks, or what there is of them. at: now, seconds since the epoch.
    """
    sums = ArmSums(frame, at, SPANS.values(), WEEKS)
    for pane in panes:
        sums.add(pane)
    return ArmWindows(
        arm=arm,
        release=release,
        windows=(*(_span(over, found, limits) for over, found in zip(SPANS, sums.spans(), strict=True)),
                 _hour(sums.hour, sums.earlier, limits)),
    )  # fmt: skip


def _span(over: Over, found: Summed, limits: Psi) -> KeptWindow:
    read = beside_reference(found.state, limits)
    return _window(over, found, read, reason=_too_few(found.state.rows, read))


def _hour(found: Summed, weeks: Sequence[Summed], limits: Psi) -> KeptWindow:
    panes = [TimedState(start=each.since, end=each.until, state=each.state) for each in weeks if each.first is not None]
    before = seasonal(panes, found.state.frame, found.since, weeks=WEEKS)
    read = beside_earlier(found.state, before.state, limits)
    reason = before.reason or _too_few(min(found.state.rows, before.state.rows), read)
    return _window("hour", found, read, reason=reason, weeks=before.weeks, earlier_rows=before.state.rows)


def _window(
    over: Over,
    found: Summed,
    read: Sequence[CountsRead],
    *,
    reason: str,
    weeks: int | None = None,
    earlier_rows: int | None = None,
) -> KeptWindow:
    told = [each for each in read if each.verdict != "INSUFFICIENT"]
    largest = told[0] if told else None
    drifted = [each for each in told if each.verdict == "DRIFT"]  # the largest may be as far away as it usually is
    level: Literal["warn", "act"] | None = None
    if drifted:
        level = "act" if any(each.level == "act" for each in drifted) else "warn"
    return KeptWindow(
        over=over,
        start=_rfc3339(found.since),
        end=_rfc3339(found.until),
        first=None if found.first is None else _rfc3339(found.first),
        rows=found.state.rows,
        verdict="DRIFT" if drifted else largest.verdict if largest else "INSUFFICIENT",
        level=level,
        largest=largest,
        drifted=tuple(each.name for each in drifted),
        reason="" if largest else reason,
        weeks=weeks,
        earlier_rows=earlier_rows,
    )


def _too_few(rows: int, read: Sequence[CountsRead]) -> str:
    if not rows:
        return "no rows"
    return read[0].reason if read else "nothing is watched"


def _rfc3339(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
