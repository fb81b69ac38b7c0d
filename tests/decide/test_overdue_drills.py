"""Drills that are due: by the facts alone, and never before their time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.clock import timestamp
from flyball.core.declared.review import PERIODS, Period
from flyball.decide.overdue_drills import EVERY_S, LATE_S, overdue_drills

BEGAN = datetime(2026, 1, 5, 10, tzinfo=UTC)


def due(
    *, drills: dict[str, float] | None = None, exercised: dict[str, float] | None = None, period: Period, days: float
) -> list[str]:
    def moments(of: dict[str, float] | None) -> dict[str, str]:
        return {name: timestamp(BEGAN + timedelta(days=at)) for name, at in (of or {}).items()}

    found = overdue_drills(
        {"disaster": period, "fallback": period},
        drills=moments(drills),
        exercised=moments(exercised),
        links=("previous", "rule"),
        began_at=timestamp(BEGAN),
        now=timestamp(BEGAN + timedelta(days=days)),
    )
    return [each.what for each in found]


@given(st.sampled_from(PERIODS), st.floats(0, 400), st.floats(0, 200))
def test_what_was_done_within_its_period_is_never_overdue(period: Period, last: float, since: float) -> None:
    found = due(drills={"disaster": last}, exercised={"previous": last, "rule": last}, period=period, days=last + since)
    late = since * 86_400 >= EVERY_S[period]
    assert ("drill-disaster" in found) == late
    assert bool({"drill-fallback-rule", "drill-fallback-previous"} & set(found)) == (
        since * 86_400 >= EVERY_S[period] + LATE_S[period]
    )


def test_a_link_that_was_tried_says_nothing_of_the_others() -> None:
    assert due(exercised={"previous": 19}, drills={"disaster": 19}, period="weekly", days=20) == ["drill-fallback-rule"]


def test_a_service_that_has_just_begun_owes_nothing() -> None:
    assert due(period="weekly", days=6.9) == []
    assert due(period="weekly", days=7) == ["drill-disaster"]
