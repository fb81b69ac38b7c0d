"""Rate limits: whatever the order of requests, no subject gets more than its burst and what came back meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.serving.access.token_bucket import BYTES, NUMBERS, SETS, Buckets
from flyball.serving.shelf import WAYS, Shelf, bytes_for

GAPS = st.lists(st.floats(0, 3, allow_subnormal=False), min_size=1, max_size=60)


@given(GAPS, st.floats(0.5, 50), st.integers(1, 10))
def test_no_window_lets_through_more_than_the_burst_and_the_rate(gaps: list[float], rate: float, burst: int) -> None:
    buckets, now, through = Buckets(), 0.0, []
    for gap in gaps:
        now += gap
        if buckets.take("a", rate_rps=rate, burst=burst, now=now) == 0.0:
            through.append(now)
    for first in range(len(through)):
        for last in range(first, len(through)):
            assert last - first + 1 <= burst + rate * (through[last] - through[first]) + 1e-6


@given(GAPS, st.floats(0.5, 50), st.integers(1, 10))
def test_whoever_waits_as_long_as_told_is_let_through(gaps: list[float], rate: float, burst: int) -> None:
    buckets, now = Buckets(), 0.0
    for gap in gaps:
        now += gap
        if wait_s := buckets.take("a", rate_rps=rate, burst=burst, now=now):
            now += wait_s + 1e-6
            assert buckets.take("a", rate_rps=rate, burst=burst, now=now) == 0.0


def test_one_subject_does_not_spend_what_is_anothers_and_memory_is_bounded() -> None:
    buckets = Buckets(Shelf(bytearray(bytes_for(sets=1, numbers=1)), sets=1, numbers=1))
    assert [buckets.take(name, rate_rps=1.0, burst=1, now=0.0) for name in "abc"] == [0.0] * 3
    assert buckets.take("c", rate_rps=1.0, burst=1, now=0.0) > 0
    for name in "defghijklmnop":
        buckets.take(name, rate_rps=1.0, burst=1, now=0.0)
    assert len(buckets) == WAYS


def test_a_clock_that_goes_back_gives_nothing() -> None:
    buckets = Buckets()
    assert buckets.take("a", rate_rps=1.0, burst=1, now=100.0) == 0.0
    assert buckets.take("a", rate_rps=1.0, burst=1, now=0.0) > 0
    assert buckets.take("a", rate_rps=1.0, burst=1, now=100.5) > 0


@given(
    st.lists(st.tuples(st.floats(0, 3, allow_subnormal=False), st.integers(0, 2)), min_size=1, max_size=60),
    st.floats(0.5, 50),
    st.integers(1, 10),
)
def test_workers_that_share_a_shelf_let_through_what_one_would(
    steps: list[tuple[float, int]], rate: float, burst: int
) -> None:
    buffer = bytearray(BYTES)
    workers = [Buckets(Shelf(buffer, sets=SETS, numbers=NUMBERS)) for _ in range(3)]
    one, now = Buckets(), 0.0
    for gap, worker in steps:
        now += gap
        found = workers[worker].take("a", rate_rps=rate, burst=burst, now=now)
        assert found == one.take("a", rate_rps=rate, burst=burst, now=now)


@given(GAPS, st.floats(0.5, 50), st.integers(1, 10))
def test_it_is_the_bucket_that_fills_and_is_taken_from(gaps: list[float], rate: float, burst: int) -> None:
    buckets, now, last, tokens = Buckets(), 0.0, 0.0, float(burst)
    for gap in gaps:
        now += gap
        tokens, last = min(float(burst), tokens + (now - last) * rate), now
        if abs(tokens - 1.0) < 1e-6:
            return  # who is right there is a matter of rounding
        found = buckets.take("a", rate_rps=rate, burst=burst, now=now)
        assert (found == 0.0) == (tokens >= 1.0)
        tokens -= found == 0.0
