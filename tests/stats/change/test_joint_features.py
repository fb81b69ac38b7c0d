"""Questions about several columns at once: what is counted, and that samples add."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.release import Reference
from flyball.pipeline.baseline import reference
from flyball.stats.change.joint_features import MOST_COLUMNS, WAVES, Questions, questions

NORMAL = pl.Series(np.random.default_rng(1).normal(size=4000))
HALVES = Reference(kind="category", values=("a", "b"), counts=(60, 40, 0, 0))


def of(*columns: pl.Series) -> Questions:
    found = questions({f"c{at}": reference(column) for at, column in enumerate(columns)})
    assert found is not None
    return found


def asked_of(found: Questions, table: pl.DataFrame) -> list[int]:
    answers = found.ask(table.get_column, table.height)
    assert answers.rows == table.height
    return [int(each) for each in answers.yes]


rows = st.lists(
    st.tuples(st.one_of(st.none(), st.floats(allow_nan=True)), st.sampled_from(["a", "b", "new", None])), max_size=30
)


@given(rows, rows)
def test_two_samples_together_are_their_sum_and_a_part_is_taken_out_again(
    first: list[tuple[float | None, str | None]], second: list[tuple[float | None, str | None]]
) -> None:
    found = questions({"x": reference(NORMAL), "y": HALVES})
    assert found is not None

    def answers(of_rows: list[tuple[float | None, str | None]]) -> object:
        table = pl.DataFrame(of_rows, schema={"x": pl.Float64, "y": pl.String}, orient="row")
        return found.ask(table.get_column, table.height)

    one, two, both = answers(first), answers(second), answers([*first, *second])
    together = one.plus(two)  # type: ignore[attr-defined]
    assert np.array_equal(together.yes, both.yes)  # type: ignore[attr-defined]
    assert together.rows == both.rows  # type: ignore[attr-defined]
    assert np.array_equal(together.minus(two).yes, one.yes)  # type: ignore[attr-defined]


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.5, 0.9])
def test_a_pair_of_normals_agrees_as_often_as_sheppard_says(rho: float) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=40_000)
    b = rho * a + math.sqrt(1 - rho**2) * rng.normal(size=a.size)
    table = pl.DataFrame({"c0": a, "c1": b})
    share = asked_of(of(table["c0"], table["c1"]), table)[0] / table.height
    assert abs(share - (0.5 + math.asin(rho) / math.pi)) < 4 * 0.5 / math.sqrt(table.height)


def test_the_waves_see_a_dependence_that_signs_of_pairs_do_not() -> None:
    """The second column is as far from its middle as the first, on either side: no correlation."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 20_000))
    tied = pl.DataFrame({"c0": a, "c1": np.abs(a) * np.sign(b)})
    free = pl.DataFrame({"c0": a, "c1": b})
    found = of(free["c0"], free["c1"])
    apart = (np.array(asked_of(found, tied)) - asked_of(found, free)) / (math.sqrt(2) * 0.5 * math.sqrt(a.size))
    assert abs(apart[0]) < 4
    assert np.abs(apart[1:]).max() > 10


def test_missing_is_the_median_and_a_new_category_is_not_the_usual_one() -> None:
    found = questions({"x": reference(NORMAL), "y": HALVES})
    assert found is not None
    table = pl.DataFrame({"x": [None, 9.0, None], "y": ["z", "a", "a"]}, schema={"x": pl.Float64, "y": pl.String})
    assert asked_of(found, table)[0] == 2  # missing is below, as `z` is; 9 is above, as `a` is


def test_columns_with_one_side_are_not_asked_about() -> None:
    constant, flag = pl.Series([1.0] * 100), pl.Series([True] * 99 + [False])
    assert questions({"a": reference(constant), "b": reference(NORMAL), "c": reference(flag)}) is None


def test_the_number_of_questions_is_bounded() -> None:
    found = questions({f"c{at}": HALVES for at in range(200)})
    assert found is not None
    assert len(found.texts()) == MOST_COLUMNS * (MOST_COLUMNS - 1) // 2 + WAVES


def test_the_waves_are_the_same_wherever_they_are_made() -> None:
    found = questions({"a": HALVES, "b": HALVES})
    assert found is not None
    assert found.waves[0].round(6).tolist() == [0.693338, 0.361421, 1.883121]
