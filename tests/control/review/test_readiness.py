"""The checklist: a fact or a look for each item, and unknown where there is neither."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from msgspec.structs import replace
from tests.control.review.quarter import QUARTER, entries, facts
from tests.control.world import FIRST, NAME, SECOND, first_champion, registered, service
from tests.control.world import entries as at_once

from flyball.control.review.readiness import Checked, Item, Looked, Readiness, ready
from flyball.control.review.readiness.item import State
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.declared.serving import Constant, FallbackLink, PredictionLog, Probes
from flyball.core.health import Health
from flyball.core.ids import RolloutId
from flyball.core.routing import Routing, Verdict
from flyball.core.service import (
    AlertDestination,
    Alerts,
    Budget,
    Canary,
    Gate,
    Limits,
    LiveMetric,
    Promote,
    Review,
    Rollout,
    Service,
    Shadow,
    Soak,
    Step,
)

YES = Checked(ok=True, why="looked at")
ALL = Looked(champion=YES, previous=YES, levels=YES, labels=YES, runbooks=YES, controller=YES, backup=YES)
END = timestamp(QUARTER.until)
DECLARED = {  # items that service.yaml alone can fail
    "it has an owner, and people who may act",
    "costs are bounded",
    "what is kept, and for how long, is decided",
    "digests are written",
    "gates have a floor",
    "the rollout is scripted",
    "how right it is is watched",
    "somebody is on call",
    "it is probed",
}


def whole() -> Service:
    """A service that leaves nothing open."""
    base = service()
    return replace(
        base,
        metadata=replace(base.metadata, people={"ada": ("approver", "operator")}),
        gates=(Gate(metric="accuracy", min=0.5),),
        serving=replace(base.serving, log=PredictionLog(retention_s=86_400.0), probes=Probes()),
        monitor=replace(base.monitor, live_metric=LiveMetric(name="accuracy", max_loss=0.1)),
        retrain=replace(base.retrain, budget=Budget(runs_per_week=2)),
        experiment=replace(base.experiment, limits=Limits(memory_mb=1_000.0)),
        review=Review(digests=("weekly",)),
        alerts=Alerts(
            on_call=("ada",), to=(AlertDestination(format="slack", to="env:HOOK"),), runbooks_url="https://wiki.example"
        ),
        drills={"disaster": "quarterly"},
    )


def last_hours() -> list[e.AnyFact]:
    """What shows the items that the quarter does not."""
    ticket = replace(registered(SECOND, ticket="ti-9")[0], signature="s")
    started = e.StepStarted(
        service=NAME,
        rollout=RolloutId("ro-9"),
        step=0,
        kind="shadow",
        key="k",
        routing=Routing(service=NAME, epoch=1, champion=FIRST),
        why="-",
    )
    passed = Verdict(kind="PROMOTE", reason="pairs agree")
    return [
        e.RetrainOrdered(service=NAME, ticket="ti-9", key="k", by="controller", proof="policy", reason="drift"),
        ticket,
        started,
        e.StepJudged(service=NAME, rollout=RolloutId("ro-9"), step=0, verdict=passed),
        e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=RolloutId("ro-9")),
        e.DrillEnded(service=NAME, drill="d1", fault="bad_candidate", outcome="passed"),
        e.DrillEnded(
            service=NAME, drill="d2", fault="disaster", outcome="passed", figures={"rpo_s": 1.0, "rto_s": 60.0}
        ),
        e.FallbackExercised(service=NAME, link="previous", period=1, rows=20, answered=20, agreed=19),
        e.BackupMade(service=NAME, folder="/aside", made_at="2026-11-27T08:00:00Z", entries=1, newest_at="", size=1),
        e.HealthChanged(service=NAME, health=Health(state="HEALTHY", why="nothing is beyond its limit")),
        e.AlertsTested(service=NAME, alert="al-t", by="ada", proof="os_user", arrived=("slack",)),
    ]


def _ready(declared: Service, facts_: list[e.AnyFact], looked: Looked = ALL, now: str = "") -> Readiness:
    known = at_once(facts_, at="2026-11-27T08:00:00.000000Z")
    return ready(declared, known, looked, now or "2026-11-27T10:00:00.000000Z")


def _items(found: Readiness) -> dict[str, Item]:
    return {item.name: item for item in found.items}


def _not_passed(found: Readiness) -> dict[str, State]:
    return {item.name: item.state for item in found.items if item.state != "PASS"}


def test_a_service_that_has_shown_everything_is_ready() -> None:
    found = _ready(whole(), [*first_champion(), *last_hours()])
    assert _not_passed(found) == {}
    assert found.ready


@pytest.mark.parametrize("number", range(len(last_hours())))
def test_without_any_one_of_the_facts_it_is_not(number: int) -> None:
    """Nothing on the list is assumed: each fact carries an item, or more."""
    shown = last_hours()
    del shown[number]
    found = _ready(whole(), [*first_champion(), *shown])
    assert not found.ready
    assert _not_passed(found)


@pytest.mark.parametrize("name", Looked.__struct_fields__)
def test_where_nobody_could_look_it_is_unknown_and_that_is_no_pass(name: str) -> None:
    unseen = replace(ALL, **{name: Checked(ok=None, why="the disk is away")})
    found = _ready(whole(), [*first_champion(), *last_hours()], unseen)
    assert set(_not_passed(found).values()) == {"UNKNOWN"}
    assert not found.ready


def test_an_empty_ledger_passes_nothing_that_a_fact_has_to_show() -> None:
    found = ready(whole(), [], Looked(), END)
    shown = {item.name for item in found.items if item.state == "PASS"}
    assert shown == DECLARED


def test_what_was_tested_too_long_ago_fails_with_its_age() -> None:
    known = at_once([*first_champion(), *last_hours()], at="2026-01-01T00:00:00.000000Z")
    items = _items(ready(whole(), known, ALL, END))
    for name in ("alerts are tested", "the way back was taken", "a restore from backup was drilled",
                 "the fallback chain was tried: previous"):  # fmt: skip
        assert items[name].state == "FAIL", name
        assert "days ago" in items[name].why
        assert items[name].age_s == pytest.approx(273 * 86_400)


def test_a_drill_that_was_never_made_is_no_pass_although_it_is_not_overdue() -> None:
    name = "drills are scheduled, and none is overdue"
    declared = replace(whole(), drills={"disaster": "quarterly", "nan_burst": "monthly"})
    item = _items(_ready(declared, [*first_champion(), *last_hours()]))[name]
    assert (item.state, "nan_burst" in item.why, "disaster" in item.why) == ("UNKNOWN", True, False)


def test_no_drill_is_advised_that_a_running_service_cannot_pay() -> None:
    name = "drills are scheduled, and none is overdue"
    declared = replace(whole(), drills={"crash_loop": "monthly"})
    known = at_once([*first_champion(), *last_hours()], at="2026-01-01T00:00:00.000000Z")
    item = _items(ready(declared, known, ALL, END))[name]
    assert (item.state, item.todo) == (
        "FAIL",
        "out of drills: crash_loop (one process answers (serving.workers: 1): nobody would, while it is gone)",
    )


def test_without_a_release_before_it_the_chain_is_told_to_need_another_link() -> None:
    nothing = e.FallbackExercised(
        service=NAME, link="previous", period=1, rows=20, answered=0, agreed=0, reasons={"dead": 20}
    )
    item = _items(_ready(whole(), [*first_champion(), nothing]))["the fallback chain was tried: previous"]
    assert (item.state, "no release before" in item.why, "constant" in item.todo) == ("FAIL", True, True)


def test_a_chain_with_such_a_link_is_not_told_to_declare_what_it_has() -> None:
    both = replace(
        whole(),
        serving=replace(whole().serving, fallback=("previous", FallbackLink(constant=Constant(prediction=0.5)))),
    )
    item = _items(_ready(both, first_champion()))["the fallback chain was tried: previous"]
    assert (item.state, "serving.fallback" in item.todo, "second release" in item.todo) == ("FAIL", False, True)


@pytest.mark.parametrize("link", ["previous", "cached"])
def test_a_link_that_answered_nothing_is_not_advised_as_it_is_declared(link: Literal["previous", "cached"]) -> None:
    nothing = e.FallbackExercised(service=NAME, link=link, period=1, rows=20, answered=0, agreed=0, reasons={"no": 20})
    declared = replace(whole(), serving=replace(whole().serving, fallback=(link,)))
    known = [*first_champion(), *last_hours(), nothing]
    item = _items(_ready(declared, known))[f"the fallback chain was tried: {link}"]
    assert (item.state, "answered none" in item.why) == ("FAIL", True)
    assert item.todo != f"serving.fallback: {link}"


def test_what_fails_says_what_to_do_and_what_passes_asks_nothing() -> None:
    found = ready(service(), entries(facts()), Looked(), END)
    assert all(bool(item.todo) == (item.state != "PASS") for item in found.items)


def test_what_is_declared_has_the_declaration_for_its_evidence() -> None:
    items = _items(_ready(whole(), [*first_champion(), *last_hours()]))
    assert {items[name].evidence for name in DECLARED} == {(1,)}


def test_an_item_names_the_fact_that_shows_it() -> None:
    known = [*first_champion(), *last_hours()]
    item = _items(_ready(whole(), known))["a restore from backup was drilled"]
    (seq,) = item.evidence
    assert known[seq - 1].fault == "disaster"  # type: ignore[union-attr]
    assert item.age_s == 7_200.0


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        (("canary", "promote"), "canary > promote: no shadow"),
        (("shadow", "promote"), "shadow > promote: no canary"),
        (("shadow", "canary"), "shadow > canary: no promote"),
        (("promote",), "promote: no shadow, no canary"),
        (("shadow", "canary", "promote"), ""),
        (("shadow", "soak", "promote"), ""),  # a soak meets few clients too
    ],
)
def test_a_rollout_without_a_shadow_a_canary_or_a_promotion_is_not_scripted(kinds: tuple[str, ...], why: str) -> None:
    made = {
        "shadow": Step(shadow=Shadow(min_pairs=10)),
        "canary": Step(canary=Canary(weight=0.1, min_requests=10, min_s=0)),
        "soak": Step(soak=Soak()),
        "promote": Step(promote=Promote()),
    }
    declared = replace(whole(), rollout=Rollout(steps=tuple(made[kind] for kind in kinds)))
    item = _items(_ready(declared, [*first_champion(), *last_hours()]))["the rollout is scripted"]
    assert (item.state, item.why) == (("FAIL", why) if why else ("PASS", " > ".join(kinds)))


WEEKLY, SINGLE = "retrain.budget.runs_per_week or cost_per_week", "experiment.limits.cost or memory_mb"


@pytest.mark.parametrize(
    ("budget", "limits", "lacking"),
    [
        (Budget(), Limits(), f"not declared: {WEEKLY}; {SINGLE}"),
        (Budget(), Limits(memory_mb=1_000.0), f"not declared: {WEEKLY}"),
        (Budget(runs_per_week=2), Limits(), f"not declared: {SINGLE}"),
        (Budget(runs_per_week=2), Limits(memory_mb=1_000.0), ""),
        (Budget(cost_per_week=9.0), Limits(cost=3.0, cost_per_hour=1.0), ""),
    ],
)
def test_costs_are_bounded_by_the_week_and_by_the_run_or_not_at_all(
    budget: Budget, limits: Limits, lacking: str
) -> None:
    base = whole()
    declared = replace(
        base,
        retrain=replace(base.retrain, budget=budget),
        experiment=replace(base.experiment, limits=limits),
    )
    found = _ready(declared, [*first_champion(), *last_hours()])
    item = _items(found)["costs are bounded"]
    assert (item.state, found.ready) == (("FAIL", False) if lacking else ("PASS", True))
    assert item.why == (lacking or "a week's retrainings and a single run have their bounds")


def test_an_overdue_digest_is_an_item() -> None:
    known = at_once([*first_champion(), *last_hours()], at="2026-11-20T08:00:00.000000Z")
    item = _items(ready(whole(), known, ALL, "2026-11-27T10:00:00.000000Z"))["digests are written"]
    assert item.state == "FAIL"
    assert "weekly digest" in item.why


def test_a_test_alert_that_one_destination_missed_is_no_test_that_passed() -> None:
    missed = e.AlertsTested(
        service=NAME, alert="al-u", by="ada", proof="os_user", arrived=("slack",), missed={"pager": "403"}
    )
    item = _items(_ready(_told("slack", "pager"), [*first_champion(), *last_hours(), missed]))["alerts are tested"]
    assert (item.state, "pager: 403" in item.why) == ("FAIL", True)


def _tests(arrived: tuple[str, ...], missed: dict[str, str] | None = None) -> e.AlertsTested:
    return e.AlertsTested(service=NAME, alert="al-u", by="ada", proof="os_user", arrived=arrived, missed=missed or {})


def _told(*names: str, urgency: str = "all") -> Service:
    to = tuple(AlertDestination(format="slack", to="env:HOOK", name=name, urgency=urgency) for name in names)  # type: ignore[arg-type]
    return replace(whole(), alerts=Alerts(on_call=("ada",), to=to))


def test_alerts_are_tested_at_each_destination_that_is_declared_or_not_at_all() -> None:
    """Red before: a test of one of three, or of one that is declared no longer, was enough."""
    shown = [*first_champion(), *last_hours()]  # of these one test, at slack
    assert _items(_ready(_told("slack", "mail"), shown))["alerts are tested"].why == "no test was ever sent to mail"
    both = [*shown, _tests(("mail",))]
    assert _items(_ready(_told("slack", "mail"), both))["alerts are tested"].state == "PASS"
    failing = [*both, _tests((), {"slack": "404"})]
    assert "slack: 404" in _items(_ready(_told("slack", "mail"), failing))["alerts are tested"].why
    assert _items(_ready(_told(), shown))["alerts are tested"].state == "FAIL"


def test_who_is_on_call_is_nobody_where_no_destination_takes_pages() -> None:
    shown = [*first_champion(), *last_hours()]
    assert _items(_ready(_told("slack", urgency="ticket"), shown))["somebody is on call"].state == "FAIL"
    assert _items(_ready(_told("slack", urgency="page"), shown))["somebody is on call"].state == "PASS"


def test_runbooks_are_out_where_a_page_links_them() -> None:
    """Red before: without `alerts.runbooks_url` no page had a link, and neither the checklist nor the check said so."""
    ready = _ready(whole(), [*first_champion(), *last_hours()])
    assert _items(ready)["runbooks are out and fresh"].state == "PASS"
    alerts = whole().alerts
    assert alerts is not None
    item = _items(_ready(replace(whole(), alerts=replace(alerts, runbooks_url=None)), [*first_champion()]))[
        "runbooks are out and fresh"
    ]
    assert (item.state, "links none" in item.why) == ("FAIL", True)


def _instead(kind: type[e.Fact], other: Callable[[Any], e.AnyFact], *, fault: str = "") -> list[e.AnyFact]:
    """What the last hours showed, but for one fact that shows the opposite."""
    shown = last_hours()
    (at,) = [
        number
        for number, fact in enumerate(shown)
        if isinstance(fact, kind) and (not fault or getattr(fact, "fault", "") == fault)
    ]
    return [*shown[:at], other(shown[at]), *shown[at + 1 :]]


SHOWS_THE_OPPOSITE: list[tuple[str, list[e.AnyFact], str]] = [
    (
        "a shadow has passed",
        _instead(e.StepJudged, lambda fact: replace(fact, verdict=Verdict(kind="ROLL_BACK", reason="pairs differ"))),
        "ROLL_BACK in ro-9: pairs differ",
    ),
    (
        "a restore from backup was drilled",
        _instead(e.DrillEnded, lambda fact: replace(fact, outcome="missed", why="a root differs"), fault="disaster"),
        "the last one missed: a root differs",
    ),
    (
        "its health is known",
        _instead(e.HealthChanged, lambda fact: replace(fact, health=Health(state="UNHEALTHY", why="errors"))),
        "UNHEALTHY: errors",
    ),
    (
        "a retraining went through with no hand",
        _instead(e.RetrainOrdered, lambda fact: replace(fact, by="ada", proof="os_user")),
        "ada ordered the last one",
    ),
    (
        "the champion is signed and verifies",
        _instead(e.ReleaseRegistered, lambda fact: replace(fact, signature="")),
        "holds no signature",
    ),
]


@pytest.mark.parametrize(("name", "shown", "why"), SHOWS_THE_OPPOSITE, ids=[name for name, _, _ in SHOWS_THE_OPPOSITE])
def test_a_fact_that_shows_the_opposite_passes_nothing(name: str, shown: list[e.AnyFact], why: str) -> None:
    found = _ready(whole(), [*first_champion(), *shown])
    assert not found.ready
    assert list(_not_passed(found).items()) == [(name, "FAIL")]
    assert why in _items(found)[name].why
