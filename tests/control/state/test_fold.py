"""Laws of the fold: the state is the facts, whoever reads them and however often."""

from hypothesis import given
from hypothesis import strategies as st
from tests.control.world import FIRST, NAME, POLICY, SECOND, entries, first_champion, folded, registered

from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import RolloutId, ServiceName
from flyball.core.routing import Routing


def opened(release: str = SECOND) -> e.RolloutOpened:
    return e.RolloutOpened(
        service=NAME, rollout=RolloutId("ro-1"), release=SECOND, champion=FIRST, policy=POLICY, salt="s", reason="drift"
    )


def closed(outcome: str) -> e.RolloutClosed:
    return e.RolloutClosed(
        service=NAME,
        rollout=RolloutId("ro-1"),
        outcome="rolled_back" if outcome == "rolled_back" else "promoted",
        reason="r",
    )


STORY: list[e.AnyFact] = [
    *first_champion(),
    *registered(SECOND),
    opened(),
    e.StepStarted(
        service=NAME,
        rollout=RolloutId("ro-1"),
        step=0,
        kind="shadow",
        key="route/fraud/2",
        routing=Routing(service=NAME, epoch=2, champion=FIRST, candidate=SECOND, salt="s", rollout=RolloutId("ro-1")),
        why="w",
    ),
    e.RoutingApplied(service=NAME, key="route/fraud/2", epoch=2),
    e.Frozen(service=NAME, by="ada", why="audit"),
    e.Thawed(service=NAME, by="ada", why="done"),
    closed("rolled_back"),
]


@given(st.integers(0, len(STORY)))
def test_reading_in_two_parts_is_reading_at_once(cut: int) -> None:
    state = folded(STORY[:cut])
    for entry in entries(STORY)[cut:]:
        state = fold(state, entry)
    assert state == folded(STORY)


@given(st.integers(1, len(STORY)))
def test_a_fact_read_twice_changes_nothing(seq: int) -> None:
    state = folded(STORY)
    assert fold(state, entries(STORY)[seq - 1]) == state


def test_a_fact_of_another_service_changes_nothing() -> None:
    state = folded(STORY)
    stranger = e.Frozen(service=ServiceName("other"), by="eve", why="x")
    assert fold(state, entries([*STORY, stranger])[-1]) == state


def test_a_rolled_back_release_never_waits_again() -> None:
    state = folded(STORY)
    assert state.withdrawn == {SECOND}
    assert state.waiting == ()
    assert state.rollout is None


def test_a_release_that_failed_its_gates_never_waits() -> None:
    assert folded([*first_champion(), *registered(SECOND, passed=False)]).waiting == ()


def test_a_step_is_in_force_only_when_the_gateway_confirmed_it() -> None:
    before, after = folded(STORY[:-4]), folded(STORY[:-3])
    assert before.rollout is not None
    assert before.rollout.step is not None
    assert not before.rollout.step.applied
    assert after.rollout is not None
    assert after.rollout.step is not None
    assert after.rollout.step.applied
    assert (before.applied, after.applied) == (-1, 2)


def test_an_unknown_service_stands_nowhere() -> None:
    assert ServiceState(service="x").champion is None
