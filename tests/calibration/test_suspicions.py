"""How often a healthy release is suspected, over the length of its soak and with few units: a budget, not a frequency.

A suspicion costs an innocent release rows at even shares. It is no error of the promise `alpha`; it is bounded all the
same, for a soak of months as for one of a day. Tolerances are three standard errors of a count.
"""

import numpy as np
import pytest
from tests.calibration.test_turning_bad import World

from flyball.decide.even_shares import HALF
from flyball.stats.change.rate_rise import SCALE, RateRise, risen
from flyball.stats.sequential_tests.sequential import accept_bound

SETTLED = accept_bound(0.10)
BUDGET = SCALE / 2000  # suspicions in a rollout of any length, of one guardrail


def lowerings_of(rng: np.random.Generator, events: int, base: float = 0.005) -> tuple[int, float]:
    """Of a healthy soak of so many error events, one by one: how often it was lowered, and the share of its rows."""
    rise, own, lowered, rows, halved = RateRise().observe(0, 0, 30, round(30 / base)).another_step(), 0, 0, 0.0, 0.0
    weight, gaps, dice = 0.95, rng.exponential(1 / base, events).tolist(), rng.random(events).tolist()
    for gap, die in zip(gaps, dice, strict=True):
        ours = die < weight
        rows, halved, own = rows + gap, halved + gap * (weight == 0.5), own + ours
        rise = rise.observe(int(ours), round(gap * weight), 1, round(gap))
        if weight == 0.5:
            if rise.log_still <= SETTLED:
                weight, rise = 0.95, rise.another_step()
        elif rise.log_rise >= risen(own):
            weight, lowered, rise = 0.5, lowered + 1, rise.another_step()
    return lowered, halved / rows


def test_a_soak_of_a_million_rows_has_the_budget_of_a_short_one() -> None:
    """5,000 events each; the rate is learned, not known, which costs a few suspicions more at the start."""
    found = [lowerings_of(np.random.default_rng(stream), 5_000) for stream in np.random.SeedSequence(1).spawn(60)]
    lowered, halved = np.array([each[0] for each in found]), np.array([each[1] for each in found])
    assert lowered.mean() <= BUDGET + 3 * (BUDGET / lowered.size) ** 0.5
    assert halved.mean() < 0.002


@pytest.mark.parametrize(
    ("units", "base", "soaks"),
    [
        (100, 0.01, 5),
        *(pytest.param(*each, 20, marks=pytest.mark.slow) for each in ((100, 0.01), (300, 0.02), (1000, 0.02))),
    ],
)
def test_few_units_that_come_back_are_not_suspected_when_the_soak_begins(units: int, base: float, soaks: int) -> None:
    """In the canary nearly all of them have had their error, once; in the soak they are at risk again."""
    lowered, halved = 0, 0.0
    for stream in np.random.SeedSequence(units).spawn(soaks):
        world = World(np.random.default_rng(stream))
        world.pool = world.rng.integers(0, 1 << 60, units).tolist()
        world.go_on(1000, 2)
        world.serve(100 * units, base, base)
        if not world.back:
            world.go_on(9500)
            world.serve(100 * units, base, base)
            lowered += world.weights.count(HALF)
            halved += world.halved / (100 * units) / soaks
    assert lowered / soaks <= BUDGET + 3 * (BUDGET / soaks) ** 0.5
    assert halved < 0.02


@pytest.mark.slow
def test_whole_soaks_of_a_million_rows_keep_their_holdback() -> None:
    """Rows counted and judged as a gateway does. A bound that stays spent all lowerings in such a soak."""
    worlds = []
    for stream in np.random.SeedSequence(5).spawn(4):
        world = World(np.random.default_rng(stream), look=100)
        world.serve(1_000_000, 0.005, 0.005)
        if not world.back:
            worlds.append(world)
    assert len(worlds) >= 3
    assert all(world.routing.weight == 9500 for world in worlds)
    assert (
        sum(world.weights.count(HALF) for world in worlds) / len(worlds) <= BUDGET + 3 * (BUDGET / len(worlds)) ** 0.5
    )
    assert max(world.halved for world in worlds) < 10_000
