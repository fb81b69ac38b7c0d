"""Laws of the evidence with late bets: it is the mixture that it claims to be, fair, and what it costs is bounded."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.sequential_tests.change_point import (
    ANY,
    BOLDER,
    FIRST,
    FIRST_SPLIT,
    LATER_SPLIT,
    REASON,
    Both,
    ChangePointEvidence,
    price,
)
from flyball.stats.sequential_tests.sequential import increment

RATIO = 2.0
EVENTS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.01, 0.1, 0.5, 0.95]), st.booleans()), max_size=60)
Event = tuple[bool, float, bool]  # the candidate's, its share, a reason to look again before it


def gains(is_candidate: bool, w: float) -> Both:
    return increment(is_candidate, w, RATIO), increment(is_candidate, w, BOLDER * RATIO)


def followed(events: list[Event]) -> tuple[ChangePointEvidence, Both]:
    state, whole = ChangePointEvidence(), (0.0, 0.0)
    for is_candidate, w, reason in events:
        gained = gains(is_candidate, w)
        state = state.observe(gained, 1, reason=reason)
        whole = (whole[0] + gained[0], whole[1] + gained[1])
    return state, whole


def log_e(events: list[Event]) -> float:
    state, whole = followed(events)
    return state.log_e(whole)


def test_the_shares_are_a_whole() -> None:
    assert math.fsum([FIRST, REASON, ANY]) == pytest.approx(1.0, abs=1e-15)
    assert math.fsum(FIRST_SPLIT) == math.fsum(LATER_SPLIT) == 1.0


@given(EVENTS)
def test_it_is_the_sum_over_all_starts_of_their_share_and_likelihood_ratio(events: list[Event]) -> None:
    """Without the recursion: each start by itself."""
    starts: list[tuple[int, float, Both]] = [(0, FIRST, FIRST_SPLIT)]
    state = ChangePointEvidence()
    for at, event in enumerate(events):
        after = state.observe(gains(event[0], event[1]), 1, reason=event[2])
        begun = state.any_left + state.reason_left - after.any_left - after.reason_left
        starts.append((at, begun, LATER_SPLIT))
        state = after
    total = state.any_left + state.reason_left
    for at, share, split in starts:
        logs = [math.fsum(gains(arm, w)[which] for arm, w, _ in events[at:]) for which in (0, 1)]
        total += share * math.fsum(part * math.exp(log) for part, log in zip(split, logs, strict=True))
    assert log_e(events) == pytest.approx(math.log(total), abs=1e-9)
    assert math.fsum([share for _, share, _ in starts]) + state.any_left + state.reason_left == pytest.approx(1.0)


@given(EVENTS, st.sampled_from([0.01, 0.1, 0.5, 0.95]), st.booleans())
def test_whatever_was_seen_the_next_event_is_a_fair_bet(events: list[Event], w: float, reason: bool) -> None:
    """E[E(t+1) | the past] = E(t) if the candidate is no worse: all that Ville's inequality asks for."""
    expected = math.fsum(
        chance * math.exp(log_e([*events, (arm, w, reason)])) for arm, chance in ((True, w), (False, 1 - w))
    )
    assert expected == pytest.approx(math.exp(log_e(events)), rel=1e-9)


@given(EVENTS)
def test_the_past_costs_no_more_than_the_price_of_a_start(events: list[Event]) -> None:
    """A candidate that turns bad after any past is where it would be without one, less ln(1/share)."""
    state, whole = followed(events)
    bad = [(True, 0.5, False)] * 30
    after = log_e([*events, *bad])
    alone = max(math.fsum(gains(True, 0.5)[which] for _ in bad) for which in (0, 1))
    assert after >= alone - price(state, reason=False) - 1e-9
    declared, bolder = whole
    assert state.log_e(whole) >= declared + math.log(FIRST * FIRST_SPLIT[0]) - 1e-9
    assert state.log_e(whole) >= bolder + math.log(FIRST * FIRST_SPLIT[1]) - 1e-9


@given(EVENTS, st.sampled_from([0.1, 0.5, 0.95]))
def test_an_error_of_the_candidate_never_speaks_for_it(events: list[Event], w: float) -> None:
    assert log_e([*events, (True, w, False)]) >= log_e(events) - 1e-12


def test_a_thousand_healthy_events_are_not_held_against_anybody() -> None:
    """With nearly all traffic: the plain sum is far below zero, and the mixture is not."""
    healthy = [(n % 20 != 0, 0.95, False) for n in range(1000)]
    state, whole = followed(healthy)
    assert whole[0] < -8
    assert state.log_e(whole) > -1.7
    assert price(state, reason=False) < 12 < -whole[1]
    assert price(state, reason=True) < 4


def test_at_most_so_many_reasons_are_dear() -> None:
    """Each halves what is left, so the sixth is paid with one part in 64 of it."""
    state = ChangePointEvidence()
    for _ in range(5):
        state = state.observe((0.0, 0.0), 1, reason=True)
    assert state.reason_left == pytest.approx(REASON / 32)


@given(st.lists(st.booleans(), min_size=2, max_size=12))
def test_events_that_are_heard_together_are_a_fair_bet_too(arms: list[bool]) -> None:
    """A supervisor hears of events ten times a second: a bet begins before all of those that come together."""
    w, n = 0.5, 3
    before, whole = followed([(arm, w, False) for arm in arms])
    total = 0.0
    for batch in product((True, False), repeat=n):
        gained = [gains(arm, w) for arm in batch]
        both = (math.fsum(g[0] for g in gained), math.fsum(g[1] for g in gained))
        after = before.observe(both, n).log_e((whole[0] + both[0], whole[1] + both[1]))
        total += math.exp(after) * math.prod(w if arm else 1 - w for arm in batch)
    assert total == pytest.approx(math.exp(before.log_e(whole)), rel=1e-9)
