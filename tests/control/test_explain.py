"""Why something did or did not happen, from the ledger alone."""

import inspect
from typing import get_args

import pytest
from tests.control.state.test_fold import STORY
from tests.control.world import FIRST, NAME, SECOND, entries, folded

from flyball.control import narrate, narrate_care
from flyball.control.explain import explain
from flyball.core import events as e
from flyball.core.errors import NotFound


def test_a_rollout_is_explained_by_the_facts_that_name_it() -> None:
    told = explain("ro-1", entries(STORY), {NAME: folded(STORY)})
    assert told.service == NAME
    assert [line.type for line in told.events] == ["?"] * len(told.events)
    assert any("rollout ro-1" in line.text and "opened" in line.text for line in told.events)
    assert any("closed as rolled_back" in line.text for line in told.events)


def test_a_release_is_found_by_the_first_digits_of_its_root() -> None:
    told = explain(SECOND.removeprefix("sha256:")[:12], entries(STORY), {NAME: folded(STORY)})
    assert any("was signed and registered" in line.text for line in told.events)


def test_what_has_not_happened_is_explained_by_what_it_waits_for() -> None:
    waits = e.DecisionTaken(
        service=NAME, action="retrain", why="wait: input drift", waiting_for=("labels: 10 of 50 new rows have one",)
    )
    told = explain(NAME, entries([*STORY, waits]), {NAME: folded([*STORY, waits])})
    assert told.waiting_for == ("labels: 10 of 50 new rows have one",)
    assert "retrain: wait: input drift" in told.because


def test_a_name_that_is_nowhere_is_an_error_with_a_hint() -> None:
    with pytest.raises(NotFound) as caught:
        explain("ro-9", entries(STORY), {NAME: folded(STORY)})
    assert "flyball ledger tail" in caught.value.hint


def test_every_fact_has_a_sentence() -> None:
    source = inspect.getsource(narrate) + inspect.getsource(narrate_care)
    missing = [fact.__name__ for fact in get_args(e.AnyFact) if f"e.{fact.__name__}(" not in source]
    assert missing == []


def test_a_spent_budget_is_named_in_the_standing() -> None:
    spent = e.BudgetSpent(service=NAME, objective="availability", left=-0.1, target=0.999, window_s=1.0, why="errors")
    told = explain(NAME, entries([*STORY, spent]), {NAME: folded([*STORY, spent])})
    assert "the error budget of availability is SPENT" in told.standing
    assert told.events[-1].text == "the error budget of availability is spent: errors"


def test_a_remedy_that_was_taken_away_before_its_verdict_is_not_under_way() -> None:
    begun = e.RemedyBegun(
        service=NAME, remedy="re-1", kind="fall_back", cause="errors", number=0, why="policy", verify_by="tonight"
    )
    ended = e.RemedyEnded(service=NAME, remedy="re-1", why="the champion no longer serves")
    assert "is under way" in explain(NAME, entries([*STORY, begun]), {NAME: folded([*STORY, begun])}).standing
    state = folded([*STORY, begun, ended])
    told = explain(NAME, entries([*STORY, begun, ended]), {NAME: state}).standing
    assert "under way" not in told
    assert "re-1 (fall back) against errors was taken away; its verdict is due by tonight" in told
    assert not state.healing.tried["re-1"].acts


def test_the_champion_is_named_in_the_standing() -> None:
    told = explain(NAME, entries(STORY), {NAME: folded(STORY)})
    assert FIRST.removeprefix("sha256:")[:12] in told.standing


def test_a_drill_that_runs_is_named_in_the_standing() -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.05, until="tonight", by="ada", proof="os_user"
    )
    ended = e.DrillEnded(service=NAME, drill="dr-1", fault="latency", outcome="passed")
    for facts, told in (([begun], True), ([begun, ended], False)):
        story = [*STORY, *facts]
        said = explain(NAME, entries(story), {NAME: folded(story)}).standing
        assert ("DRILL dr-1 (latency) runs until tonight at most" in said) is told


def test_what_a_sender_wrote_moves_no_cursor_and_begins_no_line() -> None:
    told = narrate.sentence(e.Frozen(service=NAME, by="a\x1b[2J", why="x\nrollout ro-1 promoted"))
    assert told == "a [2J froze the service: x rollout ro-1 promoted"
