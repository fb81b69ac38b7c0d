"""Sums by slot agree with the plain list of events, at a cost that does not grow."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.declared.objectives import Events
from flyball.decide.objectives.slots import Kept, Slots

HOUR_S, DAY_S = 3600.0, 86_400.0
steps = st.lists(st.tuples(st.floats(0, 7_000), st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=60)


@settings(max_examples=60)
@given(steps, st.sampled_from([300.0, 1800.0, HOUR_S, 6 * HOUR_S, DAY_S, 3 * DAY_S, 28 * DAY_S]))
def test_a_window_counts_what_a_list_of_events_says(steps: list[tuple[float, int, int]], window_s: float) -> None:
    kept, told, now = Kept(28 * DAY_S), [], 1e9
    for wait, good, bad in steps:
        now += wait
        kept.add(now, Events(good=good, total=good + bad))
        told.append((now, good, bad))
    slot_s = next((slot for slot, keep in ((60.0, 6 * HOUR_S), (300.0, 3 * DAY_S)) if keep >= window_s), HOUR_S)
    first = (now - window_s) // slot_s
    expected = [(good, bad) for at, good, bad in told if at // slot_s >= first]
    found = kept.within(now, window_s)
    assert (found.good, found.bad) == (sum(good for good, _ in expected), sum(bad for _, bad in expected))
    sure = [(good, bad) for at, good, bad in told if at > now - window_s]
    assert found.bad >= sum(bad for _, bad in sure)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 9)), max_size=40), st.integers(0, 40))
def test_events_of_two_workers_are_one_sum(events: list[tuple[int, int]], cut: int) -> None:
    ordered = sorted(events)
    whole, parts = Kept(28 * DAY_S), Kept(28 * DAY_S)
    for at, bad in ordered:
        whole.add(float(at), Events(good=7.0, total=7.0 + bad))
    for at, bad in ordered:
        parts.add(float(at), Events(good=7.0, total=7.0))
        parts.add(float(at), Events(good=0.0, total=float(bad)))
    assert cut >= 0
    now = float(ordered[-1][0]) if ordered else 0.0
    for window_s in (300.0, DAY_S, 28 * DAY_S):
        assert whole.within(now, window_s) == parts.within(now, window_s)


def test_what_is_older_than_the_longest_window_is_dropped_and_still_counted_in_all() -> None:
    slots = Slots(60.0, HOUR_S)
    for minute in range(10_000):
        slots.add(minute * 60.0, Events(good=1.0, total=1.0))
    assert len(slots._at) <= 2 * (60 + 2)
    assert slots.sum.total == 10_000
    assert slots.within(9_999 * 60.0, HOUR_S).total == 61


def test_a_clock_that_was_put_back_takes_the_events_of_its_future_along() -> None:
    slots = Slots(60.0, HOUR_S)
    slots.add(1_000_000.0, Events(good=5.0, total=9.0))  # a clock that ran ahead
    slots.add(6_000.0, Events(good=1.0, total=1.0))
    slots.put_back(6_000.0)
    assert slots.within(6_000.0, 300.0) == Events(good=6.0, total=10.0)
    assert slots.within(6_000.0 + 2 * HOUR_S, HOUR_S) == Events()


@given(st.permutations([(minute, minute % 3) for minute in range(0, 180, 7)]))
def test_the_order_in_which_panes_come_makes_no_difference(panes: list[tuple[int, int]]) -> None:
    """Red before: one that came late took everything newer along into its own past, and a burning budget was calm."""
    kept, ordered = Kept(28 * DAY_S), Kept(28 * DAY_S)
    for into, order in ((kept, panes), (ordered, sorted(panes))):
        for minute, good in order:
            into.add(minute * 60.0, Events(good=float(good), total=3.0))
    for window_s in (300.0, 1800.0, HOUR_S, 6 * HOUR_S, 3 * DAY_S, 28 * DAY_S):
        assert kept.within(180 * 60.0, window_s) == ordered.within(180 * 60.0, window_s)
    assert kept.sum == ordered.sum


def test_a_late_pane_leaves_the_newest_windows_as_they_are() -> None:
    kept = Kept(28 * DAY_S)
    for minute in range(60):
        kept.add(1e6 + minute * 60.0, Events(good=0.0, total=10.0))
    before = kept.within(1e6 + 3600.0, 1800.0)
    kept.add(1e6 + 600.0, Events(good=500.0, total=500.0))
    assert kept.within(1e6 + 3600.0, 1800.0) == before
    kept.add(1e6 - 26 * DAY_S, Events(good=1.0, total=1.0))
    assert kept.within(1e6 + 3600.0, 1800.0) == before
    assert kept.within(1e6 + 3600.0, 28 * DAY_S).total == 1101.0


@given(st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 9)), max_size=30), st.integers(0, 2 * 10**5))
def test_to_ask_changes_nothing(events: list[tuple[int, int]], asked: int) -> None:
    """Red before: a question about an earlier time moved what was newer into that time."""
    kept, asked_of = Kept(28 * DAY_S), Kept(28 * DAY_S)
    for at, good in events:
        for each in (kept, asked_of):
            each.add(float(at), Events(good=float(good), total=9.0))
        asked_of.within(float(asked), HOUR_S)
    for window_s in (300.0, HOUR_S, DAY_S):
        assert asked_of.within(2e5, window_s) == kept.within(2e5, window_s)
