"""The book of incidents: one of each id, a day that is counted, drills apart."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.world import NAME

from flyball.control.state.incident_state import IncidentBook, folded
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.facts.incident import IncidentKind

BEGAN = moment("2026-11-21T10:00:00.000000Z").timestamp()


def at(hours: float) -> str:
    return timestamp(datetime.fromtimestamp(BEGAN + hours * 3600, UTC))


def opened(name: str, kind: IncidentKind = "health", cause: str = "errors") -> e.IncidentOpened:
    return e.IncidentOpened(service=NAME, incident=name, kind=kind, reason="r", cause=cause)


def closed(name: str) -> e.IncidentClosed:
    return e.IncidentClosed(service=NAME, incident=name, how="recovered", reason="over")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_open_are_those_that_were_opened_and_not_closed(told: list[tuple[str, bool]]) -> None:
    book, expected = IncidentBook(), set[str]()
    for hour, (name, opens) in enumerate(told):
        book = folded(book, opened(name) if opens else closed(name), at(hour))
        expected = expected | {name} if opens else expected - {name}
    assert set(book.open) == expected


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12).map(sorted))
def test_a_day_counts_what_was_opened_in_the_24_hours_before(hours: list[float]) -> None:
    book = IncidentBook()
    for number, hour in enumerate(hours):
        book = folded(book, opened(f"in-{number}"), at(hour))
    assert book.in_a_day("errors", at(hours[-1])) == sum(hour >= hours[-1] - 24 for hour in hours)
    assert book.in_a_day("latency", at(hours[-1])) == 0
    assert book.in_a_day("errors", at(hours[-1] + 25)) == 0


def test_a_drill_is_open_but_counts_for_no_day() -> None:
    book = folded(IncidentBook(), opened("in-1", kind="drill"), at(0))
    assert list(book.open) == ["in-1"]
    assert book.in_a_day("errors", at(0)) == 0


def test_an_incident_of_an_earlier_version_has_its_kind_for_a_cause() -> None:
    book = folded(IncidentBook(), opened("in-1", kind="data_quality", cause=""), at(0))
    found = book.of_cause("data_quality")
    assert found is not None
    assert found.opened.incident == "in-1"


def test_what_a_drill_broke_does_not_count_toward_the_incidents_that_roll_back() -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="nan_burst", share=0.05, until=at(2), by="ada", proof="os_user"
    )
    broken = replace(opened("in-1"), kind="data_quality", cause="data_quality")
    for drill, fact, counts in (
        (begun, broken, 0),
        (None, broken, 1),
        (replace(begun, fault="latency"), broken, 1),  # which breaks no data: so it is real
        (replace(begun, until=at(0)), broken, 1),
    ):
        assert folded(IncidentBook(), fact, at(1), drill=drill).in_a_day("data_quality", at(1)) == counts
