"""From a cause to a verified remedy: the order, the bounds, and what is done when nothing helps."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.control.healing.patient import UNKNOWN, Patient, incident, patient_service, sign, unwell
from tests.control.loop import ADA, wanting
from tests.control.world import FIRST, NAME, SECOND, THIRD, registered

from flyball.app.people import freeze
from flyball.control.check.remedies import against_healing
from flyball.control.decision import Learning
from flyball.control.healing.beginning import ordered, relieved
from flyball.control.healing.causes import causes_of
from flyball.control.reconcile import Seen
from flyball.control.state.healing_state import KeptOut
from flyball.core import events as e
from flyball.core.causes import Asked
from flyball.core.clock import timestamp
from flyball.core.health import Severity, SignKind
from flyball.core.ids import Digest, Epoch, RolloutId
from flyball.core.routing import Relief
from flyball.core.service import DeclaredRemedy, HealingPolicy
from flyball.decide.triggers import unproven


def relief(patient: Patient):  # type: ignore[no-untyped-def]
    routing = patient.gateways.routing
    assert routing is not None
    return routing.relief


def test_errors_are_answered_by_the_fallback_chain_at_once_and_marked_as_a_relief() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["fall_back"]
    found = relief(patient)
    assert found.fall_back
    assert found.releases
    assert found.until
    assert patient.gateways.routing.champion == SECOND  # type: ignore[union-attr] # only the answers change hands


def test_a_fallback_that_helped_is_held_and_then_taken_away() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.recovers()
    assert patient.verdicts == ["yes"]
    patient.after(200)
    assert relief(patient) is not None
    patient.after(200)
    assert relief(patient) is None
    assert len(patient.facts(e.RemedyEnded)) == 1


def test_a_cause_that_comes_back_is_answered_by_the_next_remedy_and_the_champion_goes() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.recovers()
    patient.after(400)
    state = patient.falls_ill(sign("errors"))
    assert patient.kinds == ["fall_back", "roll_back"]
    assert (state.champion, SECOND in state.withdrawn) == (FIRST, True)
    assert patient.gateways.routing.champion == FIRST  # type: ignore[union-attr]
    patient.recovers()
    assert patient.verdicts == ["yes", "yes"]


def test_a_remedy_that_did_not_help_in_time_is_followed_by_the_next() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.after(419)
    assert patient.kinds == ["fall_back"]
    patient.after(2)
    assert patient.kinds == ["fall_back", "roll_back"]
    assert patient.verdicts == ["no"]
    assert relief(patient) is None, "what did not help does not stay"


def test_when_nothing_helps_a_person_is_paged_once() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    for _ in range(12):
        patient.after(601)
    assert patient.kinds == ["fall_back", "roll_back", "recycle_worker", "page"]
    assert patient.verdicts[:3] == ["no", "no", "no"]
    assert patient.why("remedy").waiting_for == ("a person, or errors to end",)


PAGED = HealingPolicy(cause="quality", remedies=(DeclaredRemedy(kind="page"),))
ACKED = e.AlertAcked(service=NAME, alert="al-1", by="ada", proof="os_user")
STEP = e.RunbookStepDone(service=NAME, runbook="errors", step="look", by="ada", proof="os_user", exit_code=0)
NOT_ABOUT_IT = [
    None,
    e.Frozen(service=NAME, by="policy", why="a remedy's"),
    e.AlertsTested(service=NAME, alert="al-t", by="ada", proof="os_user", arrived=()),
    e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until="2026-01-01T00:00:00Z", by="ada", proof="os_user"
    ),
]


@pytest.mark.parametrize("done", NOT_ABOUT_IT)
def test_a_page_that_nobody_took_is_not_credited_with_what_went_by_itself(done: e.AnyFact | None) -> None:
    patient = Patient(patient_service(PAGED))
    patient.falls_ill(sign("quality"))
    if done is not None:
        patient.write(done)
    patient.after(24)
    patient.recovers()
    (verdict,) = patient.facts(e.RemedyVerified)
    assert isinstance(verdict, e.RemedyVerified)
    assert (verdict.helped, verdict.why) == ("unknown", "nobody took it: quality is gone after 25 s")


@pytest.mark.parametrize("done", [ACKED, STEP])
def test_a_page_that_a_person_took_has_helped_when_its_cause_is_gone(done: e.AnyFact) -> None:
    patient = Patient(patient_service(PAGED))
    patient.falls_ill(sign("quality"))
    patient.write(done)
    patient.after(24)
    patient.recovers()
    assert patient.verdicts == ["yes"]


def test_what_a_gateway_of_one_process_cannot_do_is_passed_over_and_is_no_remedy_that_failed() -> None:
    patient = Patient()
    patient.gateways.one_process = True
    patient.falls_ill(sign("availability"))
    assert patient.kinds == ["fall_back"]
    (skipped,) = patient.begun[0].skipped
    assert skipped == "recycle_worker: one process answers, and makes room for nobody (serving.workers: 1)"
    assert not patient.verdicts


def test_a_gateway_of_one_process_that_does_not_say_so_refuses_and_the_verdict_says_so_at_once() -> None:
    patient = Patient(patient_service(HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="recycle_worker"),))))
    patient.gateways.one_process, patient.gateways.says_so = True, False
    patient.falls_ill(sign("errors"))
    patient.after(1)
    assert patient.kinds == ["recycle_worker", "page"]
    (verdict, *_) = patient.facts(e.RemedyVerified)
    assert isinstance(verdict, e.RemedyVerified)
    assert verdict.helped == "no"
    assert "one process answers" in verdict.why
    assert patient.reconciler.state.alerts.given_up == {}


def test_a_recycling_is_one_order_however_often_it_is_carried_out() -> None:
    patient = Patient(patient_service(HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="recycle_worker"),))))
    patient.falls_ill(sign("errors"))
    (key,) = patient.gateways.recycled
    assert key == f"recycle/{NAME}/{patient.begun[0].remedy}"


def test_a_failed_service_gets_the_emergency_order() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors", "failed"))
    patient.after(421)
    patient.after(601)
    patient.after(1)
    assert patient.kinds == ["fall_back", "roll_back", "freeze", "page"]
    assert patient.reconciler.state.frozen is not None


def test_a_freeze_of_ours_is_thawed_when_the_service_is_well_again() -> None:
    freeze = HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="freeze"),))
    patient = Patient(patient_service(freeze))
    patient.falls_ill(sign("errors"))
    assert patient.reconciler.state.frozen is not None
    assert patient.verdicts == ["unknown"]
    patient.recovers()
    patient.after(301)
    assert patient.reconciler.state.frozen is None


def test_a_freeze_of_a_person_leaves_the_way_back_alone() -> None:
    patient = Patient()
    patient.write(e.Frozen(service=NAME, by="ada", why="hands off"))
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["roll_back"]
    assert "ada froze the service" in patient.begun[0].skipped[0]


def test_what_a_person_froze_is_not_taken_away_under_them() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.recovers()
    patient.write(e.Frozen(service=NAME, by="ada", why="hands off"))
    patient.after(5000)
    assert relief(patient) is not None


def test_what_did_not_help_is_taken_away_only_when_the_person_thaws() -> None:
    only = HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="fall_back"),))
    patient = Patient(patient_service(only))
    patient.falls_ill(sign("errors"))
    patient.write(e.Frozen(service=NAME, by="ada", why="hands off"))
    epoch = patient.reconciler.state.epoch
    patient.after(5000)
    assert patient.verdicts[0] == "no"
    assert patient.reconciler.state.epoch == epoch
    assert relief(patient).fall_back
    patient.write(e.Thawed(service=NAME, by="ada", why="go on"))
    patient.after(1)
    assert relief(patient) is None


def test_the_check_of_plans_refuses_to_end_a_relief_under_a_persons_freeze() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.write(e.Frozen(service=NAME, by="ada", why="hands off"))
    state = patient.reconciler.catch_up()
    fact, _ = ordered(state, relieved(state, Relief()), "as the test says")
    (told,) = against_healing(fact, (fact,), state, patient_service(), "")
    assert "a person has frozen the service" in told
    held = state.routing.relief  # type: ignore[union-attr]
    assert held is not None
    longer, _ = ordered(state, relieved(state, replace(held, until="2027-01-01T00:00:00.000000Z")), "it stays")
    assert against_healing(longer, (longer,), state, patient_service(), "") == []


def test_a_freeze_of_ours_ends_although_nobody_can_tell_how_the_service_is() -> None:
    freeze_it = HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="freeze"),))
    patient = Patient(patient_service(freeze_it))
    patient.falls_ill(sign("errors"))
    patient.write(UNKNOWN)
    assert patient.after(80_000).frozen is not None
    assert patient.after(10_000).frozen is None


def test_a_chain_of_releases_that_nobody_exercised_is_not_trusted() -> None:
    patient = Patient(patient_service(fallback=("previous",)), exercised=False)
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["roll_back"]
    assert "was not exercised lately" in patient.begun[0].skipped[0]


def test_without_a_release_to_go_back_to_the_way_back_is_passed_over() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.after(421)  # FIRST serves again, and nothing is kept behind it
    patient.after(601)
    assert patient.kinds == ["fall_back", "roll_back", "recycle_worker"]
    patient.recovers()
    patient.after(4000)
    patient.falls_ill(sign("errors"))
    patient.after(421)
    assert "no release is kept to go back to" in " ".join(patient.begun[-1].skipped)


def on_trial() -> Patient:
    """THIRD is in its canary."""
    patient = Patient()
    held = patient.reconciler.state.routing
    assert held is not None
    patient.write(
        *registered(THIRD),
        e.RolloutOpened(
            service=NAME,
            rollout=RolloutId("ro-1"),
            release=THIRD,
            champion=SECOND,
            policy=Digest(patient.reconciler.state.policy),
            salt="s",
            reason="drift",
        ),
        e.StepStarted(
            service=NAME,
            rollout=RolloutId("ro-1"),
            step=2,
            kind="canary",
            key="route/fraud/2",
            why="as the test says",
            routing=replace(held, epoch=Epoch(2), candidate=THIRD, weight=1000, rollout=RolloutId("ro-1"), salt="s"),
        ),
    )
    return patient


def test_a_rollout_with_live_traffic_is_what_goes_back_first() -> None:
    patient = on_trial()
    patient.write(e.Frozen(service=NAME, by="ada", why="so that the way back is the only remedy"))
    state = patient.falls_ill(sign("errors"))
    assert patient.begun[0].target == THIRD
    assert (state.rollout, state.champion) == (None, SECOND)
    (rolled,) = patient.facts(e.RolledBack)
    assert isinstance(rolled, e.RolledBack)
    assert (rolled.by, rolled.cause) == ("policy", "health")


def test_errors_during_a_canary_take_the_candidate_back_before_the_chain_answers() -> None:
    """Red before: the chain was ordered beside the candidate, the check refused that plan, and so every plan."""
    patient = on_trial()
    state = patient.falls_ill(sign("errors"))
    assert patient.kinds == ["roll_back"]
    assert "a candidate is on trial" in patient.begun[0].skipped[0]
    assert (state.rollout, state.champion) == (None, SECOND)
    assert patient.facts(e.Frozen) == []
    patient.after(601)  # the candidate was not to blame
    assert "fall_back" in patient.kinds


def test_a_slow_canary_is_left_to_its_rollout_and_the_loop_goes_on() -> None:
    """Red before: what `flyball init` drafts and a canary that is 30 ms slower were enough to stop the loop."""
    patient = on_trial()
    for _ in range(3):
        state = patient.falls_ill(sign("latency", "warning"))
    assert "shed" not in patient.kinds
    assert state.rollout is not None
    assert not [fact for fact in patient.facts(e.DecisionTaken) if fact.why.startswith("refused")]  # type: ignore[union-attr]


def test_three_incidents_of_one_cause_in_a_day_roll_back_first() -> None:
    patient = Patient()
    for number in range(2):
        patient.write(incident("errors", name=f"in-{number}"))
        patient.write(e.IncidentClosed(service=NAME, incident=f"in-{number}", how="recovered", reason="over"))
    patient.write(incident("errors", name="in-2"))
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["roll_back"]
    assert "3 incidents of errors in a day" in patient.begun[0].why
    assert patient.begun[0].incident == "in-2"


def test_a_broken_supply_is_answered_by_rules_and_never_by_a_training() -> None:
    patient = Patient()
    patient.sensor.seen = wanting()  # drift is seen as well: of course
    patient.falls_ill(sign("freshness", "warning", "amount"), sign("drift", "warning", "amount"))
    (opened,) = patient.facts(e.IncidentOpened)
    assert isinstance(opened, e.IncidentOpened)
    assert opened.kind == "upstream"
    assert relief(patient).fall_back
    assert not relief(patient).releases
    assert patient.kinds == ["fall_back", "quarantine"]
    assert patient.verdicts == ["yes"], "it answers: nothing of ours repairs the supply"
    patient.after(422)
    assert not patient.facts(e.TicketOpened)
    assert patient.reconciler.state.healing.of_cause("drift/amount") == ()
    for _ in range(30):
        patient.after(6000)
        assert relief(patient).fall_back, "the rules answer for as long as the supply is broken"
        assert relief(patient).until > timestamp(patient.clock.now())


def test_without_a_chain_a_broken_supply_holds_the_training_until_it_is_repaired() -> None:
    """Nothing stands there that would hold it else: a fallback chain answers, and no relief is what waits."""
    patient = Patient(patient_service(fallback=()))
    patient.sensor.seen = wanting()
    patient.falls_ill(sign("freshness", "critical", "amount"), sign("drift", "warning", "amount"))
    patient.after(60)
    assert not patient.facts(e.TicketOpened)
    waits = patient.reconciler.state.decisions["retrain"].waiting_for
    assert any("what the service is fed to be repaired" in each for each in waits), waits
    patient.falls_ill(sign("drift", "warning", "amount"))
    for _ in range(10):
        patient.after(300)
    assert patient.facts(e.TicketOpened), "the drift is still there, and the supply is not at fault any more"


def test_what_was_tried_for_drills_uses_up_nothing_of_a_real_causes_remedies_and_hold() -> None:
    """Red before: after three drills of a day nothing was done against a real fault but to wake somebody."""
    patient = Patient(patient_service(incidents_per_day=99))
    held = list[float]()
    for number in range(3):
        patient.falls_ill(replace(sign("errors"), drill=f"dr-{number}"))
        assert relief(patient).fall_back
        patient.after(120)
        began = patient.clock.now()
        patient.recovers()
        while relief(patient) is not None:
            patient.after(60)
        held.append((patient.clock.now() - began).total_seconds())
    assert {fact.drill for fact in patient.begun if fact.kind == "fall_back"} == {"dr-0", "dr-1", "dr-2"}
    assert held[1] == held[2] == held[0], "each drill is one of its own"
    patient.falls_ill(replace(sign("errors"), drill=""))
    assert patient.begun[-1].drill == ""
    assert relief(patient).fall_back


def test_nobody_is_woken_for_what_a_remedy_that_helped_does_again_until_its_budget_is_spent() -> None:
    """Red before: the second time the page went out in the same instant as the relief."""
    order = (DeclaredRemedy(kind="fall_back", per_day=2), DeclaredRemedy(kind="page"))
    patient = Patient(patient_service(HealingPolicy(cause="errors", remedies=order), incidents_per_day=99))
    for expected in (["fall_back"], ["fall_back", "fall_back"], ["fall_back", "fall_back", "page"]):
        patient.falls_ill(sign("errors"))
        patient.after(60)
        assert patient.kinds == expected
        patient.recovers()
        while relief(patient) is not None:
            patient.after(60)


def few_rows(seen: Seen) -> Seen:
    """The same windows beside a collapse of the volume."""
    detail = "volume: 100 rows where windows of this length have 1000"
    asked = Asked(question="do as many rows come as usual?", answer="no", number=100.0, limit=333.0, detail=detail)
    diagnosis = seen.learning.diagnosis
    assert diagnosis is not None
    few = replace(diagnosis, steps=(asked,))
    waiting = unproven(seen.learning.fired or "", few)
    return replace(seen, learning=replace(seen.learning, diagnosis=few, waiting_for=waiting))


def test_drift_beside_a_collapse_of_the_volume_is_answered_by_no_training_until_the_rows_are_back() -> None:
    patient = Patient()
    patient.sensor.seen = few_rows(wanting())
    patient.falls_ill(sign("drift", "warning", "amount"), sign("data_quality", "warning"))
    patient.after(422)
    assert not patient.facts(e.TicketOpened)
    assert patient.kinds == []
    assert "as many rows as usual (volume: 100 rows" in str(patient.why("retrain").waiting_for)
    patient.sensor.seen = wanting()
    patient.after(1)
    assert len(patient.facts(e.TicketOpened)) == 1


def test_a_ticket_of_drift_is_not_trained_while_the_rows_are_away() -> None:
    patient = Patient()
    patient.sensor.seen = wanting(new_rows=0)
    patient.falls_ill(sign("drift", "warning", "amount"))
    assert len(patient.facts(e.TicketOpened)) == 1
    patient.sensor.seen = few_rows(wanting(new_rows=100_000))
    patient.after(1)
    assert not patient.facts(e.RetrainOrdered)
    assert "as many rows as usual (volume: 100 rows" in str(patient.why("retrain").waiting_for)
    patient.sensor.seen = wanting(new_rows=100_000)
    patient.after(1)
    assert len(patient.facts(e.RetrainOrdered)) == 1


def test_rules_give_way_when_the_supply_has_been_whole_for_the_hold() -> None:
    patient = Patient(patient_service(hold_s=900.0))
    patient.falls_ill(sign("freshness", "warning", "amount"))
    patient.after(421)
    assert patient.verdicts == ["yes"]
    patient.after(5000)
    patient.recovers()
    for _ in range(2):
        patient.after(400)
        assert relief(patient) is not None, "not at once, however long ago the verdict was"
    patient.after(200)
    assert relief(patient) is None


def test_a_service_whose_traffic_ended_is_still_retrained() -> None:
    patient = Patient()
    patient.falls_ill(sign("freshness", "warning"))
    patient.sensor.seen = wanting()
    patient.after(1)
    assert len(patient.facts(e.TicketOpened)) == 1


def test_a_broken_supply_is_not_answered_by_releases_that_are_fed_it_too() -> None:
    patient = Patient(patient_service(fallback=("previous",)))
    patient.falls_ill(sign("freshness", "warning", "amount"))
    assert patient.kinds == ["quarantine"]
    assert "fed the same data" in patient.begun[0].skipped[0]


def test_one_noisy_window_is_no_drift_and_the_trigger_opens_the_ticket() -> None:
    patient = Patient()
    patient.falls_ill(sign("drift", "warning", "amount"))
    assert patient.begun == []
    assert "a few windows are no drift yet" in patient.why("remedy").waiting_for[0]
    patient.sensor.seen = wanting()
    patient.after(1)
    (begun,) = patient.begun
    (ticket,) = patient.facts(e.TicketOpened)
    assert isinstance(ticket, e.TicketOpened)
    assert (begun.kind, begun.cause, begun.target) == ("retrain", "drift/amount", ticket.ticket)


def test_a_training_that_came_to_nothing_did_not_help() -> None:
    patient = Patient()
    patient.falls_ill(sign("drift", "warning", "amount"))
    patient.sensor.seen = wanting()
    patient.after(1)
    ticket = patient.begun[0].target
    assert ticket is not None
    patient.write(e.TicketClosed(service=NAME, ticket=ticket, outcome="no_gain", reason="the gates said no"))
    patient.after(1)
    assert patient.verdicts == ["no"]


def test_a_training_under_way_does_not_keep_the_way_back_waiting() -> None:
    patient = Patient()
    patient.falls_ill(sign("drift", "warning", "amount"))
    patient.sensor.seen = wanting()
    patient.after(1)
    patient.falls_ill(sign("drift", "warning", "amount"), sign("errors"))
    assert patient.kinds == ["retrain", "fall_back"]


def test_a_spent_budget_pages_and_does_nothing_else() -> None:
    once = DeclaredRemedy(kind="fall_back", per_day=1)
    patient = Patient(patient_service(HealingPolicy(cause="errors", remedies=(once, DeclaredRemedy(kind="roll_back")))))
    patient.falls_ill(sign("errors"))
    patient.recovers()
    patient.after(301)
    patient.after(4000)  # another bout
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["fall_back", "page"]
    assert "the budget of fall_back is spent" in patient.begun[-1].why


def test_the_hold_grows_each_time_the_cause_comes_back() -> None:
    only = HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="fall_back", per_day=9),))
    patient = Patient(patient_service(only, incidents_per_day=99))
    held = []
    for _ in range(3):
        patient.falls_ill(sign("errors"))
        patient.recovers()
        seconds = 0
        while relief(patient) is not None:
            patient.after(50)
            seconds += 50
        held.append(seconds)
    assert held == [300, 600, 1200]


def test_nobody_can_tell_is_no_yes() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.write(UNKNOWN)
    patient.after(1)
    assert patient.verdicts == []
    patient.after(421)
    assert patient.verdicts == ["unknown"]
    assert relief(patient) is not None, "nobody knows whether clients need it: it stays"


def test_answers_of_a_chain_that_we_ordered_are_no_cause() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.falls_ill(sign("fallback"))
    assert patient.verdicts == ["yes"]
    assert patient.kinds == ["fall_back"]


def test_requests_of_low_priority_are_shed_within_the_declared_share() -> None:
    patient = Patient()
    patient.falls_ill(sign("latency", "warning"))
    assert relief(patient).shed == 0.5
    assert not relief(patient).fall_back


def test_a_graver_cause_ends_the_wait_for_a_milder_remedy() -> None:
    patient = Patient()
    patient.falls_ill(sign("latency", "warning"))
    patient.falls_ill(sign("latency", "failed"))
    assert patient.verdicts == ["no"]
    assert patient.kinds == ["shed", "fall_back"]


def test_nothing_is_tried_beside_a_fallback_that_stands() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.recovers()
    patient.write(*registered(THIRD))
    patient.after(10)
    assert patient.reconciler.state.rollout is None
    assert "stands" in patient.why().why
    patient.after(300)
    assert patient.reconciler.state.rollout is not None


def test_a_condition_chooses_the_policy() -> None:
    young = HealingPolicy(cause="quality", when="champion_age_h < 24.0", remedies=(DeclaredRemedy(kind="roll_back"),))
    patient = Patient(patient_service(young, HealingPolicy(cause="quality", remedies=(DeclaredRemedy(kind="page"),))))
    patient.falls_ill(sign("quality"))
    assert patient.kinds == ["roll_back"]


def test_a_harmful_remedy_is_no_longer_taken_against_that_cause() -> None:
    patient = Patient()
    reviewed = e.RemedyReviewed(
        service=NAME,
        ticket="re-1",
        verdict="harmful",
        by="ada",
        proof="os_user",
        why="worse",
        rung="approval",
        steps=-1,
        good=0,
        moved="a harmful outcome",
        remedy="fall_back/errors",
    )
    patient.write(reviewed)
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["roll_back"]
    assert "people called it harmful" in patient.begun[0].skipped[0]


CASES: list[tuple[SignKind, Severity, str | None, str | None]] = [
    ("availability", "critical", None, "recycle_worker"),
    ("errors", "critical", None, "fall_back"),
    ("errors", "failed", None, "fall_back"),
    ("errors", "warning", None, None),
    ("latency", "warning", None, "shed"),
    ("fallback", "warning", None, None),  # its own cause, errors or a broken supply, shows as well
    ("resources", "warning", "memory", "recycle_worker"),
    ("resources", "warning", "machine", "shed"),
    ("resources", "warning", "disk", None),
    ("resources", "critical", "disk", "page"),
    ("freshness", "warning", None, None),  # no row comes: there is nothing to answer
    ("freshness", "warning", "amount", "fall_back"),
    ("data_quality", "critical", None, "quarantine"),
    ("drift", "warning", "amount", None),  # the trigger's turn
    ("labels", "warning", None, None),  # a ticket for people: nothing here makes labels
    ("quality", "critical", None, None),
    ("trend", "warning", None, None),
]


@pytest.mark.parametrize(("kind", "severity", "feature", "first"), CASES)
def test_the_default_answer_to_each_sign(
    kind: SignKind, severity: Severity, feature: str | None, first: str | None
) -> None:
    patient = Patient()
    patient.falls_ill(sign(kind, severity, feature))
    assert patient.kinds[:1] == ([first] if first else [])


def test_every_kind_of_sign_was_asked() -> None:
    from typing import get_args

    kinds = {kind for part in get_args(SignKind) for kind in (get_args(part) or (part,))}
    assert kinds == {kind for kind, *_ in CASES}


def test_the_answer_is_the_same_when_asked_twice() -> None:
    from flyball.control.plan import plan

    patient = Patient()
    patient.write(unwell(sign("errors")))
    patient.reconciler.catch_up()
    situation = patient.situation()
    assert plan(situation) == plan(situation)
    assert plan(situation).decisions[-1].facts


def test_rows_of_an_incident_are_kept_out_until_it_is_closed() -> None:
    patient = Patient()
    opened = replace(incident("data_quality", "data_quality", "in-7"), row=500)
    patient.write(opened)
    patient.sensor.seen = Seen(learning=Learning(row=900))
    patient.tick()
    assert patient.kinds == ["quarantine"]
    assert patient.reconciler.state.healing.kept_out == {"in-7": KeptOut(first=500)}
    patient.write(e.IncidentClosed(service=NAME, incident="in-7", how="recovered", reason="over"))
    state = patient.tick()
    assert state.healing.kept_out == {"in-7": KeptOut(first=500, last=900)}
    assert patient.verdicts == ["yes"]


def test_rows_are_kept_out_from_when_the_fault_began() -> None:
    patient = Patient()
    start = patient.clock.now().timestamp()
    marks = ((start - 30.0, 0), (start - 20.0, 100), (start + 20.0, 500))
    patient.sensor.seen = Seen(learning=Learning(row=900, marks=marks))
    patient.falls_ill(sign("freshness", "warning", "amount"))
    (begun,) = [one for one in patient.begun if one.kind == "quarantine"]
    assert begun.row == 100


def test_rows_from_before_the_sign_was_sure_are_kept_out_too() -> None:
    patient = Patient(patient_service(HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="quarantine"),))))
    start = patient.clock.now()
    marks = tuple((start.timestamp() + at, row) for at, row in ((-700.0, 0), (-620.0, 100), (-10.0, 500)))
    patient.sensor.seen = Seen(learning=Learning(row=900, marks=marks))
    began = timestamp(start - timedelta(seconds=600))
    patient.falls_ill(sign("errors", since=timestamp(start), began=began))
    (begun,) = [one for one in patient.begun if one.kind == "quarantine"]
    assert (begun.row, begun.since) == (100, began)


def test_a_quarantine_ends_also_where_no_row_was_sealed() -> None:
    patient = Patient()
    patient.falls_ill(sign("freshness", "warning", "amount"))
    assert [(span.first, span.last) for span in patient.reconciler.state.healing.kept_out.values()] == [(0, None)]
    patient.recovers()
    patient.after(301)
    state = patient.after(301)
    assert [(span.first, span.last) for span in state.healing.kept_out.values()] == [(0, 0)]


def test_a_supply_that_breaks_again_is_quarantined_again_and_pages_nobody_for_being_the_second() -> None:
    patient = Patient()
    for number, name in enumerate(("in-7", "in-8")):
        patient.write(replace(incident("data_quality", "data_quality", name), row=500 + 300 * number))
        patient.tick()
        patient.after(60)
        over = timestamp(patient.clock.now() - timedelta(seconds=20))
        row = 700 + 300 * number
        patient.write(e.IncidentClosed(service=NAME, incident=name, how="recovered", reason="-", row=row, over=over))
        patient.tick()
        patient.after(60)
    assert [(one.kind, one.target) for one in patient.begun] == [("quarantine", "in-7"), ("quarantine", "in-8")]


def test_rows_that_a_person_accepts_are_learned_from() -> None:
    patient = Patient()
    patient.write(replace(incident("data_quality", "data_quality", "in-7"), row=500))
    patient.tick()
    patient.write(e.IncidentClosed(service=NAME, incident="in-7", how="person", reason="ada: accepted", row=500))
    assert patient.tick().healing.kept_out == {}


def test_where_the_new_normal_begins_rows_are_learned_from() -> None:
    patient = Patient()
    patient.write(replace(incident("data_quality", "data_quality", "in-7"), row=500))
    patient.tick()
    patient.write(e.IncidentClosed(service=NAME, incident="in-7", how="new_normal", reason="settled", row=700))
    assert patient.tick().healing.kept_out == {"in-7": KeptOut(first=500, last=699)}


def test_a_person_takes_over_a_freeze_of_ours_and_it_is_theirs_to_end() -> None:
    freeze_it = HealingPolicy(cause="errors", remedies=(DeclaredRemedy(kind="freeze"),))
    patient = Patient(patient_service(freeze_it))
    patient.falls_ill(sign("errors"))
    freeze(patient.ledger, NAME, ADA, "I look at it")
    patient.recovers()
    state = patient.after(4000)
    assert state.frozen is not None
    assert state.frozen.by == "ada"
    assert state.healing.standing == ()


def test_a_training_that_no_declared_trigger_can_ask_for_is_passed_over_and_a_person_is_paged() -> None:
    declared = patient_service()
    patient = Patient(replace(declared, retrain=replace(declared.retrain, triggers=("drift",))))
    patient.falls_ill(sign("quality"))
    assert patient.kinds == ["page"]
    assert "no trigger has fired" in patient.begun[0].skipped[0]


def test_a_trigger_that_may_still_fire_is_waited_for_and_not_for_ever() -> None:
    patient = Patient()
    patient.falls_ill(sign("quality"))
    patient.after(3000)
    assert patient.kinds == [], "the machine may heal it: nobody is woken yet"
    patient.after(700)
    assert patient.kinds == ["page"]
    patient.after(7000)
    assert patient.kinds == ["page"], "told once"
    patient.sensor.seen = wanting()
    patient.after(1)
    assert len(patient.facts(e.TicketOpened)) == 1, "what was passed over may still come"


def test_a_training_that_is_only_observed_is_no_remedy_to_wait_for() -> None:
    declared = patient_service()
    patient = Patient(replace(declared, autonomy=replace(declared.autonomy, retrain="observe")))
    patient.sensor.seen = wanting()
    patient.falls_ill(sign("quality"))
    assert patient.kinds == ["page"]
    assert "observe" in patient.begun[0].skipped[0]


def test_of_two_causes_that_are_as_bad_the_older_one_comes_first() -> None:
    patient = Patient()
    older, newer = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    patient.falls_ill(sign("errors", since=newer), sign("availability", since=older))
    assert [cause.key for cause in causes_of(patient.situation())] == ["availability", "errors"]
    assert patient.kinds == ["recycle_worker"]
