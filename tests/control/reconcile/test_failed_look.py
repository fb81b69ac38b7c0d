"""A part of the look that raises silences nobody: what it would have said is unknown, neither well nor over."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.alerts.test_refused_plan import heard
from tests.control.healing.patient import Patient, patient_service
from tests.control.healing.patient import sign as seen
from tests.control.loop import ADA, failing, healthy, stopped, wanting
from tests.control.reconcile.test_windows import Counting, Sealed
from tests.control.world import NAME, THIRD, registered, service

from flyball.app.people import roll_back
from flyball.control.failing import PlannerFailed
from flyball.control.failing import failing as failing_of
from flyball.control.failure import HalfCounted
from flyball.control.reconcile import Foretelling, Reconciler, TelemetrySensor
from flyball.control.reconcile import looking as looking_file
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.service import Alerts

PARTS = ("monitor", "judge")
BEGINS = (e.RemedyBegun, e.RolloutOpened, e.StepStarted, e.RetrainOrdered, e.TicketOpened, e.ChampionAppointed)
SECONDS = st.lists(st.sampled_from([1.0, 60.0, 3600.0, 86_400.0]), min_size=1, max_size=4)


def raises(*_: Any, **__: Any) -> Any:
    raise KeyError("card 4111")


def sick() -> Patient:
    return Patient(replace(patient_service(), alerts=Alerts(on_call=("ada", "bob"))))


def blind(patient: Patient, part: str, bent: pytest.MonkeyPatch) -> None:
    if part == "monitor":
        bent.setattr(patient.sensor, "look", raises)
    else:
        bent.setattr(patient.reconciler._looking, "_outlook", raises)


def try_out(patient: Patient) -> None:
    """A step of a rollout runs, and nobody can judge it yet."""
    patient.write(*registered(THIRD))
    for _ in range(3):
        patient.tick()
    rollout = patient.reconciler.state.rollout
    assert rollout is not None
    assert rollout.step is not None


def ticks(patient: Patient, seconds: float = 1.0, part: str = "monitor") -> None:
    with pytest.raises(PlannerFailed, match=rf"{part} \(KeyError in test_failed_look.py(.|\n)*card 4111"):
        patient.tick(seconds)


def decided(patient: Patient, part: str) -> list[str]:
    action = f"planner/{part}"
    return [fact.why for fact in patient.all_facts() if isinstance(fact, e.DecisionTaken) and fact.action == action]


def begun(patient: Patient) -> list[str]:
    return [type(fact).__name__ for fact in patient.all_facts() if isinstance(fact, BEGINS)]


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(PARTS), SECONDS)
def test_whichever_part_raises_what_is_due_is_told_nothing_is_begun_and_it_is_over_when_it_answers(
    part: str, seconds: list[float]
) -> None:
    patient = sick()
    patient.write(
        *registered(THIRD), e.CommandGivenUp(service=NAME, key="route/fraud/9", kind="route", attempts=40, error="-")
    )
    before = begun(patient)
    with pytest.MonkeyPatch.context() as bent:
        blind(patient, part, bent)
        patient.sensor.seen = wanting()
        for each in seconds:
            ticks(patient, each, part)
        raised = [line for line in heard(patient) if line.startswith("raised")]
        assert sorted(raised) == ["raised command/route page", f"raised planner/{part} page"]
        (why,) = decided(patient, part)
        assert why.startswith("failed: KeyError in test_failed_look.py:")
        assert "4111" not in why
        assert begun(patient) == before
        assert list(failing_of(patient.reconciler.state)) == [part]
    for _ in range(3):
        patient.tick()
    assert decided(patient, part)[-1].startswith("answers: ")
    assert failing_of(patient.reconciler.state) == {}
    assert f"planner/{part}" not in patient.reconciler.state.alerts.open
    assert len(begun(patient)) > len(before), "else this test would say nothing"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["errors", "latency", "resources", "availability", "data_quality"]), SECONDS, st.booleans())
def test_nothing_that_stood_is_over_while_the_monitor_raises(kind: Any, seconds: list[float], gone: bool) -> None:
    """Gone: the last thing that was seen of the sign is that it went."""
    patient = sick()
    patient.falls_ill(seen(kind))
    for _ in range(3):
        patient.tick()
    if gone:
        patient.recovers()
    state = patient.reconciler.state
    standing, incidents, judged = {*state.alerts.open, *state.alerts.held}, set(state.incidents.open), patient.verdicts
    reliefs = [one.begun.remedy for one in state.healing.standing]
    assert standing == {kind}
    assert incidents
    before = begun(patient)
    with pytest.MonkeyPatch.context() as bent:
        blind(patient, "monitor", bent)
        for each in seconds:
            ticks(patient, each)
        state = patient.reconciler.state
        assert standing <= {*state.alerts.open, *state.alerts.held}
        assert set(state.incidents.open) == incidents
        assert patient.verdicts == judged, "no remedy is judged by what nobody saw"
        assert [one.begun.remedy for one in state.healing.standing] == reliefs
        assert begun(patient) == before
        assert patient.reconciler.seen.health.state == ("UNKNOWN" if gone else "UNHEALTHY")
        if sum(seconds) >= 3600.0:
            assert kind in state.alerts.open, "what waited for its remedy is told when the remedy's time is over"
    for _ in range(4):
        patient.tick(1800.0)
    state = patient.reconciler.state
    assert not gone or (not state.incidents.open and kind not in state.alerts.open), "it is seen again that it is gone"


def test_an_alert_whose_sign_went_is_not_over_by_time_that_nobody_watched() -> None:
    patient = sick()
    patient.falls_ill(seen("resources", "warning"))
    patient.recovers()
    assert not patient.reconciler.state.incidents.open, "the alert stands by itself"
    assert "resources" in patient.reconciler.state.alerts.open
    with pytest.MonkeyPatch.context() as bent:
        blind(patient, "monitor", bent)
        ticks(patient, 86_400.0)
        assert "resources" in patient.reconciler.state.alerts.open
    patient.tick()
    assert "resources" not in patient.reconciler.state.alerts.open


def test_a_relief_whose_cause_stood_is_kept_up_and_not_left_to_end_by_itself() -> None:
    patient = sick()
    patient.falls_ill(seen("errors"))
    routing = patient.reconciler.state.routing
    assert routing is not None
    assert routing.relief is not None
    until = routing.relief.until
    with pytest.MonkeyPatch.context() as bent:
        blind(patient, "monitor", bent)
        ticks(patient, 0.8 * patient.service.healing.longest_s)
    routing = patient.reconciler.state.routing
    assert routing is not None
    assert routing.relief is not None
    assert routing.relief.until > until


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("way", ["gateway", "person"])
def test_the_way_back_of_the_gateway_and_of_a_person_is_taken_whatever_raises(part: str, way: str) -> None:
    patient = sick()
    try_out(patient)
    with pytest.MonkeyPatch.context() as bent:
        blind(patient, part, bent)
        if way == "gateway":
            assert patient.gateways.routing is not None
            patient.gateways.seen, patient.gateways.stopped = failing(), stopped(patient.gateways.routing)
        else:
            roll_back(patient.ledger, NAME, ADA, "it looks wrong")
        ticks(patient, part=part)
    (back,) = (fact for fact in patient.all_facts() if isinstance(fact, e.RolledBack))
    assert back.by == ("gateway" if way == "gateway" else "ada")
    assert patient.reconciler.state.rollout is None
    assert patient.gateways.routing is not None
    assert patient.gateways.routing.candidate is None


def test_a_step_goes_no_further_on_what_a_failed_judge_did_not_say() -> None:
    patient = sick()
    try_out(patient)
    patient.gateways.seen, before = healthy(), begun(patient)
    with pytest.MonkeyPatch.context() as bent:
        bent.setattr(looking_file, "of_step", raises)
        for _ in range(3):
            ticks(patient, 7200.0, "judge")
        assert begun(patient) == before
    patient.tick(7200.0)
    assert begun(patient) != before


def test_half_a_pane_is_no_answer_until_all_are_fed_anew() -> None:
    """A monitor that raised in the midst of a pane has counted some of it: the next look must not go on behind it."""

    class Broken(Counting):
        def feed(self, *_: Any, **__: Any) -> Any:
            raise KeyError("a row")

    watching: Any = Broken()
    telemetry, state = Sealed(), ServiceState(service="s", champion="r")
    declared = replace(service(), metadata=replace(service().metadata, name="s"))
    sensor = TelemetrySensor(declared, telemetry, watching)
    told = []
    for second in range(4):
        with pytest.raises(KeyError, match="a row") as raised:
            sensor.look(state, f"2026-11-26T00:00:0{second}.000000Z")
        told.append([frame.name for frame in raised.traceback])
    assert [names[-1] for names in told] == ["feed"] * 4
    assert told[1] == told[2] == told[3], "the log would grow with each look"


def test_a_log_that_cannot_be_read_now_is_no_failed_monitor() -> None:
    """Red before: one moment without an answer was told as a fault of ours, and paged at once."""

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("nobody answers")

    patient = sick()
    with pytest.MonkeyPatch.context() as bent:
        bent.setattr(patient.sensor, "look", away)
        with pytest.raises(Unavailable):
            patient.tick(1.0)
    assert patient.tick(1.0) is not None
    assert not failing_of(patient.reconciler.state)


def test_what_was_away_in_the_midst_of_a_pane_is_a_failed_monitor() -> None:
    class Away(Counting):
        def feed(self, *_: Any, **__: Any) -> Any:
            raise Unavailable("the store")

    watching: Any = Away()
    declared = replace(service(), metadata=replace(service().metadata, name="s"))
    sensor, state = TelemetrySensor(declared, Sealed(), watching), ServiceState(service="s", champion="r")
    for _ in range(3):
        with pytest.raises(HalfCounted, match="the store"):
            sensor.look(state, "2026-11-26T00:00:00.000000Z")


def test_a_judgement_of_health_that_raises_is_asked_again_and_not_taken_for_the_one_before() -> None:
    watching: Any = Counting()
    sensor, state = TelemetrySensor(service(), Sealed(), watching), ServiceState(service="s", champion="r")
    with pytest.MonkeyPatch.context() as bent:
        bent.setattr(sensor.health, "_look", raises)
        for _ in range(2):
            with pytest.raises(KeyError):
                sensor.look(state, "2026-11-26T00:00:00.000000Z")
    assert sensor.look(state, "2026-11-26T00:00:00.000000Z").failure is None


def test_a_foretelling_that_raises_fails_until_it_is_made_again_and_is_not_made_five_times_a_second() -> None:
    made: list[int] = []

    def plan() -> Any:
        made.append(1)
        raise KeyError("traffic")

    foretelling = Foretelling(service(), plan)
    state: Any = ServiceState(service=NAME, champion="r", waiting=("x",))
    for second in range(5):
        with pytest.raises(KeyError):
            foretelling.power(state, float(second))
    assert len(made) == 1
    with pytest.raises(KeyError):
        foretelling.power(state, 601.0)
    assert len(made) == 2


def test_a_controller_that_begins_anew_tells_nothing_twice() -> None:
    patient = sick()
    with pytest.MonkeyPatch.context() as bent:
        blind(patient, "monitor", bent)
        ticks(patient)
        again: Reconciler = patient.another("one")
        with pytest.raises(PlannerFailed):
            again.tick()
        assert len(heard(patient)) == 1
        assert len(decided(patient, "monitor")) == 1
