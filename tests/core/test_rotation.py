"""Who is on call: at every moment one order of the levels, and it changes where a turn begins and nowhere else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.clock import timestamp
from flyball.core.declared.alerts import Alerts, Rotation

START = datetime(2026, 11, 30, 9, tzinfo=UTC)
PEOPLE = ("ada", "bob", "cat", "dan")


def alerts(people: tuple[str, ...], turn_s: float, levels: int | None = None) -> Alerts:
    return Alerts(on_call=people, rotation=Rotation(start="2026-11-30T10:00:00+01:00", turn_s=turn_s, levels=levels))


def at(alerts_: Alerts, seconds: float) -> list[str]:
    return [who for (who,) in alerts_.levels_at(timestamp(START + timedelta(seconds=seconds)))]


@given(st.integers(2, 4), st.integers(1, 10**6), st.integers(0, 200))
def test_a_turn_begins_with_its_second_and_everybody_is_first_as_often(people: int, turn_s: int, turn: int) -> None:
    found = alerts(PEOPLE[:people], turn_s)
    first = at(found, turn * turn_s)
    assert first == at(found, (turn + 1) * turn_s - 1e-6)
    assert sorted(first) == list(PEOPLE[:people])
    assert first[0] == PEOPLE[turn % people]
    assert at(found, (turn + 1) * turn_s)[0] == first[1]  # the second of this turn is the first of the next one


@given(st.integers(0, 10**9))
def test_before_the_first_turn_nobody_has_moved(before_s: int) -> None:
    assert at(alerts(PEOPLE, 3600), -before_s) == list(PEOPLE)


def test_levels_behind_those_that_turn_stay_where_they_are() -> None:
    found = alerts(PEOPLE, 3600, levels=2)
    assert [at(found, hours * 3600) for hours in range(3)] == [
        ["ada", "bob", "cat", "dan"],
        ["bob", "ada", "cat", "dan"],
        ["ada", "bob", "cat", "dan"],
    ]


def test_teams_turn_as_people_do_and_without_a_rotation_nothing_moves() -> None:
    found = Alerts(on_call=(("ada", "bob"), "cat"), rotation=Rotation(start="2026-11-30T09:00:00Z"))
    assert found.levels_at("2026-12-07T09:00:00.000000Z") == (("cat",), ("ada", "bob"))
    assert Alerts(on_call=("ada", "bob")).levels_at("2030-01-01T00:00:00.000000Z") == (("ada",), ("bob",))
