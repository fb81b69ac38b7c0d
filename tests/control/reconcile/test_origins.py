"""Whose a sign is: the drill's while its traces are seen, real as soon as what came after them shows it."""

from hypothesis import given
from hypothesis import strategies as st
from tests.control.reconcile.test_vitals import World, now
from tests.control.world import NAME, service

from flyball.control.explained import TRACES_S
from flyball.control.reconcile.origins import with_origins
from flyball.control.reconcile.vitals import HealthWatch
from flyball.control.state.healing_state import Drilled
from flyball.core import events as e
from flyball.core.health import Health, Sign, SignKind

WITHDRAWN = e.DrillWithdrawn(service=NAME, drill="dr-1")


def drilled(world: World, fault: str = "latency") -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault=fault, share=0.1, until=now(world.at + 600), by="ada", proof="os_user"
    )
    world.write(begun)


def whose(world: World) -> dict[str, str]:
    return {sign.key: sign.drill for sign in world.state.health.health.signs}


def ill_by_a_drill() -> World:
    world = World()
    for _ in range(30):
        world.pane()
    drilled(world)
    for _ in range(3):
        world.pane(errors=5)
    assert whose(world)["errors"] == "dr-1"
    world.write(WITHDRAWN)
    return world


def test_a_real_fault_after_the_drills_is_real_with_its_first_sure_pane() -> None:
    """Red before: the sign never went, so the real fault bore the drill's name until somebody looked."""
    world = ill_by_a_drill()
    world.pane(errors=25)
    assert whose(world)["errors"] == ""
    told = len(world.told)
    for _ in range(10):
        world.pane(errors=25)
    assert len([each for each in world.told[told:] if each.health.state != "FAILED"]) == 0  # it was told once


def test_traces_of_the_drill_stay_its_own_until_the_sign_goes() -> None:
    world = ill_by_a_drill()
    while "errors" in whose(world):
        assert whose(world)["errors"] == "dr-1"
        world.pane()
    assert world.at < 1_800_000_000.0 + 30 * 10 + 30 + TRACES_S


def test_one_bad_row_after_the_drill_makes_nothing_real() -> None:
    world = ill_by_a_drill()
    world.pane(errors=1)
    assert whose(world)["errors"] == "dr-1"


def test_a_sign_that_the_fault_does_not_make_is_real_while_it_is_made() -> None:
    world = World()
    for _ in range(30):
        world.pane()
    drilled(world, "poisoned_labels")
    world.pane(errors=25)
    assert whose(world)["errors"] == ""


def test_a_sign_from_before_the_drill_stays_real() -> None:
    world = World()
    for _ in range(30):
        world.pane(errors=5)
    drilled(world)
    world.pane(errors=5)
    assert whose(world)["errors"] == ""


def test_a_controller_that_starts_anew_knows_whose_a_sign_is() -> None:
    world = ill_by_a_drill()
    world.pane()
    memory, world.watch = world.watch.memory(), HealthWatch(service())
    world.watch.recall(memory)
    world.pane()
    assert whose(world)["errors"] == "dr-1"
    world.pane(errors=25)
    assert whose(world)["errors"] == ""


def test_what_is_not_seen_anew_is_real_when_it_stands_longer_than_traces_may() -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="memory_leak", share=0.1, until=now(60.0), by="ada", proof="os_user"
    )
    over = Drilled(begun=begun, withdrawn_at=now(30.0), ended_at=now(60.0))
    held = Health(signs=(sign("resources", "dr-1"),))
    within = with_origins(held, held, over, (), now(30.0 + TRACES_S))
    assert [each.drill for each in within.signs] == ["dr-1"]
    assert [each.drill for each in with_origins(held, held, over, (), now(31.0 + TRACES_S)).signs] == [""]


def sign(kind: SignKind, drill: str = "") -> Sign:
    return Sign(kind=kind, severity="critical", value=2, limit=1, since=now(0.0), why="-", clears="-", drill=drill)


KINDS: tuple[SignKind, ...] = ("errors", "latency", "drift", "resources")


@given(
    kinds=st.lists(st.sampled_from(KINDS), unique=True),
    before=st.dictionaries(st.sampled_from(KINDS), st.sampled_from(("", "dr-1"))),
    real=st.sets(st.sampled_from(KINDS)),
    withdrawn=st.booleans(),
    at_s=st.floats(0, 3000),
)
def test_what_is_real_never_becomes_a_drills(
    kinds: list[SignKind], before: dict[SignKind, str], real: set[str], withdrawn: bool, at_s: float
) -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="crash_loop", share=0.1, until=now(600.0), by="ada", proof="os_user"
    )
    state = Drilled(begun=begun, withdrawn_at=now(30.0) if withdrawn else "")
    known = Health(signs=tuple(sign(kind, drill) for kind, drill in before.items()))
    found = with_origins(Health(signs=tuple(map(sign, kinds))), known, state, real, now(at_s))
    for each in found.signs:
        if each.key in real or before.get(each.kind) == "" or each.kind == "drift":
            assert each.drill == "" or before.get(each.kind) == "dr-1"
        if each.key in real:
            assert each.drill == ""
    again = with_origins(found, found, state, real, now(at_s))
    assert again == found
