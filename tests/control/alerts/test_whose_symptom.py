"""What is held is held behind something that explains it now: of its own indicator, and not over before it came."""

from typing import get_args

import pytest
from msgspec.structs import replace
from tests.control.alerts.watch import Watch, burning, healthy, incident, over, sign

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
