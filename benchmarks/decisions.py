"""What deciding costs, and how often it errs.

    python -m benchmarks decisions

Costs are processor time of this thread, the least of some turns, each beside a lower bound or a peer that its line
names. Promised: a million error events a second and core on arrays, and under a microsecond for a single one.
The rates are those of `tests/calibration`, over FLYBALL_BENCH_RUNS runs each (default 20,000; four minutes).
"""

import math
import os
import time
import zlib
from collections.abc import Callable

import numpy as np
from tests.calibration.promise import Promise
from tests.calibration.promised_bounds import BEYOND, BOUNDS
from tests.calibration.promised_tests import TESTS

from flyball.stats.confidence_sequences.bernoulli_sequence import bernoulli_bounds
from flyball.stats.confidence_sequences.betting import BettingSequence
from flyball.stats.confidence_sequences.quantile_comparison import quantile_log_e_of_counts
from flyball.stats.confidence_sequences.quantile_sequences import quantile_bounds, quantile_bounds_of_counts
from flyball.stats.sequential_tests.arm_means import ArmMeans
from flyball.stats.sequential_tests.change_point import ChangePointEvidence
from flyball.stats.sequential_tests.error_event_arrays import observe_events
from flyball.stats.sequential_tests.msprt import MixtureSprt
from flyball.stats.sequential_tests.sequential import ErrorEventTest, increment

EVENTS, SINGLE = 1_000_000, 100_000
TURNS = 7
RUNS = int(os.environ.get("FLYBALL_BENCH_RUNS", "20000"))


def main() -> None:
    """Print costs, then rates."""
    rng = np.random.default_rng(1)
    _arrays(rng)
    _single()
    _late_bets()
    _bounds(rng)
    _arm_means(rng)
    _rates()


def _arrays(rng: np.random.Generator) -> None:
    arms, w = rng.random(EVENTS) < 0.3, rng.integers(1, 100, EVENTS) / 100
    ready = np.where(arms, 0.3, -0.1)
    ours = _best(lambda: observe_events(ErrorEventTest(), arms, w, 2.0))
    fast = _best(lambda: np.cumsum(np.where(arms, math.log(2.0), 0.0) - np.log1p(w)))
    added = _best(lambda: np.cumsum(ready))
    looped = _best(lambda: _one_by_one(arms.tolist(), w.tolist(), 2.0), turns=2)
    print(
        f"error events on arrays: {EVENTS / ours / 1e6:.1f} M/s (promise 1); "
        f"single events in a loop (peer) take {looped / ours:.0f} x as long"
    )
    print(
        f"  ours beside the sum alone (lower bound): {ours / added:.0f} x; "
        f"beside numpy's own logarithm (other last bits): {ours / fast:.0f} x"
    )


def _one_by_one(arms: list[bool], w: list[float], ratio: float) -> ErrorEventTest:
    state = ErrorEventTest()
    for arm, share in zip(arms, w, strict=True):
        state = state.observe(arm, share, ratio)
    return state


def _single() -> None:
    state, log1p, log = ErrorEventTest(), math.log1p, math.log
    turns = range(SINGLE)

    def least() -> None:
        total = 0.0
        for _ in turns:
            total += log(2.0) - log1p(0.1 * (2.0 - 1))

    def gained() -> None:
        for _ in turns:
            increment(True, 0.1, 2.0)

    def observed() -> None:
        for _ in turns:
            state.observe(True, 0.1, 2.0)

    bound, gain, whole = (1e9 * _best(work) / SINGLE for work in (least, gained, observed))
    print(
        f"a single error event: {gain:.0f} ns for the evidence, {whole:.0f} ns with the new state (promise 1,000); "
        f"two logarithms in line (lower bound) {bound:.0f} ns: {gain / bound:.1f} x and {whole / bound:.1f} x"
    )


def _late_bets() -> None:
    state, turns = ChangePointEvidence(), range(SINGLE // 10)

    def looked() -> None:
        for _ in turns:
            state.observe((0.1, 0.2), 1).log_e((0.1, 0.2))

    took = 1e6 * _best(looked, turns=3) / len(turns)
    print(f"the bets that begin later, a look and guardrail: {took:.1f} us (a judge looks ten times a second)")


def _bounds(rng: np.random.Generator) -> None:
    values, arms = rng.random(6400), rng.random(6400) < 0.1
    edges = [0.05 * 1.1**step for step in range(149)]
    latencies = rng.lognormal(3, 1, (2, 100_000))
    one, other = (np.bincount(np.searchsorted(edges, arm), minlength=150).tolist() for arm in latencies)
    blank = BettingSequence(alpha=0.05)
    bets = _best(lambda: blank.plus(values), turns=3) / values.size
    factor = np.ones((64, 501))
    least = 2 * _best(lambda: np.cumprod(factor, axis=0)) / 64
    print(
        f"betting, 500 candidate means: {1e6 * bets:.1f} us a value; "
        f"beside the products alone (lower bound): {bets / least:.1f} x"
    )
    mixed = _best(lambda: MixtureSprt(sd=1.0, tau=0.1).plus(arms, values)) / values.size
    print(f"mSPRT with running p: {1e9 * mixed:.0f} ns a value")
    rate = _best(lambda: bernoulli_bounds(100_000, 1000, alpha=0.05))
    counted = _best(lambda: quantile_bounds_of_counts(one, edges, 0.99, alpha=0.05))
    sampled = _best(lambda: quantile_bounds(latencies[0], 0.99, alpha=0.05))
    plain = _best(lambda: np.quantile(latencies[0], 0.99))
    print(f"bounds of a rate: {1e6 * rate:.0f} us")
    print(
        f"bounds of p99, 100,000 values: {1e6 * counted:.0f} us from 150 bins, {1e6 * sampled:,.0f} us from a sample; "
        f"np.quantile (peer, no bounds) {1e6 * plain:,.0f} us: {counted / plain:.2f} x and {sampled / plain:.1f} x"
    )
    compared = _best(lambda: quantile_log_e_of_counts(one, other, edges, 0.99, alternative="larger"))
    print(f"p99 of two arms from 150 bins each: {1e6 * compared:.0f} us")


def _arm_means(rng: np.random.Generator) -> None:
    """Cost of a unit, and how many it takes: a metric of 30 %, a margin of 5 % of it, three guardrails."""
    mine, bought = rng.random(SINGLE) < 0.1, rng.random(SINGLE) < 0.3
    took = _best(lambda: ArmMeans(relative=0.05).plus(bought, mine, np.full(SINGLE, 0.1)), turns=3)
    print(f"metrics of two arms: {took / SINGLE * 1e6:.2f} us a unit and metric")
    bounds = {"sent back": math.log(3 / 0.05), "let on": math.log(1 / 0.10)}
    for share in (0.01, 0.1, 0.5):
        for kept, way in ((0.8, "sent back"), (0.9, "sent back"), (1.0, "let on"), (1.1, "let on")):
            needed = sorted(_units_until(rng, share, kept, way, bounds[way]) for _ in range(50))
            print(f"  weight {share:.0%}, conversion x {kept:g}: {way} after {needed[25]:,.0f} units (median of 50)")


def _units_until(rng: np.random.Generator, share: float, kept: float, way: str, bound: float) -> float:
    state, block = ArmMeans(relative=0.05), 2_000
    for done in range(0, 2_000_000, block):
        mine = rng.random(block) < share
        state = state.plus(rng.random(block) < np.where(mine, 0.3 * kept, 0.3), mine, np.full(block, share))
        if (state.most_worse if way == "sent back" else state.most_fine) >= bound:
            return done + block
    return math.inf


def _rates() -> None:
    print(f"\n| {RUNS:,} runs each | promised | erred |\n|---|---|---|", flush=True)
    broken = []
    for promise in [*TESTS, *BOUNDS]:
        found = _told(promise, f"{promise.most:.3f}")
        if found > promise.tolerated(RUNS):
            broken.append(promise.name)
    for promise in BEYOND:
        _told(promise, "nothing")
    if broken:
        raise AssertionError(f"promises broken: {', '.join(broken)}")


def _told(promise: Promise, promised: str) -> float:
    found = promise.measured(RUNS, zlib.crc32(promise.name.encode()) + 1)
    print(f"| {promise.name} | {promised} | {found:.4f} |", flush=True)
    return found


def _best(work: Callable[[], object], turns: int = TURNS) -> float:
    """Seconds of this thread, the least of some turns."""
    best = math.inf
    for _ in range(turns):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


if __name__ == "__main__":
    main()
