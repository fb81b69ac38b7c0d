"""Label shift from answers alone: published vectors, the guards, and whether the intervals cover."""

import numpy as np
import numpy.typing as npt
import pytest

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample.label_shift import bbse, mlls, residual

Array = npt.NDArray[np.float64]


def normal_mixture(n: int, share: float, rng: np.random.Generator) -> tuple[Array, Array]:
    y = rng.random(n) < share
    return y.astype(np.float64), rng.normal(1.5 * y, 1.0)


def probabilities(x: Array) -> Array:
    """P(y | x) where both classes are as frequent."""
    p = 1 / (1 + np.exp(-(1.5 * x - 1.5**2 / 2)))
    return np.asarray(np.column_stack([1 - p, p]))


def test_the_published_matrix_gives_the_published_weights() -> None:
    found = bbse([[400, 150], [100, 350]], [400, 600])
    np.testing.assert_allclose(found.weights, [0.4, 1.6], atol=1e-9)
    np.testing.assert_allclose(found.priors, [0.2, 0.8], atol=1e-9)
    assert found.moved


def test_both_ways_find_the_share_of_a_mixture_of_normals() -> None:
    rng = np.random.default_rng(0)
    y, x = normal_mixture(200_000, 0.5, rng)
    _, later = normal_mixture(200_000, 0.2, rng)
    said = x > 0.75
    joint = np.array([[np.sum((said == answer) & (y == label)) for label in (False, True)] for answer in (False, True)])
    counts = [int(np.sum((later > 0.75) == answer)) for answer in (False, True)]
    assert bbse(joint, counts).priors[1] == pytest.approx(0.2, abs=0.005)  # published 0.2004
    assert mlls(probabilities(later), [0.5, 0.5]).priors[1] == pytest.approx(0.2, abs=0.005)  # published 0.1979


def test_a_line_may_stand_for_many_rows() -> None:
    rng = np.random.default_rng(3)
    _, later = normal_mixture(500, 0.2, rng)
    later = later.round(1)
    lines, rows = np.unique(later, return_counts=True)
    one, each = mlls(probabilities(lines), [0.5, 0.5], rows=rows), mlls(probabilities(later), [0.5, 0.5])
    assert one.m == each.m == 500
    np.testing.assert_allclose([one.priors, one.low, one.high], [each.priors, each.low, each.high], atol=1e-9)
    with pytest.raises(ValueError, match="a number of rows for each"):
        mlls(probabilities(lines), [0.5, 0.5], rows=[1, 2])


def test_more_kinds_of_answers_than_classes_make_the_weights_surer() -> None:
    rng = np.random.default_rng(1)
    y, x = normal_mixture(20_000, 0.5, rng)
    _, later = normal_mixture(20_000, 0.2, rng)

    def tables(edges: list[float]) -> tuple[Array, npt.NDArray[np.int64]]:
        at, size = np.searchsorted(edges, x), len(edges) + 1
        joint = np.array([[np.sum((at == b) & (y == label)) for label in (False, True)] for b in range(size)])
        return joint, np.bincount(np.searchsorted(edges, later), minlength=size)

    two, many = bbse(*tables([0.75])), bbse(*tables([-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]))
    assert many.high[1] - many.low[1] < two.high[1] - two.low[1]


def test_answers_that_do_not_tell_the_classes_apart_give_no_answer() -> None:
    with pytest.raises(NotEnoughData, match="hardly tell the classes apart"):
        bbse([[251, 250], [249, 250]], [500, 500])


@pytest.mark.parametrize("joint", [[[10, 5], [3, 8]], [[500, 0], [500, 0]]])
def test_too_few_rows_or_a_class_without_rows_give_no_answer(joint: list[list[int]]) -> None:
    with pytest.raises(NotEnoughData):
        bbse(joint, [500, 500])


def test_a_share_below_zero_is_clipped_and_said() -> None:
    found = bbse([[400, 100], [100, 400]], [950, 50])
    assert found.clipped
    assert found.weights[1] == 0.0
    assert sum(found.priors) == pytest.approx(1.0)


def test_what_label_shift_explains_is_not_left_and_what_it_does_not_is() -> None:
    kept = residual([[800, 200], [200, 800]], [320, 680], [0.4, 1.6])
    moved = residual([[500, 500], [500, 500]], [200, 800], [0.4, 1.6])
    assert kept.before > 0.1 > 0.001 > kept.left
    assert kept.p > 0.5
    assert moved.left > 0.3
    assert moved.p < 1e-6


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_intervals_cover_the_true_share(share: float) -> None:
    rng = np.random.default_rng(2)
    runs, covered = 300, np.zeros(2)
    for _ in range(runs):
        y, x = normal_mixture(1000, 0.5, rng)
        _, later = normal_mixture(1000, share, rng)
        at, now = np.digitize(x, [0.0, 0.75, 1.5]), np.digitize(later, [0.0, 0.75, 1.5])
        joint = np.array([[np.sum((at == b) & (y == label)) for label in (False, True)] for b in range(4)])
        for which, found in enumerate(
            (bbse(joint, np.bincount(now, minlength=4)), mlls(probabilities(later), [0.5, 0.5]))
        ):
            truth = share / found.before[1]
            covered[which] += found.low[1] <= truth <= found.high[1]
    error = 3 * np.sqrt(0.05 * 0.95 / runs)
    assert (covered / runs > 0.95 - error).all(), covered / runs
