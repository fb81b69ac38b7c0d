"""Shapley values by walks: they add up whatever the model does, and are right where the right ones are known."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.shapley import Explained, shapley

NAMES = ("a", "b", "c")
NUMBERS = st.fixed_dictionaries({name: st.floats(-10, 10) for name in NAMES})


def walks(row: Mapping[str, float], others: Sequence[Mapping[str, float]], model: Any, seed: int) -> Explained:
    dice = Random(seed)
    orders = [dice.sample(NAMES, 3) for _ in others]
    return shapley(lambda rows: [model(each) for each in rows], row, others, orders)


@given(NUMBERS, st.lists(NUMBERS, min_size=2, max_size=8), st.integers(0, 99))
def test_the_shares_add_up_to_what_the_answer_differs_by(
    row: dict[str, float], others: list[dict[str, float]], seed: int
) -> None:
    found = walks(row, others, lambda each: each["a"] * each["b"] + max(each["c"], 1.0), seed)
    total = sum(share.value for share in found.shares.values())
    assert total == pytest.approx(found.answer - found.base, abs=1e-9)


@given(NUMBERS, st.lists(NUMBERS, min_size=2, max_size=8), st.integers(0, 99))
def test_of_a_sum_each_input_has_its_own_term_and_an_unused_one_none(
    row: dict[str, float], others: list[dict[str, float]], seed: int
) -> None:
    found = walks(row, others, lambda each: 3 * each["a"] - each["b"], seed)
    mean = {name: sum(other[name] for other in others) / len(others) for name in NAMES}
    assert found.shares["a"].value == pytest.approx(3 * (row["a"] - mean["a"]), abs=1e-9)
    assert found.shares["b"].value == pytest.approx(mean["b"] - row["b"], abs=1e-9)
    assert (found.shares["c"].value, found.shares["c"].standard_error) == (0.0, 0.0)


def test_the_standard_error_is_honest() -> None:
    """A product, from zeros and ones: the Shapley value of a factor is known, and 2 errors hold it in 95 %."""
    dice, inside, trials = Random(7), 0, 400
    for trial in range(trials):
        others = [{name: float(dice.randint(0, 1)) for name in NAMES} for _ in range(64)]
        found = walks(dict.fromkeys(NAMES, 1.0), others, lambda each: each["a"] * each["b"] * each["c"], trial)
        share = found.shares["a"]
        inside += abs(share.value - (1 - 1 / 8) / 3) <= 2 * share.standard_error
    assert inside / trials == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / trials) ** 0.5 + 0.01)


def test_too_few_walks_are_refused() -> None:
    with pytest.raises(NotEnoughData):
        walks({"a": 1.0, "b": 1.0, "c": 1.0}, [{"a": 0.0, "b": 0.0, "c": 0.0}], lambda each: each["a"], 0)
    with pytest.raises(ValueError, match="2 orders for 1 rows"):
        shapley(lambda rows: [0.0] * len(rows), {"a": 1}, [{"a": 0}], [("a",), ("a",)])
