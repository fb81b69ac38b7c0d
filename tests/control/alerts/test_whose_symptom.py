"""What is held is held behind something that explains it now: of its own indicator, and not over before it came."""

from typing import get_args

import pytest
from msgspec.structs import replace
from tests.control.alerts.watch import Watch, burning, healthy, incident, later, over, sign, silenced

from flyball.app.alert_list import in_words, standing
from flyball.control.alerts.table import EXPLAINS, OF_SLI, explained_by
from flyball.core import events as e
from flyball.core.declared.objectives import Objective, Sli, Slo

OBJECTIVES = (
    Objective(name="kept-inputs", sli="inputs", target=0.9),
    Objective(name="right", sli="quality", target=0.9),
    Objective(name="fresh", sli="freshness", target=0.9, max_age_s=60.0),
)


def watched() -> Watch:
    """Objectives of each indicator: two are of the contract."""
    watch = Watch()
    watch.service = replace(watch.service, slo=Slo(objectives=OBJECTIVES))
    return watch


@pytest.mark.parametrize(
    ("objective", "behind"),
    [
        ("availability", {"availability", "errors"}),
        ("latency", {"availability"}),  # a sign of latency is a ticket, and a page steps back behind none
        ("kept-inputs", set()),
        ("right", set()),
        ("fresh", set()),
    ],
)
def test_a_budget_is_a_symptom_of_what_its_own_indicator_sees(objective: str, behind: set[str]) -> None:
    for kind in ("availability", "errors"):
        said = watched().say(healthy(sign(kind)), burning(objective)).kinds()
        held = f"held budget/{objective} inhibited" in said
        assert held == (kind in behind), (objective, kind)
        assert held != (f"raised budget/{objective} page" in said)


def test_a_ticket_of_a_budget_steps_back_behind_the_broken_supply_that_it_is_of() -> None:
    slow = [replace(burning(name), urgency="ticket") for name in ("kept-inputs", "right", "latency")]
    said = watched().say(incident("in-1", "data_quality"), *slow).kinds()
    assert said == [
        "raised data_quality ticket",
        "held budget/kept-inputs inhibited",
        "held budget/right inhibited",
        "raised budget/latency ticket",
    ]


def test_an_outage_that_was_over_before_it_came_explains_nothing() -> None:
    """Its alert stays open for the calm time: what came in it was said to be a symptom of what had gone."""
    watch = watched().say(healthy(sign("availability")))
    watch.tick()
    assert watch.after(60).say(healthy()).kinds() == []
    said = watch.after(60).say(healthy(sign("errors", since=watch.now)), burning("latency")).kinds()
    assert said == ["raised errors page", "raised budget/latency page"]


def test_what_came_during_the_outage_waits_until_its_alert_is_over() -> None:
    watch = watched().say(healthy(sign("availability"), sign("errors")))
    watch.tick()
    assert watch.after(60).say(healthy(sign("errors"))).kinds() == []
    assert watch.after(300).kinds() == ["resolved", "raised errors page"]


def test_what_is_held_behind_something_else_now_says_so_once() -> None:
    ticket = replace(burning("right"), urgency="ticket")
    watch = watched().say(incident("in-1", "data_quality"), ticket)
    watch.tick()
    assert watch.state.alerts.held["budget/right"].behind == "data_quality"
    assert watch.say(healthy(sign("freshness"))).kinds() == ["raised freshness ticket"]  # the first one still holds it
    assert watch.after(60).say(over("in-1")).kinds() == ["resolved", "held budget/right inhibited"]
    held = watch.state.alerts.held["budget/right"]
    assert held.behind == "freshness"
    assert "data_quality" not in held.why
    names = [fact.alert for fact in watch.told if isinstance(fact, e.AlertHeld)]
    assert len(set(names)) == 1  # it is the same alert


def test_every_indicator_has_its_signs_and_the_table_has_them_all() -> None:
    assert set(OF_SLI) == set(get_args(Sli))
    known = {each for sli in get_args(Sli) for each in explained_by("budget/x", sli)}
    assert known == {each for each, symptoms in EXPLAINS.items() if "budget" in symptoms}
    assert explained_by("budget/x") == ()  # an objective that nobody declares any more


def test_what_is_held_names_the_incident_that_is_open_now_and_no_closed_one() -> None:
    """One incident of a cause follows another, as where a drill's is over and what goes on is real: the reason of
    before named the one that was closed."""
    ticket = replace(burning("availability"), urgency="ticket")
    watch = watched().say(incident("in-1", "drill", "errors"), ticket)
    assert watch.kinds() == ["held budget/availability inhibited"]
    assert watch.kinds() == []
    said = watch.say(over("in-1"), incident("in-2", "health", "errors")).kinds()
    assert said == ["raised errors ticket", "held budget/availability inhibited"]
    listed = in_words(standing([watch.state])).partition("held")[2]
    assert ("in-1" in listed, "in-2" in listed) == (False, True)
    assert watch.kinds() == []


def test_what_is_held_behind_an_incident_that_nobody_is_told_of_names_the_next_one_too() -> None:
    ticket = replace(burning("right"), urgency="ticket")
    watch = watched().say(incident("in-1", "data_quality"), silenced("data_quality", later(600)), ticket)
    assert watch.kinds() == ["held data_quality silenced", "held budget/right inhibited"]
    assert watch.say(over("in-1"), incident("in-2", "data_quality")).kinds() == ["held budget/right inhibited"]
    assert "incident in-2 (data_quality) is open" in watch.state.alerts.held["budget/right"].why
    assert watch.kinds() == []


def test_what_is_held_behind_an_alert_is_listed_with_the_incident_that_is_open_of_it() -> None:
    watch = watched().say(incident("in-1", "health", "errors"), healthy(sign("errors")), burning("availability"))
    assert "held budget/availability inhibited" in watch.kinds()
    assert "errors is known, and this is a symptom of it; incident in-1" in in_words(standing([watch.state]))
    assert "in-1" not in in_words(standing([watch.say(over("in-1")).state])).partition("held")[2]
