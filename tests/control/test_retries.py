"""Commands that fail: they wait longer each time, are given up after as many attempts as their kind may have."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.loop import Loop, healthy, wanting
from tests.control.world import FIRST

from flyball.control.retries import AGAIN_S, BUDGETS, spent, wait_s
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.ledger import Claimed

kinds = st.sampled_from(sorted(BUDGETS))


@given(kinds, st.integers(1, 10_000), st.text(max_size=20))
def test_a_wait_is_between_half_of_the_doubled_time_and_all_of_it(kind: str, attempts: int, key: str) -> None:
    budget = BUDGETS[kind]
    whole = min(budget.longest_s, budget.first_s * 2.0 ** min(attempts - 1, 100))
    assert whole / 2 <= wait_s(kind, attempts, key) <= whole
    assert wait_s(kind, attempts, key) == wait_s(kind, attempts, key)


def test_services_do_not_all_ask_in_the_same_instant() -> None:
    waits = {round(wait_s("route", 8, f"route/s{n}/3"), 1) for n in range(200)}
    assert len(waits) > 20


def test_a_budget_is_spent_once_and_stays_so() -> None:
    for kind, budget in BUDGETS.items():
        assert [n for n in range(1, 100) if spent(kind, n)] == list(range(budget.attempts, 100))


def given_up(loop: Loop) -> list[e.CommandGivenUp]:
    return [fact for fact in loop.facts(e.CommandGivenUp) if isinstance(fact, e.CommandGivenUp)]


def repeated(loop: Loop) -> list[e.RoutingRepeated]:
    return [fact for fact in loop.facts(e.RoutingRepeated) if isinstance(fact, e.RoutingRepeated)]


def until_given_up(loop: Loop, ticks: int = 400) -> ServiceState:
    for _ in range(ticks):
        state = loop.tick(5.0)
        if given_up(loop):
            return state
    raise AssertionError(f"not given up after {ticks} ticks")


class Deaf:
    """A gateway that shows its counts and takes no order."""

    def __init__(self, loop: Loop) -> None:
        self.asked, self._loop, self._apply = 0, loop, loop.gateways.apply
        self.deaf = True
        loop.gateways.apply = self.apply  # type: ignore[method-assign]

    def apply(self, key: str, routing: object) -> None:
        self.asked += 1
        if self.deaf:
            raise Unavailable("its disk is full")
        self._apply(key, routing)  # type: ignore[arg-type]


def test_a_gateway_that_takes_no_order_is_told_and_asked_again_after_a_while() -> None:
    loop = Loop()
    gateway = Deaf(loop)
    until_given_up(loop)
    (fact,) = given_up(loop)
    assert (fact.kind, fact.attempts, fact.error) == ("route", BUDGETS["route"].attempts, "its disk is full")
    assert gateway.asked == BUDGETS["route"].attempts
    state = loop.tick(1.0)
    assert gateway.asked == BUDGETS["route"].attempts
    assert "attempts failed, the last with: its disk is full" in state.decisions["routing"].why
    gateway.deaf = False
    state = loop.tick(AGAIN_S)
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.champion == FIRST
    assert state.given_up is None
    assert state.applied == state.epoch


def test_while_it_stays_deaf_it_is_asked_a_bounded_number_of_times() -> None:
    loop = Loop()
    gateway = Deaf(loop)
    for _ in range(2_000):
        loop.tick(5.0)
    rounds = 10_000 / (AGAIN_S + 150)  # one round: the budget, at most 5 s an attempt, and the rest after it
    assert gateway.asked <= (rounds + 2) * BUDGETS["route"].attempts
    assert len(given_up(loop)) <= rounds + 2
    # of each round: the order once more, that it was given up, and two words on it
    assert len(loop.types()) <= 20 + 4 * (rounds + 2)


def test_a_gateway_that_loses_its_table_twice_gets_it_twice() -> None:
    """The second order says in the same words why; it is an intent all the same, and goes on the ledger."""
    loop = Loop()
    loop.tick()
    for _ in range(2):
        loop.gateways.routing = None
        loop.tick()
        assert loop.gateways.routing is not None
    assert [fact.why for fact in repeated(loop)] == ["the gateway holds no routing"] * 2


def test_a_gateway_that_lost_its_table_and_takes_none_is_ordered_once_and_not_with_each_look() -> None:
    loop = Loop()
    gateway = Deaf(loop)
    gateway.deaf = False
    loop.tick()
    gateway.deaf, loop.gateways.routing = True, None
    for _ in range(30):
        loop.tick(0.2)
    assert len(repeated(loop)) == 1
    assert gateway.asked < 30


class Absent:
    """Nobody there who trains."""

    def __init__(self, loop: Loop) -> None:
        self.asked = 0
        loop.learner.learn = self.learn  # type: ignore[method-assign]

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        self.asked += 1
        raise Unavailable("no cluster")


def test_a_training_that_cannot_begin_closes_its_ticket_as_failed() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.tick()
    absent = Absent(loop)
    loop.sensor.seen = wanting()
    state = loop.tick()
    assert state.ticket is not None
    loop.sensor.seen = replace(wanting(), learning=replace(wanting().learning, fired=None))
    for _ in range(BUDGETS["train"].attempts):
        state = loop.tick(BUDGETS["train"].longest_s)
    assert absent.asked == BUDGETS["train"].attempts
    (closed,) = loop.facts(e.TicketClosed)
    assert isinstance(closed, e.TicketClosed)
    assert (closed.outcome, closed.reason) == ("failed", "no cluster")
    assert state.ticket is None


def test_an_order_that_kills_whoever_carries_it_out_is_given_up_without_being_begun_again() -> None:
    loop = Loop()
    key = f"train/{'t'}"
    loop.gateways.seen = healthy()
    loop.tick()
    absent = Absent(loop)
    loop.sensor.seen = wanting()
    subject = loop.reconciler.state.service
    loop.learner.learn = lambda *_: None  # type: ignore[method-assign]  # dies: it never comes back to the command
    loop.tick()
    for _ in range(BUDGETS["train"].attempts + 1):
        loop.tick(31.0)
    (fact,) = given_up(loop)
    assert fact.attempts == BUDGETS["train"].attempts + 1
    assert "came to no end" in fact.error
    assert absent.asked == 0
    assert loop.ledger.claim(subject, "me", ttl_s=1) is None, key


def test_waiting_for_a_thaw_costs_no_attempt() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.tick()
    loop.sensor.seen = wanting()
    asked: list[int] = []
    loop.learner.learn = lambda state, claimed: asked.append(claimed.attempts)  # type: ignore[method-assign]
    loop.tick()
    loop.write(e.Frozen(service=loop.reconciler.state.service, by="ada", why="audit"))  # type: ignore[arg-type]
    for _ in range(50):
        loop.tick(31.0)
    loop.write(e.Thawed(service=loop.reconciler.state.service, by="ada", why="done"))  # type: ignore[arg-type]
    loop.tick(31.0)
    assert asked == [1, 2]
