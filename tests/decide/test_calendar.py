"""Periods of the calendar: they follow one another without a gap, and their lengths are the calendar's own."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.review import PERIODS, Period
from flyball.decide.calendar import Span, following, last_whole, name_of, start_of

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
SOME = st.sampled_from(PERIODS)


@given(SOME, MOMENTS)
def test_a_moment_lies_in_the_period_that_begins_before_it(period: Period, at: datetime) -> None:
    start = start_of(period, at)
    assert start <= at < following(period, start)
    assert start_of(period, start) == start


@given(SOME, MOMENTS)
def test_the_last_whole_period_ends_where_the_running_one_begins(period: Period, at: datetime) -> None:
    span = last_whole(period, at)
    assert span.until == start_of(period, at)
    assert following(period, span.since) == span.until


@given(MOMENTS)
def test_four_quarters_are_the_days_of_a_year(at: datetime) -> None:
    start = datetime(at.year, 1, 1, tzinfo=UTC)
    ends = [start]
    for _ in range(4):
        ends.append(following("quarterly", ends[-1]))
    assert ends[-1] == datetime(at.year + 1, 1, 1, tzinfo=UTC)
    lengths = [Span(since=a, until=b).days for a, b in itertools.pairwise(ends)]
    assert sum(lengths) == (datetime(at.year + 1, 1, 1) - datetime(at.year, 1, 1)).days
    assert set(lengths) <= {90.0, 91.0, 92.0}


@given(SOME, MOMENTS)
def test_no_two_periods_have_one_name(period: Period, at: datetime) -> None:
    span = last_whole(period, at)
    assert name_of(period, span) != name_of(period, last_whole(period, span.since))


def test_a_quarter_of_91_days_is_three_months_and_not_91_of_90_days() -> None:
    span = Span(since=datetime(2026, 4, 1, tzinfo=UTC), until=datetime(2026, 7, 1, tzinfo=UTC))
    assert (span.days, span.months) == (91.0, 3.0)
    assert Span(since=span.since, until=span.until + timedelta(days=1)).months > 3.0
