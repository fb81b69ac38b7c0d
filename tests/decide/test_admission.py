"""What the loop may spend alone in seven days."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.clock import moment, timestamp
from flyball.core.service import Budget
from flyball.decide.admission import Spent, over_budget

NOW = "2026-11-25T00:00:00.000000Z"
AGES = st.lists(st.integers(0, 30 * 86_400), max_size=12)


def spent_at(ages: list[int], cost: float = 1.0) -> Spent:
    moments = [timestamp(moment(NOW) - timedelta(seconds=age)) for age in sorted(ages, reverse=True)]
    return Spent(orders=tuple(moments), costs=tuple((at, cost) for at in moments))


@given(AGES, st.integers(0, 5))
def test_only_the_last_seven_days_count(ages: list[int], most: int) -> None:
    recent = sum(age < 7 * 86_400 for age in ages)
    found = over_budget(Budget(runs_per_week=most), spent_at(ages), moment(NOW))
    assert bool(found) == (recent >= most)


@given(AGES, st.floats(0, 10))
def test_costs_are_added_whoever_asked(ages: list[int], most: float) -> None:
    recent = sum(2.0 for age in ages if age < 7 * 86_400)
    found = over_budget(Budget(cost_per_week=most), spent_at(ages, 2.0), moment(NOW))
    assert bool(found) == (recent >= most)


def test_without_a_budget_nothing_is_held_back() -> None:
    assert over_budget(Budget(), spent_at([1, 2, 3]), moment(NOW)) == ()
