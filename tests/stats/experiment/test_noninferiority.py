"""What bounds on a difference say when a margin is given."""

import math
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flyball.stats.experiment.noninferiority import DELTA, Standing, non_inferiority, non_inferiority_of_arms

ends = st.one_of(st.floats(-10, 10), st.sampled_from([-math.inf, math.inf, 0.0]))
deltas = st.one_of(st.floats(0, 5), st.just(0.0))
directions: st.SearchStrategy[Literal["higher", "lower"]] = st.sampled_from(["higher", "lower"])
NEVER_TOGETHER = {Standing.SUPERIOR, Standing.NOT_INFERIOR}, {Standing.INFERIOR}


@given(ends, ends, deltas, st.floats(-10, 10), directions)
def test_a_verdict_is_true_of_every_difference_within_the_bounds(
    a: float, b: float, delta: float, at: float, better: Literal["higher", "lower"]
) -> None:
    low, high = sorted((a, b))
    assume(low <= at <= high)
    worse_by = -at if better == "higher" else at
    standing = non_inferiority(low, high, delta=delta, better=better).standing
    if standing is Standing.SUPERIOR:
        assert worse_by < 0
    if standing is Standing.NOT_INFERIOR:
        assert worse_by < delta
    if standing is Standing.INFERIOR:
        assert worse_by > delta


@given(ends, ends, ends, ends, deltas, directions)
def test_narrower_bounds_never_take_a_verdict_back(
    a: float, b: float, c: float, d: float, delta: float, better: Literal["higher", "lower"]
) -> None:
    wide_low, low, high, wide_high = sorted((a, b, c, d))
    before = non_inferiority(wide_low, wide_high, delta=delta, better=better).standing
    after = non_inferiority(low, high, delta=delta, better=better).standing
    for group in NEVER_TOGETHER:
        if before in group:
            assert after in group


@given(ends, ends, deltas)
def test_the_direction_only_turns_the_sign(a: float, b: float, delta: float) -> None:
    low, high = sorted((a, b))
    one = non_inferiority(low, high, delta=delta, better="higher")
    other = non_inferiority(-high, -low, delta=delta, better="lower")
    assert one.standing is other.standing


def test_the_four_verdicts() -> None:
    found = [non_inferiority(low, high).standing.value for low, high in (
        (0.001, 0.02), (-0.005, 0.02), (-0.02, 0.02), (-0.05, -0.02))]  # fmt: skip
    assert found == ["superior", "not_inferior", "undecided", "inferior"]
    assert DELTA == 0.01
    assert "the margin of 0.01 is within" in non_inferiority(-0.02, 0.02).reason


positive = st.floats(0.1, 100)


@given(positive, positive, positive, positive, st.sampled_from(["1%", "5%", "50%"]), directions)
def test_a_relative_margin_holds_for_every_pair_of_values_within_the_bounds(
    a: float, b: float, c: float, d: float, delta: str, better: Literal["higher", "lower"]
) -> None:
    candidate, champion = (min(a, b), max(a, b)), (min(c, d), max(c, d))
    standing = non_inferiority_of_arms(candidate, champion, delta=delta, better=better).standing
    share = float(delta[:-1]) / 100
    for mine in candidate:
        for theirs in champion:
            worse_by = (theirs - mine if better == "higher" else mine - theirs) / theirs
            if standing is Standing.SUPERIOR:
                assert worse_by < 1e-12
            if standing is Standing.NOT_INFERIOR:
                assert worse_by < share + 1e-12
            if standing is Standing.INFERIOR:
                assert worse_by > share - 1e-12


def test_a_conversion_that_may_fall_by_5_percent() -> None:
    """0.050 may become 0.0475."""
    fine = non_inferiority_of_arms((0.0480, 0.0500), (0.0495, 0.0505), delta="5%")
    assert fine.standing is Standing.NOT_INFERIOR
    assert fine.high == pytest.approx(1 - 0.0480 / 0.0505)
    assert non_inferiority_of_arms((0.040, 0.045), (0.0495, 0.0505), delta="5%").standing is Standing.INFERIOR
    assert non_inferiority_of_arms((0.040, 0.055), (0.0495, 0.0505), delta="5%").standing is Standing.UNDECIDED
    slow = non_inferiority_of_arms((104.0, 110.0), (99.0, 101.0), delta="20%", better="lower")
    assert slow.standing is Standing.NOT_INFERIOR
    assert non_inferiority_of_arms((1.0, 2.0), (1.5, 2.5), delta=2.0).standing is Standing.NOT_INFERIOR


def test_what_is_not_known_is_undecided_and_what_cannot_be_is_refused() -> None:
    everything = (-math.inf, math.inf)
    for delta in (0.01, "5%"):
        assert non_inferiority_of_arms(everything, (1.0, 2.0), delta=delta).standing is Standing.UNDECIDED
        assert non_inferiority_of_arms((1.0, 2.0), everything, delta=delta).standing is Standing.UNDECIDED
    assert non_inferiority_of_arms((0.0, 1.0), (0.0, 1.0), delta="5%").standing is Standing.UNDECIDED
    assert non_inferiority_of_arms((1.0, math.inf), (0.5, 0.9), delta="5%").standing is Standing.SUPERIOR
    for low, high, delta in ((1.0, 0.0, 0.1), (0.0, 1.0, -0.1), (math.nan, 1.0, 0.1), (0.0, 1.0, math.nan)):
        with pytest.raises(ValueError, match="low <= high"):
            non_inferiority(low, high, delta=delta)
    with pytest.raises(ValueError, match="percentage"):
        non_inferiority_of_arms((0.0, 1.0), (0.5, 1.0), delta="five")
    with pytest.raises(ValueError, match="low <= high"):
        non_inferiority_of_arms((2.0, 1.0), (0.5, 1.0))
