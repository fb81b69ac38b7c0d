"""A fault in one concern of the planner silences no alert: what the check refuses is told, and so is all else."""

import pytest
from msgspec.structs import replace
from tests.control.alerts.test_before_anybody import rested, told
from tests.control.alerts.watch import Watch, brief, healthy, sign
from tests.control.healing.patient import Patient, patient_service, unwell
from tests.control.healing.patient import sign as seen
from tests.control.world import NAME

import flyball.control.plan as plan_file
from flyball.control.decision import Decision, Situation
from flyball.control.healing.planning import plan_healing as sound
from flyball.control.plan import plan
from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.routing import Observed
from flyball.core.service import Alerts


def broken(situation: Situation) -> Decision | None:
    """Freezes the service whatever is wrong, by no remedy: the check refuses it."""
    if not situation.state.health.health.signs:
        return None
    fact = e.Frozen(service=NAME, by="policy", why="why not")
    return Decision(action="healing", what="freeze", why="why not", facts=(fact,))


def heard(patient: Patient) -> list[str]:
    kinds = e.AlertRaised | e.AlertHeld | e.AlertResolved
    return [brief(entry.fact) for entry in patient.ledger.read() if isinstance(entry.fact, kinds)]


@pytest.fixture
def patient() -> Patient:
    return Patient(replace(patient_service(), alerts=Alerts(on_call=("ada", "bob"))))


def test_a_healing_plan_that_is_refused_silences_nobody_and_is_told_itself(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as bent:
        bent.setattr(plan_file, "plan_healing", broken)
        for _ in range(3):
            with pytest.raises(FlyballError, match="neither a person nor a remedy orders"):
                patient.falls_ill(seen("errors"))
        assert heard(patient) == ["raised errors page", "raised check page"]
        (why,) = [fact.why for fact in patient.facts(e.DecisionTaken) if brief(fact) and fact.action == "check"]  # type: ignore[union-attr]
        assert why.startswith("refused: a freeze that neither")
        assert patient.facts(e.Frozen) == []
        with pytest.raises(FlyballError):  # a controller that begins anew tells nothing twice
            patient.another("one").tick()
        assert len(heard(patient)) == 2
    patient.tick()  # the planner is mended: its plan passes, and the refusal is over
    patient.tick()
    check = [fact for fact in patient.facts(e.DecisionTaken) if fact.action == "check"]  # type: ignore[union-attr]
    assert check[-1].why.startswith("accepted: ")  # type: ignore[union-attr]
    assert "check" not in patient.reconciler.state.alerts.open
    assert patient.kinds  # and it heals


def test_a_page_is_told_though_the_healing_planner_has_something_else_to_do_in_each_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A relief that is renewed, a verdict on another cause: the whole decision about alerts was dropped beside it."""

    def busy(situation: Situation) -> Decision:
        fact = e.RemedyEnded(service=NAME, remedy="re-x", why="over")
        return Decision(action="healing", what="end", why="over", facts=(fact,))

    watch = Watch()
    rested(watch)
    monkeypatch.setattr(plan_file, "plan_healing", busy)
    watch.say(healthy(sign("errors")))
    watch.say(*(fact for each in plan(watch.situation()).decisions for fact in each.facts))  # its incident
    said = [fact for each in plan(watch.situation()).decisions for fact in each.facts]
    assert told(said) == ["raised errors page"]


def test_only_the_cause_that_a_remedy_begins_against_waits_for_it() -> None:
    watch = Watch()
    rested(watch)
    applied = e.RoutingApplied(service=NAME, key="route/fraud/1", epoch=watch.state.epoch)
    watch.observed = Observed(routing=watch.state.routing, counts=None)
    said = rested(watch.say(applied, healthy(sign("latency"), sign("resources", "failed"))))
    begun = next(place for place, fact in enumerate(said) if isinstance(fact, e.RemedyBegun))
    assert told(said[:begun]) == ["raised resources page"]
    assert said[begun].cause == "latency"  # type: ignore[union-attr]


def test_the_healing_planner_is_asked_once_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Situation] = []

    def counted(situation: Situation) -> Decision | None:
        asked.append(situation)
        return sound(situation)

    monkeypatch.setattr(plan_file, "plan_healing", counted)
    watch = Watch()
    rested(watch)
    watch.say(unwell(seen("errors")))
    watch.say(*(fact for each in plan(watch.situation()).decisions for fact in each.facts))
    asked.clear()
    plan(watch.situation())
    assert len(asked) == 1
