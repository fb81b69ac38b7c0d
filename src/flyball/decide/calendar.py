"""Weeks, months and quarters as the calendar has them, in UTC: a quarter has 90, 91 or 92 days, and no constant."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from flyball.core.declared.review import Period
from flyball.core.record import Record

MONTHS: dict[Period, int] = {"monthly": 1, "quarterly": 3}
MONTH_S = 365.2425 * 86_400 / 12  # mean month of the calendar, for spans that are none of its own


class Span(Record):
    """From a moment up to another one, which is not in it. Both aware, UTC."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()

    @property
    def days(self) -> float:
        return self.seconds / 86_400

    @property
    def months(self) -> float:
        """Whole months counted by the calendar; other spans in mean months.

        >>> Span(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC)).months
        3.0
        >>> round(Span(since=datetime(2026, 1, 5, tzinfo=UTC), until=datetime(2026, 1, 12, tzinfo=UTC)).months, 3)
        0.23
        """
        if start_of("monthly", self.since) == self.since and start_of("monthly", self.until) == self.until:
            return 12.0 * (self.until.year - self.since.year) + self.until.month - self.since.month
        return self.seconds / MONTH_S

    def holds(self, at: datetime) -> bool:
        return self.since <= at < self.until


def start_of(period: Period, at: datetime) -> datetime:
    """The beginning of the period that a moment lies in; a week begins on Monday.

    >>> str(start_of("quarterly", datetime(2026, 11, 27, 5, tzinfo=UTC)))
    '2026-10-01 00:00:00+00:00'
    """
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "weekly":
        return day - timedelta(days=day.weekday())
    months = MONTHS[period]
    return day.replace(day=1, month=(day.month - 1) // months * months + 1)


def following(period: Period, start: datetime) -> datetime:
    """The beginning of the next period, of one that begins at `start`.

    >>> str(following("monthly", datetime(2026, 12, 1, tzinfo=UTC)))
    '2027-01-01 00:00:00+00:00'
    """
    if period == "weekly":
        return start + timedelta(days=7)
    years, month = divmod(start.month - 1 + MONTHS[period], 12)
    return start.replace(year=start.year + years, month=month + 1)


def last_whole(period: Period, now: datetime) -> Span:
    """The newest period that is over.

    >>> span = last_whole("quarterly", datetime(2026, 11, 27, tzinfo=UTC))
    >>> str(span.since.date()), str(span.until.date()), span.days
    ('2026-07-01', '2026-10-01', 92.0)
    """
    return _last_whole_of(period, now.astimezone(UTC).date())


@lru_cache(maxsize=256)  # a controller asks it of each service in each round
def _last_whole_of(period: Period, day: date) -> Span:
    until = start_of(period, datetime.combine(day, time.min, UTC))
    return Span(since=start_of(period, until - timedelta(microseconds=1)), until=until)


def name_of(period: Period, span: Span) -> str:
    """As files are called: `2026-W47`, `2026-11`, `2026-Q3`.

    >>> name_of("weekly", last_whole("weekly", datetime(2026, 1, 5, tzinfo=UTC)))
    '2026-W01'
    """
    since = span.since
    if period == "weekly":
        year, week, _ = since.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{since.year}-{since.month:02d}" if period == "monthly" else f"{since.year}-Q{(since.month + 2) // 3}"
