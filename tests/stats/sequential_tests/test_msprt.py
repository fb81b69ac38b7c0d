"""The mixture SPRT of two arms: published values, exactness by integration, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.confidence_sequences.sequences import normal_mixture_log_e
from flyball.stats.experiment.ratio_mismatch import anytime_p
from flyball.stats.sequential_tests.msprt import MixtureSprt, two_sample_log_e


@pytest.mark.parametrize(
    ("n", "difference", "log_e"),
    [(100, 0.1, -0.119399), (1000, 0.1, 1.187454), (1000, 0.2, 7.437454), (5000, 0.05, 1.375759)],
)
def test_the_published_values(n: int, difference: float, log_e: float) -> None:
    found = two_sample_log_e(n, n, difference, sd=1.0, tau=0.1)
    assert found == pytest.approx(log_e, abs=5e-7)
    assert normal_mixture_log_e(n * difference, 2 * n, rho=400) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize(("log_e", "p"), [(1.187454, 0.304997), (7.437454, 0.000589)])
def test_the_published_p_values(log_e: float, p: float) -> None:
    assert anytime_p(log_e) == pytest.approx(p, abs=5e-7)
    assert MixtureSprt(sd=1.0, tau=0.1, peak_log_e=log_e).p == pytest.approx(p, abs=5e-7)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 40), (500, 20)])
def test_it_is_the_ratio_averaged_over_differences(n: int, m: int) -> None:
    """Numerically: exp(d D / V - d^2 / 2V) over d ~ N(0, tau^2); and its mean is 1 when D ~ N(0, V)."""
    sd, tau = 1.5, 0.3
    v = sd**2 * (1 / n + 1 / m)
    d = np.linspace(-10 * tau, 10 * tau, 20_001)
    prior = np.exp(-(d**2) / (2 * tau**2))
    for difference in (-0.4, 0.0, 1.1):
        mixed = float((np.exp(d * difference / v - d**2 / (2 * v)) * prior).sum() / prior.sum())
        assert two_sample_log_e(n, m, difference, sd=sd, tau=tau) == pytest.approx(math.log(mixed), abs=1e-9)
    seen = np.linspace(-12, 12, 24_001) * math.sqrt(v + tau**2)
    density = np.exp(-(seen**2) / (2 * v)) / math.sqrt(2 * math.pi * v)
    e = np.array([math.exp(two_sample_log_e(n, m, float(x), sd=sd, tau=tau)) for x in seen[::10]])
    assert float((e * density[::10]).sum() * (seen[10] - seen[0])) == pytest.approx(1, abs=1e-6)


stream = st.lists(st.tuples(st.booleans(), st.floats(-100, 100)), max_size=40)


def run(state: MixtureSprt, seen: list[tuple[bool, float]]) -> MixtureSprt:
    return state.plus([arm for arm, _ in seen], [value for _, value in seen])


BLANK = MixtureSprt(sd=20.0, tau=2.0)


@given(stream, st.integers(0, 40))
def test_where_a_batch_ends_changes_nothing(seen: list[tuple[bool, float]], cut: int) -> None:
    whole, parts = run(BLANK, seen), run(run(BLANK, seen[:cut]), seen[cut:])
    assert parts.peak_log_e == pytest.approx(whole.peak_log_e, abs=1e-9)
    assert parts.log_e == pytest.approx(whole.log_e, abs=1e-9)
    assert (parts.candidate_n, parts.champion_n) == (whole.candidate_n, whole.champion_n)


@given(stream)
def test_the_running_p_is_the_least_of_all_so_far(seen: list[tuple[bool, float]]) -> None:
    state, least = BLANK, 1.0
    for arm, value in seen:
        state = state.observe(arm, value)
        least = min(least, anytime_p(state.log_e))
        assert state.p == pytest.approx(least, rel=1e-9)
        assert 0 < state.p <= 1


@given(stream, st.floats(-1e4, 1e4))
def test_the_common_level_is_no_question_of_ours(seen: list[tuple[bool, float]], level: float) -> None:
    moved = run(BLANK, [(arm, value + level) for arm, value in seen])
    assert moved.log_e == pytest.approx(run(BLANK, seen).log_e, abs=1e-6)


@given(stream)
def test_the_arms_may_change_their_names(seen: list[tuple[bool, float]]) -> None:
    other = run(BLANK, [(not arm, value) for arm, value in seen])
    assert other.peak_log_e == pytest.approx(run(BLANK, seen).peak_log_e, abs=1e-9)


def test_an_arm_without_values_and_a_constant_metric_say_nothing() -> None:
    alone = run(BLANK, [(True, 5.0)] * 50)
    assert (alone.log_e, alone.p) == (0.0, 1.0)
    assert math.isnan(alone.difference)
    still = run(BLANK, [(place % 2 == 0, 7.0) for place in range(50)])
    assert still.log_e < 0
    assert still.p == 1.0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="sd > 0"):
        MixtureSprt(sd=0.0, tau=1.0)
    with pytest.raises(ValueError, match="tau > 0"):
        MixtureSprt(sd=1.0, tau=math.inf)
    with pytest.raises(ValueError, match="finite"):
        BLANK.observe(True, math.nan)
    with pytest.raises(ValueError, match="one finite value for each arm"):
        BLANK.plus([True, False], [1.0])
