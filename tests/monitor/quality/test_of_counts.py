"""Signs of a broken supply, and honest data that look a little like it."""

import numpy as np
import pytest

from flyball.core.release import Baseline, Reference
from flyball.core.service import Psi, Quality
from flyball.core.watching import PaneGroup, QualityFinding
from flyball.monitor.extents import Extent, extent
from flyball.monitor.quality import findings, mixed_columns
from flyball.stats.binning.bins import NumericBins, fit_numeric

RNG = np.random.default_rng(5)
NORMAL = RNG.normal(50, 10, 5000)
LIMITS = Quality()


def numeric(values: np.ndarray) -> Reference:
    bins = fit_numeric(values)
    return Reference(kind="numeric", edges=bins.edges, counts=tuple(bins.count(values).tolist()))


def judged(reference: Reference, values: np.ndarray, *, varied: int = 9) -> tuple[QualityFinding, ...]:
    counts = tuple(NumericBins(edges=reference.edges).count(values).tolist())
    return found(reference, counts, extent(values), varied)


def found(
    reference: Reference, counts: tuple[int, ...], reach: Extent | None = None, varied: int = 9
) -> tuple[QualityFinding, ...]:
    group = PaneGroup(arm="champion", release="r", rows=sum(counts), features={"f": counts})
    baseline = Baseline(rows=5000, features={"f": reference}, prediction={})
    return findings(group, baseline, {"f": reach or Extent()}, {"f": varied}, LIMITS)


def kinds(findings: tuple[QualityFinding, ...]) -> list[str]:
    return [finding.kind for finding in findings]


def test_a_dead_column_that_is_switched_on() -> None:
    constant = numeric(np.full(5000, 0.4149))
    assert kinds(judged(constant, RNG.normal(0.4149, 0.1, 1000))) == ["was_constant"]
    assert kinds(judged(constant, np.full(1000, 0.4149))) == []


def test_an_empty_column_that_is_filled() -> None:
    empty = Reference(kind="numeric", counts=(0, 5000))
    assert kinds(judged(empty, RNG.normal(size=1000))) == ["was_constant"]
    assert kinds(judged(empty, np.full(1000, np.nan))) == []


def test_a_rare_value_that_the_baseline_missed_is_no_switch() -> None:
    flag = numeric(np.zeros(5000))
    assert kinds(judged(flag, np.r_[np.zeros(980), np.ones(20)])) == []


def test_a_living_column_that_freezes() -> None:
    assert kinds(judged(numeric(NORMAL), np.full(1000, 50.0))) == ["now_constant"]


def test_a_column_that_follows_the_calendar_is_constant_by_nature() -> None:
    assert kinds(judged(numeric(NORMAL), np.full(1000, 50.0), varied=0)) == []


def test_another_unit() -> None:
    assert kinds(judged(numeric(NORMAL), RNG.normal(50_000, 10_000, 1000))) == ["far_outside"]
    assert kinds(judged(numeric(NORMAL), RNG.normal(0.05, 0.01, 1000))) == ["now_constant"]  # collapsed to a point


@pytest.mark.parametrize("shift", [0.0, 10.0, 30.0, 60.0])
def test_drift_however_large_is_no_fault_of_the_supply(shift: float) -> None:
    assert kinds(judged(numeric(NORMAL), RNG.normal(50 + shift, 10, 1000))) == []


def test_missing_values_beyond_those_of_the_baseline() -> None:
    reference = Reference(kind="numeric", edges=(0.0,), counts=(450, 450, 100))
    assert kinds(found(reference, (420, 400, 180))) == []
    assert kinds(found(reference, (390, 400, 210))) == ["missing"]


def test_values_that_the_baseline_does_not_know() -> None:
    reference = Reference(kind="category", values=("a", "b"), counts=(600, 390, 10, 0))
    assert kinds(found(reference, (500, 400, 100, 0))) == []
    assert kinds(found(reference, (450, 400, 150, 0))) == ["unknown_values"]


def test_rows_that_break_the_contract() -> None:
    baseline = Baseline(rows=1, features={}, prediction={})
    for violations, expected in ((10, []), (11, ["violations"])):
        group = PaneGroup(arm="champion", release="r", rows=1000, violations=violations)
        assert kinds(findings(group, baseline, {}, {}, LIMITS)) == expected


def test_too_few_rows_say_nothing() -> None:
    assert kinds(judged(numeric(NORMAL), np.full(50, 50.0))) == []


def test_two_columns_that_changed_places_are_found_and_one_that_drifted_is_not() -> None:
    wide, late = RNG.normal(0, 5, 5000), RNG.exponential(3, 5000)
    baseline = Baseline(rows=5000, features={"x": numeric(wide), "y": numeric(late)}, prediction={})

    def mixed(x: np.ndarray, y: np.ndarray) -> list[str | None]:
        columns = {"x": x, "y": y}
        counts = {
            name: tuple(NumericBins(edges=baseline.features[name].edges).count(values).tolist())
            for name, values in columns.items()
        }
        group = PaneGroup(arm="champion", release="r", rows=1000, features=counts)
        return [finding.feature for finding in mixed_columns(columns, group, baseline, Psi())]

    assert mixed(RNG.exponential(3, 1000), RNG.normal(0, 5, 1000)) == ["x", "y"]
    assert mixed(RNG.normal(9, 5, 1000), RNG.exponential(9, 1000)) == []
