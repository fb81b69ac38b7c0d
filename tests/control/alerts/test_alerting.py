"""One cause is one alert; whoever is told can act; what is held is said, and told when nothing holds it any more."""

import pytest
from msgspec.structs import replace
from tests.control.alerts.watch import (
    Watch,
    brief,
    burning,
    cleared,
    given_up,
    healthy,
    incident,
    later,
    over,
    raised,
    remedy,
    sign,
    silenced,
)
from tests.control.readings import reading
from tests.control.world import BACK, FIRST, NAME, OPENED, SECOND, first_champion, folded, registered

from flyball.control.plan import plan
from flyball.core import events as e
from flyball.core.declared.alerts import Flap, Rotation
from flyball.core.declared.objectives import Slo
from flyball.core.health import Health, SignKind
from flyball.core.ids import RolloutId
from flyball.core.routing import ArmCounts, Observed, Routing, StepCounts
from flyball.core.service import Alerts, Review


def test_what_clients_feel_pages_the_first_on_call_once_and_is_over_when_it_has_been_gone_for_a_while() -> None:
    watch = Watch().say(healthy(sign("errors")))
    (page,) = watch.tick()
    assert isinstance(page, e.AlertRaised)
    assert (page.urgency, page.to, page.owner, page.name) == ("page", ("ada",), "risk", "ErrorsHigh")
    assert page.runbook == "bad-rollout"
    for number in range(5):  # an open condition is no new incident each minute
        watch.after(60).say(healthy(sign("errors"), sign("labels", "warning", since=later(number))))
        assert watch.kinds() == (["raised labels ticket"] if number == 0 else [])
    watch.say(healthy()).after(299)
    assert watch.kinds() == []
    assert watch.after(1).kinds() == ["resolved", "resolved"]


def test_a_page_goes_to_whose_turn_it_is_and_up_in_the_order_of_the_moment_it_was_raised() -> None:
    week = Rotation(start="2026-01-01T00:00:00Z", turn_s=1000.0)
    alerts = Alerts(on_call=("ada", "bob", "cat"), rotation=week, escalate_s=900.0)
    watch = Watch(alerts).say(healthy(sign("errors")))
    (page,) = watch.tick()
    order = [who for (who,) in alerts.levels_at(watch.now)]
    assert isinstance(page, e.AlertRaised)
    assert page.to == (order[0],)
    said = [
        *watch.after(900).kinds(),
        *watch.after(900).kinds(),
        *watch.after(900).kinds(),
    ]  # two turns begin meanwhile
    assert said == [f"escalated to {order[1]}", f"escalated to {order[2]}"]


def test_what_nobody_feels_is_a_ticket_for_the_owner() -> None:
    watch = Watch().say(
        healthy(sign("drift", "critical", "amount"), sign("labels", "critical"), sign("latency", "warning"))
    )
    said = watch.tick()
    assert sorted(brief(fact) for fact in said) == [
        "raised drift/amount ticket",
        "raised labels ticket",
        "raised latency ticket",
    ]
    assert {fact.to for fact in said if isinstance(fact, e.AlertRaised)} == {("risk",)}


def test_broken_data_page_where_clients_feel_it_and_are_a_ticket_before() -> None:
    watch = Watch().say(healthy(sign("data_quality")))
    assert watch.kinds() == ["raised data_quality ticket"]
    watch.health = Health(state="UNHEALTHY", why="-", signs=(replace(sign("data_quality"), felt=True),))
    assert watch.after(10).kinds() == ["resolved", "raised data_quality page"]
    watch.health = Health(state="UNHEALTHY", why="-", signs=(sign("data_quality"),))
    assert watch.after(10).kinds() == [], "a page that gets better stays one"


def test_what_nobody_can_see_any_more_is_not_over() -> None:
    watch = Watch().say(healthy(sign("errors")))
    watch.tick()
    watch.say(e.HealthChanged(service=NAME, health=Health(state="UNKNOWN", why="nobody asks")))
    assert watch.after(86_400).kinds() == ["escalated to bob"]
    assert watch.say(healthy()).after(300).kinds() == ["resolved"]


def test_a_ticket_that_gets_worse_becomes_a_page_and_a_page_that_gets_better_stays_one() -> None:
    watch = Watch().say(healthy(sign("latency", "warning")))
    assert watch.kinds() == ["raised latency ticket"]
    assert watch.say(healthy(sign("latency", "critical"))).kinds() == ["resolved", "raised latency page"]
    assert watch.say(healthy(sign("latency", "warning"))).kinds() == []


def test_a_failed_service_pages_whatever_failed_it() -> None:
    assert Watch().say(healthy(sign("drift", "failed", "amount"))).kinds() == ["raised drift/amount page"]


def test_symptoms_of_a_known_incident_are_held_and_told_when_it_is_over_and_they_are_not() -> None:
    watch = Watch().say(incident("in-1", "data_quality"), healthy(sign("drift", "critical", "amount"), sign("trend")))
    assert watch.kinds() == [
        "raised data_quality ticket",
        "held trend inhibited",
        "held drift/amount inhibited",
    ]
    assert watch.after(600).say(healthy(sign("drift", "critical", "amount"))).kinds() == []
    assert watch.after(600).kinds() == ["resolved"]  # the trend went before anybody was told
    assert watch.say(over("in-1")).kinds() == ["resolved", "raised drift/amount ticket"]


def test_an_incident_of_the_supply_explains_all_that_is_fed_by_it_and_is_told_itself() -> None:
    stale, late = sign("freshness", "critical", "amount"), sign("freshness", "critical", "age")
    watch = Watch().say(healthy(stale, late, sign("labels"), sign("fallback", "warning")))
    watch.say(incident("in-1", "upstream", stale.key), incident("in-2", "upstream", late.key))
    assert sorted(watch.kinds()) == [
        *("held fallback inhibited", "held labels inhibited"),
        *(f"raised {late.key} ticket", f"raised {stale.key} ticket"),
    ]


def test_a_page_steps_back_behind_another_page_only() -> None:
    watch = Watch().say(incident("in-1", "upstream"), healthy(sign("errors"), sign("fallback", "failed")))
    assert watch.kinds() == ["raised upstream ticket", "raised errors page", "held fallback inhibited"]
    both = Watch().say(healthy(sign("errors"), sign("availability")))
    assert both.kinds() == ["raised availability page", "held errors inhibited"]


def test_an_incident_does_not_hold_the_alert_of_its_own_cause() -> None:
    (page,) = Watch().say(incident("in-1", "health", "errors"), healthy(sign("errors"))).tick()
    assert isinstance(page, e.AlertRaised)
    assert (page.cause, page.incident) == ("errors", "in-1")


def test_several_features_of_a_broken_supply_are_one_alert() -> None:
    watch = Watch().say(raised("quality", "amount"), raised("quality", "age"))
    assert watch.kinds() == ["raised data_quality ticket"]
    assert watch.say(healthy(sign("data_quality", "critical", "amount"))).kinds() == [
        "held data_quality/amount inhibited"
    ]


def test_a_silence_holds_and_never_outlives_its_end() -> None:
    watch = Watch().say(silenced("Errors*", later(7200)), healthy(sign("errors")))
    assert watch.kinds() == ["held errors silenced"]
    assert watch.after(7199).kinds() == []
    assert watch.after(1).kinds() == ["silence.ended", "raised errors page"]
    assert watch.state.alerts.silences == {}


def test_a_silence_by_fingerprint_ends_early_when_somebody_says_so() -> None:
    watch = Watch().say(silenced("drift/*", later(7200)), healthy(sign("drift", "critical", "amount"), sign("labels")))
    assert sorted(watch.kinds()) == ["held drift/amount silenced", "raised labels ticket"]
    ended = e.SilenceEnded(service=NAME, silence="si-1", by="bob", why="done")
    assert watch.say(ended).kinds() == ["raised drift/amount ticket"]


def test_what_comes_and_goes_quickly_is_one_page() -> None:
    watch = Watch()
    for _ in range(20):
        watch.say(healthy(sign("errors"))).tick()
        watch.after(60).say(healthy()).tick()
        watch.after(60)
    assert watch.count(e.AlertRaised) == 1


def test_what_comes_and_goes_slowly_pages_three_times_and_is_then_said_to_flap_once() -> None:
    watch = Watch()
    for _ in range(12):  # each ten minutes, and each time long enough away for an alert to be over
        watch.say(healthy(sign("errors"))).tick()
        watch.after(200).say(healthy()).tick()
        watch.after(400).tick()
    assert watch.count(e.AlertRaised) == 3
    assert watch.count(e.AlertHeld) == 1
    watch.say(healthy(sign("errors"))).tick()
    assert watch.after(899).kinds() == []
    assert watch.after(1).kinds() == ["raised errors page"]  # it stays: no flap any more


def test_a_flap_that_ends_is_let_go_and_the_next_one_is_told_again() -> None:
    watch = Watch(Alerts(flap=Flap(calm_s=10, times=2, within_s=1000)))
    for _ in range(4):
        watch.say(healthy(sign("errors"))).tick()
        watch.after(5).say(healthy()).tick()
        watch.after(50).tick()
    assert list(watch.state.alerts.held) == ["errors"]
    assert watch.after(2000).kinds() == ["resolved"]
    assert watch.say(healthy(sign("errors"))).kinds() == ["raised errors page"]


def test_a_page_that_nobody_takes_goes_up_level_by_level_until_somebody_does() -> None:
    watch = Watch(Alerts(on_call=("ada", ("bob", "eve"), "cto"), escalate_s=600)).say(healthy(sign("errors")))
    (page,) = watch.tick()
    assert isinstance(page, e.AlertRaised)
    assert watch.after(599).kinds() == []
    assert watch.after(1).kinds() == ["escalated to bob, eve"]
    watch.say(e.AlertAcked(service=NAME, alert=page.alert, by="eve", proof="os_user"))
    assert watch.after(6000).kinds() == []
    alone = Watch(Alerts(on_call=("ada", "bob"), escalate_s=600)).say(healthy(sign("errors")))
    alone.tick()
    assert alone.after(600).kinds() == ["escalated to bob"]
    assert alone.after(600).kinds() == []  # nobody is above


def test_a_ticket_is_never_escalated_and_a_silenced_page_neither() -> None:
    watch = Watch(Alerts(on_call=("ada", "bob"))).say(healthy(sign("drift", feature="x"), sign("errors")))
    watch.tick()
    watch.say(silenced("errors", later(7200)))
    assert watch.after(3600).kinds() == []


def test_nobody_is_told_of_what_a_remedy_is_busy_with_until_it_did_not_help() -> None:
    watch = Watch().say(healthy(sign("errors")), remedy("errors", "roll_back", later(300)))
    assert watch.kinds() == ["held errors healing"]
    verified = e.RemedyVerified(service=NAME, remedy="re-1", helped="no", why="errors are as many as before")
    assert watch.after(300).say(verified).kinds() == ["raised errors page"]


@pytest.mark.parametrize("kind", ["retrain", "quarantine"])
def test_a_remedy_that_takes_days_holds_nothing(kind: str) -> None:
    watch = Watch().say(healthy(sign("latency")), remedy("latency", kind, later(7 * 86_400)))
    assert watch.kinds() == ["raised latency page"]


def test_a_remedy_that_helps_leaves_a_line_and_wakes_nobody() -> None:
    watch = Watch().say(healthy(sign("errors")), remedy("errors", "roll_back", later(300)))
    watch.tick()
    watch.after(200).say(healthy(), e.RemedyVerified(service=NAME, remedy="re-1", helped="yes", why="gone"))
    assert watch.after(300).kinds() == ["resolved"]
    assert watch.count(e.AlertRaised) == 0


def test_a_failed_service_is_not_waited_for() -> None:
    watch = Watch().say(healthy(sign("errors", "failed")), remedy("errors", "roll_back", later(300)))
    assert watch.kinds() == ["raised errors page"]


def test_what_no_remedy_healed_pages_although_it_began_as_a_ticket() -> None:
    watch = Watch().say(healthy(sign("drift", "warning", "amount")))
    assert watch.kinds() == ["raised drift/amount ticket"]
    watch.say(remedy("drift/amount", "page", later(300)))
    assert watch.kinds() == ["resolved", "raised drift/amount page"]


def test_a_page_of_the_last_remedy_is_over_with_its_cause_and_no_verdict_on_it_matters_later() -> None:
    watch = Watch().say(healthy(sign("drift", "warning", "amount")), remedy("drift/amount", "page", later(300)))
    assert watch.kinds() == ["raised drift/amount page"]
    watch.after(300).say(e.RemedyVerified(service=NAME, remedy="re-1", helped="no", why="it still stands"))
    assert watch.kinds() == []
    assert watch.say(healthy()).after(300).kinds() == ["resolved"]
    assert watch.say(healthy(sign("drift", "warning", "amount"))).kinds() == ["raised drift/amount ticket"]


def test_a_release_that_was_taken_back_is_a_ticket_until_somebody_has_seen_it() -> None:
    watch = Watch().say(BACK)
    (ticket,) = watch.tick()
    assert isinstance(ticket, e.AlertRaised)
    assert ticket.labels["rollout"] == "ro-1"
    assert watch.after(86_400).kinds() == []
    watch.say(e.AlertAcked(service=NAME, alert=ticket.alert, by="bob", proof="os_user"))
    assert watch.kinds() == ["resolved"]
    by_hand = Watch().say(replace(BACK, by="ada"))
    assert by_hand.kinds() == []


def test_a_gateway_that_takes_no_orders_pages_until_it_takes_one() -> None:
    lost = given_up("route")
    watch = Watch().say(lost)
    assert watch.kinds() == ["raised command/route page"]
    repeated = e.RoutingRepeated(service=NAME, key="route/fraud/0/again/9", epoch=0, why="it answers")
    assert watch.after(600).say(repeated, lost).kinds() == []
    applied = e.RoutingApplied(service=NAME, key="route/fraud/0", epoch=0)
    assert watch.say(applied).kinds() == ["resolved"]


def test_more_pages_than_the_weekly_budget_open_a_ticket_to_make_them_fewer() -> None:
    watch = Watch(Alerts(on_call=("ada",)))
    watch.service = replace(watch.service, review=Review(pages_per_week=2))
    for _ in range(3):
        watch.say(healthy(sign("errors"))).tick()
        watch.after(60).say(healthy()).tick()
        watch.after(7200).tick()
    assert list(watch.state.alerts.open) == ["pages/ada"]
    assert watch.state.alerts.open["pages/ada"].raised.urgency == "ticket"
    assert watch.after(7 * 86_400).kinds() == ["resolved"]


def test_pages_of_drills_count_as_pages_and_the_ticket_says_how_many_there_were() -> None:
    watch = Watch(Alerts(on_call=("ada",)))
    watch.service = replace(watch.service, review=Review(pages_per_week=2))
    for number, labels in enumerate([{"drill": "dr-1"}, {}, {"drill": "dr-2"}]):
        name = f"al-{number}"
        watch.say(
            e.AlertRaised(
                service=NAME, alert=name, cause="errors", name="ErrorsHigh", urgency="page", summary="-", detail="-",
                runbook="bad-rollout", owner="risk", to=("ada",), labels=labels,
            ),
            e.AlertResolved(service=NAME, alert=name, why="-"),
        )  # fmt: skip
    watch.tick()
    (ticket,) = watch.state.alerts.open.values()
    assert ticket.raised.summary == "ada was paged 3 times in seven days, 2 of them by drills, more than 2"


def test_a_digest_that_nobody_wrote_is_a_ticket_until_somebody_does() -> None:
    watch = Watch()
    watch.service = replace(watch.service, review=Review(digests=("weekly",)))
    assert watch.kinds() == []
    assert watch.after(4 * 86_400).kinds() == ["raised overdue/digest-weekly ticket"]
    written = e.DigestWritten(
        service=NAME, period="weekly", since="2026-11-16T00:00:00Z", until="2026-11-23T00:00:00Z", digest="sha256:0"
    )
    assert watch.say(written).kinds() == ["resolved"]


def test_a_spent_budget_is_a_ticket_until_it_is_restored() -> None:
    spent = e.BudgetSpent(service=NAME, objective="availability", left=-0.2, target=0.999, window_s=1.0, why="spent")
    watch = Watch().say(spent)
    (told,) = watch.tick()
    assert isinstance(told, e.AlertRaised)
    assert brief(told) == "raised budget/availability ticket"
    assert told.summary == "the error budget of availability is spent: spent"
    assert told.labels == {"slo": "availability"}
    assert "freezes no promotion" in told.detail
    watch_frozen = Watch()
    watch_frozen.service = replace(watch_frozen.service, slo=Slo())
    (frozen,) = watch_frozen.say(spent).tick()
    assert isinstance(frozen, e.AlertRaised)
    assert "promotions are frozen" in frozen.detail.lower()
    assert watch.say(e.BudgetRestored(service=NAME, objective="availability", left=0.1, why="old")).kinds() == [
        "resolved"
    ]


def test_a_budget_that_burns_fast_pages_and_is_a_symptom_of_errors_that_were_told() -> None:
    burning = e.BudgetBurning(
        service=NAME,
        objective="availability",
        urgency="page",
        rate=20.0,
        limit=14.4,
        long_s=3600,
        short_s=300,
        why="20 times",
    )
    watch = Watch().say(burning)
    (page,) = watch.tick()
    assert isinstance(page, e.AlertRaised)
    assert (page.cause, page.urgency, page.name) == ("budget/availability", "page", "ErrorBudgetBurn")
    assert (page.summary, page.labels) == (
        "the error budget of availability is burning: 20 times",
        {"slo": "availability"},
    )
    assert Watch().say(burning, silenced("ErrorBudgetBurn", later(60))).kinds() == ["held budget/availability silenced"]
    assert watch.say(e.BudgetCalm(service=NAME, objective="availability", why="slower")).kinds() == ["resolved"]
    slow = Watch().say(replace(burning, urgency="ticket", rate=3.5, limit=3.0))
    assert slow.kinds() == ["raised budget/availability ticket"]
    both = Watch().say(burning, healthy(sign("errors")))
    assert both.kinds() == ["raised errors page", "held budget/availability inhibited"]


def test_a_budget_that_burns_now_and_then_is_told_once_it_burns_for_a_quarter_of_an_hour() -> None:
    burning = e.BudgetBurning(
        service=NAME, objective="right", urgency="page", rate=20.0, limit=14.4, long_s=3600, short_s=300, why="much"
    )
    calm = e.BudgetCalm(service=NAME, objective="right", why="slower")
    watch = Watch()
    for _ in range(5):
        watch.say(burning).tick()
        watch.after(60).say(calm).tick()
        watch.after(60).tick()
    assert watch.count(e.AlertRaised) == 3
    assert watch.say(burning).after(899).kinds() == []
    assert watch.say(replace(burning, rate=25.0)).after(1).kinds() == ["raised budget/right page"]


def test_one_noisy_window_of_drift_asks_for_nobody() -> None:
    watch = Watch().say(raised("psi", "amount"))
    assert watch.kinds() == []
    watch.say(cleared("psi", "amount"))
    assert watch.after(600).kinds() == []


def test_alerts_go_on_while_the_service_is_frozen() -> None:
    watch = Watch().say(e.Frozen(service=NAME, by="ada", why="audit"), healthy(sign("errors")))
    decisions = plan(watch.situation()).decisions
    assert [type(fact).__name__ for each in decisions for fact in each.facts][-1] in ("AlertRaised", "RoutingOrdered")


def test_without_the_section_nothing_is_raised_and_what_was_is_over() -> None:
    watch = Watch().say(healthy(sign("errors")))
    watch.tick()
    watch.service = replace(watch.service, alerts=None)
    assert watch.kinds() == ["resolved"]
    assert watch.say(healthy(sign("errors"), sign("latency"))).kinds() == []


def test_at_rest_there_is_nothing_to_say() -> None:
    assert Watch().kinds() == []


@pytest.mark.parametrize("drill", [True, False])
def test_an_alert_during_a_drill_says_so(drill: bool) -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until=later(600), by="ada", proof="os_user"
    )
    watch = Watch().say(*([begun] if drill else []), healthy(sign("latency")))
    (page,) = watch.tick()
    assert isinstance(page, e.AlertRaised)
    assert ("drill" in page.labels) == drill
    assert page.summary.startswith("drill dr-1: ") == drill


@pytest.mark.parametrize(("kind", "after"), [("drift", 0), ("latency", 1501)])
def test_what_a_drill_does_not_explain_or_what_comes_after_its_end_is_told_as_real(kind: SignKind, after: int) -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until=later(600), by="ada", proof="os_user"
    )
    (told,) = Watch().say(begun).after(after).say(healthy(sign(kind, "failed"))).tick()
    assert isinstance(told, e.AlertRaised)
    assert "drill" not in told.labels
    assert "drill" not in told.summary


OF_A_FAULT: list[tuple[str, str, e.AnyFact]] = [
    ("latency", "budget", burning("availability")),
    ("disk_full", "command", given_up("train")),
    ("poisoned_labels", "data_quality", raised("quality", "amount")),
    ("disk_full", "capture", raised("capture")),
    ("nan_burst", "upstream", incident("in-1", "upstream", "upstream")),
    ("bad_candidate", "rollback", BACK),
]


@pytest.mark.parametrize(("fault", "family", "fact"), OF_A_FAULT, ids=[family for _, family, _ in OF_A_FAULT])
def test_what_follows_from_the_fault_of_a_drill_says_so_and_under_another_fault_it_is_real(
    fault: str, family: str, fact: e.AnyFact
) -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault=fault, share=0.1, until=later(600), by="ada", proof="os_user"
    )
    for drill, labelled in ((begun, True), (replace(begun, fault="of no table"), False)):
        (told,) = [each for each in Watch().say(drill, fact).tick() if isinstance(each, e.AlertRaised)]
        assert told.cause.partition("/")[0] == family
        assert ("drill" in told.labels, told.summary.startswith("drill dr-1: ")) == (labelled, labelled)


def test_a_real_fault_under_a_drills_name_is_told_anew_as_soon_as_it_is_sure() -> None:
    """Red before: fifteen minutes later at the earliest."""
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until=later(600), by="ada", proof="os_user"
    )
    watch = Watch().say(begun, healthy(sign("errors")))
    (first,) = watch.tick()
    assert isinstance(first, e.AlertRaised)
    assert first.labels["drill"] == "dr-1"
    watch.say(e.DrillWithdrawn(service=NAME, drill="dr-1"), healthy(sign("errors")))
    assert watch.after(30).kinds() == []
    watch.real = {"errors": reading("errors")}
    gone, real = watch.say(healthy(sign("errors"))).tick()
    assert isinstance(gone, e.AlertResolved)
    assert "errors is real" in gone.why
    assert isinstance(real, e.AlertRaised)
    assert ("drill" in real.labels, real.summary.startswith("drill"), real.urgency) == (False, False, "page")
    assert watch.after(60).kinds() == []


def test_what_stands_long_after_the_drill_is_told_anew_as_real_and_once() -> None:
    """Red before: a real fault that began while a drill's alert was open went on under the drill's name for ever."""
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="poisoned_labels", share=0.1, until=later(600), by="ada", proof="os_user"
    )
    over = e.DrillEnded(service=NAME, drill="dr-1", fault="poisoned_labels", outcome="passed")
    watch = Watch().say(begun, raised("quality", "amount"))
    (first,) = [each for each in watch.tick() if isinstance(each, e.AlertRaised)]
    assert first.labels["drill"] == "dr-1"
    watch.say(over)
    assert watch.after(600).kinds() == []
    gone, real = watch.after(301).tick()
    assert isinstance(gone, e.AlertResolved)
    assert "quality is real" in gone.why
    assert isinstance(real, e.AlertRaised)
    assert (real.cause, "drill" in real.labels, real.summary.startswith("drill")) == (first.cause, False, False)
    assert watch.after(3600).kinds() == []


def test_when_the_fast_burn_is_over_and_the_budget_spent_the_alert_says_what_holds_now() -> None:
    spent = e.BudgetSpent(service=NAME, objective="availability", left=-0.2, target=0.999, window_s=1.0, why="spent")
    watch = Watch().say(burning("availability"), spent)
    assert watch.kinds() == ["raised budget/availability page"]
    over, now = watch.say(e.BudgetCalm(service=NAME, objective="availability", why="slower")).tick()
    assert isinstance(over, e.AlertResolved)
    assert over.why == "ErrorBudgetBurn is over; what stands of budget/availability is ErrorBudgetSpent"
    assert isinstance(now, e.AlertRaised)
    assert (now.name, now.urgency, now.alert != over.alert) == ("ErrorBudgetSpent", "ticket", True)
    assert now.summary.startswith("the error budget of availability is spent")
    assert watch.after(3600).kinds() == []


def test_a_spent_budget_that_burns_now_and_then_is_not_told_each_time() -> None:
    spent = e.BudgetSpent(service=NAME, objective="availability", left=-0.2, target=0.999, window_s=1.0, why="spent")
    watch = Watch().say(spent)
    watch.tick()
    for _ in range(8):
        watch.say(burning("availability")).tick()
        watch.after(60).say(e.BudgetCalm(service=NAME, objective="availability", why="slower")).tick()
        watch.after(60).tick()
    assert watch.count(e.AlertRaised, "page") <= 3


def test_errors_of_the_candidate_alone_are_left_to_its_rollout_for_a_while() -> None:
    routing = Routing(
        service=NAME,
        epoch=1,
        champion=FIRST,
        candidate=SECOND,
        weight=1000,
        salt="s",
        rollout=RolloutId("ro-1"),
        step=2,
    )
    step = e.StepStarted(
        service=NAME,
        rollout=RolloutId("ro-1"),
        step=2,
        kind="canary",
        key="route/fraud/1",
        routing=routing,
        why="approved",
    )
    trying = folded([*first_champion(), *registered(SECOND), OPENED, step])
    watch = Watch(state=trying)
    watch.observed = _seen(ArmCounts(requests=900, errors=1), ArmCounts(requests=100, errors=30))
    assert watch.say(healthy(sign("errors"))).kinds() == ["held errors canary"]
    assert watch.after(299).kinds() == []
    assert watch.after(1).kinds() == ["raised errors page"]  # its rollout had its time

    for champion in (ArmCounts(requests=900, errors=300), ArmCounts()):  # not the candidate's alone, or nobody knows
        other = Watch(state=trying)
        other.observed = _seen(champion, ArmCounts(requests=100, errors=30))
        assert other.say(healthy(sign("errors"))).kinds() == ["raised errors page"]

    for slow, told in ((9, "held latency canary"), (400, "raised latency page")):  # slow answers alike
        waits = Watch(state=trying)
        waits.observed = _seen(ArmCounts(requests=900, slow=slow), ArmCounts(requests=100, slow=30))
        assert waits.say(healthy(sign("latency"))).kinds() == [told]


def _seen(champion: ArmCounts, candidate: ArmCounts) -> Observed:
    counts = StepCounts(
        service=NAME, epoch=1, rollout=RolloutId("ro-1"), step=2, champion=champion, candidate=candidate
    )
    return Observed(routing=None, counts=counts)


def test_data_that_break_anew_are_told_anew_however_well_the_first_break_was_taken() -> None:
    watch = Watch().say(incident("in-1", "data_quality"))
    (first,) = watch.tick()
    assert isinstance(first, e.AlertRaised)
    watch.say(e.AlertAcked(service=NAME, alert=first.alert, by="ada", proof="os_user"), over("in-1"))
    assert watch.after(60).say(incident("in-2", "data_quality")).kinds() == ["resolved", "raised data_quality ticket"]
    now = watch.state.alerts.open["data_quality"]
    assert (now.raised.incident, now.acked) == ("in-2", None)
    assert now.raised.alert != first.alert
