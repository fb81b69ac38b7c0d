"""Rules of the policy in a rehearsal: faults, crashes and slow people beside them, and every invariant holds."""

import pytest
from msgspec.structs import replace
from tests.simulation.small import SERVICE, declared, scenario

from flyball.app.rehearse.report import Run
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.control.state.recent_state import Recent
from flyball.core.service import Policy, Rule

ALONE = Rule(action="promote", when="!incident && failed_rollouts == 0", effect="alone", reason="routine")
QUIET = Rule(action="canary", when="hour >= 1 && hour < 2", effect="never", reason="the hour of the backups")


def rehearsed(policy: Policy, seed: int) -> tuple[Run, Recent]:
    rehearsal = Rehearsal(Cast(declared(replace(SERVICE, policy=policy)), scenario()), seed)
    return rehearsal.run(), rehearsal.state.recent


@pytest.mark.parametrize("seed", range(3))
def test_releases_go_alone_and_the_bad_one_goes_back_all_the_same(seed: int) -> None:
    run, recent = rehearsed(Policy(rules=(ALONE, QUIET)), seed)
    assert not run.violations
    assert (run.promoted, run.rolled_back) == (1, 1)
    assert recent.asked == ()
    assert len(recent.alone) == 1


@pytest.mark.parametrize("seed", range(3))
def test_people_who_are_asked_once_a_day_are_asked_once_a_day(seed: int) -> None:
    run, recent = rehearsed(Policy(approvals_per_day=1), seed)
    assert not run.violations
    assert (run.promoted, run.rolled_back) == (1, 0)  # the second candidate waits
    assert len(recent.asked) == len(recent.rollouts) == 1


def test_rules_about_what_steps_can_see_are_asked_alike_by_all_who_ask() -> None:
    """Planner, check and the rehearsal's own watch."""
    alone = replace(ALONE, when="!underpowered && failed_rollouts == 0")
    held = Rule(action="canary", when="underpowered", effect="never", reason="it would say nothing")
    twice = Rule(action="promote", when="underpowered", effect="needs", quorum=2, reason="it would say little")
    run, recent = rehearsed(Policy(rules=(alone, held, twice)), 0)
    assert not run.violations
    assert (run.promoted, run.rolled_back, len(recent.alone)) == (1, 1, 1)
