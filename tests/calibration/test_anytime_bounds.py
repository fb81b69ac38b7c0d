"""Bounds that are read after every observation: they ever miss in at most alpha of the streams.

Tolerance: three binomial standard errors of the promised rate at the number of streams.
"""

import math

import numpy as np
import numpy.typing as npt
import pytest

from flyball.stats.confidence_sequences.sequences import asymptotic_half_width, asymptotic_rho, bernoulli_upper
from flyball.stats.sequential_tests.paired import PairedTest
from flyball.stats.sequential_tests.sprt import Finding

ALPHA = 0.05


def three_standard_errors(promise: float, runs: int) -> float:
    return 3 * math.sqrt(promise * (1 - promise) / runs)


def last_misses(rate: float, horizon: int) -> npt.NDArray[np.int64]:
    """For each number of events x: the first n (from 0) at which the bound for x events falls below the rate.

    The bound falls with n and rises with x, so a stream misses at some n exactly when its (n, x) is beyond this.
    """
    first: list[int] = []
    n = 1
    while n <= horizon:
        x = len(first)
        n = max(n, x + 1)
        low, high = n, horizon + 1  # bisection: the bound falls with n
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if bernoulli_upper(middle, x, alpha=ALPHA) < rate else (middle + 1, high)
        first.append(low)
        n = low
    return np.array(first)


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
def test_an_upper_bound_read_after_every_request_misses_in_at_most_alpha(rate: float) -> None:
    streams, horizon = 4000, 5000
    first = last_misses(rate, horizon)
    rng = np.random.default_rng(21)
    missed = 0
    for _ in range(streams):
        seen = np.cumsum(rng.random(horizon) < rate)
        n = np.arange(1, horizon + 1)
        missed += bool(np.any(n >= first[np.minimum(seen, first.size - 1)]) if first.size else False)
    assert missed / streams <= ALPHA + three_standard_errors(ALPHA, streams)
    assert missed > 0  # a promise kept by bounding nothing would be worth nothing


def test_an_asymptotic_sequence_ever_misses_in_at_most_alpha_where_an_interval_misses_often() -> None:
    streams, horizon, burn_in = 1000, 5000, 100
    rng, rho = np.random.default_rng(22), asymptotic_rho(2000, alpha=ALPHA)
    n = np.arange(1, horizon + 1)
    width = np.array([asymptotic_half_width(int(k), 1.0, alpha=ALPHA, rho=rho) for k in n[burn_in:]])
    missed = fixed_missed = 0
    for _ in range(streams):
        x = rng.normal(size=horizon)
        mean = np.cumsum(x) / n
        sd = np.sqrt(np.cumsum(x * x) / n - mean**2)
        missed += bool(np.any(np.abs(mean[burn_in:]) > sd[burn_in:] * width))
        fixed_missed += bool(np.any(np.abs(mean[burn_in:]) > 1.96 * sd[burn_in:] / np.sqrt(n[burn_in:])))
    assert missed / streams <= ALPHA + three_standard_errors(ALPHA, streams)
    assert fixed_missed / streams > 0.3


@pytest.mark.parametrize(("share", "wrong", "promise"), [(0.5, Finding.WORSE, 0.05), (0.6, Finding.NOT_WORSE, 0.10)])
def test_the_paired_test_errs_at_most_as_often_as_it_says(share: float, wrong: Finding, promise: float) -> None:
    runs, rng, errors = 4000, np.random.default_rng(23), 0
    blank = PairedTest()
    up, down = PairedTest(champion_only=1).log_e, PairedTest(candidate_only=1).log_e
    for _ in range(runs):
        against = rng.random(1000) < share
        path = np.cumsum(np.where(against, up, down))
        crossed = np.flatnonzero((path >= math.log(20)) | (path <= math.log(0.1)))
        if crossed.size:
            seen = against[: crossed[0] + 1]
            state = PairedTest(pairs=seen.size, champion_only=int(seen.sum()), candidate_only=int((~seen).sum()))
            errors += state.verdict() is wrong
    assert blank.verdict() is Finding.UNDECIDED
    assert errors / runs <= promise + three_standard_errors(promise, runs)
