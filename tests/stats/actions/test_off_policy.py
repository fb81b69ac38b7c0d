"""Off-policy estimates against worlds so small that every log of them can be written down."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.actions.logged_actions import followed
from flyball.stats.actions.off_policy import OffPolicy, off_policy
from flyball.stats.actions.reward_bounds import Estimator, RewardBounds, bernstein_half
from flyball.stats.experiment.cross_fitting import Guess, Rows, cross_fitted

CONTEXT = (0.3, 0.7)
CHANCE = ((0.5, 0.25, 0.25), (0.2, 0.2, 0.6))  # of each action in each context
REWARDED = ((0.1, 0.9, 0.4), (0.7, 0.2, 0.5))  # chance that the reward is 1
TARGET = (1, 0)
VALUE = 0.3 * 0.9 + 0.7 * 0.7
LOGGED = 0.3 * (0.05 + 0.225 + 0.1) + 0.7 * (0.14 + 0.04 + 0.3)
WORLD = [  # (probability of the row, context, action, reward)
    (CONTEXT[x] * CHANCE[x][a] * (REWARDED[x][a] if r else 1 - REWARDED[x][a]), x, a, r)
    for x, a, r in itertools.product((0, 1), (0, 1, 2), (0, 1))
]
GUESS = np.array([[0.3, 0.2, 0.9], [0.5, 0.5, 0.1]])  # wrong on purpose


def expected(estimator: Estimator, *, chance: object = CHANCE, guess: object = GUESS) -> tuple[float, float]:
    """(value, gain) of an estimator, averaged over every log of two rows, each with the chance of its coming."""
    p, q = np.asarray(chance, dtype=np.float64), np.asarray(guess, dtype=np.float64)
    value, gain = 0.0, 0.0
    for rows in itertools.product(WORLD, repeat=2):
        weight = rows[0][0] * rows[1][0]
        x, a, r = (np.array([row[at] for row in rows]) for at in (1, 2, 3))
        target = np.array(TARGET)[x]
        found = off_policy(p[x, a], r, followed(a, target), guesses=(q[x, a], q[x, target]))
        value += weight * found.values[estimator].value
        gain += weight * found.gains[estimator].value
    return value, gain


def test_the_mean_over_every_possible_log_is_the_targets_value() -> None:
    assert sum(row[0] for row in WORLD) == pytest.approx(1)
    unbiased: tuple[Estimator, ...] = ("ips", "dr")
    for estimator in unbiased:
        assert expected(estimator) == pytest.approx((VALUE, VALUE - LOGGED))


def test_doubly_robust_is_right_where_either_the_model_or_the_propensities_are() -> None:
    wrong = ((0.4, 0.4, 0.2), (0.3, 0.3, 0.4))
    assert expected("dr", chance=wrong, guess=REWARDED)[0] == pytest.approx(VALUE)
    assert expected("dr", guess=GUESS)[0] == pytest.approx(VALUE)
    assert expected("ips", chance=wrong)[0] != pytest.approx(VALUE, abs=0.02)
    assert expected("dr", chance=wrong, guess=GUESS)[0] != pytest.approx(VALUE, abs=0.02)


@pytest.fixture(scope="module")
def log() -> dict[str, npt.NDArray[np.float64]]:
    rng = np.random.default_rng(2)
    p = rng.choice([0.25, 0.5], 1200)
    t = np.asarray(rng.random(1200) < p, dtype=np.float64)
    return {"propensity": p, "target": t, "reward": rng.normal(1.0, 2.0, 1200) + t}


def test_by_hand() -> None:
    """Weights 2, 4, 0, 0 on rewards 1, 3, 5, 7."""
    found = off_policy([0.5, 0.25, 0.5, 0.5], [1, 3, 5, 7], [1, 1, 0, 0], guesses=([1, 2, 2, 2], [1, 2, 3, 4]))
    assert found.logged is not None
    assert found.logged.value == 4
    told = {name: (one.value, found.gains[name].value) for name, one in found.values.items()}
    assert told == {
        "ips": (14 / 4, -0.5),
        "clipped": (8 / 4, -2.0),  # both weights are at most the root of 4
        "snips": (14 / 6, 14 / 6 - 4),
        "dr": ((1 + 2 + 3 + 4) / 4 + (4 * 1) / 4, -0.5),
    }
    spread = float(np.std([2, 12, 0, 0], ddof=1)) / 2
    t = 12.706204736174698  # 0.975 quantile of Student's t with 1 degree: of 1.8 effective units
    assert found.values["ips"].high == pytest.approx(3.5 + t * spread)
    assert found.overlap is not None
    assert found.overlap.effective == 36 / 20


def test_the_policy_that_logged_gains_nothing(log: dict[str, npt.NDArray[np.float64]]) -> None:
    found = off_policy(**log | {"target": log["propensity"]})  # type: ignore[arg-type]
    assert found.lacks == ()
    for gain in found.gains.values():
        assert (gain.low, gain.value, gain.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_without_a_model_doubly_robust_is_inverse_propensity(log: dict[str, npt.NDArray[np.float64]]) -> None:
    nothing = np.zeros(1200)
    found = off_policy(**log, guesses=(nothing, nothing))  # type: ignore[arg-type]
    assert found.values["dr"] == found.values["ips"]
    assert found.gains["dr"] == found.gains["ips"]


@given(st.floats(-100, 100))
def test_self_normalised_estimates_do_not_care_where_rewards_begin(moved: float) -> None:
    rng = np.random.default_rng(3)
    p, t, r = np.full(300, 0.5), (rng.random(300) < 0.5) * 1.0, rng.normal(size=300)
    here, there = off_policy(p, r, t).gains["snips"], off_policy(p, r + moved, t).gains["snips"]
    assert (there.low, there.value, there.high) == pytest.approx((here.low, here.value, here.high), abs=1e-8)


def test_the_gain_is_surer_than_the_difference_of_two_values(log: dict[str, npt.NDArray[np.float64]]) -> None:
    found = off_policy(**log)  # type: ignore[arg-type]
    assert found.logged is not None
    apart = math.hypot(*(one.high - one.low for one in (found.values["snips"], found.logged)))
    assert found.gains["snips"].high - found.gains["snips"].low < apart


def test_the_order_of_rows_says_nothing_and_units_that_repeat_themselves_say_it_once(
    log: dict[str, npt.NDArray[np.float64]],
) -> None:
    once, order = off_policy(**log), np.random.default_rng(4).permutation(2400) % 1200  # type: ignore[arg-type]
    twice = off_policy(**{name: column[order] for name, column in log.items()}, unit=order)  # type: ignore[arg-type]
    for name, gain in once.gains.items():
        if name != "clipped":  # at the root of n, which is doubled
            other = twice.gains[name]
            assert (other.low, other.high) == pytest.approx((gain.low, gain.high))
    assert once.overlap is not None
    assert twice.overlap is not None
    assert (twice.overlap.units, twice.overlap.rows) == (1200, 2400)
    assert twice.overlap.effective == pytest.approx(once.overlap.effective)


def test_zero_of_many_is_not_never() -> None:
    """Every followed row failed to convert: the interval still reaches above zero, by about three of the effective."""
    rng = np.random.default_rng(5)
    t = (rng.random(1000) < 0.5) * 1.0
    r = np.where(t == 0, rng.random(1000) < 0.05, 0) * 1.0
    found = off_policy(np.full(1000, 0.5), r, t)
    value = found.values["snips"]
    assert value.value == 0
    assert 0.5 * 3 / 500 < value.high < 2 * 3 / 500


FINE = {"propensity": [0.5] * 400, "reward": [0.0, 1.0] * 200, "target": [1.0, 1.0, 0.0, 0.0] * 100}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({name: [] for name in FINE}, "holds no row"),
        ({"propensity": [0.0] + [0.5] * 399}, "propensities missing, 0 or less, or above 1: 1 of 400 rows"),
        ({"propensity": [1.01] + [0.5] * 399}, "propensities"),
        ({"propensity": [math.nan] * 400}, "propensities missing, 0 or less, or above 1: 400 of 400 rows"),
        ({"reward": [math.nan, 1.0] * 200}, "rewards missing or infinite: 200 of 400 rows"),
        ({"target": [1.5] * 400}, "probabilities of the target"),
        ({"reward": [3.0] * 400}, "the reward is 3 in every row"),
        ({"target": [0.0] * 400}, "worth 0 of at least 100 units"),
        ({"target": [1.0] * 20 + [0.0] * 380}, "worth 20 of at least 100 units (5.00% of 400 rows"),
        ({"propensity": [0.25] * 400}, "the mean weight is 2 and not 1"),
        ({"propensity": [1.0] * 400}, "50.00% of the rows had one possible action"),
        ({"unit": ["a"] * 400}, "one unit"),
    ],
)
def test_what_no_estimate_should_be_believed_of(changed: dict[str, object], reason: str) -> None:
    found: OffPolicy = off_policy(**FINE | changed)  # type: ignore[arg-type]
    assert off_policy(**FINE).lacks == ()  # type: ignore[arg-type]
    assert reason in "; ".join(found.lacks)


def test_faults_of_a_log_are_told_together() -> None:
    faulty = off_policy([0.0, 0.5], [math.inf, 1.0], [1.0, -1.0], guesses=([0, math.nan], [0, 0]))
    assert (len(faulty.lacks), faulty.values, faulty.overlap) == (4, {}, None)


def test_columns_of_other_shapes_and_bounds_that_are_broken_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        off_policy([0.5], [1.0, 2.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="shapes"):
        followed([1, 2], [1])
    with pytest.raises(ValueError, match="confidence"):
        off_policy(**FINE, confidence=1.0)  # type: ignore[arg-type]
    known = RewardBounds(low=0.0, high=1.0, largest_weight=2.0)
    for bounds, more in (
        (known, {"unit": range(400)}),
        (RewardBounds(low=0.0, high=0.5, largest_weight=2.0), {}),
        (RewardBounds(low=0.0, high=1.0, largest_weight=1.5), {}),
        (RewardBounds(low=0.0, high=math.inf, largest_weight=2.0), {}),
    ):
        with pytest.raises(ValueError, match=r"bounds with units|outside|above|finite"):
            off_policy(**FINE, **more, bounds=bounds)  # type: ignore[arg-type]


@given(st.floats(0, 1), st.floats(0, 3), st.floats(1, 50), st.sampled_from(["ips", "dr"]), st.sampled_from([0.0, 1.0]))
def test_no_two_rows_are_further_apart_than_the_bounds_say(
    low: float, more: float, weight: float, name: str, less: float
) -> None:
    known = RewardBounds(low=low - 1, high=low - 1 + more, largest_weight=weight)
    ends, guesses = (known.low, known.high), (known.low, known.high)
    rows = [
        (w * r if name == "ips" else of_target + w * (r - q)) - less * r
        for w, r, q, of_target in itertools.product((0.0, weight), ends, guesses, guesses)
    ]
    width = known.width(name, less=less)  # type: ignore[arg-type]
    assert width is not None
    assert max(rows) - min(rows) <= width + 1e-9
    assert known.width("snips") is None
    assert bernstein_half(np.array([1.0]), 1.0, 0.95) == math.inf


def test_no_row_is_guessed_for_by_a_model_that_saw_its_unit() -> None:
    rng = np.random.default_rng(6)
    unit = rng.integers(0, 30, 400)

    def fit(rows: Rows) -> Guess:
        def guess(held: Rows) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
            assert not set(unit[rows].tolist()) & set(unit[held].tolist())
            return held.astype(np.float64), -held.astype(np.float64)

        return guess

    logged, target = cross_fitted(fit, unit, rng=rng)
    assert logged.tolist() == list(range(400))
    assert (-target).tolist() == list(range(400))
    with pytest.raises(ValueError, match="two units"):
        cross_fitted(fit, ["a", "a"], rng=rng)


def test_a_test_of_two_arms_is_a_log_if_every_arm_that_would_have_answered_so_counts() -> None:
    """The share of the arm alone is no propensity where both arms agree, and the mean weight says so."""
    rng, n = np.random.default_rng(12), 4000
    arms = rng.integers(0, 2, (2, n))  # what each would answer
    mine = rng.random(n) < 0.3
    action = np.where(mine, arms[0], arms[1])
    reward = (rng.random(n) < np.where(action == 1, 0.6, 0.3)) * 1.0
    whole = 0.3 * (arms[0] == action) + 0.7 * (arms[1] == action)
    found = off_policy(whole, reward, followed(action, arms[0]))
    assert found.lacks == ()
    assert found.values["snips"].low < 0.45 < found.values["snips"].high
    alone = off_policy(np.where(mine, 0.3, 0.7), reward, followed(action, arms[0]))
    assert any("mean weight" in each for each in alone.lacks)


def test_a_policy_that_learned_from_the_very_rows_looks_better_than_it_is() -> None:
    """Rewards are noise: every policy is worth the same. Two hundred contexts of some twenty rows each."""
    rng, n = np.random.default_rng(13), 4000
    context, action, reward = rng.integers(0, 200, n), rng.integers(0, 2, n), rng.normal(size=n)
    seen = rng.random(n) < 0.5

    def learned(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        sums = [np.bincount(context[rows], reward[rows] * (action[rows] == each), 200) for each in (0, 1)]
        return np.asarray(sums[1] > sums[0])[context]

    def gain(rows: npt.NDArray[np.bool_]) -> float:
        target = followed(action, learned(seen))[rows]
        found = off_policy(np.full(int(rows.sum()), 0.5), reward[rows], target)
        assert found.lacks == ()
        return found.gains["snips"].low

    assert gain(seen) > 0.1  # surely better, it seems
    assert gain(~seen) < 0
