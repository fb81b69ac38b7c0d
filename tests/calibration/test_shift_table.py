"""The long calibration of the e-detector: the table of `docs/explanation/error-control.md`, printed and judged.

Rows are drawn, binned at the reference's own deciles and counted, as a service does it. `correlated`: all features
share half of their variance. The tolerance is 0. Expected are at most runs x windows / ARL alarms of all together.
"""

import math

import numpy as np
import numpy.typing as npt
import pytest

from flyball.stats.change.bets import bets
from flyball.stats.change.edetector import begin, forget, level, step

ARL = 20.0  # short, so that the promise is met or broken within few windows
SIZES = {5: (120, 40), 50: (12, 40), 500: (3, 16)}  # features: runs, windows


def rows(rng: np.random.Generator, n: int, features: int, shared: float) -> npt.NDArray[np.float32]:
    own = rng.standard_normal((n, features), dtype=np.float32)
    common = rng.standard_normal((n, 1), dtype=np.float32)
    mixed: npt.NDArray[np.float32] = (math.sqrt(1 - shared) * own + math.sqrt(shared) * common).astype(np.float32)
    return mixed


def count(values: npt.NDArray[np.float32], edges: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Shape [features, 11]; the last bin is missing."""
    return np.array(
        [np.bincount(np.searchsorted(cut, values[:, at], side="right"), minlength=11) for at, cut in enumerate(edges)]
    )


def alarms(rng: np.random.Generator, features: int, windows: int, shared: float, reference: int, window: int) -> int:
    sample = np.sort(rows(rng, reference, features, shared), axis=0)
    edges = sample[np.arange(1, 10) * reference // 10].T
    references = count(sample, edges)
    all_bets = [bets(counts, "numeric", tolerance=0.0) for counts in references]
    states = [begin(counts, found) for counts, found in zip(references, all_bets, strict=True)]
    alarmed = 0
    for _ in range(windows):
        for at, x in enumerate(count(rows(rng, window, features, shared), edges)):
            states[at] = step(states[at], x, all_bets[at])
            if level(states[at], all_bets[at]).log_sum >= math.log(features * ARL):
                alarmed, states[at] = alarmed + 1, forget(states[at])
    return alarmed


@pytest.mark.slow
@pytest.mark.parametrize("features", SIZES)
@pytest.mark.parametrize("shared", [0.0, 0.5], ids=["independent", "correlated"])
@pytest.mark.parametrize(("reference", "window"), [(1000, 1000), (1000, 200), (5000, 200), (50_000, 1000)])
def test_no_service_has_more_false_alarms_than_it_promises(
    features: int, shared: float, reference: int, window: int
) -> None:
    runs, windows = SIZES[features]
    rng = np.random.default_rng((61, features, reference, window))
    found = sum(alarms(rng, features, windows, shared, reference, window) for _ in range(runs))
    promised = runs * windows / ARL
    kind = "correlated" if shared else "independent"
    print(f"\n| {features} | {kind} | {reference} | {window} | {runs * windows} | {promised:g} | {found} |")
    assert found <= promised + 3 * math.sqrt(promised)
