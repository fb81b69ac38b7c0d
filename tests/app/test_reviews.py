"""Each rung of the ladder, as a person meets it; and what a review of a retraining does to it."""

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, wanting
from tests.control.world import NAME, SECOND, registered, service

from flyball.app.people import Person, approve
from flyball.app.reviews import review
from flyball.app.triggers import receive
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Learning
from flyball.control.plan import Plan
from flyball.control.reconcile import Seen
from flyball.core import events as e
from flyball.core.errors import NotFound, Refused
from flyball.core.service import Autonomy, Remedy, Retrain
from flyball.decide.ladder import Review

BOB, CAT = (Person(name=name, proof="os_user") for name in ("bob", "cat"))


def loop_of(rung: Remedy, **more: object) -> Loop:
    base = service(autonomy=replace(Autonomy(retrain=rung), **more))
    policy = Retrain(min_new_rows=50, cooldown_s=600, triggers=("drift", "commit"))
    people = {"ada": ("approver",), "bob": ("operator",), "cat": ("approver",)}
    loop = Loop(replace(base, retrain=policy, metadata=replace(base.metadata, people=people)))
    loop.sensor.seen = wanting()
    loop.tick()
    return loop


def orders(loop: Loop) -> list[str]:
    return [fact.by for fact in loop.facts(e.RetrainOrdered) if isinstance(fact, e.RetrainOrdered)]


def waits(loop: Loop) -> str:
    return "; ".join(loop.tick().decisions["retrain"].waiting_for)


def ticket_of(loop: Loop) -> str:
    ticket = loop.reconciler.state.ticket
    assert ticket is not None
    return ticket.ticket


def ended(loop: Loop, outcome: str = "promoted") -> str:
    """The newest ticket is over; so is what asked for it."""
    name = ticket_of(loop)
    loop.write(e.TicketClosed(service=NAME, ticket=name, outcome=outcome, reason="a test says so"))  # type: ignore[arg-type]
    return name


def test_observe_opens_no_ticket() -> None:
    loop = loop_of("observe")
    assert loop.reconciler.state.ticket is None
    assert "more than to observe" in waits(loop)


def test_suggest_opens_a_ticket_that_an_operator_starts_as_their_own_order_at_once() -> None:
    loop = loop_of("suggest")
    assert "a person to start it" in waits(loop)
    loop.sensor.seen = wanting(new_rows=10)  # fewer than the loop would train with: they have read more than it has
    approve(loop.ledger, ticket_of(loop), BOB)
    assert orders(loop) == ["bob"]
    loop.tick()
    loop.write(*registered(SECOND, ticket=ticket_of(loop)))
    assert loop.tick().proposed == {SECOND: "bob"}  # and so does not approve what comes of it


def test_approval_wants_an_approver_and_then_the_loop_trains_when_nothing_is_in_its_way() -> None:
    loop = loop_of("approval")
    assert "an approver to agree" in waits(loop)
    with pytest.raises(Refused, match="bob has no role approver"):
        approve(loop.ledger, ticket_of(loop), BOB)
    loop.sensor.seen = wanting(new_rows=10)
    approve(loop.ledger, ticket_of(loop), ADA)
    assert approve(loop.ledger, ticket_of(loop), ADA) == ()  # it is so already
    assert "labels: 10 of 50" in waits(loop)
    assert orders(loop) == []
    loop.sensor.seen = wanting()
    loop.tick()
    assert orders(loop) == ["policy"]
    loop.write(*registered(SECOND, ticket=ticket_of(loop)))
    assert loop.tick().proposed == {}  # nobody's own: who agreed may approve its rollout


def test_approval_takes_four_eyes_where_a_person_had_asked() -> None:
    loop = loop_of("approval")
    ended(loop, "dismissed")
    loop.sensor.seen = Seen(learning=Learning(new_rows=1000))
    receive(loop.ledger, NAME, ADA, "commit", reference="4f1c2aa")
    loop.tick()
    with pytest.raises(Refused, match="somebody else has to approve it"):
        approve(loop.ledger, ticket_of(loop), ADA)
    approve(loop.ledger, ticket_of(loop), CAT)
    loop.tick()
    assert orders(loop) == ["policy"]


def test_auto_trains_alone() -> None:
    assert orders(loop_of("auto")) == ["policy"]


def test_a_harmful_outcome_takes_a_rung_at_once_and_the_ledger_says_why() -> None:
    loop = loop_of("auto")
    name = ended(loop)
    (entry,) = review(loop.ledger, name, "harmful", BOB, "it forgot the night shift")
    assert isinstance(entry.fact, e.RemedyReviewed)
    assert (entry.fact.rung, entry.fact.moved) == ("approval", "a harmful outcome: from auto to approval")
    loop.tick(seconds=3600)
    assert orders(loop) == ["policy"]
    assert "an approver to agree" in waits(loop)
    approve(loop.ledger, ticket_of(loop), ADA)
    loop.tick()
    assert orders(loop) == ["policy", "policy"]


def test_a_harmful_outcome_voids_what_was_agreed_to_and_nothing_is_stuck() -> None:
    loop = loop_of("approval")
    approve(loop.ledger, ticket_of(loop), ADA)
    loop.tick()
    first = ended(loop)
    loop.sensor.seen = wanting(new_rows=0)
    loop.tick(seconds=3600)
    approve(loop.ledger, ticket_of(loop), ADA)
    review(loop.ledger, first, "harmful", BOB, "it forgot the night shift")
    loop.sensor.seen = wanting()
    assert "a person to start it" in waits(loop)
    assert orders(loop) == ["policy"]
    approve(loop.ledger, ticket_of(loop), BOB)
    assert orders(loop) == ["policy", "bob"]


def test_an_earned_ladder_begins_at_suggest_and_climbs_by_good_outcomes_to_its_ceiling() -> None:
    loop = loop_of("auto", earned=True, reviews=2)
    seen = []
    for number in range(6):
        if number < 4:
            approve(loop.ledger, ticket_of(loop), ADA)
        loop.tick()
        seen.append(orders(loop)[-1])
        (entry,) = review(loop.ledger, ended(loop), "good", CAT, "less fraud")
        assert isinstance(entry.fact, e.RemedyReviewed)
        seen.append(entry.fact.rung)
        loop.tick(seconds=3600)
    assert seen[0::2] == ["ada", "ada", "policy", "policy", "policy", "policy"]
    assert seen[1::2] == ["suggest", "approval", "approval", "auto", "auto", "auto"]


def test_a_rung_is_not_earned_by_what_came_before_it_was_moved() -> None:
    """Harmful, and then older successes called good at once: the ladder would be back where it was."""
    loop = loop_of("auto", reviews=1)
    old = ended(loop)
    loop.tick(seconds=3600)
    review(loop.ledger, ended(loop), "harmful", BOB, "it forgot the night shift")
    with pytest.raises(Refused, match="opened before the rung was moved last"):
        review(loop.ledger, old, "good", CAT, "it was good then")
    assert review(loop.ledger, old, "useless", CAT, "it was good then")
    loop.tick(seconds=3600)
    approve(loop.ledger, ticket_of(loop), ADA)
    (entry,) = review(loop.ledger, ended(loop), "good", CAT, "it is good now")
    assert isinstance(entry.fact, e.RemedyReviewed)
    assert entry.fact.rung == "auto"


def test_who_ordered_a_training_does_not_call_it_good_while_somebody_else_could() -> None:
    loop = loop_of("suggest")
    approve(loop.ledger, ticket_of(loop), ADA)
    name = ended(loop)
    with pytest.raises(Refused, match="somebody else"):
        review(loop.ledger, name, "good", ADA, "mine")
    assert review(loop.ledger, name, "harmful", ADA, "mine, and bad")
    assert review(loop.ledger, name, "harmful", ADA, "said twice") == ()


@pytest.mark.parametrize(
    ("outcome", "verdict", "no"),
    [
        ("dismissed", "useless", "nothing was trained"),
        ("no_gain", "good", "cannot have been good"),
        (None, "useless", "is open"),
    ],
)
def test_a_review_is_of_what_was_done(outcome: str | None, verdict: Review, no: str) -> None:
    loop = loop_of("auto")
    name = ticket_of(loop) if outcome is None else ended(loop, outcome)
    with pytest.raises(Refused, match=no):
        review(loop.ledger, name, verdict, CAT, "why")


def test_one_review_a_ticket_by_whoever_may() -> None:
    loop = loop_of("auto")
    name = ended(loop, "no_gain")
    with pytest.raises(NotFound):
        review(loop.ledger, "ti-none", "useless", CAT, "why")
    with pytest.raises(Refused, match="eve"):
        review(loop.ledger, name, "harmful", Person(name="eve", proof="token"), "why")
    assert review(loop.ledger, name, "useless", CAT, "no gain")
    with pytest.raises(Refused, match="was called useless by cat"):
        review(loop.ledger, name, "harmful", BOB, "why")


@pytest.mark.parametrize("rung", ["observe", "suggest", "approval"])
def test_the_check_lets_no_plan_train_alone_below_auto(rung: Remedy) -> None:
    loop = loop_of(rung)
    state = loop.reconciler.state
    fact = e.RetrainOrdered(service=NAME, ticket="ti-1", key="k", by="policy", proof="policy", reason="drift")
    alone = Decision(action="retrain", what="", why="", facts=(fact,))
    plan = Plan(service=NAME, parent=state.version, decisions=(alone,))
    assert any("without a person" in rule for rule in broken_rules(plan, state, loop.service))
