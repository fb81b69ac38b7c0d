"""Group-sequential bounds: every published number, and what bounds of any spacing have to do."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from flyball.stats.experiment.group_sequential import Shape, Spending, fixed_shape, peeking_error, spending_bounds

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
rising = st.lists(st.integers(1, 100), min_size=1, max_size=5, unique=True).map(
    lambda looks: tuple(look / max(looks) for look in sorted(looks))
)
spendings: st.SearchStrategy[Spending] = st.sampled_from(["pocock", "obrien_fleming", "power"])


@pytest.mark.parametrize(("looks", "error"), [(2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_the_published_errors_of_naive_peeking(looks: int, error: float) -> None:
    assert peeking_error(looks) == pytest.approx(error, abs=5e-4)


@pytest.mark.parametrize(
    ("looks", "pocock", "final"),
    [(2, 2.1783, 1.9774), (3, 2.2895, 2.0040), (4, 2.3613, 2.0243), (5, 2.4132, 2.0401)],
)
def test_the_published_fixed_shapes(looks: int, pocock: float, final: float) -> None:
    assert fixed_shape(looks, "pocock").bounds == pytest.approx([pocock] * looks, abs=6e-5)
    assert fixed_shape(looks, "obrien_fleming").bounds[-1] == pytest.approx(final, abs=6e-5)


def test_the_published_path_of_obrien_and_fleming() -> None:
    path = (4.5617, 3.2256, 2.6337, 2.2809, 2.0401)
    assert fixed_shape(5, "obrien_fleming").bounds == pytest.approx(path, abs=6e-5)


@pytest.mark.parametrize(
    ("spending", "alpha", "bounds"),
    [
        ("obrien_fleming", 0.025, (4.8769, 3.3570, 2.6803, 2.2898, 2.0310)),
        ("pocock", 0.025, (2.4380, 2.4268, 2.4102, 2.3966, 2.3860)),
        ("power", 0.05, (2.8782, 2.4702, 2.2010, 1.9818, 1.7902)),
    ],
)
def test_the_published_spending_bounds(spending: Spending, alpha: float, bounds: tuple[float, ...]) -> None:
    assert spending_bounds(FIFTHS, spending, alpha=alpha, sides=1).bounds == pytest.approx(bounds, abs=6e-5)


def test_the_published_adjusted_levels_of_unequal_looks() -> None:
    """Counts of both groups at four looks; more came than were expected, so the last count is the largest size."""
    counts = [a + b for a, b in zip((100, 190, 270, 340), (150, 260, 360, 470), strict=True)]
    found = spending_bounds([count / counts[-1] for count in counts], "power", alpha=0.01, sides=2)
    assert found.nominal() == pytest.approx((0.00095, 0.00241, 0.00410, 0.00636), abs=5e-6)


@settings(max_examples=15, deadline=None)
@given(rising, spendings, st.sampled_from([1, 2]), st.floats(0.001, 0.2))
def test_all_of_alpha_is_spent_and_no_more(
    information: tuple[float, ...], spending: Spending, sides: int, alpha: float
) -> None:
    design = spending_bounds(information, spending, alpha=alpha, sides=sides)
    assert sum(design.crossing()) == pytest.approx(alpha, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(rising, spendings)
def test_looks_to_come_move_no_bound_before_them(information: tuple[float, ...], spending: Spending) -> None:
    whole = spending_bounds(information, spending)
    part = spending_bounds(information[: len(information) // 2 + 1], spending)
    assert part.bounds == whole.bounds[: len(part.bounds)]


@pytest.mark.parametrize("shape", ["pocock", "obrien_fleming"])
@pytest.mark.parametrize("sides", [1, 2])
def test_one_look_is_a_fixed_sample(shape: Shape, sides: int) -> None:
    found = fixed_shape(1, shape, sides=sides)
    assert found.bounds[0] == pytest.approx(-special.ndtri(0.05 / sides), abs=1e-6)
    assert found.drift(beta=0.1) == pytest.approx(found.bounds[0] + special.ndtri(0.9), abs=1e-3)


def test_a_look_costs_size_and_saves_time() -> None:
    """Jennison and Turnbull 2000, tables 2.1 to 2.4: five looks at power 90 % need 1.207 and 1.026 of a fixed size."""
    fixed = (-special.ndtri(0.025) - special.ndtri(0.1)) ** 2
    for shape, factor in (("pocock", 1.207), ("obrien_fleming", 1.026)):
        found = fixed_shape(5, shape)  # type: ignore[arg-type]
        assert found.drift(beta=0.1) ** 2 / fixed == pytest.approx(factor, abs=6e-4)


@settings(max_examples=8, deadline=None)
@given(rising, st.floats(0, 4), st.floats(0.01, 2))
def test_a_larger_drift_is_found_more_often(information: tuple[float, ...], drift: float, more: float) -> None:
    design = spending_bounds(information, sides=1)
    assert sum(design.crossing(drift + more)) >= sum(design.crossing(drift)) - 1e-9


def test_many_narrow_looks_are_still_integrated_exactly() -> None:
    design = spending_bounds([k / 100 for k in range(1, 101)], "pocock", alpha=0.05)
    assert sum(design.crossing()) == pytest.approx(0.05, rel=1e-5)
    assert all(math.isfinite(bound) for bound in design.bounds)


@pytest.mark.parametrize("information", [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.4], [0.5, 1.1], [math.nan]])
def test_information_that_does_not_rise_is_refused(information: list[float]) -> None:
    with pytest.raises(ValueError, match="rise within"):
        spending_bounds(information)


def test_other_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        fixed_shape(0, "pocock")
    with pytest.raises(ValueError, match="expected"):
        fixed_shape(2, "pocock", sides=3)
    with pytest.raises(ValueError, match="expected"):
        fixed_shape(2, "pocock", alpha=1.0)
    with pytest.raises(ValueError, match="expected"):
        spending_bounds(FIFTHS, "power", power=0.0)
