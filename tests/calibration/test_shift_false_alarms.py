"""The e-detector without a change: no more false alarms of a *service* than one in `arl_windows` windows.

Each run has a reference of its own, as each release has: a detector that takes a small reference for the truth fails
here on the unlucky ones. Numbers of alarms are compared with t / arl_windows plus three Poisson standard errors. The
tolerance is 0: with one, silence would prove little.
"""

import math

import numpy as np
import numpy.typing as npt
import pytest

from flyball.stats.change.bets import Kind, bets
from flyball.stats.change.edetector import begin, forget, level, step
from flyball.stats.change.evalues import log_urn

Floats = npt.NDArray[np.float64]
ARL = 200.0
ZIPF = np.append(1 / np.arange(1, 9) ** 1.5, [0.01, 0.005])


def law(rng: np.random.Generator, kind: Kind, rows: int) -> tuple[Floats, Floats]:
    """Reference counts and the true shares of its bins.

    Numbers: edges at the reference's own deciles, so the true shares are spacings of a uniform sample.
    """
    if kind == "category":
        shares = ZIPF / ZIPF.sum()
        return rng.multinomial(rows, shares).astype(float), shares
    cuts = np.sort(rng.random(rows))[np.arange(1, 10) * rows // 10]
    counts = np.diff([0, *(np.arange(1, 10) * rows // 10), rows])
    return np.append(counts, 0.0), np.append(np.diff([0.0, *cuts, 1.0]), 0.0)


def alarms(rng: np.random.Generator, kind: Kind, *, rows: int, window: int, windows: int, features: int) -> int:
    """False alarms of one service with independent features, each sequence beginning anew after its own."""
    found = 0
    for _ in range(features):
        reference, shares = law(rng, kind, rows)
        all_bets = bets(reference, kind, tolerance=0.0)
        state = begin(reference, all_bets)
        for _ in range(windows):
            state = step(state, rng.multinomial(window, shares), all_bets)
            if level(state, all_bets).log_sum >= math.log(features * ARL):
                found, state = found + 1, forget(state)
    return found


@pytest.mark.parametrize(("rows", "window"), [(1000, 1000), (5000, 200)])
@pytest.mark.parametrize("kind", ["numeric", "category"])
def test_a_service_has_no_more_false_alarms_than_it_promises(kind: Kind, rows: int, window: int) -> None:
    rng, windows, features = np.random.default_rng(51), 40, 5
    runs = 20
    found = sum(alarms(rng, kind, rows=rows, window=window, windows=windows, features=features) for _ in range(runs))
    promised = runs * windows / ARL
    assert found <= promised + 3 * math.sqrt(promised)


def test_the_reference_taken_for_the_truth_breaks_the_promise() -> None:
    """The same sum over starts with a plug-in denominator: the sampling error of 1,000 rows is called a change."""
    rng, found, windows, runs = np.random.default_rng(52), 0, 40, 40
    for _ in range(runs):
        reference, shares = law(rng, "numeric", 1000)
        taken = (reference + 0.5) / (reference + 0.5).sum()
        log_sum = -math.inf
        for _ in range(windows):
            x = rng.multinomial(1000, shares).astype(float)
            log_e = float(log_urn(x, 1000 * taken)) - float(x @ np.log(taken))
            log_sum = float(np.logaddexp(0.0, log_sum)) + log_e
            if log_sum >= math.log(ARL):
                found, log_sum = found + 1, -math.inf
    promised = runs * windows / ARL
    assert found > 2 * promised + 3 * math.sqrt(promised)
