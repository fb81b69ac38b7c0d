"""Rollouts of an equal candidate over four workers, by simulation: how often their sum says that it is worse.

Errors come from the unit, as they do in the field: one in six units always errs, whichever arm and worker it meets.
"""

import math

import numpy as np
import pytest
from tests.serving.parts import routing

from flyball.core.ids import RolloutId
from flyball.core.routing import Routing
from flyball.serving.counting.accounting import Accounting, step_key
from flyball.serving.counting.counter_file import FLOAT, SLOT_BYTES, UNITS_BYTES, Slot, Units
from flyball.serving.routing.assign import to_candidate, unit_hash

WORKERS, UNITS, VISITS, BAD = 4, 120, 5, 1 / 6
ALPHA = 0.05


def false_alarms(runs: int, seed: int, *, shared: bool) -> float:
    """Share of rollouts whose sum of log e-values ever reaches ln(1/alpha). `shared`: as we do it; else each worker
    knows only the units that it has met itself."""
    rng = np.random.default_rng(seed)
    units = Units(bytearray(UNITS_BYTES))
    slots = [Slot(bytearray(SLOT_BYTES), units if shared else None) for _ in range(WORKERS)]
    workers = [Accounting(slot) for slot in slots]
    alarms = 0
    for run in range(runs):
        table = routing(weight=5000, salt=f"ro-{seed}-{run}", rollout=RolloutId(f"ro-{run}"))
        units.turn(step_key(table))
        for worker in workers:
            worker.route(table)
        alarms += _alarm(rng, table, workers)
    return alarms / runs


def _alarm(rng: np.random.Generator, table: Routing, workers: list[Accounting]) -> bool:
    bound, place = math.log(1 / ALPHA), FLOAT["rollout_errors"]
    hashes = [unit_hash(table.salt, str(unit)) for unit in range(UNITS)]
    bad = rng.random(UNITS) < BAD
    for unit in rng.permutation(np.repeat(np.arange(UNITS), VISITS)):
        hashed = hashes[unit]
        workers[rng.integers(WORKERS)].row(
            to_candidate(hashed, table.weight), hashed, bool(bad[unit]), False, False, 1.0
        )
        if bad[unit] and sum(worker.slot.floats[place] for worker in workers) >= bound:
            return True
    return False


def standard_errors(runs: int) -> float:
    return 3 * math.sqrt(ALPHA * (1 - ALPHA) / runs)


def test_an_equal_candidate_over_four_workers_is_stopped_in_at_most_alpha_of_rollouts() -> None:
    assert false_alarms(400, 3, shared=True) <= ALPHA + standard_errors(400)


@pytest.mark.slow
def test_it_is_the_shared_sets_that_keep_the_promise() -> None:
    kept, broken = false_alarms(3000, 5, shared=True), false_alarms(3000, 5, shared=False)
    assert kept <= ALPHA + standard_errors(3000)
    assert broken > ALPHA + standard_errors(3000)
    print(f"shared sets: {kept:.1%}, sets of each worker's own: {broken:.1%}, promised {ALPHA:.0%}")
