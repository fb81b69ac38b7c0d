"""Maturity: 28 tests, the smallest section counts, and a level is what was shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.review.quarter import QUARTER, entries, facts
from tests.control.review.test_readiness import ALL, last_hours, whole
from tests.control.world import NAME, SECOND, first_champion, service
from tests.control.world import entries as at_once

from flyball.control.review.maturity import Maturity, maturity
from flyball.control.review.readiness import Looked
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.release import TestResult

END = timestamp(QUARTER.until)
NOW = "2026-11-27T10:00:00.000000Z"


def _mature(*more: e.AnyFact, looked: Looked = ALL) -> Maturity:
    known = at_once([*first_champion(), *last_hours(), *more], at="2026-11-27T08:00:00.000000Z")
    return maturity(whole(), known, looked, NOW)


def _points(found: Maturity, name: str) -> float:
    return next(test.points for test in found.tests if test.name == name)


def test_there_are_seven_tests_in_each_of_four_sections() -> None:
    found = maturity(service(), entries(facts()), Looked(), END)
    by_section: list[str] = [test.section for test in found.tests]
    assert {section: by_section.count(section) for section in found.sections} == dict.fromkeys(found.sections, 7)
    assert len({test.name for test in found.tests}) == 28


def test_the_score_is_the_smallest_of_the_sections() -> None:
    found = maturity(service(), entries(facts()), ALL, END)
    assert found.score == min(found.sections.values())
    assert sum(found.sections.values()) == sum(test.points for test in found.tests)


def test_an_empty_ledger_has_no_point_whatever_is_declared() -> None:
    found = maturity(whole(), [], ALL, END)
    assert found.score == 0
    assert {test.points for test in found.tests} == {0}
    assert found.level.number == 0
    assert found.level.next == "instrumented"


def test_no_point_is_without_a_fact_and_its_age() -> None:
    for found in (_mature(), maturity(service(), entries(facts()), ALL, END)):
        for test in found.tests:
            assert test.points in (0, 0.5, 1)
            assert bool(test.points) == bool(test.evidence), test.name
            assert (test.age_s is not None) == bool(test.evidence)
            assert bool(test.todo) == (test.points < 1), test.name


@given(st.data())
def test_fewer_facts_never_make_more_of_a_service(data: st.DataObject) -> None:
    """Each fact that shows something may be taken away; none of them is what holds a point down."""
    kept = [fact for fact in last_hours() if data.draw(st.booleans())]
    some = maturity(whole(), at_once([*first_champion(), *kept], at="2026-11-27T08:00:00.000000Z"), ALL, NOW)
    full = _mature()
    assert some.level.number <= full.level.number
    assert sum(some.sections.values()) <= sum(full.sections.values())


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("what each input may be is written down, and held", "contract"),
        ("nothing simpler does as well", "better than a dummy by accuracy"),
        ("it is good enough on each slice that matters", "slice region=EU"),
    ],
)
def test_a_point_of_the_champions_own_tests_falls_with_a_failure(name: str, test: str) -> None:
    suite = "model" if test.startswith("slice") else "data" if test == "contract" else "training"
    passed = TestResult(suite=suite, name=test, dimension="quality", verdict="PASS", reason="-")  # type: ignore[arg-type]
    judged = e.GatesJudged(service=NAME, release=SECOND, passed=True, results=(), tests=(passed,))
    failed = replace(judged, tests=(passed, replace(passed, verdict="FAIL")))
    assert _points(_mature(judged), name) == 1
    assert _points(_mature(failed), name) == 0
    assert _points(_mature(), name) == 0


def test_a_remedy_by_hand_is_half_of_one_without() -> None:
    found = maturity(service(), entries(facts()), Looked(), END)
    assert _points(found, "a bad model is taken back, fast") == 1  # the gateway did
    by_hand = [each for each in facts() if not isinstance(each[1], e.RolledBack)]
    assert _points(maturity(service(), entries(by_hand), Looked(), END), "a bad model is taken back, fast") == 0.5


def test_all_that_a_service_can_show_is_the_highest_level_and_one_thing_less_names_its_cost_and_gain() -> None:
    assert (_mature().level.number, _mature().level.name, _mature().level.next) == (3, "governed", None)
    less = _mature(looked=replace(ALL, runbooks=Looked().runbooks)).level
    assert (less.number, less.next) == (2, "governed")
    (need,) = less.missing
    assert need.state == "UNKNOWN"
    assert need.cost
    assert need.gain


def test_what_is_watched_and_not_yet_automatic_stands_at_level_one() -> None:
    """Signed, watched, probed and labelled; nothing was ever rolled out, retrained or taken back by itself."""
    healthy = [fact for fact in last_hours() if isinstance(fact, e.HealthChanged)]
    first = replace(first_champion()[1], signature="s")
    known = at_once([*first_champion(), first, *healthy], at="2026-11-27T08:00:00.000000Z")
    level = maturity(whole(), known, ALL, NOW).level
    assert (level.number, level.name, level.next) == (1, "instrumented", "automated")
    assert {need.name for need in level.missing} == {
        "a shadow has passed",
        "a retraining went through with no hand",
        "there is a release to go back to",
        "the way back was taken",
        "alerts are tested",
        "the fallback chain was tried: previous",
    }
    for name in ("champion", "controller", "labels"):  # and one thing less that sees is none
        blind = maturity(whole(), known, replace(ALL, **{name: Looked().labels}), NOW).level
        assert (blind.number, blind.next, len(blind.missing)) == (0, "instrumented", 1)


def test_the_quarter_is_manual_and_its_points_are_countable() -> None:
    """By hand: a reproduction (deterministic was never tested) is half, canaries of one of two deployments half ..."""
    found = maturity(service(), entries(facts()), Looked(), END)
    assert found.level.number == 0
    names = {test.name: test.points for test in found.tests if test.points}
    assert names == {
        "a new input is added quickly": 1,  # a commit alone was trained on
        "its settings were searched for": 0.5,  # several experiments, no search
        "a training comes out the same again": 0.5,
        "the whole pipeline is tried from end to end": 1,
        "a new model meets few clients before many": 0.5,
        "a bad model is taken back, fast": 1,
        "models are not stale": 1,  # a commit was trained on with no hand, 51 days ago
    }


def test_that_a_process_started_shows_nothing_of_what_it_sees() -> None:
    blind = [fact for fact in last_hours() if not isinstance(fact, e.HealthChanged)]
    started = e.ProcessStarted(service=NAME, process="controller")
    known = at_once([*first_champion(), *blind, started], at="2026-11-27T08:00:00.000000Z")
    for name in ("answers do not get worse unseen", "what is measured before serving holds while serving"):
        assert _points(maturity(whole(), known, ALL, NOW), name) == 0
        assert _points(_mature(), name) == 1
