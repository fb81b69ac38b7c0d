"""A planner that raises silences no alert and stops no way back; what is new waits, and everybody can see why."""

import pytest
from msgspec.structs import replace
from tests.control.alerts.test_refused_plan import heard
from tests.control.healing.patient import Patient, patient_service
from tests.control.healing.patient import sign as seen
from tests.control.world import NAME, THIRD, registered

import flyball.control.plan as plan_file
from flyball.control.check.rules import broken_rules as sound
from flyball.control.decision import Decision, Situation
from flyball.control.failing import PlannerFailed, failing
from flyball.control.plan import plan
from flyball.control.reconcile import checking
from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.service import Alerts


def raises(situation: Situation, **_: object) -> Decision | None:
    raise KeyError(f"card 4111 of {situation.now}")


@pytest.fixture
def patient() -> Patient:
    return Patient(replace(patient_service(), alerts=Alerts(on_call=("ada", "bob"))))


def decided(patient: Patient, action: str) -> list[str]:
    return [fact.why for fact in patient.all_facts() if isinstance(fact, e.DecisionTaken) and fact.action == action]


def test_a_page_goes_out_though_the_healing_planner_raises(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as bent:
        bent.setattr(plan_file, "plan_healing", raises)
        for _ in range(3):
            with pytest.raises(
                PlannerFailed, match=r"KeyError in test_failed_planner.py:\d+ \(raises\)(.|\n)*card 4111"
            ):
                patient.falls_ill(seen("errors"))
        assert heard(patient) == ["raised errors page", "raised planner/healing page"]
        (why,) = decided(patient, "planner/healing")  # once, however often it fails and whatever its message says
        assert why.startswith("failed: KeyError in test_failed_planner.py:")
        assert "4111" not in why, "a message may hold what no ledger should keep"
        with pytest.raises(PlannerFailed):  # a controller that begins anew tells nothing twice
            patient.another("one").tick()
        assert len(heard(patient)) == 2
    patient.tick()
    patient.tick()  # it is mended
    assert decided(patient, "planner/healing")[-1].startswith("answers: ")
    assert failing(patient.reconciler.state) == {}
    assert "planner/healing" not in patient.reconciler.state.alerts.open
    assert patient.kinds  # and it heals


@pytest.mark.parametrize(
    "concern",
    [
        *("plan_rollback", "plan_exceptions", "plan_ab_end", "_plan_routing", "plan_incidents", "_plan_watched"),
        *("_plan_health", "plan_drill_over", "plan_healing", "plan_ab_test", "plan_rollout", "plan_retraining"),
    ],
)
def test_whichever_planner_raises_people_hear_of_it_and_of_all_else(
    concern: str, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_file, concern, raises)
    patient.write(e.CommandGivenUp(service=NAME, key="route/fraud/9", kind="route", attempts=40, error="-"))
    for _ in range(3):
        with pytest.raises(PlannerFailed):
            patient.tick()
    told = [fact.cause for fact in patient.all_facts() if isinstance(fact, e.AlertRaised) and fact.urgency == "page"]
    (planner,) = [cause for cause in told if cause.startswith("planner/")]
    assert sorted(told) == ["command/route", planner]


def test_nothing_new_is_begun_behind_a_planner_that_raises(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    patient.write(*registered(THIRD))
    with monkeypatch.context() as bent:
        bent.setattr(plan_file, "plan_incidents", raises)
        with pytest.raises(PlannerFailed):
            patient.tick()
        assert patient.reconciler.state.rollout is None
    patient.tick()
    assert patient.reconciler.state.rollout is not None, "else this test would say nothing"


def test_where_the_planner_of_alerts_raises_the_ledger_says_so_and_remedies_go_on(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_file, "plan_alerts", raises)
    with pytest.raises(PlannerFailed):
        patient.falls_ill(seen("errors"))
    assert list(failing(patient.reconciler.state)) == ["alerts"]
    assert patient.kinds


def test_a_check_that_raises_has_let_nothing_pass_and_its_service_is_told(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(made: plan_file.Plan, *args: object, **named: object) -> tuple[str, ...]:
        if any(isinstance(fact, e.RemedyBegun) for each in made.decisions for fact in each.facts):
            raise ValueError("no rule for this")
        return sound(made, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "broken_rules", broken)
    for _ in range(2):
        with pytest.raises(FlyballError, match=r"could not be checked: ValueError(.|\n)*no rule for this"):
            patient.falls_ill(seen("errors"))
    assert patient.kinds == []
    assert heard(patient) == ["raised errors page", "raised check page"]


def test_a_plan_with_a_failed_planner_is_asked_twice_the_same(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_file, "plan_healing", raises)
    situation = patient.situation()
    assert plan(situation) == plan(situation)
