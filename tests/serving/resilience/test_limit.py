"""The adaptive limit: it finds the rows that a release can hold, and lets go of none it counted."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from flyball.serving.resilience.limit import LEAST, SHARES, START, Class, Limit

TARGET_S, SERVICE_S = 0.1, 0.005


def simulated(limit: Limit, *, offered_rps: int, seconds: float, service_s: float = SERVICE_S) -> tuple[int, int, int]:
    """A release that answers one row after the other, under open-loop load: answered, turned away, most in flight."""
    waiting: deque[tuple[float, float]] = deque()  # (arrived, answered)
    free_at, answered, refused, most = 0.0, 0, 0, 0
    for number in range(int(offered_rps * seconds)):
        now = number / offered_rps
        while waiting and waiting[0][1] <= now:
            arrived, ended = waiting.popleft()
            limit.end(1, ended - arrived - service_s, ended)
            answered += 1
        if not limit.open_to("live"):
            refused += 1
            continue
        limit.begin(1)
        most = max(most, limit.in_flight)
        free_at = max(free_at, now) + service_s
        waiting.append((now, free_at))
    return answered, refused, most


def test_at_five_times_its_capacity_a_release_stays_busy_and_the_queue_short() -> None:
    limit = Limit(target_s=TARGET_S, most=20_000)
    answered, refused, most = simulated(limit, offered_rps=1000, seconds=10.0)
    assert answered >= 0.95 * 10.0 / SERVICE_S
    assert refused >= 0.75 * 10_000
    assert most <= 1.5 * START
    assert limit.rows * SERVICE_S < 2 * TARGET_S  # what a row that is let in will wait


def test_below_its_capacity_nobody_is_turned_away() -> None:
    assert simulated(Limit(target_s=TARGET_S, most=20_000), offered_rps=190, seconds=10.0)[1] == 0


def test_it_follows_a_release_that_becomes_slower_and_faster_again() -> None:
    limit = Limit(target_s=TARGET_S, most=20_000)
    simulated(limit, offered_rps=2000, seconds=5.0)
    before = limit.rows
    for service_s, seconds in ((0.05, 10.0), (SERVICE_S, 10.0)):
        limit.in_flight, limit._since = 0, 0.0
        simulated(limit, offered_rps=2000, seconds=seconds, service_s=service_s)
        if service_s > SERVICE_S:
            assert limit.rows < before / 2
    assert limit.rows > before / 2


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0.0, 5.0), st.floats(0.0, 1.0)), max_size=60))
def test_the_limit_stays_between_its_bounds_and_counts_exactly(steps: list[tuple[int, float, float]]) -> None:
    limit, now = Limit(target_s=TARGET_S, most=300), 0.0
    for rows, wait_s, pause_s in steps:
        now += pause_s
        limit.begin(rows)
        assert limit.in_flight == rows
        limit.end(rows, wait_s, now)
        assert LEAST <= limit.rows <= 300
    assert limit.in_flight == 0


@given(st.integers(0, 400))
def test_who_matters_more_is_never_turned_away_before_who_matters_less(in_flight: int) -> None:
    limit = Limit(target_s=TARGET_S, most=20_000)
    limit.begin(in_flight)
    order: list[Class] = ["shadow", "canary", "low", "live"]
    assert sorted(SHARES, key=lambda rank: SHARES[rank]) == order
    may = [limit.open_to(rank) for rank in order]
    assert may == sorted(may)


def test_an_idle_release_takes_a_request_of_any_size_and_then_no_more() -> None:
    limit = Limit(target_s=TARGET_S, most=20_000)
    assert limit.open_to("live")
    limit.begin(10_000)
    assert not limit.open_to("live")


def test_after_the_load_the_limit_is_back_where_it_began() -> None:
    limit = Limit(target_s=TARGET_S, most=20_000)
    simulated(limit, offered_rps=5000, seconds=5.0, service_s=0.05)
    assert limit.rows < START / 2
    limit.in_flight, limit._since = 0, 0.0
    simulated(limit, offered_rps=50, seconds=5.0)
    assert limit.rows >= START


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=50))
def test_pauses_of_the_machine_at_little_load_turn_nobody_away(waits: list[float]) -> None:
    limit = Limit(target_s=TARGET_S, most=20_000)
    for number, wait_s in enumerate(waits):
        for _ in range(20):
            assert limit.open_to("live")
            limit.begin(1)
        for _ in range(20):
            limit.end(1, wait_s, number * 1.0)
    assert limit.rows >= START
