"""A schedule asks for a state: however many of its moments have passed, it asks once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import BadInput
from flyball.decide.schedule import due

START = datetime(2026, 11, 23, tzinfo=UTC)
SECONDS = st.integers(0, 40 * 86_400)


@given(st.sampled_from(["0 3 * * *", "*/5 * * * *", "0 3 * * 0", "30 12 1 * *"]), SECONDS, SECONDS)
def test_what_is_due_came_after_and_is_answered_by_its_own_moment(schedule: str, since_s: int, more_s: int) -> None:
    since = START + timedelta(seconds=since_s)
    now = since + timedelta(seconds=more_s)
    found = due(schedule, since, now)
    if found is not None:
        assert since < found <= now
        assert due(schedule, found, found) is None
    else:
        assert due(schedule, since, now - timedelta(seconds=1)) is None  # what is not due now was not before


def test_what_is_no_schedule_is_said() -> None:
    with pytest.raises(BadInput, match="no schedule"):
        due("every monday", START, START)
