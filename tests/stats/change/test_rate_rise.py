"""A suspicion that a rate has risen: quick where it has, quiet where it has not, and no teacher of itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.change.rate_rise import RISEN, SCALE, RateRise, risen

BATCHES = st.lists(st.tuples(st.integers(0, 3), st.integers(3, 400)), max_size=40)


def usual(rate: float, exposures: int) -> RateRise:
    return RateRise().observe(0, 0, round(rate * exposures), exposures)


@given(BATCHES, st.integers(1, 3))
def test_one_event_more_never_lowers_it(batches: list[tuple[int, int]], more: int) -> None:
    found = usual(0.01, 10_000)
    for events, exposures in batches:
        found = found.observe(events, exposures, events, exposures)
    assert found.log_rise >= 0
    assert found.observe(more + 1, 100, more + 1, 100).log_rise >= found.observe(more, 100, more, 100).log_rise


def test_ten_times_the_rate_is_noticed_within_ten_events_of_its_own() -> None:
    rng, needed = np.random.default_rng(1), []
    for _ in range(2000):
        found, events = usual(0.001, 100_000), 0
        while found.log_rise < RISEN:
            events += 1
            units = int(rng.geometric(0.01))
            found = found.observe(1, units, 1, units)
        needed.append(events)
    assert np.mean(needed) < 8
    assert np.quantile(needed, 0.99) <= 12


def test_a_steady_rate_is_suspected_seldom_at_first_and_ever_more_seldom() -> None:
    """Per event it is at most 1/(2 * 1000) at first, so over any length at most SCALE times that: a quarter."""
    rng, runs, most = np.random.default_rng(2), 40, 5_000
    alarms = []
    for _ in range(runs):
        found = usual(0.001, 100_000)
        for events, units in enumerate(rng.geometric(0.001, most).tolist(), 1):
            found = found.observe(1, units, 1, units)
            if found.log_rise >= risen(events):
                alarms.append(events)
                found = usual(0.001, 100_000)
    expected = SCALE / 2000
    assert len(alarms) / runs <= expected + 3 * (expected / runs) ** 0.5  # a count: its variance is its mean


def test_a_bound_that_stayed_would_be_reached_many_times() -> None:
    """What the rising bound is for: the same streams, and this test can tell the two apart."""
    rng, alarms = np.random.default_rng(2), 0
    for _ in range(40):
        found = usual(0.001, 100_000)
        for units in rng.geometric(0.001, 5_000).tolist():
            found = found.observe(1, units, 1, units)
            if found.log_rise >= RISEN:
                alarms, found = alarms + 1, usual(0.001, 100_000)
    assert alarms / 40 > SCALE / 2000 + 3 * (SCALE / 2000 / 40) ** 0.5


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_the_bound_rises_with_the_logarithm_of_the_events(events: int, more: int) -> None:
    assert RISEN <= risen(events) < risen(events + more)
    assert risen(events) <= RISEN + 2 * np.log1p(events / SCALE) + 1e-9


def test_ten_times_the_rate_after_thousands_of_healthy_events_takes_a_few_more() -> None:
    rng, needed = np.random.default_rng(3), []
    for _ in range(2000):
        found, events = usual(0.001, 5_000_000), 0
        while found.log_rise < risen(5_000 + events):
            events += 1
            units = int(rng.geometric(0.01))
            found = found.observe(1, units, 1, units)
        needed.append(events)
    assert np.mean(needed) < 13
    assert np.quantile(needed, 0.99) <= 18


def test_twice_the_rate_is_within_the_ups_and_downs_of_a_day() -> None:
    found = usual(0.001, 100_000)
    for _ in range(1000):
        found = found.observe(1, 500, 1, 500)
    assert found.log_rise < RISEN


def test_what_is_suspected_does_not_teach() -> None:
    found = usual(0.001, 100_000)
    for _ in range(4):
        found = found.observe(1, 100, 1, 100)
    assert found.rate == usual(0.001, 100_000).usual
    assert found.usual > found.rate


def test_the_step_before_says_what_is_usual_if_it_had_events_enough() -> None:
    burst = usual(0.001, 100_000).another_step().observe(0, 0, 20, 1000).another_step()
    assert 0.019 < burst.usual < 0.026  # a level that stays is suspected once
    assert burst.log_rise == 0
    quiet = usual(0.001, 100_000).another_step().observe(0, 0, 2, 1000).another_step()
    assert 0.0009 < quiet.usual < 0.0012


def test_before_anything_was_seen_nothing_is_suspected() -> None:
    assert RateRise().observe(5, 10, 5, 10).log_rise == 0
