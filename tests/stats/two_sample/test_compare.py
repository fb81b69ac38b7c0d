"""A comparison: both the effect and the evidence must speak, and silence must mean something."""

import msgspec
import numpy as np
import pytest

from flyball.stats.two_sample.compare import LIMITS, MEASURES, Reading, compare
from flyball.stats.two_sample.laws.quadratic import FAMILIES
from flyball.stats.two_sample.measure import Null

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
            assert found.plain is not None
            low, high = (low, middle) if found.plain > critical else (middle, high)
        assert found.p == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("measure", FAMILIES)
def test_every_quadratic_measure_tells_the_same_story_of_a_small_shift(measure: str) -> None:
    found = compare([10_000] * 10, [1100] + [980] * 9, measure=measure)
    assert found.p == pytest.approx(compare([10_000] * 10, [1100] + [980] * 9).p, rel=0.15)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_has_all_its_numbers(measure: str) -> None:
    found = compare(EVEN, [140, 125, 110, 105, 100, 100, 95, 85, 75, 65], measure=measure, limit=1.0)
    assert found.value is not None
    assert found.plain is not None
    assert found.ci is not None
    assert found.p is not None
    assert found.p_limit is not None
    assert found.mde is not None
    assert 0 <= found.value <= found.plain
    assert found.ci[0] <= found.value <= found.ci[1]
    assert found.p < 0.001
    assert found.p_limit > 0.99
    assert (found.n, found.m, found.limit) == (10_000, 1000, 1.0)
    assert found.verdict is Reading.OK
    assert found.reason.startswith(measure)
    assert compare(EVEN, EVEN, measure=measure).limit == LIMITS[measure]


@pytest.mark.parametrize("measure", MEASURES)
def test_an_effect_above_the_limit_that_may_be_below_it_is_not_ok(measure: str) -> None:
    rising = np.linspace(0.9, 1.1, 10)
    verdicts = []
    for rows in (1e7, 4000.0):  # the same effect, just above the limit that we set
        counts = rising * rows / 10
        bound = compare([rows / 10] * 10, counts, measure=measure, limit=1e-6).plain
        assert bound is not None
        verdicts.append(compare([rows / 10] * 10, counts, measure=measure, limit=bound * 0.6).verdict)
    assert verdicts == [Reading.DRIFT, Reading.INSUFFICIENT]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_rule_that_people_know_fires_at_the_limit(measure: str) -> None:
    before, now = [1_000_000] * 10, np.linspace(0.9, 1.1, 10) * 1e6
    exact = compare(before, now, measure=measure).plain
    assert exact is not None
    assert compare(before, now, measure=measure, limit=exact * 0.999, null="zero").verdict is Reading.DRIFT
    assert compare(before, now, measure=measure, limit=exact * 0.999).verdict is not Reading.DRIFT
    assert compare(before, now, measure=measure, limit=exact * 1.001, null="zero").verdict is Reading.OK


def test_what_sampling_adds_is_taken_off() -> None:
    """PSI of two samples of one law is (B - 1)(1/n + 1/m) on average: 0.09 for ten bins of ten rows against many."""
    rng = np.random.default_rng(3)
    found = [compare([10**6] * 10, rng.multinomial(1000, [0.1] * 10)) for _ in range(200)]
    assert np.mean([one.plain or 0 for one in found]) == pytest.approx(0.009, rel=0.2)
    assert np.mean([one.value or 0 for one in found]) < 0.003


def test_the_minimum_detectable_effect_shrinks_with_the_window() -> None:
    effects = [compare(EVEN, [m] * 10).mde for m in (20, 100, 500)]
    assert effects == sorted(effects, key=lambda mde: -(mde or 0))


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(KeyError, match="expected one of chi_square, hellinger"):
        compare(EVEN, EVEN, measure="earth_mover")


def test_a_measure_is_plain_data() -> None:
    assert msgspec.json.decode(msgspec.json.encode(compare(EVEN, EVEN)))["verdict"] == "OK"


def test_a_reference_without_width_has_a_verdict_of_wasserstein_too() -> None:
    """One value, fenced off: its scale is that of a rounding error, so everything is very far away."""
    found = compare([0, 2000, 0], [0, 0, 2000], measure="wasserstein", positions=[5.0, 5.0 + 1e-15, 5000.0], norm=1e-15)
    assert found.verdict is Reading.DRIFT
    assert found.p is not None
    assert found.p < 1e-9


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("counts", [[1500, 1500], [300] * 10])
def test_two_samples_that_are_alike_to_the_row_are_not_known_to_be_the_same(measure: str, counts: list[int]) -> None:
    found = compare(counts, counts, measure=measure)
    assert found.value == 0
    assert found.ci is not None
    assert found.mde is not None
    assert 0 == found.ci[0] < found.ci[1] < 2 * found.mde


@pytest.mark.parametrize("null", ["limit", "zero"])
def test_no_reason_says_that_something_has_probability_0(null: Null) -> None:
    for measure in MEASURES:
        reason = compare([10_000, 1000, 0], [0, 1000, 10_000], measure=measure, null=null).reason
        assert "p below 1e-15" in reason or "e-" in reason
        assert "with 0" not in reason
        assert "p 0," not in reason
