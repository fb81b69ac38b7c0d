"""Whose a sign is: the drill's while its traces are seen, real as soon as what came after them shows it."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.readings import NOTHING_REAL, reading
from tests.control.reconcile.test_vitals import World, now
from tests.control.world import NAME, service
from tests.decide.windows import report

from flyball.control.explained import TRACES_S
from flyball.control.reconcile.origins import of_our_making, origin_of_data, surely_real, with_origins
from flyball.control.reconcile.vitals import HealthWatch
from flyball.control.state.healing_state import Drilled, Tried
from flyball.core import events as e
from flyball.core.facts.healing import RemedyKind
from flyball.core.health import Health, Sign, SignKind
from flyball.core.service import HealthRules
from flyball.core.watching import QualityFinding, WindowReport
from flyball.decide.health import Judging, Reading, Readings, judge

WITHDRAWN = e.DrillWithdrawn(service=NAME, drill="dr-1")


def drilled(world: World, fault: str = "latency") -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault=fault, share=0.1, until=now(world.at + 600), by="ada", proof="os_user"
    )
    world.write(begun)


def whose(world: World) -> dict[str, str]:
    return {sign.key: sign.drill or "" for sign in world.state.health.health.signs}


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
    assert whose(world)["errors"] == "dr-1", "it may be what the fault has left of a worker"
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
    world.pane(errors=25)
    assert whose(world)["errors"] == ""


def test_the_real_sign_tells_of_what_came_after_the_drill_and_began_then() -> None:
    """Red before: its figure and its beginning were the drill's, so it was seen after minutes that were none of it."""
    world = ill_by_a_drill()
    withdrawn = now(world.at)
    for _ in range(3):
        world.pane(errors=25)
    (real,) = [sign for sign in world.state.health.health.signs if sign.key == "errors"]
    assert withdrawn <= real.began <= real.since
    assert "25 of 50" in real.why


def test_a_sign_that_a_drill_makes_begins_no_earlier_than_the_drill() -> None:
    """Red before: the sum of what was beyond the limit reached back to a fault that was long over."""
    world = World()
    for _ in range(10):
        world.pane(errors=1)
    drilled(world)
    begun = now(world.at)
    for _ in range(3):
        world.pane(errors=10)
    (made,) = [sign for sign in world.state.health.health.signs if sign.key == "errors"]
    assert made.drill == "dr-1"
    assert made.began >= begun


def test_a_sign_that_comes_again_began_after_the_one_before_was_gone() -> None:
    """Red before: a real fault of eight seconds was detected after a quarter of an hour."""
    world = World()
    for _ in range(30):
        world.pane()
    for _ in range(3):
        world.pane(errors=30)
    while "errors" in whose(world):
        world.pane()
    gone = now(world.at)
    world.pane()
    world.pane(errors=30)
    (again,) = [sign for sign in world.state.health.health.signs if sign.key == "errors"]
    assert again.began >= gone


@pytest.mark.parametrize(("relief", "kind"), [("fall_back", "fallback"), ("shed", "availability")])
def test_what_the_loops_own_relief_shows_is_no_real_fault(relief: RemedyKind, kind: SignKind) -> None:
    """Red before: ten seconds after a drill a page went out about requests that the loop itself turned away."""
    found = Readings(found=(reading(kind), reading("errors")))
    assert set(surely_real(found, [])) == {kind, "errors"}
    assert set(surely_real(found, [], standing=[relief])) == {"errors"}


def relieved(kind: RemedyKind, ended: bool) -> Tried:
    begun = e.RemedyBegun(
        service=NAME, remedy="re-1", kind=kind, cause="errors", number=0, why="-", verify_by=now(90.0)
    )
    return Tried(begun=begun, at=now(10.0), ended=ended, ended_at=now(60.0) if ended else "")


def test_the_sign_of_a_relief_is_over_with_the_relief_and_nobody_waits_to_be_sure() -> None:
    """Red before: a service whose champion answered again was called ill for five minutes more."""
    shown = Health(signs=(replace(sign("fallback"), since=now(20.0)),))
    assert of_our_making(shown, [relieved("fall_back", ended=True)]) == {"fallback"}
    assert of_our_making(shown, [relieved("fall_back", ended=False)]) == set()
    assert of_our_making(shown, [relieved("shed", ended=True)]) == set()
    before = Health(signs=(replace(sign("fallback"), since=now(5.0)),))
    assert of_our_making(before, [relieved("fall_back", ended=True)]) == set(), "it was there before the relief"


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_over_at_once_is_dropped_where_it_is_measured_to_be_well(at_once: bool) -> None:
    rules, stood = HealthRules(), Judging(health=Health(state="DEGRADING", signs=(sign("fallback"),)))
    well = replace(reading("fallback"), severity=None, holds=None)
    kinds: frozenset[SignKind] = frozenset({"fallback"} if at_once else ())
    told = judge(
        Readings(found=(well,), measured=frozenset({"fallback", "errors"}), at_once=kinds), rules, stood, now(61.0)
    )
    assert (told.health.signs == ()) is at_once
    unseen = judge(Readings(measured=frozenset({"errors"}), at_once=kinds), rules, stood, now(61.0))
    assert unseen.health.signs, "nobody has seen it be over"


def test_what_waits_to_be_dropped_is_not_real_because_time_passes() -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until=now(60.0), by="ada", proof="os_user"
    )
    over = {"dr-1": Drilled(begun=begun, at=now(0.0), withdrawn_at=now(30.0))}
    held, late = Health(signs=(sign("errors", "dr-1"),)), now(60.0 + TRACES_S)
    assert [each.drill for each in with_origins(held, held, over, NOTHING_REAL, late, waiting={"errors"}).signs] == [
        "dr-1"
    ]
    assert [each.drill for each in with_origins(held, held, over, NOTHING_REAL, late).signs] == [""]


def test_of_a_driver_that_was_killed_traces_last_as_long_after_its_until() -> None:
    """Red before: its signs were real one second after it."""
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until=now(60.0), by="ada", proof="os_user"
    )
    killed, held = {"dr-1": Drilled(begun=begun, at=now(0.0))}, Health(signs=(sign("errors", "dr-1"),))
    assert [each.drill for each in with_origins(held, held, killed, NOTHING_REAL, now(61.0)).signs] == ["dr-1"]
    assert [each.drill for each in with_origins(held, held, killed, NOTHING_REAL, now(61.0 + TRACES_S)).signs] == [""]


def test_another_drill_that_makes_no_such_signs_hides_no_real_fault_of_the_first() -> None:
    """Red before: the clock of the newest drill was asked, whatever it makes."""
    world = ill_by_a_drill()
    poisoned = e.DrillBegun(
        service=NAME, drill="dr-2", fault="poisoned_labels", share=0.1, until=now(world.at + 600), by="ada",
        proof="os_user",
    )  # fmt: skip
    world.write(poisoned)
    for _ in range(3):
        world.pane(errors=25)
    assert whose(world)["errors"] == ""


def test_a_drill_that_makes_such_signs_has_them_asked_after_its_own_end() -> None:
    world = ill_by_a_drill()
    crash = e.DrillBegun(
        service=NAME, drill="dr-2", fault="crash_loop", share=0.1, until=now(world.at + 600), by="ada", proof="os_user"
    )
    world.write(crash)
    for _ in range(3):
        world.pane(errors=25)
    assert whose(world)["errors"] == "dr-1", "they may be of either"
    world.write(e.DrillWithdrawn(service=NAME, drill="dr-2"))
    for _ in range(3):
        world.pane(errors=25)
    assert whose(world)["errors"] == ""


def finding(kind: Literal["missing", "now_constant"], feature: str) -> QualityFinding:
    return QualityFinding(kind=kind, feature=feature, value=1.0, limit=0.05, detail=f"{feature}: {kind}")


def window(start: float, *findings: QualityFinding) -> WindowReport:
    bare = report(0, quality=findings)
    return replace(bare, start=start, end=start + 10.0)


def test_broken_data_are_real_by_a_window_that_began_after_the_drill_and_finds_what_none_had_found_before() -> None:
    broken, known = finding("missing", "amount"), finding("now_constant", "country")
    found = Readings(found=(reading("data_quality"),))
    older = [window(0.0, known)]
    assert surely_real(found, [], older) == {}
    assert surely_real(found, [window(50.0, known)], older) == {}
    real = surely_real(found, [window(40.0), window(50.0, known, broken)], older)
    assert real["data_quality"].began == now(50.0)
    assert surely_real(found, [window(50.0, broken), window(60.0)], older) == {}


def test_what_was_found_before_the_drill_of_the_incident_is_no_news_after_it_whatever_was_drilled_long_ago() -> None:
    """Red before: the windows before the oldest drill that is remembered were asked, of which none is held."""
    accepted, broken = finding("now_constant", "country"), finding("missing", "amount")
    for after, whose_it_is in ((accepted, "dr-1"), (broken, "")):
        world = World()
        old = e.DrillBegun(
            service=NAME, drill="dr-0", fault="nan_burst", share=0.1, until=now(world.at), by="ada", proof="os_user"
        )
        world.write(old)
        world.write(e.DrillWithdrawn(service=NAME, drill="dr-0"))
        world.at += 100_000.0
        before = window(world.at, accepted)
        world.at += 20.0
        drilled(world, "nan_burst")
        world.write(
            e.IncidentOpened(
                service=NAME, incident="in-7", kind="data_quality", reason="the drill's rows", row=1, drill="dr-1"
            )
        )
        world.pane()
        world.write(WITHDRAWN)
        world.at += 60.0
        world.reports = (before, window(world.at - 30.0, after))
        world.pane()
        assert whose(world)["data_quality"] == whose_it_is


def test_the_sign_of_broken_data_is_whose_its_incident_is_however_long_its_windows_take() -> None:
    """Red before: a quarter of an hour later the drill's rows were a real fault, owed a repair."""
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="nan_burst", share=0.1, until=now(60.0), by="ada", proof="os_user"
    )
    over, late = {"dr-1": Drilled(begun=begun, at=now(0.0), withdrawn_at=now(30.0))}, now(60.0 + 10 * TRACES_S)
    held, fresh = Health(signs=(sign("data_quality", "dr-1"),)), Health(signs=(sign("data_quality"),))
    assert [each.drill for each in with_origins(held, held, over, NOTHING_REAL, late, of_data="dr-1").signs] == ["dr-1"]
    warned = Health(signs=(replace(sign("data_quality"), severity="warning"),))
    made = with_origins(fresh, warned, over, NOTHING_REAL, now(40.0), of_data="dr-1")
    assert [each.drill for each in made.signs] == ["dr-1"], "what was a warning before is an incident of the drill"
    assert [each.drill for each in with_origins(fresh, warned, over, NOTHING_REAL, now(40.0), of_data="").signs] == [""]


@pytest.mark.parametrize(
    ("began", "withdrawn", "drill"), [(20.0, 30.0, "dr-1"), (31.0, 30.0, ""), (20.0, None, "dr-1"), (None, 30.0, "")]
)
def test_an_incident_of_the_data_is_the_drills_where_its_window_began_before_the_fault_was_withdrawn(
    began: float | None, withdrawn: float | None, drill: str
) -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="nan_burst", share=0.1, until=now(60.0), by="ada", proof="os_user"
    )
    made = Drilled(begun=begun, at=now(0.0), withdrawn_at="" if withdrawn is None else now(withdrawn))
    assert origin_of_data({"dr-1": made}, "" if began is None else now(began)) == drill
    assert origin_of_data({"dr-1": replace(made, begun=replace(begun, fault="latency"))}, now(20.0)) == ""


def test_what_is_not_seen_anew_is_real_when_it_stands_longer_than_traces_may() -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="memory_leak", share=0.1, until=now(60.0), by="ada", proof="os_user"
    )
    over = {"dr-1": Drilled(begun=begun, at=now(0.0), withdrawn_at=now(30.0))}
    held = Health(signs=(sign("resources", "dr-1"),))
    within = with_origins(held, held, over, NOTHING_REAL, now(30.0 + TRACES_S))
    assert [each.drill for each in within.signs] == ["dr-1"]
    assert [each.drill for each in with_origins(held, held, over, NOTHING_REAL, now(31.0 + TRACES_S)).signs] == [""]


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
    kinds: list[SignKind], before: dict[SignKind, str], real: set[SignKind], withdrawn: bool, at_s: float
) -> None:
    begun = e.DrillBegun(
        service=NAME, drill="dr-1", fault="crash_loop", share=0.1, until=now(600.0), by="ada", proof="os_user"
    )
    state = {"dr-1": Drilled(begun=begun, at=now(0.0), withdrawn_at=now(30.0) if withdrawn else "")}
    known = Health(signs=tuple(sign(kind, drill) for kind, drill in before.items()))
    seen: dict[str, Reading] = {key: reading(key) for key in real}
    found = with_origins(Health(signs=tuple(map(sign, kinds))), known, state, seen, now(at_s))
    for each in found.signs:
        if each.key in real or before.get(each.kind) == "" or each.kind == "drift":
            assert each.drill == "" or before.get(each.kind) == "dr-1"
        if each.key in real:
            assert each.drill == ""
    again = with_origins(found, found, state, seen, now(at_s))
    assert again == found
