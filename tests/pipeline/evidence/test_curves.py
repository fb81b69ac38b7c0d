import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from flyball.core.errors import NotEnoughData
from flyball.pipeline.evidence.curves import POINTS, precision_recall, reliability, roc

SAMPLES = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


@given(SAMPLES)
def test_curves_agree_with_scikit_learns(rows: list[tuple[bool, int]]) -> None:
    positive = np.array([label for label, _ in rows])
    score = np.array([value / 8 for _, value in rows])
    false, true, _ = roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(np.stack(roc(positive, score)), np.stack([false, true]))
    precision, recall, _ = precision_recall_curve(positive, score)
    np.testing.assert_allclose(
        np.stack(precision_recall(positive, score)), np.stack([recall[:-1][::-1], precision[:-1][::-1]])
    )


def test_a_long_curve_keeps_its_ends_and_few_points() -> None:
    dice = np.random.default_rng(0)
    score = dice.random(50_000)
    x, y = roc(dice.random(50_000) < score, score)
    assert x.size <= POINTS
    assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 1.0, 1.0)


def test_every_row_is_in_one_bin_of_the_reliability() -> None:
    score = np.random.default_rng(1).random(1003)
    assert reliability(score > 0.5, score)[2].sum() == 1003


def test_one_class_has_no_curve() -> None:
    with pytest.raises(NotEnoughData, match="both classes"):
        roc(np.array([True, True]), np.array([0.1, 0.2]))
