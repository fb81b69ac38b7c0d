"""Toil: every hand is counted, and what was done twice names what would do it."""

from msgspec.structs import replace
from tests.control.review.quarter import QUARTER, entries, facts
from tests.control.world import NAME, SECOND

from flyball.contracts.declaration.reference import tables
from flyball.control.review.reading import past_of
from flyball.control.review.toil import AUTOMATION, by_hand, toil
from flyball.core import events as e
from flyball.core.ids import Digest, RolloutId
from flyball.core.ledger import Entry

PAST = past_of(entries(facts()), NAME)
SHA = Digest("sha256:" + "0" * 64)
GIVEN = e.ApprovalGiven(
    service=NAME, rollout=RolloutId("ro-9"), model=SECOND, evidence=SHA, policy=SHA, by="ada", proof="os_user"
)
STARTED = e.ProcessStarted(service=NAME, process="controller")


def test_what_was_done_twice_proposes_its_automation_and_what_was_done_once_does_not() -> None:
    found = {each.what: each for each in toil(PAST)}
    assert found["train a release"].times == 1
    assert found["train a release"].automation == ""
    twice = toil(past_of([*entries(facts()), *_later(e.RetrainOrdered)], NAME))
    assert "retrain.schedule" in {each.what: each for each in twice}["order a retraining"].automation


def _later(kind: type[e.Fact]) -> list[Entry]:
    known = entries(facts())
    again = next(entry for entry in known if isinstance(entry.fact, kind) and getattr(entry.fact, "by", "") == "ada")
    return [replace(again, seq=len(known) + 1)]


def test_steps_of_a_runbook_count_one_by_one_and_name_who_did_them() -> None:
    found = {each.what: each for each in toil(PAST)}
    assert found["data-drift: look"].by == ("ada",)
    assert found["data-drift: look"].work == "hand"


def test_what_a_policy_did_is_no_hand() -> None:
    alone = replace(GIVEN, by="policy", proof="policy")
    assert toil(past_of(entries([(QUARTER.since, alone)]), NAME)) == ()


def test_the_first_start_of_a_process_is_a_beginning_and_each_further_one_is_toil() -> None:
    one = past_of(entries([(QUARTER.since, STARTED)]), NAME)
    three = past_of(entries([(QUARTER.since, STARTED)] * 3), NAME)
    assert by_hand(toil(one)) == 0
    assert by_hand(toil(three)) == 2
    assert toil(three)[0].automation == "a supervisor of the machine"


def test_a_decision_is_counted_and_is_no_work_by_hand() -> None:
    found = toil(past_of(entries([(QUARTER.since, GIVEN)]), NAME))
    assert [each.times for each in found] == [1]
    assert by_hand(found) == 0


def test_every_key_that_is_proposed_is_one_of_the_declaration() -> None:
    page = tables()
    for told in AUTOMATION.values():
        for word in told.replace(",", " ").replace(":", " ").replace(";", " ").split():
            section, _, key = word.rpartition(".")
            if section.split(".")[0] in ("autonomy", "retrain", "rollout", "policy", "serving", "monitor", "healing"):
                assert f"| `{key}` |" in page, word


def test_a_process_that_its_keeper_starts_again_under_its_name_needed_no_hand() -> None:
    kept, other = replace(STARTED, owner="controller-1"), replace(STARTED, owner="controller-2")
    assert by_hand(toil(past_of(entries([(QUARTER.since, each) for each in (kept, kept, kept)]), NAME))) == 0
    assert by_hand(toil(past_of(entries([(QUARTER.since, each) for each in (kept, other, other)]), NAME))) == 1


def test_one_hand_that_started_controller_and_gateway_counts_once() -> None:
    first = [replace(STARTED, process=process, owner="a") for process in ("controller", "gateway")]
    again = [replace(STARTED, process=process, owner="b") for process in ("controller", "gateway", "gateway")]
    for facts_, hands in ((first, 0), ([*first, *again], 1)):
        assert by_hand(toil(past_of(entries([(QUARTER.since, fact) for fact in facts_]), NAME))) == hands
