"""When a process makes room: at its bound, not before, and never for a bound that its successor would be over too."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.serving import Recycling
from flyball.serving.resilience.wear import Wear, spread, strictest

BOUNDS = st.builds(
    Recycling,
    memory_mb=st.none() | st.floats(1.0, 1e5),
    rows=st.none() | st.integers(1, 10**9),
)


@given(BOUNDS, st.floats(0.0, 1e5), st.integers(0, 10**9))
def test_a_process_is_worn_exactly_when_it_is_at_one_of_its_bounds(declared: Recycling, held: float, rows: int) -> None:
    why = Wear(declared, fresh_mb=0.0).why(held, rows)
    at_memory = declared.memory_mb is not None and held >= declared.memory_mb
    at_rows = declared.rows is not None and rows >= declared.rows
    assert (why is not None) == (at_memory or at_rows)


@given(st.floats(1.0, 1e5), st.floats(0.0, 1e5))
def test_memory_is_no_reason_where_a_fresh_process_holds_as_much(bound: float, more: float) -> None:
    wear = Wear(Recycling(memory_mb=bound), fresh_mb=bound + more)
    assert wear.why(bound + 2 * more, 10**9) is None
    assert wear.complaint is not None
    assert Wear(Recycling(memory_mb=bound), fresh_mb=None).complaint is None


@given(st.lists(BOUNDS, max_size=4), st.floats(0.0, 1e5), st.integers(0, 10**9))
def test_of_several_services_whichever_is_at_its_bound_first_holds(
    declared: list[Recycling], held: float, rows: int
) -> None:
    each = [Wear(one, fresh_mb=0.0).why(held, rows) is not None for one in declared]
    assert (Wear(strictest(declared), fresh_mb=0.0).why(held, rows) is not None) == any(each)


@given(BOUNDS, st.integers(0, 7))
def test_spread_bounds_are_no_lower_and_a_fifth_higher_at_most(declared: Recycling, place: int) -> None:
    moved = spread(declared, place, 8)
    for before, after in ((declared.memory_mb, moved.memory_mb), (declared.rows, moved.rows)):
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert before <= after <= 1.2 * before
