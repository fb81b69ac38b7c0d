"""Sample-ratio mismatch: the published counts."""

import pytest

from flyball.core.errors import NotEnoughData
from flyball.stats.experiment.ratio_mismatch import anytime_p, ratio_chi_square, ratio_log_e


@pytest.mark.parametrize(
    ("counts", "shares", "statistic", "p"),
    [
        ((600, 400), (0.5, 0.5), 40.0, 2.54e-10),
        ((9120, 880), (0.9, 0.1), 16.0, 6.33e-5),
        ((821588, 815482), (0.5, 0.5), 22.774, 1.82e-6),
        ((9010, 990), (0.9, 0.1), 1 / 9, 0.739),
    ],
)
def test_the_published_chi_squares(
    counts: tuple[int, int], shares: tuple[float, float], statistic: float, p: float
) -> None:
    found = ratio_chi_square(counts, shares)
    assert found.statistic == pytest.approx(statistic, abs=5e-4)
    assert found.p == pytest.approx(p, rel=3e-3)


@pytest.mark.parametrize(
    ("counts", "shares", "concentration", "expected"),
    [
        ((600, 400), (0.5, 0.5), 2, 16.886281),
        ((600, 400), (0.5, 0.5), 100, 17.098940),
        ((520, 480), (0.5, 0.5), 100, -0.473125),
        ((9120, 880), (0.9, 0.1), 100, 5.958521),
        ((90, 10), (0.9, 0.1), 100, -0.350784),
        ((90, 25), (0.9, 0.1), 100, 3.441422),
        ((90, 25), (0.9, 0.1), 2, 4.066921),
        ((45, 25), (0.9, 0.1), 100, 7.807976),
    ],
)
def test_the_published_e_values(
    counts: tuple[int, int], shares: tuple[float, float], concentration: float, expected: float
) -> None:
    assert ratio_log_e(counts, shares, concentration=concentration) == pytest.approx(expected, abs=5e-7)


def test_an_e_value_reads_as_a_p_value() -> None:
    assert anytime_p(3.441422) == pytest.approx(0.03202, abs=5e-6)
    assert anytime_p(7.807976) == pytest.approx(0.000407, abs=6e-7)


def test_no_units_and_faulty_shares_are_told_apart() -> None:
    assert ratio_log_e([0, 0], [0.5, 0.5]) == 0
    with pytest.raises(NotEnoughData):
        ratio_chi_square([0, 0], [0.5, 0.5])
    with pytest.raises(ValueError, match="sum to 1"):
        ratio_chi_square([1, 1], [1.0, 0.0])
    with pytest.raises(ValueError, match="one count"):
        ratio_log_e([1], [0.5, 0.5])
