"""The promises of the test suites by simulation: intervals hold the truth, false alarms stay within their budget.

Tolerance: three binomial standard errors of the promise at the number of samples, plus what is stated beside the test.
"""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.pipeline.suites.models import subject

from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.dummy import better_than_dummy
from flyball.pipeline.suites.fairness import fairness
from flyball.pipeline.suites.shift import shift
from flyball.pipeline.suites.slices import slices
from flyball.pipeline.suites.subject import Subject
from flyball.pipeline.suites.target_leak import target_leak
from flyball.stats.scoring.calibration import cox, ece
from flyball.stats.scoring.operating import precision_at_recall


def subject_with(base: Subject, holdout: pl.DataFrame, predictions: np.ndarray) -> Subject:
    """The same declaration over other rows and answers."""
    scored = Scored(truth=holdout["y"].to_numpy(), predictions=predictions, scores=predictions.astype(np.float64))
    return replace(base, holdout=holdout, scored=scored)


def tolerance(runs: int, p: float = 0.95) -> float:
    return 3 * math.sqrt(p * (1 - p) / runs)


@pytest.mark.parametrize(("power", "n"), [(1.3, 1500), (2.0, 800)])
def test_the_calibration_error_of_a_model_that_is_off(power: float, n: int) -> None:
    """Bootstrap, reflected; 3 points for 15 bins on so few rows. The truth: mean |p - p^power| over uniform p."""
    runs, rng, held = 100, np.random.default_rng(71), 0
    truth = abs(1 / 2 - 1 / (power + 1))
    for _ in range(runs):
        p = rng.random(n)
        found = ece(rng.random(n) < p**power, p, rng=rng)
        held += found.low <= truth <= found.high
    assert held / runs >= 0.95 - 0.03 - tolerance(runs)


def test_the_calibration_error_of_an_honest_model_is_less_biased_and_seldom_called_large() -> None:
    """A plain one would be 0.037 on average; the correction leaves 0.022, six tenths of it, as the theory says."""
    runs, n, rng = 80, 1000, np.random.default_rng(72)
    values, alarms = [], 0
    for _ in range(runs):
        p = rng.random(n)
        found = ece(rng.random(n) < p, p, rng=rng)
        values.append(found.value)
        alarms += found.low > 0.02
    assert np.mean(values) < 0.025
    assert alarms / runs <= 0.05 + tolerance(runs, 0.05)


def test_the_calibration_slope_and_intercept() -> None:
    """Wald; 1 point."""
    runs, n, rng = 600, 800, np.random.default_rng(73)
    slopes = offsets = 0
    for _ in range(runs):
        z = rng.normal(size=n)
        y = rng.random(n) < 1 / (1 + np.exp(-0.7 * z))
        slope, _ = cox(y, 1 / (1 + np.exp(-z)))
        slopes += slope.low <= 0.7 <= slope.high
        y = rng.random(n) < 1 / (1 + np.exp(-z - 0.3))
        _, offset = cox(y, 1 / (1 + np.exp(-z)))
        offsets += offset.low <= 0.3 <= offset.high
    assert min(slopes, offsets) / runs >= 0.95 - 0.01 - tolerance(runs)


def test_precision_at_a_recall() -> None:
    """Bootstrap of a chosen threshold; 3 points at 100 positives. The truth from two million rows."""
    rng = np.random.default_rng(74)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        positive = rng.random(n) < 0.1
        return positive, rng.normal(size=n) + 1.5 * positive

    positive, score = draw(2_000_000)
    cut = np.quantile(score[positive], 0.2)
    truth = float(positive[score >= cut].mean())
    runs, held = 100, 0
    for _ in range(runs):
        found = precision_at_recall(*draw(1000), 0.8, rng=rng)
        held += found.low <= truth <= found.high
    assert held / runs >= 0.95 - 0.03 - tolerance(runs)


def test_the_worst_slice_of_a_model_that_is_equally_good_everywhere() -> None:
    """Bonferroni over the judged slices: all intervals hold the truth at once with 95 %, so the worst one does too."""
    runs, rng, held = 100, np.random.default_rng(75), 0
    base = subject(lambda frame: np.zeros(frame.height), rows=200, min_support=20)
    for _ in range(runs):
        n = 2000
        truth = rng.integers(0, 2, n)
        hit = rng.random(n) < 0.8
        table = pl.DataFrame({"g": rng.integers(0, 10, n), "y": truth})
        one = subject_with(base, table, np.where(hit, truth, 1 - truth))
        worst = slices(one, ("g",), "accuracy", rng).metrics["slice.worst.accuracy"]
        held += worst.low <= 0.8 <= worst.high
    assert held / runs >= 0.95 - tolerance(runs)


def test_a_coin_is_hardly_ever_called_worse_than_a_dummy() -> None:
    """A model that knows nothing of balanced classes: passes in 2.5 %, fails in 0.05 %, else undecided."""
    runs, rng, passes, fails = 2000, np.random.default_rng(76), 0, 0
    for _ in range(runs):
        truth = rng.integers(0, 2, 400)
        guess = Scored(truth=truth, predictions=rng.integers(0, 2, 400), scores=None)
        verdict = better_than_dummy("accuracy", guess, np.array([0, 0, 1]), (0, 1), rng).verdict
        passes += verdict == "PASS"
        fails += verdict == "FAIL"
    assert passes / runs <= 0.025 + 0.005 + tolerance(runs, 0.025)
    assert fails / runs <= 0.0005 + tolerance(runs, 0.0005)


def test_inputs_without_a_shift_are_called_shifted_in_one_table_of_a_hundred() -> None:
    """Twenty inputs, 1 % over all of them together."""
    runs, rng, alarms = 150, np.random.default_rng(77), 0
    for _ in range(runs):
        before = pl.DataFrame({f"x{i}": rng.normal(size=800) for i in range(20)})
        after = pl.DataFrame({f"x{i}": rng.normal(size=200) for i in range(20)})
        alarms += shift(before, after, before.columns).tests[0].verdict == "FAIL"
    assert alarms / runs <= 0.01 + tolerance(runs, 0.01)


def test_twenty_honest_inputs_are_never_called_a_leak() -> None:
    runs, rng, alarms = 30, np.random.default_rng(78), 0
    for _ in range(runs):
        label = pl.Series(rng.random(600) < 0.3)
        frame = pl.DataFrame({f"x{i}": rng.normal(size=600) + (i / 12) * label.to_numpy() for i in range(20)})
        alarms += target_leak(frame, label, regression=False, rng=rng).tests[0].verdict == "FAIL"
    assert alarms == 0


@pytest.mark.parametrize("gap", [0.0, 0.15])
def test_the_difference_between_two_groups(gap: float) -> None:
    """Bootstrap within the groups. Without a difference the interval begins at 0; with one it is held to 3 points."""
    runs, rng, held = 100, np.random.default_rng(79), 0
    base = subject(
        lambda frame: np.zeros(frame.height),
        rows=200,
        fairness={"attributes": ["g"], "max_difference": 0.1},
        min_support=20,
    )
    for _ in range(runs):
        group = np.repeat([0, 1], 400)
        table = pl.DataFrame({"g": group.astype(str), "y": rng.integers(0, 2, 800)})
        one = subject_with(base, table, (rng.random(800) < 0.4 + gap * group).astype(int))
        found = fairness(one).metrics["fairness.demographic_parity_difference.g"]
        held += found.low <= gap <= found.high
    assert held / runs >= 0.95 - 0.03 - tolerance(runs)
