"""Sequential tests: every published number, by exact calculation, and the laws of an error event."""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.sequential_tests.paired import PairedTest
from flyball.stats.sequential_tests.sequential import (
    ErrorEventTest,
    accept_bound,
    increment,
    increment_of_counts,
    rollback_bound,
    theta1,
)
from flyball.stats.sequential_tests.sprt import BernoulliSprt, Finding, expected_events, sprt_bounds


@pytest.mark.parametrize(
    ("alpha", "beta", "a", "b"),
    [
        (0.05, 0.10, 2.890372, -2.251292),
        (0.05, 0.20, 2.772589, -1.558145),
        (0.05, 0.05, 2.944439, -2.944439),
        (0.01, 0.05, 4.553877, -2.985682),
        (0.01, 0.01, 4.595120, -4.595120),
        (0.001, 0.10, 6.802395, -2.301585),
    ],
)
def test_the_published_bounds(alpha: float, beta: float, a: float, b: float) -> None:
    assert sprt_bounds(alpha, beta) == pytest.approx((a, b), abs=5e-7)


@pytest.mark.parametrize(
    ("p0", "p1", "beta", "up", "down", "wald", "good", "bad"),
    [
        (0.01, 0.02, 0.10, 0.693147, -0.010152, (639.3, 607.2), (0.03963, 655.29), (0.10055, 662.75)),
        (0.01, 0.10, 0.10, 2.302585, -0.095310, (27.96, 16.45), (0.02205, 30.21), (0.09958, 22.37)),
        (0.05, 0.10, 0.20, 0.693147, -0.054067, (80.30, 92.30), (0.03951, 83.83), (0.19757, 102.42)),
        (0.01, 0.05, 0.10, 1.609438, -0.041243, (80.62, 57.55), (0.02901, 85.07), (0.10055, 71.05)),
    ],
)
def test_the_published_tests_of_one_rate(
    p0: float,
    p1: float,
    beta: float,
    up: float,
    down: float,
    wald: tuple[float, float],
    good: tuple[float, float],
    bad: tuple[float, float],
) -> None:
    blank = BernoulliSprt(p0=p0, p1=p1)
    steps = blank.observe(True).llr, blank.observe(False).llr
    assert steps == pytest.approx((up, down), abs=5e-7)
    assert expected_events(p0, p1, alpha=0.05, beta=beta) == pytest.approx(wald, rel=3e-4)
    a, b = sprt_bounds(0.05, beta)
    under_good, under_bad = walk(p0, *steps, a, b), walk(p1, *steps, a, b)
    assert (under_good.p_up, under_good.steps) == pytest.approx(good, rel=2e-4)
    assert (under_bad.p_down, under_bad.steps) == pytest.approx(bad, rel=2e-4)


def test_the_published_sampling_plan() -> None:
    """NIST/SEMATECH e-Handbook 6.2.2.6: earliest accept at n = 24, earliest reject at n = 2."""
    good = bad = BernoulliSprt(p0=0.01, p1=0.10)
    while good.verdict(alpha=0.05, beta=0.10) is Finding.UNDECIDED:
        good = good.observe(False)
    while bad.verdict(alpha=0.05, beta=0.10) is Finding.UNDECIDED:
        bad = bad.observe(True)
    assert (good.n, good.verdict(alpha=0.05, beta=0.10)) == (24, Finding.NOT_WORSE)
    assert (bad.n, bad.verdict(alpha=0.05, beta=0.10)) == (2, Finding.WORSE)


@pytest.mark.parametrize(
    ("w", "ratio", "theta", "up", "down", "straight", "events", "errors"),
    [
        (0.10, 2, 0.181818, 0.597837, -0.095310, (5, 24), (79.8, 84.4), (0.0405, 0.0969)),
        (0.50, 2, 0.666667, 0.287682, -0.405465, (11, 6), (37.0, 45.2), (0.0446, 0.0855)),
        (0.01, 3, 0.029412, 1.078810, -0.019803, (3, 114), (235, 218.3), (0.0347, 0.1005)),
    ],
)
def test_the_published_error_event_tests(
    w: float,
    ratio: float,
    theta: float,
    up: float,
    down: float,
    straight: tuple[int, int],
    events: tuple[float, float],
    errors: tuple[float, float],
) -> None:
    steps = increment(True, w, ratio), increment(False, w, ratio)
    assert theta1(w, ratio) == pytest.approx(theta, abs=5e-7)
    assert steps == pytest.approx((up, down), abs=5e-7)
    a, b = sprt_bounds(0.05, 0.10)
    assert (math.ceil(a / up), math.ceil(b / down)) == straight
    same, worse = walk(w, *steps, a, b), walk(theta, *steps, a, b)
    assert (same.steps, worse.steps) == pytest.approx(events, abs=0.06)
    assert (same.p_up, worse.p_down) == pytest.approx(errors, abs=6e-5)


@pytest.mark.parametrize(
    ("worse", "up", "down", "events"),
    [
        (0.60, 0.182322, -0.223144, (102.9, 123.6)),
        (0.65, 0.262364, -0.356675, (45.7, 55.6)),
        (0.70, 0.336472, -0.510826, (25.7, 31.7)),
    ],
)
def test_the_published_paired_tests(worse: float, up: float, down: float, events: tuple[float, float]) -> None:
    blank = PairedTest(worse_share=worse)
    steps = blank.observe(False, True).log_e, blank.observe(True, False).log_e
    assert steps == pytest.approx((up, down), abs=5e-7)
    assert blank.observe(True, True).observe(False, False).log_e == 0
    a, b = sprt_bounds(0.05, 0.10)
    assert (walk(0.5, *steps, a, b).steps, walk(worse, *steps, a, b).steps) == pytest.approx(events, abs=0.06)


def test_ten_times_the_errors_is_stopped_within_40_of_its_own_errors() -> None:
    """SEMANTICS: bound ln 40, w = 0.5, design ratio 2; more than 40 has probability about 1e-7."""
    steps = increment(True, 0.5, 2), increment(False, 0.5, 2)
    found = walk(theta1(0.5, 10), *steps, rollback_bound(0.05, 2), -1e9, ups=40)
    assert found.ups_beyond < 2e-7
    assert found.p_up == pytest.approx(1, abs=2e-7)


def sequences(units: int, candidates: int) -> list[tuple[bool, ...]]:
    """Every order of arms in an interval of so many units."""
    return [arms for arms in itertools.product((True, False), repeat=units) if sum(arms) == candidates]


@pytest.mark.parametrize(("units", "candidates"), [(m, k) for m in range(1, 9) for k in range(m + 1)])
@pytest.mark.parametrize("ratio", [2, 3, 10])
def test_the_realised_share_makes_it_an_exact_martingale(units: int, candidates: int, ratio: int) -> None:
    """Arms by a fair draw, errors alike: the erring (last) unit of an interval is the candidate's with odds k : m - k.

    So E[exp(increment)] = 1 exactly, given the interval: no base rate, no weight enters.
    """
    orders, w = sequences(units, candidates), Fraction(candidates, units)
    theirs = Fraction(sum(arms[-1] for arms in orders), len(orders))
    assert theirs == w
    mean = sum(float(p) * math.exp(increment(arm, float(w), ratio)) for arm, p in ((True, theirs), (False, 1 - theirs)))
    assert mean == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("units", "candidates"), [(5, 2), (7, 1), (8, 5)])
def test_with_odds_r_the_erring_unit_is_the_candidates_with_probability_theta1(units: int, candidates: int) -> None:
    champion, odds = 0.03, 4.0
    candidate = odds * champion / (1 - champion + odds * champion)
    chance = {True: 0.0, False: 0.0}
    for arms in sequences(units, candidates):
        p = 1.0
        for place, arm in enumerate(arms):
            rate = candidate if arm else champion
            p *= rate if place == units - 1 else 1 - rate
        chance[arms[-1]] += p
    assert chance[True] / sum(chance.values()) == pytest.approx(theta1(candidates / units, odds))


def test_bounds_are_those_of_ville() -> None:
    assert rollback_bound(0.05, 2) == pytest.approx(math.log(40))
    assert accept_bound(0.10) == pytest.approx(math.log(0.10))
    for faulty in (0.0, 1.0):
        with pytest.raises(ValueError, match="budget"):
            rollback_bound(faulty, 2)
        with pytest.raises(ValueError, match="budget"):
            accept_bound(faulty)


shares = st.floats(0.001, 0.999)
events = st.lists(st.tuples(st.booleans(), shares), max_size=30)


@given(st.booleans(), shares, st.floats(1.1, 20))
def test_an_error_of_the_candidate_only_ever_raises_the_evidence(arm: bool, w: float, ratio: float) -> None:
    assert (increment(arm, w, ratio) > 0) is arm


@given(st.booleans(), st.sampled_from([0.0, 1.0]))
def test_an_interval_with_one_arm_only_says_nothing(arm: bool, w: float) -> None:
    assert increment(arm, w, 3) == 0


@given(events, events)
def test_merging_is_addition(first: list[tuple[bool, float]], second: list[tuple[bool, float]]) -> None:
    def run(seen: list[tuple[bool, float]]) -> ErrorEventTest:
        state = ErrorEventTest()
        for arm, w in seen:
            state = state.observe(arm, w, 2)
        return state

    merged, whole = run(first).merge(run(second)), run(first + second)
    assert merged.log_e == pytest.approx(whole.log_e, abs=1e-9)
    assert (merged.events_candidate, merged.events_champion) == (whole.events_candidate, whole.events_champion)


@given(st.integers(1, 500), st.integers(1, 500), st.booleans(), st.floats(1.1, 20))
def test_a_batch_with_one_event_is_that_event(candidates: int, champions: int, arm: bool, ratio: float) -> None:
    batch = increment_of_counts(int(arm), int(not arm), candidates, champions, ratio)
    assert batch == pytest.approx(increment(arm, candidates / (candidates + champions), ratio), abs=1e-6)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 24))
def test_a_batch_is_an_exact_e_value(candidates: int, champions: int, errors: int) -> None:
    if errors > candidates + champions:
        return
    mean = sum(
        math.comb(candidates, x)
        * math.comb(champions, errors - x)
        / math.comb(candidates + champions, errors)
        * math.exp(increment_of_counts(x, errors - x, candidates, champions, 3.0))
        for x in range(max(0, errors - champions), min(errors, candidates) + 1)
    )
    assert mean == pytest.approx(1, abs=1e-9)


def test_when_everything_fails_nobody_is_blamed() -> None:
    assert increment_of_counts(50, 450, 50, 450, 2.0) == 0
    assert ErrorEventTest().observe(True, 1.0, 2).observe(False, 0.0, 2).log_e == 0


def test_more_errors_than_units_are_refused() -> None:
    with pytest.raises(ValueError, match="errors <= units"):
        increment_of_counts(3, 0, 2, 10, 2.0)


def test_a_paired_test_finds_the_worse_arm_and_never_calls_one_better() -> None:
    worse, fine = PairedTest(), PairedTest()
    for _ in range(30):
        worse, fine = worse.observe(False, True), fine.observe(True, False)
    assert (worse.verdict(), fine.verdict(), PairedTest().verdict()) == (
        Finding.WORSE,
        Finding.NOT_WORSE,
        Finding.UNDECIDED,
    )
    assert worse.difference().high < 0 < fine.difference().low
    assert {finding.value for finding in Finding} == {"worse", "not_worse", "undecided"}
    assert worse.merge(fine).log_e == pytest.approx(worse.log_e + fine.log_e)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Where a two-step random walk between two bounds ends, and when."""

    p_up: float  # P(it leaves at the upper bound)
    p_down: float  # P(it leaves at the lower bound)
    steps: float  # mean number of steps
    ups_beyond: float  # P(more than `ups` upward steps before it leaves)


def walk(p: float, up: float, down: float, upper: float, lower: float, *, ups: int = 10**9) -> Walk:
    """Start at 0; go `up` with probability p, else `down` (negative); stop at or beyond a bound.

    Exact by dynamic programming: its only error is the mass it drops, under 1e-12.
    """
    alive = np.array([1.0])  # index = number of upward steps so far
    p_up = p_down = steps = beyond = 0.0
    for n in range(1, 100_000):
        nxt = np.zeros(alive.size + 1)
        nxt[1:] += alive * p
        nxt[:-1] += alive * (1 - p)
        steps += float(alive.sum())
        at = np.arange(nxt.size) * up + (n - np.arange(nxt.size)) * down
        high, low = at >= upper - 1e-12, at <= lower + 1e-12
        late = np.arange(nxt.size) > ups
        p_up, p_down = p_up + float(nxt[high].sum()), p_down + float(nxt[low].sum())
        beyond += float(nxt[late].sum())
        nxt[high | low | late] = 0.0
        alive = nxt
        if alive.sum() < 1e-12:
            return Walk(p_up=p_up, p_down=p_down, steps=steps, ups_beyond=beyond)
    raise AssertionError(f"the walk did not end, {math.fsum(alive)} is left")
