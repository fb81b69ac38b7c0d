"""A gateway that was started anew is told once, whoever observes it how often, and in whatever turn several answer."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.loop import Loop
from tests.control.world import NAME

from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.routing import Observed


def starts(loop: Loop) -> list[tuple[str, str]]:
    return [(fact.life, fact.owner) for fact in loop.each(e.ProcessStarted) if fact.process == "gateway"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=12))
def test_each_life_is_told_once_in_the_order_in_which_it_was_seen(lives: list[str]) -> None:
    loop = Loop()
    observe = loop.gateways.observe
    for life in lives:
        loop.gateways.observe = lambda service, life=life: replace(observe(service), life=life, owner="up")  # type: ignore[method-assign,misc]
        loop.tick()
    assert starts(loop) == [(life, "up") for life in dict.fromkeys(filter(None, lives))]


def test_a_freeze_and_a_controller_that_was_started_anew_change_nothing_about_it() -> None:
    loop = Loop()
    observe = loop.gateways.observe
    loop.gateways.observe = lambda service: replace(observe(service), life="a")  # type: ignore[method-assign]
    loop.write(e.Frozen(service=NAME, by="ada", why="maintenance"))
    loop.tick()
    loop.reconciler = loop.another("two")
    loop.tick()
    assert starts(loop) == [("a", "")]


def test_how_long_nobody_answered_is_told_with_the_gateway_that_does() -> None:
    """Red before: after a kill no fact said how long clients had gone without an answer."""
    loop = Loop()
    observe = loop.gateways.observe

    def answers(life: str) -> None:
        loop.gateways.observe = lambda service: replace(observe(service), life=life)  # type: ignore[method-assign]

    def silent(service: str) -> Observed:
        raise Unavailable("nobody answers")

    answers("a")
    loop.tick()
    loop.gateways.observe = silent  # type: ignore[method-assign]
    for _ in range(5):
        loop.tick(5.0)
    answers("b")
    loop.tick(5.0)
    loop.tick()
    assert [(fact.life, fact.silent_s) for fact in loop.each(e.ProcessStarted)] == [("a", 0.0), ("b", 25.0)]
    answers("c")
    loop.tick()
    assert loop.each(e.ProcessStarted)[-1].silent_s == 0.0
