"""Whatever breaks, no promise does: every kind of fault at every point, in the middle of two rollouts."""

import pytest
from msgspec.structs import replace
from tests.simulation.small import cast_of, drifting, scenario

from flyball.app.rehearse.faults import POINTS, FaultAt, lasts_s
from flyball.app.rehearse.report import Run
from flyball.app.rehearse.scenario import Candidate, Scenario
from flyball.app.wiring.rehearse.run import Rehearsal

CANDIDATES = (Candidate(at=600, error_ratio=0, slow_ratio=0), Candidate(at=9000, error_ratio=50))
BASE = scenario(days=0.2, candidates=CANDIDATES)
# the first call of a point from here on: openings, steps, orders of the first rollout, then of the second
MOMENTS = (600, 660, 900, 1500, 2400, 9000, 9050)

LOSSES = ("gateway", "disk_full")  # rows without a record: the step waits for its timeout, as it should


def broken(point: str) -> Scenario:
    """Every kind of one point, one after the other; what lasts, lasts from the middle of the first rollout on."""
    once = [kind for kind in POINTS[point] if not lasts_s(FaultAt(at=0, point=point, kind=kind))]
    faults = [FaultAt(at=at, point=point, kind=once[i % len(once)]) for i, at in enumerate(MOMENTS)] if once else []
    lasting = sorted({*POINTS[point]} - {*once})
    faults += [FaultAt(at=700 + 300 * i, point=point, kind=kind) for i, kind in enumerate(lasting)]
    return replace(BASE, faults=tuple(each for each in faults if (each.point, each.kind) != LOSSES))


def run(told: Scenario, seed: int) -> tuple[Run, Rehearsal]:
    rehearsal = Rehearsal(cast_of(told), seed)
    return rehearsal.run(), rehearsal


# a champion that errs is healed, and its story is another: test_healing.py
@pytest.mark.parametrize("point", sorted({*POINTS} - {"learner.learn", "champion"}))
def test_no_promise_is_broken_and_the_story_ends_as_without_faults(point: str) -> None:
    told = broken(point)
    found, rehearsal = run(told, 11)
    assert found.violations == ()
    assert found.faults == sum(not lasts_s(each) for each in told.faults)
    assert (found.promoted, found.rolled_back) == (1, 1)
    state = rehearsal.state
    assert state.rollout is None
    assert len(state.withdrawn) == 1
    assert rehearsal.world.gateway.ordered is not None
    assert rehearsal.world.gateway.ordered.champion == state.champion


def test_a_training_survives_whatever_happens_to_its_order() -> None:
    kinds = [kind for kind in POINTS["learner.learn"] if not lasts_s(FaultAt(at=0, point="learner.learn", kind=kind))]
    faults = tuple(FaultAt(at=3600, point="learner.learn", kind=kind) for kind in kinds)
    found, rehearsal = run(replace(drifting(), faults=faults), 2)
    assert found.violations == ()
    assert (found.faults, found.retrained, found.promoted) == (len(kinds), 1, 1)
    assert rehearsal.state.ticket is None


def test_rows_without_a_record_hold_a_rollout_and_promote_nobody() -> None:
    lost = FaultAt(at=700, point=LOSSES[0], kind=LOSSES[1])
    found, rehearsal = run(replace(BASE, faults=(lost,), days=0.1), 4)
    assert found.violations == ()
    assert found.promoted == 0
    assert rehearsal.state.rollout is not None


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_all_points_at_once(seed: int) -> None:
    """A night on which everything breaks. The seed of a fault that was found here stays here."""
    faults = [
        FaultAt(at=600 + 97 * i, point=point, kind=kind)
        for i, (point, kind) in enumerate((point, kind) for point, kinds in POINTS.items() for kind in kinds)
    ]
    found, _ = run(replace(BASE, days=0.25, faults=tuple(faults)), seed)
    assert found.violations == ()
    assert found.rolled_back <= 1


def test_a_fault_that_is_met_is_another_history() -> None:
    usual, struck = (run(replace(BASE, faults=faults), 3)[0] for faults in ((), broken("gateway.apply").faults))
    assert usual.digest != struck.digest


def test_a_controller_that_is_killed_in_the_middle_of_a_slow_call_is_gone() -> None:
    """Found by a seed: it went on where it no longer was."""
    slow = FaultAt(at=650, point="gateway.observe", kind="slow")
    crash = FaultAt(at=653, point="controller", kind="crash")
    found, _ = run(replace(BASE, faults=(slow, crash), days=0.05), 7)
    assert found.violations == ()
