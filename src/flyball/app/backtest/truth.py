"""Which alarms were right, and how late they came: by changes that somebody knows, else by what the record found out.

A change is detected by the first alarm that begins at or after it, within `within_rows` and before the next change. An
alarm that stood already when the change came cannot tell of it: such a change is neither detected nor missed but
`hidden`. By known changes every alarm that lies within the span of none is false. By the record only that is judged
which the record settled: a promotion or a quality incident proves a change, a dismissed ticket disproves one, and of
any other alarm nobody knows. Unknown is None, never 0.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from flyball.app.backtest.course import Alarm, Course
from flyball.app.backtest.past import Past
from flyball.core.clock import moment
from flyball.core.record import Record


class Truth(Record):
    """What is known about the past."""

    by: Literal["changes", "record", "unknown"]
    why: str  # in words
    changes: tuple[int, ...] = ()  # stream positions, in order
    false: tuple[tuple[int, int], ...] = ()  # spans of rows in which the record found nothing
    within_rows: int = 0


class Judged(Record):
    """The alarms of one course beside the truth. None: nobody knows."""

    false_alarms: int | None = None
    unjudged: int = 0  # alarms of which the truth says nothing
    detected: int | None = None
    missed: int | None = None
    hidden: int | None = None  # changes under an alarm that stood already
    delays_rows: tuple[int, ...] = ()  # of the detected ones
    delay_rows: float | None = None  # their mean
    delay_s: float | None = None


def truth(known: Sequence[int], past: Past, *, within_rows: int, first_row: int, last_row: int) -> Truth:
    """Args: known: changes that the caller names; none: the record has to say it. Rows outside the record are left out.

    >>> truth((120,), Past(service="s"), within_rows=50, first_row=100, last_row=200).changes
    (120,)
    >>> truth((), Past(service="s"), within_rows=50, first_row=100, last_row=200).by
    'unknown'
    """
    if known:
        inside = tuple(sorted({row for row in known if first_row <= row <= last_row}))
        why = f"{len(inside)} known changes" if len(inside) != 1 else "1 known change"
        left = len(set(known)) - len(inside)
        told = f"{why}, {left} outside the record" if left else why
        return Truth(by="changes", why=told, changes=inside, within_rows=within_rows)
    rows = [one.since_row for one in past.tickets if one.outcome == "promoted"]
    rows += [one.row for one in past.incidents]
    false = [(one.row - within_rows, one.row) for one in past.tickets if one.outcome == "dismissed"]
    if not rows and not false:
        return Truth(by="unknown", why="no changes are given, and the record settled no ticket and had no incident")
    why = f"the record: {len(rows)} promotions and incidents, {len(false)} dismissed tickets"
    return Truth(by="record", why=why, changes=tuple(sorted(set(rows))), false=tuple(false), within_rows=within_rows)


def judged(course: Course, known: Truth) -> Judged:
    """Each alarm beside the truth."""
    if known.by == "unknown":
        return Judged(unjudged=len(course.alarms))
    until = pairwise((*known.changes, course.last_row + 1))
    spans = [(row, min(following - 1, row + known.within_rows)) for row, following in until]
    told, hidden, missed = list[Alarm](), 0, 0
    delays: list[int] = []
    for change, end in spans:
        within = [alarm for alarm in course.alarms if change <= alarm.row <= end]
        told += within
        if within:
            delays.append(within[0].row - change)
        elif any(_stood(alarm, change) for alarm in course.alarms):
            hidden += 1
        else:
            missed += 1
    others = [alarm for alarm in course.alarms if alarm not in told]
    false = others if known.by == "changes" else [alarm for alarm in others if _within(alarm, known.false)]
    settled = known.by == "changes" or bool(known.false)
    mean = sum(delays) / len(delays) if delays else None
    return Judged(
        false_alarms=len(false) if settled else None,
        unjudged=len(others) - len(false),
        detected=len(delays) if spans else None,
        missed=missed if spans else None,
        hidden=hidden if spans else None,
        delays_rows=tuple(delays),
        delay_rows=mean,
        delay_s=None if mean is None else mean * _row_s(course),
    )


def rows_of(texts: Sequence[str], course: Sequence[tuple[int, float]]) -> tuple[list[int], list[str]]:
    """Stream positions that rows and times mean, and the texts that are neither.

    Args: course: positions and seconds since the epoch, both growing.

    >>> rows_of(["120", "1970-01-01T00:00:50Z", "soon"], [(100, 0.0), (200, 100.0)])
    ([120, 150], ['soon'])
    """
    found, faulty = list[int](), list[str]()
    for text in texts:
        if text.isdecimal():
            found.append(int(text))
            continue
        try:
            at = moment(text)
            found.append(row_at(at.timestamp(), course))
        except (ValueError, TypeError):
            faulty.append(text)
    return found, faulty


def row_at(at: float, course: Sequence[tuple[int, float]]) -> int:
    """The first row at or after a moment; outside the record beyond its rows."""
    if at < course[0][1]:
        return course[0][0] - 1
    for (row, since), (last, until) in pairwise(course):
        if since <= at <= until:
            share = (at - since) / (until - since) if until > since else 0.0
            return row + round(share * (last - row))
    return course[-1][0] + 1


def _stood(alarm: Alarm, row: int) -> bool:
    return alarm.row < row and (alarm.until_row is None or alarm.until_row > row)


def _within(alarm: Alarm, spans: Sequence[tuple[int, int]]) -> bool:
    return any(first <= alarm.row <= last for first, last in spans)


def _row_s(course: Course) -> float:
    rows = course.last_row - course.first_row + 1
    return (course.last_at - course.first_at) / rows if rows > 0 else 0.0
