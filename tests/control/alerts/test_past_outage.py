"""A burn rate reads back: what an outage cost is no page when the outage is over, and what burns on is one."""

import pytest
from msgspec.structs import replace
from tests.control.alerts.watch import BEGIN, Watch, burning, healthy, names, sign
from tests.control.world import NAME

from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.declared.objectives import Events, Slo
from flyball.core.health import Sign
from flyball.core.promised import objectives_of
from flyball.core.service import Alerts
from flyball.decide.objectives.budgets import Budgets
from flyball.decide.objectives.telling import budget_facts

OUTAGE = healthy(sign("availability"), sign("errors"))
SLOWLY = replace(burning("availability"), limit=6.0, long_s=21_600, short_s=1800)


def after_the_outage(fact: e.BudgetBurning = SLOWLY, alerts: Alerts | None = None) -> Watch:
    """An outage of ten minutes that was told, with a budget that burns since; the calm time of its alert is over."""
    watch = Watch(alerts).say(OUTAGE, fact)
    assert watch.kinds()[0] == "raised availability page"
    watch.after(600).say(healthy()).tick()
    watch.after(300)
    return watch


def test_a_burn_that_reads_back_to_an_outage_that_is_over_wakes_nobody() -> None:
    watch = after_the_outage()
    assert sorted(watch.kinds()) == ["held budget/availability past", "resolved", "resolved"]
    (held,) = watch.state.alerts.held.values()
    assert held.behind == "availability"
    assert "2026-11-21T10:10:00" in held.why
    watch.after(1499).say(e.BudgetCalm(service=NAME, objective="availability", why="slower"))
    assert watch.kinds() == ["resolved"]


def test_what_still_burns_when_the_short_window_reaches_back_no_further_is_told() -> None:
    assert "raised budget/availability page" in after_the_outage(burning("availability")).kinds()  # of five minutes
    watch = after_the_outage()
    watch.tick()
    assert watch.after(1499).kinds() == []
    assert watch.after(1).kinds() == ["raised budget/availability page"]


def test_a_new_outage_is_told_while_the_old_one_is_remembered() -> None:
    watch = after_the_outage()
    watch.tick()
    assert watch.after(60).say(OUTAGE).kinds() == [
        *("raised availability page", "held errors inhibited", "held budget/availability inhibited"),
    ]


def test_what_came_after_the_outage_is_no_memory_of_it() -> None:
    watch = Watch().say(OUTAGE)
    watch.tick()
    watch.after(600).say(healthy()).tick()
    watch.after(300).tick()
    assert watch.after(60).say(SLOWLY).kinds() == ["raised budget/availability page"]


def test_no_other_page_and_no_ticket_waits_for_what_is_over() -> None:
    watch = Watch().say(healthy(sign("availability"), sign("errors", "failed")), replace(SLOWLY, urgency="ticket"))
    watch.tick()
    watch.after(600).say(healthy(sign("errors", "failed"))).tick()
    told = watch.after(300).kinds()
    assert "raised errors page" in told
    watch.after(600).say(healthy()).tick()
    assert "raised budget/availability ticket" in watch.after(300).kinds()


@pytest.mark.parametrize("minutes", [3, 20, 90])
@pytest.mark.parametrize("rest", [0.0, 0.02])
def test_an_outage_by_real_arithmetic_is_one_page_and_what_goes_on_after_it_another(minutes: int, rest: float) -> None:
    """Ten rows a second, minute by minute for six hours. Rest: share of the rows that fail after the outage."""
    watch = Watch(Alerts(on_call=("ada",)))
    watch.service = replace(watch.service, slo=Slo())
    budgets, began, over = Budgets(objectives_of(watch.service), watch.service.slo), 60, 60 + minutes
    raised: list[tuple[int, str]] = []
    for minute in range(360):
        share = 1.0 if began <= minute < over else rest if minute >= over else 0.0
        now = moment(BEGIN).timestamp() + 60 * minute
        budgets.take(now - 60, {"availability": Events(good=600 * (1 - share), total=600)})
        shown: tuple[Sign, ...] = (sign("availability"), sign("errors")) if began <= minute < over + 10 else ()
        standing = watch.state.health
        facts = budget_facts(NAME, budgets.standing(now), declared=True, spent=standing.spent, burning=standing.burning)
        watch.say(*facts, *([healthy(*shown)] if shown != standing.health.signs else []))
        raised += [(minute, each) for each in names(watch.tick()) if each.startswith("raised")]
        watch.after(60)
    pages = [(minute, each) for minute, each in raised if each.endswith("page")]
    assert pages[0] == (began, "raised availability page")
    if rest:  # fourteen times too fast, and no sign shows it
        ((told, page),) = pages[1:]
        assert page == "raised budget/availability page"
        assert told <= over + 10 + 30
    else:
        assert pages[1:] == []
