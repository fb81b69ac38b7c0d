"""What is due, what is overdue, and that neither depends on how often anybody asked."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.clock import moment, timestamp
from flyball.core.declared.review import PERIODS
from flyball.decide.overdue import due_digests, overdue_digests, overdue_since

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
DAY_S = 86_400.0


@given(MOMENTS, MOMENTS)
def test_what_was_written_is_due_no_more(began: datetime, now: datetime) -> None:
    due = due_digests(PERIODS, written={}, began_at=timestamp(began), now=timestamp(now))
    written = {str(period): timestamp(span.until) for period, span in due}
    assert due_digests(PERIODS, written=written, began_at=timestamp(began), now=timestamp(now)) == ()


@given(MOMENTS, MOMENTS, st.floats(0, 10 * DAY_S))
def test_what_is_overdue_is_due(began: datetime, now: datetime, grace_s: float) -> None:
    at = timestamp(now)
    due = {f"digest-{period}" for period, _ in due_digests(PERIODS, written={}, began_at=timestamp(began), now=at)}
    late = overdue_digests(PERIODS, written={}, began_at=timestamp(began), now=at, grace_s=grace_s)
    assert {each.what for each in late} <= due
    assert all(moment(each.due_at) <= now for each in late)


def test_a_service_owes_no_digest_of_a_week_in_which_it_was_not_there() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    began = timestamp(monday + timedelta(seconds=1))
    assert due_digests(("weekly",), written={}, began_at=began, now=timestamp(monday + timedelta(days=6))) == ()
    assert due_digests(("weekly",), written={}, began_at="", now=timestamp(monday)) == ()


def test_an_overdue_digest_names_its_cause_and_the_last_one() -> None:
    now = "2026-11-25T00:00:00.000000Z"
    (late,) = overdue_digests(
        ("weekly",),
        written={"weekly": "2026-11-16T00:00:00.000000Z"},
        began_at="2026-01-01T00:00:00.000000Z",
        now=now,
        grace_s=DAY_S,
    )
    assert late.cause == "overdue/digest-weekly"
    assert late.due_at == "2026-11-24T00:00:00.000000Z"
    assert "2026-11-16" in late.why


def test_in_its_grace_a_digest_is_due_and_not_overdue() -> None:
    now, began = "2026-11-23T12:00:00.000000Z", "2026-11-01T00:00:00.000000Z"
    assert due_digests(("weekly",), written={}, began_at=began, now=now)
    assert not overdue_digests(("weekly",), written={}, began_at=began, now=now, grace_s=DAY_S)


@given(MOMENTS, st.floats(60, 100 * DAY_S))
def test_an_interval_counts_from_the_last_time_and_before_it_from_the_beginning(
    began: datetime, every_s: float
) -> None:
    first, just = timestamp(began), timestamp(began + timedelta(seconds=every_s + 1))
    assert overdue_since("drill-all", every_s=every_s, last_at="", began_at=first, now=just) is not None
    assert overdue_since("drill-all", every_s=every_s, last_at=just, began_at=first, now=just) is None
    assert overdue_since("drill-all", every_s=every_s, last_at="", began_at="", now=just) is None
