"""The arithmetic of budgets: thresholds can be reached, unknown is not full, and merging is adding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.objectives import Events, Objective
from flyball.decide.objectives.burning import PAIRS, burn_rate, exhausted_in_s, left, pairs_of, ratio, threshold

targets = st.floats(0.001, 0.99999)
counts = st.integers(0, 10**9)


def objective(target: float = 0.999, window_s: float = 28 * 86_400.0) -> Objective:
    return Objective(name="up", sli="availability", target=target, window_s=window_s)


def events(good: int, bad: int) -> Events:
    return Events(good=float(good), total=float(good + bad))


@given(targets, st.sampled_from(PAIRS))
def test_an_outage_of_everything_passes_every_threshold_and_a_kept_promise_none(target: float, pair: object) -> None:
    promise = objective(target)
    for each in PAIRS:
        limit = threshold(each.factor, promise)
        assert promise.budget <= limit + 1e-12
        assert limit < 1
    assert pair in PAIRS


@given(targets)
def test_a_graver_pair_never_has_the_lower_threshold(target: float) -> None:
    limits = [threshold(each.factor, objective(target)) for each in PAIRS]
    assert limits == sorted(limits, reverse=True)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_merging_is_one_sum_in_any_order(parts: list[tuple[int, int]], order: "object") -> None:
    shuffled = list(parts)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    one = sum((events(*part) for part in parts), Events())
    other = sum((events(*part) for part in shuffled), Events())
    assert one == other == events(sum(good for good, _ in parts), sum(bad for _, bad in parts))
    assert left(one, objective()) == left(other, objective())


@given(targets, counts, counts)
def test_more_bad_events_never_leave_more(target: float, good: int, bad: int) -> None:
    before, after = left(events(good + 1, bad), objective(target)), left(events(good, bad + 1), objective(target))
    assert before is not None
    assert after is not None
    assert after <= before


def test_what_nobody_counted_is_unknown_and_not_a_full_budget() -> None:
    assert ratio(Events()) is None
    assert burn_rate(Events(), objective()) is None
    assert left(Events(), objective()) is None
    assert exhausted_in_s(None, 1.0, objective()) is None


def test_one_error_in_a_quiet_month_spends_a_tenth_and_ten_spend_it_all() -> None:
    assert left(events(99, 1), objective()) == pytest.approx(0.9)
    assert left(events(90, 10), objective()) == 0
    assert left(events(99_900, 100), objective()) == 0


@pytest.mark.parametrize(("target", "limit"), [(0.999, 0.0144), (0.95, 0.72), (0.9, 0.9), (0.5, 0.9), (0.05, 0.975)])
def test_a_threshold_that_no_outage_could_reach_is_capped(target: float, limit: float) -> None:
    assert threshold(14.4, objective(target)) == pytest.approx(limit)


def test_windows_longer_than_the_objectives_are_not_asked() -> None:
    assert [pair.long_s for pair in pairs_of(objective(window_s=86_400.0))] == [3600.0, 21_600.0, 86_400.0]
    of_ticket = Objective(name="q", sli="quality", target=0.9, urgency="ticket")
    assert {pair.urgency for pair in pairs_of(of_ticket)} == {"ticket"}


def test_when_nothing_is_left_it_is_gone_now_and_at_rest_it_never_is() -> None:
    assert exhausted_in_s(-0.1, 3.0, objective()) == 0
    assert exhausted_in_s(0.5, 0.0, objective()) is None
    assert exhausted_in_s(0.5, 1.0, objective(window_s=7200.0)) == 3600
