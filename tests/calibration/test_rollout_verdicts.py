"""Whole rollouts through `judge` and `advance`, as the gateway and the controller ask them: the promised error rates.

The world is the declared one: shadow, then canaries of 1, 10 and 50 %, two guardrails. Tolerance: three binomial
standard errors of the promised rate.
"""

import math

import numpy as np
import pytest
from tests.decide.rollouts import World

from flyball.core.service import Guardrails, Rollout, default_steps

PROMISED = Guardrails()


def tolerance(promise: float, runs: int) -> float:
    return 3 * math.sqrt(promise * (1 - promise) / runs)


def endings(
    runs: int, seed: int, errors: tuple[float, float], slow: tuple[float, float], wave: float = 0.0
) -> list[World]:
    streams = np.random.SeedSequence(seed).spawn(runs)
    return [World(np.random.default_rng(stream), errors, slow, wave=wave) for stream in streams]


def shares(worlds: list[World]) -> dict[str, float]:
    kinds = [world.run().kind for world in worlds]
    return {kind: kinds.count(kind) / len(kinds) for kind in ("PROMOTE", "ROLL_BACK", "HOLD")}


def an_equal_candidate(runs: int, seed: int) -> None:
    """Rates that double and halve as the day goes, for both arms alike."""
    found = shares(endings(runs, seed, (0.01, 0.01), (0.01, 0.01), wave=1.0))
    assert found["ROLL_BACK"] <= PROMISED.alpha + tolerance(PROMISED.alpha, runs)


def a_candidate_at_the_design_ratio(runs: int, seed: int) -> None:
    """Twice the errors, above the ceiling: the ceiling does not let it pass, so the tests have to."""
    found = shares(endings(runs, seed, (0.025, 0.05), (0.01, 0.01)))
    assert found["PROMOTE"] <= PROMISED.beta + tolerance(PROMISED.beta, runs)


def test_an_equal_candidate_is_seldom_rolled_back() -> None:
    an_equal_candidate(60, 11)


def test_a_healthy_candidate_is_promoted_without_waiting_for_errors() -> None:
    """At 0.1 % errors the two-arm test alone would need 660,000 requests at 1 %: the ceiling lets it pass."""
    found = shares(endings(60, 15, (0.001, 0.001), (0.003, 0.003)))
    assert found["PROMOTE"] >= 0.9


def test_a_candidate_at_the_design_ratio_is_seldom_promoted() -> None:
    a_candidate_at_the_design_ratio(40, 12)


@pytest.mark.slow
def test_false_rollbacks_of_whole_rollouts_stay_below_alpha() -> None:
    an_equal_candidate(1000, 21)


@pytest.mark.slow
def test_promotions_of_a_twofold_worse_candidate_stay_below_beta() -> None:
    a_candidate_at_the_design_ratio(600, 22)


def test_ten_times_the_errors_is_stopped_within_forty_of_its_own() -> None:
    worlds = endings(100, 13, (0.01, 0.10), (0.01, 0.01))
    assert shares(worlds)["ROLL_BACK"] == 1.0
    assert max(world.own_errors for world in worlds) <= 40


def test_a_candidate_that_only_turns_bad_in_live_traffic_is_stopped_within_forty_as_well() -> None:
    """No shadow has seen it: the first canary, at 1 %, has to."""
    canaries = Rollout(steps=tuple(step for step in default_steps() if step.canary))
    worlds = endings(60, 16, (0.005, 0.05), (0.01, 0.01))
    for world in worlds:
        world.declared = canaries
    assert shares(worlds)["ROLL_BACK"] == 1.0
    assert max(world.own_errors for world in worlds) <= 40


def test_ten_times_the_slow_answers_is_stopped_too() -> None:
    worlds = endings(60, 14, (0.002, 0.002), (0.01, 0.10))
    assert [world.run().cause for world in worlds] == ["slow"] * 60
