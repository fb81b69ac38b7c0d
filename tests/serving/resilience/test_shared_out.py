"""What is declared for a gateway holds for its workers together."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.serving import AnswerCache, Mirroring, Overload, RetryBudget, Serving
from flyball.serving.resilience.shared_out import shared_out

ROWS = st.integers(1, 10**6)


@given(ROWS, ROWS, st.integers(0, 10**6), st.floats(0, 1e6), st.integers(1, 64))
def test_the_parts_of_all_workers_are_no_more_than_what_was_declared(
    in_flight: int, shadow: int, cached: int, per_s: float, workers: int
) -> None:
    declared = Serving(
        overload=Overload(max_in_flight=in_flight),
        shadow=Mirroring(max_rows=shadow),
        cache=AnswerCache(max_rows=cached),
        retry_budget=RetryBudget(per_s=per_s),
    )
    part = shared_out(declared, workers)
    for whole, mine in (
        (in_flight, part.overload.max_in_flight),
        (shadow, part.shadow.max_rows),
        (cached, part.cache.max_rows),
    ):
        assert workers * mine <= max(whole, workers)  # one each at least, where there is anything
        assert (mine == 0) == (whole == 0)
    assert workers * part.retry_budget.per_s <= per_s * (1 + 1e-9)
    assert part.overload.queue_ms == declared.overload.queue_ms
