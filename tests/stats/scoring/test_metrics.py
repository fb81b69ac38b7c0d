"""Metrics: a second program agrees, ties are right, and what cannot be scored is said."""

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.metrics import METRICS, score

rng = np.random.default_rng(11)
TRUTH = rng.integers(0, 2, 400)
SCORE = np.round(np.clip(0.5 * rng.random(400) + 0.3 * TRUTH + 0.1, 0, 1), 2)  # rounding makes ties
PREDICTION = (SCORE >= 0.5).astype(int)
THREE = rng.integers(0, 3, 400)
GUESS = np.where(rng.random(400) < 0.6, THREE, rng.integers(0, 3, 400))
SCORES = rng.dirichlet([1, 1, 1], 400) * 0.5 + 0.5 * np.eye(3)[GUESS]
NAMES = np.array(["blue", "green", "red"])
X, Y = rng.normal(5, 1, 400), rng.normal(5, 1, 400)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", sk.accuracy_score(TRUTH, PREDICTION)),
        ("balanced_accuracy", sk.balanced_accuracy_score(TRUTH, PREDICTION)),
        ("f1", sk.f1_score(TRUTH, PREDICTION)),
        ("precision", sk.precision_score(TRUTH, PREDICTION)),
        ("recall", sk.recall_score(TRUTH, PREDICTION)),
        ("roc_auc", sk.roc_auc_score(TRUTH, SCORE)),
        ("pr_auc", sk.average_precision_score(TRUTH, SCORE)),
        ("log_loss", sk.log_loss(TRUTH, SCORE)),
        ("brier", sk.brier_score_loss(TRUTH, SCORE)),
    ],
)
def test_a_second_program_agrees_on_two_classes(name: str, expected: float) -> None:
    assert score(name, TRUTH, PREDICTION, SCORE) == pytest.approx(expected)
    words = np.array(["no", "yes"])
    assert score(name, words[TRUTH], words[PREDICTION], SCORE, classes=["no", "yes"]) == pytest.approx(expected)
    assert score(name, TRUTH == 1, PREDICTION == 1, np.c_[1 - SCORE, SCORE]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", sk.accuracy_score(THREE, GUESS)),
        ("balanced_accuracy", sk.balanced_accuracy_score(THREE, GUESS)),
        ("f1", sk.f1_score(THREE, GUESS, average="macro")),
        ("precision", sk.precision_score(THREE, GUESS, average="macro")),
        ("recall", sk.recall_score(THREE, GUESS, average="macro")),
        ("roc_auc", sk.roc_auc_score(THREE, SCORES, multi_class="ovr")),
        ("pr_auc", sk.average_precision_score(np.eye(3)[THREE], SCORES)),
        ("log_loss", sk.log_loss(THREE, SCORES)),
    ],
)
def test_a_second_program_agrees_on_three_classes_by_name(name: str, expected: float) -> None:
    assert score(name, NAMES[THREE], NAMES[GUESS], SCORES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mae", sk.mean_absolute_error(X, Y)),
        ("rmse", sk.root_mean_squared_error(X, Y)),
        ("mape", sk.mean_absolute_percentage_error(X, Y)),
    ],
)
def test_a_second_program_agrees_on_numbers(name: str, expected: float) -> None:
    assert score(name, X, Y) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_a_roc_area_is_the_share_of_pairs_in_order_ties_half(rows: list[tuple[bool, int]]) -> None:
    above, below = [s for y, s in rows if y], [s for y, s in rows if not y]
    if above and below:
        pairs = [(a > b) + (a == b) / 2 for a in above for b in below]
        found = score("roc_auc", [y for y, _ in rows], None, [s for _, s in rows])
        assert found == pytest.approx(sum(pairs) / len(pairs))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40), st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[tuple[bool, int]], random: "np.random.Generator") -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    for name in ("roc_auc", "pr_auc"):
        try:
            before = score(name, [y for y, _ in rows], None, [s for _, s in rows])
        except NotEnoughData:
            continue
        assert score(name, [y for y, _ in shuffled], None, [s for _, s in shuffled]) == pytest.approx(before)


def test_always_no_passes_no_floor_for_a_rare_class() -> None:
    truth, never = [0] * 99 + [1], [0] * 100
    assert score("accuracy", truth, never) == 0.99
    assert score("precision", truth, never) == score("recall", truth, never) == score("f1", truth, never) == 0
    assert score("balanced_accuracy", truth, never) == 0.5
    assert score("roc_auc", truth, None, [0.3] * 100) == 0.5
    assert score("pr_auc", truth, None, [0.3] * 100) == 0.01


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc", "recall", "f1", "balanced_accuracy"])
def test_a_class_that_is_absent_gives_no_number(name: str) -> None:
    with pytest.raises(NotEnoughData):
        score(name, [0, 0, 0], [0, 1, 0], [0.1, 0.9, 0.2])


@pytest.mark.parametrize("name", sorted(METRICS))
def test_no_rows_give_no_number(name: str) -> None:
    with pytest.raises(NotEnoughData):
        score(name, [], [], [])


def test_a_certain_and_wrong_forecast_is_finite() -> None:
    assert score("log_loss", [1, 0], None, [0.0, 0.0]) == pytest.approx(34.54 / 2, abs=0.01)


def test_labels_of_zero_have_no_relative_error() -> None:
    assert score("mape", [0.0, 2.0], [1.0, 3.0]) == 0.5
    with pytest.raises(NotEnoughData, match="other than 0"):
        score("mape", [0.0], [1.0])


def test_faulty_columns_are_named() -> None:
    with pytest.raises(ValueError, match="computed from the scores"):
        score("roc_auc", [0, 1], [0, 1])
    with pytest.raises(ValueError, match="1 that are not"):
        score("brier", [0, 1], None, [0.5, float("nan")])
    with pytest.raises(ValueError, match="one prediction a row"):
        score("mae", [0.0, 1.0], [0.0])
    with pytest.raises(ValueError, match="expected labels among"):
        score("accuracy", ["a"], ["b"], classes=["a", "c"])
    with pytest.raises(ValueError, match="needs two classes"):
        score("roc_auc", ["a", "b", "c"], None, [0.1, 0.2, 0.3])
    with pytest.raises(KeyError, match="expected one of accuracy"):
        score("gini", [0], [0])


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_each_metric_knows_its_direction_and_unit(metric: object) -> None:
    known = METRICS[getattr(metric, "name", "")]
    assert known.direction in ("higher", "lower")
    assert known.unit
    assert set(known.tasks) <= {"binary", "multiclass", "regression"}
    assert known.better_by(1.0, 2.0) == (1.0 if known.direction == "higher" else -1.0)
