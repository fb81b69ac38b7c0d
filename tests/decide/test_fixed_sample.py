"""Two arms compared once: the answers, their symmetries, and what is no comparison."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.decide.fixed_sample import FEWEST_UNITS, ArmUnits, Comparison, compare_once

Floats = npt.NDArray[np.float64]
anything = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.just(math.inf)), max_size=50)


def found(ours: npt.ArrayLike, theirs: npt.ArrayLike, margin: float = 0.1, *, lower: bool = False) -> Comparison:
    return compare_once(
        ArmUnits(values=ours),
        ArmUnits(values=theirs),
        margin=margin,
        better="lower" if lower else "higher",
        rng=np.random.default_rng(5),
    )


def normal(seed: int, mean: float, n: int = 2000) -> Floats:
    return np.random.default_rng(seed).normal(mean, 1.0, n)


@given(anything, anything, st.floats(0, 10), st.booleans())
def test_whatever_comes_there_is_an_answer_with_a_reason(
    ours: list[float], theirs: list[float], margin: float, lower: bool
) -> None:
    answer = found(ours, theirs, margin, lower=lower)
    assert answer.reason
    if not ours or not theirs or not all(map(math.isfinite, (*ours, *theirs))):
        assert answer.kind in ("INCONCLUSIVE", "INVALID")


@pytest.mark.parametrize(
    ("effect", "margin", "kind"),
    [(0.5, 0.1, "SUPERIOR"), (0.0, 0.2, "NOT_WORSE"), (-0.5, 0.1, "WORSE"), (0.0, 0.01, "INCONCLUSIVE")],
)
def test_the_four_answers_of_an_interval(effect: float, margin: float, kind: str) -> None:
    ours, theirs = normal(4, effect), normal(9, 0.0)
    assert found(ours, theirs, margin).kind == kind
    assert found(-ours, -theirs, margin, lower=True).kind == kind


def test_worse_by_less_than_the_margin_passes_and_says_so() -> None:
    answer = found(normal(1, -0.2), normal(2, 0.0), 0.5)
    assert (answer.kind, "surely worse" in answer.reason) == ("NOT_WORSE", True)


def test_swapped_arms_swap_the_difference() -> None:
    there, back = (found(*arms).difference for arms in ((normal(1, 0.3), normal(2, 0)), (normal(2, 0), normal(1, 0.3))))
    assert there is not None
    assert back is not None
    assert (there.value, there.low) == pytest.approx((-back.value, -back.high))


def test_a_covariate_from_before_decides_what_the_plain_mean_leaves_open() -> None:
    rng = np.random.default_rng(7)
    before = rng.normal(0, 1, (2, 300))
    values = before + rng.normal(0, 0.2, (2, 300))
    arms = [ArmUnits(values=values[i], before=before[i]) for i in (0, 1)]
    assert compare_once(arms[0], arms[1], margin=0.05, better="higher", rng=rng).kind == "NOT_WORSE"
    assert found(values[0], values[1], 0.05).kind == "INCONCLUSIVE"


def test_rows_make_the_metric_a_ratio_by_unit() -> None:
    rng = np.random.default_rng(8)
    rows = rng.integers(1, 9, (2, 400))
    errors = rng.binomial(rows, 0.1)
    arms = [ArmUnits(values=errors[i], rows=rows[i]) for i in (0, 1)]
    answer = compare_once(arms[0], arms[1], margin=0.05, better="lower", rng=rng)
    assert answer.kind == "NOT_WORSE"
    assert answer.difference is not None
    assert answer.difference.method == "delta"


def test_units_without_rows_are_no_ratio() -> None:
    arm = ArmUnits(values=np.ones(40), rows=np.zeros(40))
    answer = compare_once(arm, arm, margin=0.1, better="lower", rng=np.random.default_rng(0))
    assert (answer.kind, "no rows" in answer.reason) == ("INCONCLUSIVE", True)


def test_few_units_can_show_harm_and_never_its_absence() -> None:
    few = FEWEST_UNITS - 1
    assert found(normal(1, -3.0, few), normal(2, 0.0, few)).kind == "WORSE"
    assert found(normal(1, 3.0, few), normal(2, 0.0, few)).kind == "INCONCLUSIVE"


def test_mistakes_of_the_call_are_refused() -> None:
    rng, plain = np.random.default_rng(0), ArmUnits(values=[1.0, 2.0])
    with pytest.raises(ValueError, match="margin"):
        compare_once(plain, plain, margin=-1, better="higher", rng=rng)
    with pytest.raises(ValueError, match="same columns"):
        compare_once(plain, ArmUnits(values=[1.0], rows=[1.0]), margin=0, better="higher", rng=rng)
    with pytest.raises(ValueError, match="one length"):
        compare_once(ArmUnits(values=[1.0], rows=[1.0, 2.0]), plain, margin=0, better="higher", rng=rng)
    both = ArmUnits(values=[1.0], rows=[1.0], before=[1.0])
    with pytest.raises(ValueError, match="found both"):
        compare_once(both, both, margin=0, better="higher", rng=rng)
