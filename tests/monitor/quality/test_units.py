"""Another unit is told with its factor; drift, however large, is not taken for one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.release import Reference
from flyball.core.service import Psi
from flyball.monitor.quality.units import unit_changed
from flyball.stats.binning.bins import fit_numeric

RNG = np.random.default_rng(17)
LAWS = {
    "heights": RNG.normal(170, 12, 6000),
    "around zero": RNG.normal(0, 3, 6000),
    "amounts": RNG.lognormal(3, 1, 6000),
    "temperatures": RNG.normal(-5, 8, 6000),
}


def reference(values: np.ndarray) -> Reference:
    bins = fit_numeric(values)
    return Reference(kind="numeric", edges=bins.edges, counts=tuple(bins.count(values).tolist()))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("factor", [1000.0, 1e-3, 100.0, 1e6, 60.0, 1 / 3600, 25.4, 0.3048])
def test_the_factor_is_found_and_told(name: str, factor: float) -> None:
    values = LAWS[name]
    found = unit_changed("f", values[5000:] * factor, reference(values[:5000]), Psi())
    assert found is not None
    assert found.value == pytest.approx(factor)
    assert f"{factor:g}" in found.detail


@given(st.sampled_from(sorted(LAWS)), st.floats(-3, 3), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_shift_of_the_same_width_is_no_unit(name: str, by: float, seed: int) -> None:
    """Only a location: for amounts on a log scale a shift is a factor, and they are left out."""
    values = np.log(LAWS[name]) if name == "amounts" else LAWS[name]
    now = np.random.default_rng(seed).choice(values, 1000) + by * values.std()
    assert unit_changed("f", now, reference(values), Psi()) is None


def test_nothing_to_say_of_nothing() -> None:
    known = reference(LAWS["heights"])
    for values in (np.array([]), np.full(100, np.nan), np.full(100, np.inf)):
        assert unit_changed("f", values, known, Psi()) is None
    constant = reference(np.full(1000, 4.0))
    assert unit_changed("f", np.full(1000, 4000.0), constant, Psi()) is None  # two edges: `was_constant` tells it


@pytest.mark.parametrize("factor", [3.0, 4.0, 1 / 3, 0.25, 8.0, 9.0])
@pytest.mark.parametrize("name", ["amounts", "temperatures"])
def test_a_plain_factor_is_no_odd_unit_that_is_near(name: str, factor: float) -> None:
    """x4 is no gallon, a third is no foot."""
    values = LAWS[name]
    found = unit_changed("f", values[5000:] * factor, reference(values[:5000]), Psi())
    assert found is not None
    assert found.value == pytest.approx(factor)


def test_a_factor_that_no_unit_has_is_told_as_measured() -> None:
    values = LAWS["amounts"] ** 0.5
    found = unit_changed("f", values[3000:] * 4.35, reference(values[:3000]), Psi())
    assert found is not None
    assert found.value == pytest.approx(4.35, rel=0.1)
    assert found.value not in (4.0, 3.785411784)
    assert "no unit that is known has that factor" in found.detail


def test_narrow_columns_tell_the_gallon_from_four() -> None:
    values = RNG.lognormal(0, 0.3, 6000)
    found = unit_changed("f", values[4000:] * 3.785411784, reference(values[:4000]), Psi())
    assert found is not None
    assert found.value == pytest.approx(3.785411784)
    assert "(measured 3.6" in found.detail


@pytest.mark.parametrize("factor", [10.0, 0.3048, 1000.0, 1 / 60])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0, 10.0])
def test_the_factor_of_a_narrow_column_is_named(spread: float, factor: float) -> None:
    """It excludes whatever is a thousandth off, so an even grid of factors would never meet the right one."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        known = reference(rng.normal(1000, spread, 5000))
        found = unit_changed("f", rng.normal(1000, spread, 1000) * factor, known, Psi())
        assert found is not None
        assert found.value == pytest.approx(factor)
        assert found.detail.endswith("another unit?")
