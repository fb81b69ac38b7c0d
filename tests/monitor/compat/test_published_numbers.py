"""Numbers that other tools publish in their own tests, reproduced from their seeds, with ours beside them."""

import math

import numpy as np
import pytest

from flyball.monitor.compat import TOOLS, evidently, nannyml, side_by_side
from flyball.stats.two_sample import divergences
from flyball.stats.two_sample.earth_mover import wasserstein_distance
from flyball.stats.two_sample.ordered import wasserstein

A = ([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8])


def seeded(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)


def test_evidently_takes_the_reference_for_the_truth() -> None:
    found = evidently.chi_square(*A)
    assert [found.theirs, found.ours] == pytest.approx([0.67309, 0.89853], abs=5e-6)
    unseen = evidently.chi_square([50, 50, 0], [50, 49, 1])  # one unseen category: infinitely far, p 0
    assert unseen.theirs == 0.0
    assert unseen.drift
    assert unseen.ours is not None
    assert unseen.ours > 0.5


def test_evidently_measures_in_the_natural_logarithm() -> None:
    found = evidently.jensenshannon(*A)
    assert found.theirs == pytest.approx(0.0680482, abs=5e-8)
    assert divergences.jensen_shannon_distance(*A) == pytest.approx(0.0817342, abs=5e-8)
    assert divergences.jensen_shannon_distance(*A) == pytest.approx((found.theirs or 0) / math.sqrt(math.log(2)))


def test_evidently_norms_wasserstein_by_the_reference() -> None:
    rng = seeded(1)
    before, now = rng.normal(0, 2, 10_000), rng.normal(2, 2, 1000)
    found = evidently.wasserstein(before, now)
    assert found.theirs == pytest.approx(wasserstein_distance(before, now) / np.std(before))
    assert evidently.wasserstein([3.0] * 100, [3.1] * 100).theirs == pytest.approx(100)  # a width of at least 0.001


def test_one_empty_bin_in_their_psi() -> None:
    found = evidently.population_stability([50, 50, 0], [45, 50, 5])
    assert found.theirs is not None
    assert found.ours is not None
    assert found.theirs > 0.3 > found.ours


def test_nannyml_jensen_shannon_of_new_categories() -> None:
    rng = seeded(1)
    before, now = rng.choice(list("abcd"), 10_000), rng.choice(list("abce"), 1000)
    found = nannyml.jensen_shannon_of_categories(before.tolist(), now.tolist())
    assert found.theirs == pytest.approx(0.50, abs=0.005)


def test_nannyml_jensen_shannon_of_one_law_is_noise() -> None:
    rng = seeded(1)
    found = nannyml.jensen_shannon(rng.normal(0, 1, 10_000), rng.normal(0, 1, 1000))
    assert found.theirs == pytest.approx(0.05, abs=0.005)
    assert found.ours is not None
    assert found.ours < 0.03  # without what sampling adds
    assert found.verdict == "OK"


def test_nannyml_wasserstein() -> None:
    rng = seeded(1)
    found = nannyml.wasserstein(rng.normal(0, 1, 10_000), rng.normal(1, 1, 1000))
    assert found.theirs == pytest.approx(1.0114450, abs=1e-7)
    rng = seeded(1)
    assert wasserstein_distance(rng.normal(0, 1, 100_000), rng.normal(-4, 1, 1000)) == pytest.approx(3.9866471)
    rng = seeded(1)
    far = wasserstein_distance(rng.normal(0, 1, 15_000), rng.normal(0, 10, 1_000_000))
    assert far == pytest.approx(7.1801510, abs=5e-8)
    assert far == pytest.approx(9 * math.sqrt(2 / math.pi), rel=0.001)


def test_nannyml_hellinger_and_l_infinity() -> None:
    rng = seeded(1)
    found = nannyml.hellinger(rng.normal(0, 1, 10_000), rng.normal(-2, 1, 10_000))
    assert found.theirs == pytest.approx(0.63, abs=0.006)
    assert nannyml.l_infinity("aabbcc", "aabbccd").theirs == pytest.approx(0.14, abs=0.005)
    assert nannyml.l_infinity("aabbcc", "bbbbb").theirs == pytest.approx(0.67, abs=0.005)


def test_frouros_on_the_seed_31_pair() -> None:
    """Ten bins of equal width over both samples; an empty bin becomes the smallest number there is."""
    x, y = seeded(31).normal(1, 1, 100), seeded(31).normal(5, 2, 100)
    edges = np.histogram_bin_edges(np.concatenate([x, y]), bins=10)
    counts = np.histogram(x, edges)[0], np.histogram(y, edges)[0]
    assert evidently.zero_filled_psi(*counts, fill=np.finfo(float).tiny) == pytest.approx(461.20379)
    assert wasserstein_distance(x, y) == pytest.approx(3.85346006)
    rng = seeded(31)
    x, y = rng.normal(1, 1, 500), rng.normal(1, 1, 500)
    edges = np.histogram_bin_edges(np.concatenate([x, y]), bins=10)
    same = evidently.zero_filled_psi(np.histogram(x, edges)[0], np.histogram(y, edges)[0], fill=np.finfo(float).tiny)
    assert same == pytest.approx(0.01840072, rel=1e-5)


def test_deepchecks_scaled_earth_mover() -> None:
    """Scaled by the range of both samples: 50 of 149."""
    assert wasserstein([1] * 100 + [0] * 50, [0] * 50 + [1] * 100) / 149 == pytest.approx(0.33, abs=0.006)
    assert wasserstein_distance(range(100), range(50, 150)) == 50


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kind", ["numbers", "words", "missing", "empty", "mixed", "infinite"])
def test_every_column_gets_an_answer_of_both(tool: str, kind: str) -> None:
    rng = np.random.default_rng(5)
    sides: dict[str, tuple[list[object], list[object]]] = {
        "numbers": (rng.normal(size=1500).tolist(), rng.normal(1, 1, size=300).tolist()),
        "words": (list("aab" * 200), list("abc" * 100)),
        "missing": ([1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0] * 50, [None] * 100),
        "empty": ([1.0, 2.0], []),
        "mixed": (["a", 1, None, 2.5] * 50, [1, "b"] * 50),
        "infinite": ([float("inf"), 1.0, 2.0, 3.0, 4.0, 5.0, 6.0] * 40, [1.0, float("-inf")] * 50),
    }
    found = side_by_side(*sides[kind], like=tool)
    assert len(found) >= 2
    for one in found:
        assert one.tool == tool
        assert one.verdict in ("OK", "DRIFT", "INSUFFICIENT", "INVALID")
        assert one.why.count(".") + 1 >= 1
        assert (one.theirs is None) == (one.drift is None)


def test_an_unknown_tool_is_named() -> None:
    with pytest.raises(ValueError, match="one of evidently, nannyml, found 'other'"):
        side_by_side([1.0], [1.0], like="other")
