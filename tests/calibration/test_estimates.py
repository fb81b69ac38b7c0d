"""Promises of what is said without labels: coverage of its intervals, at one look and at every look; a fair sample.

Tolerance: three binomial standard errors at the number of runs.
"""

import math

import numpy as np
import pytest

from flyball.core.release import Estimate
from flyball.monitor.estimates import Z95, Z999, standard_error
from flyball.monitor.replay_buffer import ReplayBuffer
from flyball.stats.confidence_sequences.risk_sequence import RiskSequence
from flyball.stats.risk.cbpe import expected, spread
from flyball.stats.risk.recalibration import apply, recalibrate
from flyball.stats.risk.weighting import stretch
from flyball.stats.scoring.intervals import interval


def three_standard_errors(promise: float, runs: int) -> float:
    return 3 * math.sqrt(promise * (1 - promise) / runs)


def drawn(rng: np.random.Generator, n: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(score, prediction, label) of an overconfident model; P(label | score) is one law whatever the shift."""
    odds = rng.normal(shift, 1.2, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    score = 1 / (1 + np.exp(-2 * odds))
    return score, (score >= 0.5).astype(float), label


def misses(metric: str, runs: int, *, rows: int, held: int, shift: float, z: float) -> float:
    """Share of windows whose realised metric lies outside the interval of its estimate."""
    rng, missed = np.random.default_rng(7), 0
    for _ in range(runs):
        score, said, label = drawn(rng, held, 0.0)
        maps = recalibrate(score, label, rng=rng).maps
        known = interval(metric, label, said, score, rng=rng, classes=(0, 1))
        promised = Estimate(value=known.value, low=known.low, high=known.high, n=known.n)
        edges = np.quantile(score, np.arange(0.1, 1.0, 0.1))
        old = np.bincount(np.searchsorted(edges, score), minlength=10)
        score, said, label = drawn(rng, rows, shift)
        fewer = stretch(old, np.bincount(np.searchsorted(edges, score), minlength=10))
        p = apply(maps, score)
        estimated = expected(metric, p, said, score)
        realised = interval(metric, label, said, score, rng=rng, classes=(0, 1)).value
        se = standard_error(promised, rows, spread(metric, p, said, score), fewer=fewer)
        missed += abs(realised - estimated) > z * se
    return missed / runs


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc"])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_interval_holds_the_realised_metric_while_the_concept_stays(metric: str, shift: float) -> None:
    runs = 120
    assert misses(metric, runs, rows=500, held=1500, shift=shift, z=Z95) <= 0.05 + three_standard_errors(0.05, runs)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "brier"])
@pytest.mark.parametrize("shift", [0.0, 0.5])
@pytest.mark.parametrize("rows", [200, 1000])
def test_the_same_at_length_and_the_assumption_is_rarely_called_broken(metric: str, shift: float, rows: int) -> None:
    runs = 1500
    args = {"rows": rows, "held": 3000, "shift": shift}
    assert misses(metric, runs, z=Z95, **args) <= 0.05 + three_standard_errors(0.05, runs)  # type: ignore[arg-type]
    assert misses(metric, runs, z=Z999, **args) <= 0.001 + three_standard_errors(0.001, runs)  # type: ignore[arg-type]


def ever_misses(
    rate: float, runs: int, *, windows: int, rows: int, held: int, alpha: float, wave: float = 0.0
) -> float:
    """Share of runs in which the bounds on risk minus baseline are ever wrong, looked at after every window.

    Args: wave: the risk swings by this share of itself; the truth is then its running mean.
    """
    rng, missed = np.random.default_rng(11), 0
    risk = rate * (1 + wave * np.sin(np.arange(windows)))
    truth = np.cumsum(risk) / np.arange(1, windows + 1) - rate
    for _ in range(runs):
        base = rng.binomial(held, rate) / held
        sd = math.sqrt(max(base * (1 - base), 1 / held**2) * held / (held - 1))
        state = RiskSequence()
        for at in range(windows):
            wrong = rng.binomial(rows, risk[at])
            state = state.merge(RiskSequence(n=rows, total=float(wrong), squares=float(wrong)))
            _, low, high = state.above(base, sd, held, alpha=alpha)
            if not low <= truth[at] <= high:
                missed += 1
                break
    return missed / runs


@pytest.mark.parametrize(("rate", "wave"), [(0.02, 0.0), (0.2, 0.0), (0.2, 0.5)])
def test_the_bounds_on_the_risk_are_ever_wrong_no_more_often_than_promised(rate: float, wave: float) -> None:
    runs, alpha = 150, 0.10
    found = ever_misses(rate, runs, windows=100, rows=200, held=2000, alpha=alpha, wave=wave)
    assert found <= alpha + three_standard_errors(alpha, runs)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("held", [500, 2000, 20_000])
@pytest.mark.parametrize("rows", [100, 1000])
def test_the_same_over_a_thousand_windows(rate: float, held: int, rows: int) -> None:
    runs, alpha = 1000, 0.05
    found = ever_misses(rate, runs, windows=1000, rows=rows, held=held, alpha=alpha)
    assert found <= alpha + three_standard_errors(alpha, runs)


def test_the_reservoirs_weighted_mean_is_that_of_all_rows() -> None:
    """Kinds of very unequal size and cost, with one that begins late: the mean over many dice is exact."""
    rng = np.random.default_rng(3)
    kinds = np.where(rng.random(900) < 0.03, 2, rng.integers(0, 2, 900))
    kinds[:600][kinds[:600] == 1] = 0
    cost = rng.gamma(2, 1, 900) + 5 * (kinds == 2)
    found = []
    for seed in range(300):
        held: ReplayBuffer[int] = ReplayBuffer(
            rng=np.random.default_rng(seed), capacity=60, blocks=2, block_rows=450, most_strata=8
        )
        held.add(range(900), kinds.tolist())
        kept = list(held.kept())
        found.append(sum(one.weight * cost[one.row] for one in kept) / held.seen)
    standard_error = float(np.std(found, ddof=1)) / math.sqrt(len(found))
    assert abs(np.mean(found) - cost.mean()) < 3.5 * standard_error
    assert standard_error < 0.02
