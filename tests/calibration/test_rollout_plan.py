"""What a plan foretells is what happens when steps are judged unit by unit, through `judge` and `advance`.

Tolerance: three standard errors of both shares together.
"""

import math

import numpy as np
import pytest
from tests.decide.rollouts import World

from flyball.core.service import Canary, Guardrails, Rollout, Step
from flyball.decide.guardrail_power import Watch, endings
from flyball.decide.step_plan import Setting, Traffic, planned
from flyball.stats.sequential_tests.sequential import accept_bound, rollback_bound

RAILS = Guardrails()
CASES = [(0.1, 0.01, 0.01), (0.1, 0.01, 0.02), (0.5, 0.03, 0.06), (0.1, 0.002, 0.03)]  # weight, champion, candidate


def foretold(weight: float, champion: float, candidate: float, units: float, runs: int) -> tuple[float, float]:
    watch = Watch(
        share=weight,
        ratio=RAILS.errors.ratio,
        upper=rollback_bound(RAILS.alpha, 2),
        lower=accept_bound(RAILS.beta),
        ceiling=RAILS.errors.ceiling,
        beta=RAILS.beta,
        floor=300,
        most=RAILS.max_errors,
    )
    return endings(watch, champion, candidate, rng=np.random.default_rng(61), runs=runs).by(units)


def happened(weight: float, champion: float, candidate: float, units: int, runs: int) -> tuple[float, float]:
    """Of whole steps in which hardly anything is slow."""
    declared = Rollout(steps=(Step(canary=Canary(weight=weight, min_s=0)),))
    kinds = []
    for stream in np.random.SeedSequence(62).spawn(runs):
        rates = (champion, candidate)
        world = World(np.random.default_rng(stream), rates, (1e-5, 1e-5), declared=declared, most_units=units)
        kinds.append(world.run().kind)
    return kinds.count("PROMOTE") / runs, kinds.count("ROLL_BACK") / runs


def agree(weight: float, champion: float, candidate: float, runs: int) -> None:
    units = 12_000  # of both arms: many steps are undecided still
    told = foretold(weight, champion, candidate, weight * units, 20_000)
    seen = happened(weight, champion, candidate, units, runs)
    for what, ours, theirs in zip(("on", "back"), told, seen, strict=True):
        spread = math.sqrt(max(ours * (1 - ours), 0.01) * (1 / runs + 1 / 20_000))
        print(f"{what}: foretold {ours:.1%}, happened {theirs:.1%} of {runs}")
        assert theirs == pytest.approx(ours, abs=3 * spread + 0.02)  # a step is asked every 500 units, not at each


@pytest.mark.parametrize(("weight", "champion", "candidate"), CASES)
def test_steps_end_as_foretold(weight: float, champion: float, candidate: float) -> None:
    agree(weight, champion, candidate, 60)


@pytest.mark.slow
@pytest.mark.parametrize(("weight", "champion", "candidate"), CASES)
def test_many_steps_end_as_foretold(weight: float, champion: float, candidate: float) -> None:
    agree(weight, champion, candidate, 1_000)


@pytest.mark.parametrize(("weight", "errors"), [(0.1, 0.001), (0.5, 0.03)])
def test_what_a_powered_step_promises_it_keeps(weight: float, errors: float) -> None:
    """An equal candidate is let on in time, one to be caught is let on by at most beta, the detectable one goes back;
    with other dice than the plan's."""
    traffic = Traffic(requests_s=100.0, errors=errors, slow=0.001)
    step = Step(canary=Canary(weight=weight, min_s=0))
    setting = Setting(rails=RAILS, traffic=traffic, dice=lambda: np.random.default_rng(63))
    told = planned(step, setting, index=0, name="canary")
    assert told.verdict == "POWERED"
    units, (found, _) = step.ends_s * 100 * weight, told.guardrails
    runs, sure = 20_000, 1 - RAILS.beta
    slack = 3 * math.sqrt(sure * RAILS.beta * (1 / runs + 1 / 1_000))  # the plan simulates a thousand
    assert foretold(weight, errors, errors, units, runs)[0] >= sure - slack
    assert foretold(weight, errors, found.rate, units, runs)[0] <= RAILS.beta + slack
    assert foretold(weight, errors, errors, units, runs)[1] <= RAILS.alpha / 2 + slack
    assert found.detectable is not None
    assert foretold(weight, errors, found.detectable * errors, units, runs)[1] == pytest.approx(sure, abs=2 * slack)
