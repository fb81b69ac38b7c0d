"""Simulated models are as good as they are declared to be."""

import numpy as np
import pytest

from flyball.app.rehearse.models import BLUR, Labels, Made, secrets
from flyball.core.service import Task

ROWS = 20_000
TASKS: dict[Task, Labels] = {
    "binary": Labels(task="binary", classes=(0, 1)),
    "multiclass": Labels(task="multiclass", classes=("a", "b", "c")),
}


def right(labels: Labels, blur: float) -> float:
    """Share of the rows that a model answers rightly; its Monte-Carlo error is 0.003."""
    rows = secrets(np.random.default_rng(3), ROWS)
    return float(np.mean([labels.answer(row, blur).prediction == labels.truth(row) for row in rows]))


@pytest.mark.parametrize("task", TASKS)
def test_blur_costs_right_answers(task: Task) -> None:
    sharp, usual, blind = (right(TASKS[task], blur) for blur in (0.0, BLUR, 1.0))
    assert sharp > 0.8
    assert blind == pytest.approx(1 / len(TASKS[task].classes), abs=0.015)
    assert usual == pytest.approx(sharp - BLUR * (sharp - blind), abs=0.015)


def test_a_declared_change_is_a_share_of_right_answers() -> None:
    labels = TASKS["binary"]
    usual, better, worse = (right(labels, Made(root="r", metric_change=c).blur({})) for c in (0.0, 0.05, -0.10))
    assert better - usual == pytest.approx(0.05, abs=0.015)
    assert worse - usual == pytest.approx(-0.10, abs=0.015)


def test_a_release_that_has_learned_the_drift_does_not_suffer_from_it() -> None:
    moved = {"x": 2.0}
    assert Made(root="old").blur(moved) > Made(root="new", learned=moved).blur(moved) == BLUR


def test_models_of_the_same_blur_agree_on_every_row() -> None:
    labels = TASKS["binary"]
    for row in secrets(np.random.default_rng(1), 200):
        assert labels.answer(row, 0.3) == labels.answer(row, 0.3)


def test_a_regression_is_answered_near_the_truth_unless_it_is_blurred() -> None:
    labels = Labels(task="regression")
    rows = secrets(np.random.default_rng(2), 2000)
    off = [abs(float(labels.answer(row, 0.0).prediction) - float(labels.truth(row))) for row in rows]
    blurred = [abs(float(labels.answer(row, 1.0).prediction) - float(labels.truth(row))) for row in rows]
    assert np.mean(off) == pytest.approx(4.0, abs=0.5)
    assert np.mean(blurred) > 4 * np.mean(off)
