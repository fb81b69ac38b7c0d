"""The alert budget: pages of a person in the worst week, however the weeks of the calendar fall."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.review.quarter import entries, facts
from tests.control.world import NAME

from flyball.control.review.paging import NOBODY, most_in_a_week, paging
from flyball.control.review.past import Past, Told
from flyball.control.review.reading import past_of
from flyball.core.clock import moment, timestamp

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.lists(st.integers(0, 24 * 40), max_size=30)


@given(HOURS)
def test_the_worst_week_is_what_looking_at_each_page_would_find(hours: list[int]) -> None:
    times = [START + timedelta(hours=hour) for hour in hours]
    slow = max((sum(at <= other < at + timedelta(days=7) for other in times) for at in times), default=0)
    assert most_in_a_week(timestamp(at) for at in times) == slow


def test_six_pages_of_a_night_are_over_a_budget_of_five_and_within_one_of_six() -> None:
    past = past_of(entries(facts()), NAME)
    (found,) = paging(past, 5)
    assert (found.person, found.pages, found.most, found.over) == ("ada", 6, 6, True)
    assert found.causes == {"errors0": 3, "errors1": 3}
    assert not paging(past, 6)[0].over


def test_pages_more_than_a_week_apart_do_not_add_up() -> None:
    past = past_of(entries(facts()), NAME)
    later = [replace(each, at=timestamp(moment(each.at) + timedelta(days=7 * n))) for n, each in enumerate(past.told)]
    (found,) = paging(Past(told=tuple(later)), 5)
    assert (found.pages, found.most, found.over) == (6, 1, False)


def test_tickets_wake_nobody_and_a_page_without_a_name_is_counted() -> None:
    at = timestamp(START)
    ticket = Told(seq=1, at=at, what="Drift", urgency="ticket", people=("ada",), cause="drift")
    page = Told(seq=2, at=at, what="Errors", urgency="page", people=(), cause="errors")
    assert [each.person for each in paging(Past(told=(ticket, page)), 5)] == [NOBODY]
