"""What people and policies may do happens in some seed, and in none of them is a promise broken."""

from collections import Counter
from functools import cache

import pytest
from msgspec.structs import replace
from tests.simulation.stories import STORIES

from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core import events as e
from flyball.core.ledger import Entry

SEEDS = range(1, 4)
# each is a fact of its own kind; a kind that no seed writes is a promise that no seed has tried
KINDS = {
    *("approval.requested", "approval.given", "step.skipped", "rollout.paused", "rollout.resumed"),
    *("exception.requested", "exception.confirmed", "exception.ended", "rollout.rolled_back", "rollback.ordered"),
    *("trigger.received", "ticket.opened", "ticket.approved", "ticket.closed", "retrain.ordered"),
    *("command.given_up", "routing.repeated", "service.frozen", "service.thawed", "signal.raised"),
}


@cache
def told(story: str) -> tuple[tuple[Entry, ...], ...]:
    """The ledger of each seed."""
    found = []
    for seed in SEEDS:
        rehearsal = Rehearsal(STORIES[story], seed)
        run = rehearsal.run()
        assert run.violations == (), seed
        assert run.words == len(rehearsal.cast.scenario.words), seed
        found.append(tuple(rehearsal.world.ledger.read()))
    return tuple(found)


def facts(story: str) -> list[e.AnyFact]:
    return [entry.fact for ledger in told(story) for entry in ledger]


@pytest.mark.parametrize("story", STORIES)
def test_no_promise_is_broken(story: str) -> None:
    assert len(told(story)) == len(SEEDS)


def test_every_kind_of_thing_happens_in_some_seed() -> None:
    seen = Counter(entry.type for story in STORIES for ledger in told(story) for entry in ledger)
    assert KINDS - set(seen) == set()


def test_a_soak_waits_for_labels_and_a_metric_that_is_worse_sends_a_candidate_back() -> None:
    found = facts("a soak with a metric")
    kinds = Counter(fact.kind for fact in found if isinstance(fact, e.StepStarted))
    assert kinds["soak"] >= len(SEEDS)
    assert kinds["promote"] == len(SEEDS)
    causes = [fact.cause for fact in found if isinstance(fact, e.RolledBack)]
    assert causes.count("metric") >= len(SEEDS) / 2
    waits = [
        fact for fact in found if isinstance(fact, e.DecisionTaken) and "labels that show" in str(fact.waiting_for)
    ]
    assert waits


def test_exceptions_are_used_expire_and_are_revoked() -> None:
    found = facts("exceptions")
    assert {fact.how for fact in found if isinstance(fact, e.ExceptionEnded)} == {"used", "expired", "revoked"}
    opened = [fact for fact in found if isinstance(fact, e.RolloutOpened)]
    assert all(len(fact.exceptions) == 1 for fact in opened)
    assert sum(isinstance(fact, e.RolloutClosed) and fact.outcome == "promoted" for fact in found) >= len(SEEDS) / 2


def test_rules_hold_a_promotion_ask_two_people_and_keep_a_rollout_from_being_opened() -> None:
    found = facts("rules")
    why = " ".join(fact.why for fact in found if isinstance(fact, e.DecisionTaken))
    assert "forbids to promote: nobody is awake" in why
    assert "forbids to open a rollout: two a week are enough" in why
    assert {fact.quorum for fact in found if isinstance(fact, e.ApprovalRequested)} == {2}
    for ledger in told("rules"):
        by = [entry.fact.by for entry in ledger if isinstance(entry.fact, e.ApprovalGiven)]
        assert len(set(by)) == len(by)


def test_a_message_trains_once_an_approver_agrees_and_its_release_goes_alone() -> None:
    found = facts("messages")
    reasons = [fact.reason for fact in found if isinstance(fact, e.RetrainOrdered)]
    assert reasons.count("commit") == len(SEEDS)
    assert any(fact.proof == "policy" for fact in found if isinstance(fact, e.ApprovalGiven))


def test_pressure_opens_a_ticket_and_says_how_much() -> None:
    opened = [fact for fact in facts("pressure") if isinstance(fact, e.TicketOpened)]
    assert opened
    assert all(any(each.high for each in fact.pressures) for fact in opened)


def test_an_order_that_is_given_up_is_told_and_the_routing_arrives_in_the_end() -> None:
    for ledger in told("a gateway that takes no order"):
        (gone,) = (entry for entry in ledger if isinstance(entry.fact, e.CommandGivenUp))
        later = [entry.fact for entry in ledger if entry.seq > gone.seq]
        (again,) = (fact for fact in later if isinstance(fact, e.RoutingRepeated))
        assert any(isinstance(fact, e.RoutingApplied) and fact.epoch == again.epoch for fact in later)


def test_the_same_seed_of_a_story_with_words_is_the_same_to_the_last_bit() -> None:
    cast = STORIES["exceptions"]
    first, again, other = (Rehearsal(cast, seed).run() for seed in (3, 3, 4))
    assert first == again
    assert first.digest != other.digest


def test_a_word_that_cannot_be_said_is_dropped_after_an_hour() -> None:
    told_ = STORIES["a gateway that takes no order"].scenario
    word = replace(told_.words[0], at=100.0, say="revoke")
    cast = STORIES["a gateway that takes no order"]
    quiet = replace(told_, candidates=(), faults=(), words=(word,))
    rehearsal = Rehearsal(Cast(cast.declared, quiet), 1)
    assert rehearsal.run().words == 0
    assert not rehearsal.world.speaking.due(told_.length_s)
