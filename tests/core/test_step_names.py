"""What steps are called."""

from flyball.core.service import Canary, Pause, Step, default_steps
from flyball.core.step_names import step_names, timed_names


def canary(weight: float) -> Step:
    return Step(canary=Canary(weight=weight))


def test_steps_have_names_of_their_own() -> None:
    names = step_names((*default_steps(), canary(0.125), canary(0.125)))
    assert names == (
        *("shadow", "approval", "canary-1%", "canary-10%", "canary-50%", "promote"),
        *("canary-12.5%", "canary-12.5%-2"),
    )


def test_a_step_that_policy_adds_renames_no_other() -> None:
    declared = (canary(0.1), Step(pause=Pause()), canary(0.1))
    assert set(timed_names(declared)) <= set(step_names(default_steps()[:2] + declared))


def test_people_and_the_clock_cannot_be_too_weak() -> None:
    assert timed_names(default_steps()) == ("shadow", "canary-1%", "canary-10%", "canary-50%")
