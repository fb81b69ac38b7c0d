"""Messages from outside that something is new: who may send them, who listens, and what becomes of many."""

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, wanting
from tests.control.world import NAME, SECOND, registered, service

from flyball.app.people import Person, reject
from flyball.app.triggers import receive
from flyball.control.decision import Learning
from flyball.control.explain import explain
from flyball.control.reconcile import Seen
from flyball.core import events as e
from flyball.core.errors import BadInput, Refused
from flyball.core.service import Retrain, Service

CI = Person(name="bob", proof="token")
QUIET = Seen(learning=Learning(new_rows=1000))


def listening(**more: object) -> Service:
    policy = Retrain(min_new_rows=50, cooldown_s=600, triggers=("drift", "risk", "commit", "webhook"))
    return replace(service(), retrain=replace(policy, **more))


def loop_of(declared: Service | None = None) -> Loop:
    loop = Loop(declared or listening())
    loop.sensor.seen = QUIET
    loop.tick()
    return loop


def orders(loop: Loop) -> list[str]:
    return [fact.reason for fact in loop.facts(e.RetrainOrdered) if isinstance(fact, e.RetrainOrdered)]


def ended(loop: Loop) -> None:
    """The training that is under way brings nothing."""
    ticket = loop.reconciler.state.ticket
    assert ticket is not None
    loop.write(e.TicketClosed(service=NAME, ticket=ticket.ticket, outcome="no_gain", reason="gates"))
    loop.tick()


def test_a_commit_is_trained_once_and_its_ticket_says_who_told_of_it() -> None:
    loop = loop_of()
    assert receive(loop.ledger, NAME, CI, "commit", reference="4f1c2aa")
    loop.tick()
    assert orders(loop) == ["commit"]
    (opened,) = (fact for fact in loop.facts(e.TicketOpened) if isinstance(fact, e.TicketOpened))
    assert opened.why == "commit: commit 4f1c2aa, said by bob (token)"
    told = explain(opened.ticket, loop.ledger.read(), {NAME: loop.reconciler.state})
    assert any("4f1c2aa" in line.text for line in told.events)
    ended(loop)
    loop.tick(seconds=86_400)
    assert orders(loop) == ["commit"]


def test_the_same_message_told_again_is_one_message() -> None:
    loop = loop_of()
    assert len(receive(loop.ledger, NAME, CI, "webhook", reference="edition 7", key="a1")) == 1
    assert receive(loop.ledger, NAME, CI, "webhook", reference="edition 7, again", key="a1") == ()
    assert len(receive(loop.ledger, NAME, CI, "commit", reference="a1")) == 1  # of another source it is another


def test_ten_messages_while_one_ticket_is_open_ask_once_and_while_it_trains_once_more() -> None:
    loop = loop_of()
    loop.sensor.seen = Seen(learning=Learning(new_rows=0))  # the ticket waits for labels
    for number in range(10):
        receive(loop.ledger, NAME, CI, "webhook", reference=f"edition {number}")
        loop.tick()
    assert len(loop.facts(e.TicketOpened)) == 1
    loop.sensor.seen = QUIET
    loop.tick()
    assert orders(loop) == ["webhook"]
    for number in range(10, 20):  # its rows are chosen: these it cannot have seen
        receive(loop.ledger, NAME, CI, "webhook", reference=f"edition {number}")
    loop.tick()
    ended(loop)
    assert len(orders(loop)) == 1  # the cool-down
    loop.tick(seconds=3600)
    assert orders(loop) == ["webhook", "webhook"]
    ended(loop)
    loop.tick(seconds=86_400)
    assert len(orders(loop)) == 2


def test_a_message_is_bound_by_what_binds_a_signal() -> None:
    loop = loop_of()
    loop.write(e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="a column went dead"))
    receive(loop.ledger, NAME, CI, "commit", reference="4f1c2aa")
    state = loop.tick()
    assert orders(loop) == []
    assert "the quality incident in-1 to be closed" in state.decisions["retrain"].waiting_for
    loop.write(e.IncidentClosed(service=NAME, incident="in-1", how="person", reason="ada: repaired"))
    loop.write(*registered(SECOND))
    loop.tick()
    assert orders(loop) == []  # another release rolls out
    rollout = loop.reconciler.state.rollout
    assert rollout is not None
    reject(loop.ledger, rollout.rollout, ADA, "not now")
    loop.tick()
    loop.tick()
    assert orders(loop) == ["commit"]


def test_whom_the_policy_does_not_listen_to_is_told_so_and_nothing_is_written() -> None:
    loop = loop_of()
    loop.write(_declared(loop, ["drift", "commit"]))
    with pytest.raises(Refused, match="does not listen to webhook: its triggers are drift, commit"):
        receive(loop.ledger, NAME, CI, "webhook", reference="x")
    assert receive(loop.ledger, NAME, CI, "tag", reference="v2")  # a tag names a commit
    with pytest.raises(Refused, match="eve"):
        receive(loop.ledger, NAME, Person(name="eve", proof="token"), "commit", reference="x")
    with pytest.raises(BadInput, match="names nothing"):
        receive(loop.ledger, NAME, CI, "commit")
    assert len(loop.facts(e.TriggerReceived)) == 1


def _declared(loop: Loop, triggers: list[str]) -> e.ServiceDeclared:
    (declared,) = (fact for fact in loop.facts(e.ServiceDeclared) if isinstance(fact, e.ServiceDeclared))
    return replace(declared, declaration=declared.declaration | {"retrain": {"triggers": triggers}})


def test_a_tired_loop_listens_to_a_commit_and_not_to_a_webhook() -> None:
    loop = loop_of()
    for number in range(2):
        receive(loop.ledger, NAME, CI, "webhook", reference=f"edition {number}")
        loop.tick(seconds=3600)
        ended(loop)
    receive(loop.ledger, NAME, CI, "webhook", reference="edition 3")
    state = loop.tick(seconds=3600)
    assert len(orders(loop)) == 2
    assert any("brought no gain" in wait for wait in state.decisions["retrain"].waiting_for)
    receive(loop.ledger, NAME, CI, "commit", reference="4f1c2aa")
    loop.tick()
    assert orders(loop) == ["webhook", "webhook", "commit"]


def test_a_signal_goes_before_a_message_and_its_training_answers_both() -> None:
    loop = loop_of()
    receive(loop.ledger, NAME, CI, "commit", reference="4f1c2aa")
    loop.sensor.seen = wanting()
    loop.tick()
    assert orders(loop) == ["drift"]
    loop.sensor.seen = QUIET
    ended(loop)
    loop.tick(seconds=86_400)
    assert orders(loop) == ["drift"]


def test_a_ticket_that_is_turned_down_answers_its_message() -> None:
    loop = loop_of()
    loop.sensor.seen = Seen(learning=Learning(new_rows=0))
    receive(loop.ledger, NAME, CI, "webhook", reference="edition 7")
    loop.tick()
    ticket = loop.reconciler.state.ticket
    assert ticket is not None
    reject(loop.ledger, ticket.ticket, ADA, "the edition was withdrawn")
    loop.sensor.seen = QUIET
    loop.tick(seconds=86_400)
    assert orders(loop) == []


def test_new_rows_ask_by_their_number_since_the_last_training() -> None:
    loop = loop_of(listening(triggers=("new_data",), new_data_rows=500))
    loop.sensor.seen = Seen(learning=Learning(new_rows=900, fresh_rows=499))
    loop.tick()
    assert orders(loop) == []
    loop.sensor.seen = Seen(learning=Learning(row=900, new_rows=900, fresh_rows=500))
    loop.tick()
    assert orders(loop) == ["new_data"]
    ended(loop)
    loop.sensor.seen = Seen(learning=Learning(row=950, new_rows=950, fresh_rows=50))
    loop.tick(seconds=86_400)
    assert orders(loop) == ["new_data"]
