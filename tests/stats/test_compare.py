"""A comparison: both the effect and the evidence must speak, and silence must mean something."""

import msgspec
import numpy as np
import pytest

from flyball.stats.compare import MEASURES, Reading, compare

EVEN = [1000] * 10


def test_a_large_shift_with_enough_rows_is_drift() -> None:
    found = compare(EVEN, [400] + [80] * 9)
    assert found.verdict is Reading.DRIFT
    assert found.value is not None
    assert found.ci is not None
    assert found.ci[0] < found.value < found.ci[1]
    assert (found.n, found.m) == (10_000, 1120)


def test_a_real_but_harmless_shift_is_ok_however_large_the_sample() -> None:
    found = compare([100_000] * 10, [105_000] + [99_000] * 9)
    assert found.verdict is Reading.OK
    assert found.p is not None
    assert found.p < 1e-6


def test_too_little_data_is_never_ok() -> None:
    assert compare(EVEN, [6] * 10).verdict is Reading.INSUFFICIENT  # chance alone reaches the limit
    assert compare(EVEN, [3] * 10).verdict is Reading.INSUFFICIENT  # under the floor
    empty = compare(EVEN, [0] * 10)
    assert (empty.verdict, empty.value, empty.ci, empty.p) == (Reading.INSUFFICIENT, None, None, None)


@pytest.mark.parametrize("faulty", [[1, 2], [-1] * 10, [float("nan")] * 10])
def test_faulty_counts_are_invalid_and_have_no_number(faulty: list[float]) -> None:
    found = compare(EVEN, faulty)
    assert (found.verdict, found.value) == (Reading.INVALID, None)
    assert "expected" in found.reason


def test_a_constant_column_is_ok_and_says_so() -> None:
    found = compare([0, 5000, 0, 0], [0, 800, 0, 0])
    assert (found.verdict, found.value) == (Reading.OK, 0.0)
    assert found.reason.startswith("constant")


def test_one_empty_bin_is_not_a_drift() -> None:
    assert compare([*EVEN, 5], [*([100] * 10), 0]).verdict is Reading.OK


def test_bins_that_are_empty_on_both_sides_change_nothing() -> None:
    assert compare([*EVEN, 0, 0], [*([100] * 10), 0, 0]) == compare(EVEN, [100] * 10)


def test_the_published_critical_values() -> None:
    """Yurdakul and Naranjo 2020: at these effects p is 5 % (10 bins, n = m)."""
    for n, critical in ((1000, 0.03384), (10_000, 0.00338)):
        step = np.array([1.0, -1.0] * 5)
        low, high = 0.0, 0.5
        for _ in range(60):  # the tilt whose PSI is the critical value
            middle = (low + high) / 2
            found = compare([n / 10] * 10, n / 10 * (1 + middle * step))
            assert found.value is not None
            low, high = (low, middle) if found.value > critical else (middle, high)
        assert found.p == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_tells_the_same_story_of_a_small_shift(measure: str) -> None:
    found = compare([10_000] * 10, [1100] + [980] * 9, measure=measure)
    assert found.p == pytest.approx(compare([10_000] * 10, [1100] + [980] * 9).p, rel=0.1)


def test_the_minimum_detectable_effect_shrinks_with_the_window() -> None:
    effects = [compare(EVEN, [m] * 10).mde for m in (20, 100, 500)]
    assert effects == sorted(effects, key=lambda mde: -(mde or 0))


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(KeyError, match="expected one of hellinger"):
        compare(EVEN, EVEN, measure="wasserstein")


def test_a_measure_is_plain_data() -> None:
    assert msgspec.json.decode(msgspec.json.encode(compare(EVEN, EVEN)))["verdict"] == "OK"
