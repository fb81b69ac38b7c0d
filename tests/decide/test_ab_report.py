"""The report of an A/B test: laws of its figures, and the promise that its intervals hold together."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.serving.parts import split

from flyball.core.routing import ArmCounts, ArmEvidence, StepCounts
from flyball.decide.ab_report import FEWEST_UNITS, UnitSums, difference, report

NAMES = ("champion", "b", "c", "d")
TABLE = split(2000, 2000, 2000)
ALPHA = 0.05
UNITS = st.lists(st.integers(0, 500), min_size=4, max_size=4)


def counts(units: list[int], errors: list[int] | None = None, received: int = 0, dropped: int = 0) -> StepCounts:
    steps = [ArmCounts(units=n, requests=n, errors=x) for n, x in zip(units, errors or [0] * 4, strict=True)]
    arms = tuple(ArmEvidence(name=name, step=step, total=step) for name, step in zip(NAMES, steps, strict=True))
    one = StepCounts(service=TABLE.service, epoch=1, rollout=TABLE.rollout, step=None, arms_=arms)
    return replace(one, received=received, dropped=dropped)


def unit_sums(values: np.ndarray, rows: np.ndarray) -> UnitSums:
    """`values`: a unit's sum; `rows`: its number of rows."""
    return UnitSums(
        units=len(values),
        rows=int(rows.sum()),
        value=float(values.sum()),
        squares=float((values**2).sum()),
        products=float((values * rows).sum()),
        row_squares=float((rows.astype(float) ** 2).sum()),
    )


@given(UNITS)
def test_weights_add_up_and_every_arm_is_told_once(units: list[int]) -> None:
    found = report(TABLE, counts(units), ALPHA, {})
    assert [arm.name for arm in found.arms] == list(NAMES)
    assert sum(arm.weight for arm in found.arms) == pytest.approx(1.0)
    assert [arm.units for arm in found.arms] == units
    assert found.arms[0].error_rate is None
    assert (found.verdict == "INCONCLUSIVE") == (sum(units) == 0)


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 500)), min_size=4, max_size=4))
def test_an_interval_holds_its_own_value_and_that_of_the_complement(pairs: list[tuple[int, int]]) -> None:
    units, errors = [n for n, _ in pairs], [min(n, x) for n, x in pairs]
    for arm in report(TABLE, counts(units, errors), ALPHA, {}).arms[1:]:
        rate = arm.error_rate
        assert rate is not None
        assert -1.0 <= rate.low <= rate.value <= rate.high <= 1.0


def test_a_broken_split_makes_everything_invalid_and_lost_records_make_it_open() -> None:
    assert report(TABLE, counts([400, 200, 200, 200]), ALPHA, {}).verdict == "BELIEVABLE"
    assert report(TABLE, counts([400, 200, 200, 20]), ALPHA, {}).verdict == "INVALID"
    assert report(TABLE, counts([400, 200, 200, 200], received=100, dropped=2), ALPHA, {}).verdict == "INCONCLUSIVE"


def test_an_arm_without_units_is_left_out_of_the_split() -> None:
    table = split(2000, 0, 2000)
    assert report(table, counts([600, 200, 0, 200]), ALPHA, {}).verdict == "BELIEVABLE"


def test_a_difference_needs_units_and_narrows_with_them() -> None:
    few, many = [unit_sums(np.arange(n) % 2, np.ones(n)) for n in (FEWEST_UNITS, 4000)]
    assert difference(unit_sums(np.zeros(FEWEST_UNITS - 1), np.ones(FEWEST_UNITS - 1)), many, 0.05) is None
    wide, narrow = difference(few, few, 0.05), difference(many, many, 0.05)
    assert wide is not None
    assert narrow is not None
    assert narrow.high - narrow.low < wide.high - wide.low


def test_rows_of_one_unit_count_together() -> None:
    """A hundred equal rows of each of 40 units say what one row of each says."""
    once, often = unit_sums(np.arange(40) % 2, np.ones(40)), unit_sums(100 * (np.arange(40) % 2), np.full(40, 100))
    assert difference(once, once, 0.05) == difference(often, often, 0.05)


def missed(rng: np.random.Generator, *, units: int) -> bool:
    """A test of three arms like the champion, read after every 50 units: is any difference ever missed?"""
    rows = rng.integers(1, 6, (4, units))
    chance = rng.beta(2, 5, (4, units))  # units differ: rows of one hang together
    values = rng.binomial(rows, chance)
    for n in range(50, units + 1, 50):
        sums = {name: unit_sums(values[i, :n], rows[i, :n]) for i, name in enumerate(NAMES)}
        errors = [int((values[i, :n] == rows[i, :n]).sum()) for i in range(4)]
        for arm in report(TABLE, counts([n] * 4, errors), ALPHA, sums).arms[1:]:
            for interval in (arm.difference, arm.error_rate):
                assert interval is not None
                if not interval.low <= 0.0 <= interval.high:
                    return True
    return False


def coverage(runs: int, seed: int, units: int) -> None:
    streams = np.random.SeedSequence(seed).spawn(runs)
    misses = sum(missed(np.random.default_rng(stream), units=units) for stream in streams) / runs
    promised = 2 * ALPHA  # two kinds of figures, each with its alpha
    assert misses <= promised + 3 * math.sqrt(promised * (1 - promised) / runs)
    print(f"any of six differences ever missed in {misses:.1%} of {runs} tests, promised {promised:.0%}")


def test_intervals_that_are_read_again_and_again_hold_together() -> None:
    coverage(20, 31, 500)


@pytest.mark.slow
def test_intervals_of_long_tests_hold_together() -> None:
    coverage(300, 32, 3000)
