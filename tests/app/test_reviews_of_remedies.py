"""What a person says of a remedy decides whether the next of its kind is taken by itself against that kind of cause."""

import pytest
from tests.control.healing.patient import Patient, sign
from tests.control.loop import wanting
from tests.control.world import NAME

from flyball.app.people import Person
from flyball.app.reviews import review
from flyball.control.explain import explain
from flyball.core import events as e
from flyball.core.errors import NotFound, Refused

BOB = Person(name="bob", proof="os_user")


def healed() -> tuple[Patient, str]:
    """A patient whose errors went away under the fallback chain, and the remedy's id."""
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.recovers()
    return patient, patient.begun[0].remedy


def test_a_harmful_remedy_loses_its_rung_against_that_kind_of_cause_alone() -> None:
    patient, remedy = healed()
    review(patient.ledger, remedy, "harmful", BOB, "the constant let fraud through")
    state = patient.after(400)
    assert state.ladder("fall_back/errors").steps == -1
    assert state.ladder("fall_back/availability").steps == 0
    patient.after(4000)
    patient.falls_ill(sign("errors"))
    assert patient.kinds == ["fall_back", "roll_back"]
    assert "people called it harmful against errors" in patient.begun[-1].skipped[0]


def test_good_reviews_give_the_rung_back() -> None:
    patient, remedy = healed()
    review(patient.ledger, remedy, "harmful", BOB, "worse")
    for number in range(5):
        reviewed = e.RemedyBegun(
            service=NAME,
            remedy=f"re-{number}",
            kind="fall_back",
            cause="errors",
            number=0,
            why="a person took it by hand",
            verify_by="2026-01-01T00:00:00.000000Z",
        )
        verdict = e.RemedyVerified(service=NAME, remedy=f"re-{number}", helped="yes", why="gone")
        patient.write(reviewed, verdict)
        review(patient.ledger, f"re-{number}", "good", BOB, "it helped")
    assert patient.tick().ladder("fall_back/errors").steps == 0


def test_a_remedy_is_reviewed_once_and_when_it_has_its_verdict() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    remedy = patient.begun[0].remedy
    with pytest.raises(Refused, match="is open"):
        review(patient.ledger, remedy, "good", BOB, "too early")
    patient.recovers()
    assert review(patient.ledger, remedy, "good", BOB, "clients saw nothing")
    assert review(patient.ledger, remedy, "good", BOB, "clients saw nothing") == ()
    with pytest.raises(Refused, match="one review each"):
        review(patient.ledger, remedy, "useless", BOB, "on second thoughts")


def test_what_did_not_help_was_not_good() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.after(421)
    with pytest.raises(Refused, match="cannot have been good"):
        review(patient.ledger, patient.begun[0].remedy, "good", BOB, "I like it")


def test_a_training_is_reviewed_by_its_ticket() -> None:
    patient = Patient()
    patient.falls_ill(sign("drift", "warning", "amount"))
    patient.sensor.seen = wanting()
    patient.after(1)
    (begun,) = patient.begun
    with pytest.raises(Refused, match=f"flyball review {begun.target}"):
        review(patient.ledger, begun.remedy, "good", BOB, "it learned")


def test_nobody_reviews_what_was_never_begun() -> None:
    with pytest.raises(NotFound, match="no retrain ticket or remedy"):
        review(Patient().ledger, "re-0", "good", BOB, "why not")


def test_a_remedy_explains_itself_from_the_ledger_alone() -> None:
    patient, remedy = healed()
    told = explain(remedy, patient.ledger.read(), {NAME: patient.reconciler.state})
    texts = [line.text for line in told.events]
    assert any("began: errors (critical)" in text for text in texts)
    assert any("helped: errors is gone after" in text for text in texts)
    assert f"remedy {remedy} (fall back) against errors stands" in told.standing
    assert any("to be gone for 300 s" in wait for wait in told.waiting_for)
