"""Every promise of a sequential test or bound, by simulation: a small one here, 20,000 runs each in `make test-slow`.

Tolerance: three binomial standard errors of the promised rate at the number of runs.
"""

import zlib

import pytest
from tests.calibration.promise import ALPHA, BETA, Promise
from tests.calibration.promised_bounds import BEYOND, BOUNDS
from tests.calibration.promised_tests import TESTS, means

from flyball.stats.sequential_tests.sprt import sprt_bounds

PROMISES = [*TESTS, *BOUNDS]
named = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
MANY = 20_000


def seed_of(promise: Promise) -> int:
    return zlib.crc32(promise.name.encode())


@named
def test_a_promise_is_kept(promise: Promise) -> None:
    found = promise.measured(promise.runs, seed_of(promise))
    assert found <= promise.tolerated(promise.runs)
    assert found > 0 or not promise.tight


@pytest.mark.slow
@named
def test_a_promise_is_kept_over_20_000_runs(promise: Promise) -> None:
    assert promise.measured(MANY, seed_of(promise) + 1) <= promise.tolerated(MANY)


def test_the_errors_of_walds_test_add_up_to_no_more_than_their_sum() -> None:
    runs = 4000
    alarm, advance = means(0.0, 0).measured(runs, 1), means(0.2, 1).measured(runs, 2)
    assert alarm + advance <= ALPHA + BETA + 3 * (ALPHA / runs) ** 0.5 + 3 * (BETA / runs) ** 0.5
    assert sprt_bounds(ALPHA, BETA)[0] > 0


def test_the_names_are_what_a_table_needs() -> None:
    names = [promise.name for promise in [*PROMISES, *BEYOND]]
    assert len(set(names)) == len(names)
