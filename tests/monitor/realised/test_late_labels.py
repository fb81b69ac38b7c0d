"""Late, repeated, corrected and out-of-order labels: the same labels give the same figures, whatever their order."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitor.realised.books import World, told

from flyball.core.prediction import LabelRecord

ROWS = 60
RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 2, ROWS).tolist()
SCORES = np.clip(np.array(TRUTH) * 0.4 + RNG.random(ROWS) * 0.6, 0, 1).round(3).tolist()
ANSWERS = [int(score >= 0.5) for score in SCORES]
TARGETS = (RNG.normal(3, 2, ROWS)).tolist()
NUMBERS = (np.array(TARGETS) + RNG.normal(0, 1, ROWS)).tolist()
REGIONS = RNG.choice(["north", "south"], ROWS).tolist()

label = st.builds(told, st.integers(0, ROWS - 1), st.integers(0, 1), st.integers(0, 500))
number = st.builds(told, st.integers(0, ROWS - 1), st.floats(-1e6, 1e6), st.integers(0, 500))


def binary(window_panes: int = 2) -> World:
    world = World(slices=("region",), window_panes=window_panes)
    return world.predict(ANSWERS, SCORES, region=REGIONS)


@settings(max_examples=15, deadline=None)
@given(st.lists(label, max_size=80), st.randoms(use_true_random=False), st.integers(1, 20))
def test_any_order_and_any_repetition_of_the_same_labels_gives_the_same_figures(
    labels: list[LabelRecord], dice: Any, batch: int
) -> None:
    one = binary().label(labels)
    shuffled = [*labels, *dice.sample(labels, len(labels) // 2)]
    dice.shuffle(shuffled)
    two = binary()
    for start in range(0, len(shuffled), batch):
        two.label(shuffled[start : start + batch])
    assert one.windows() == two.windows()
    assert one.book.cohorts.before_prediction == two.book.cohorts.before_prediction


@settings(max_examples=10, deadline=None)
@given(st.lists(number, max_size=60), st.randoms(use_true_random=False))
def test_sums_of_numbers_do_not_depend_on_the_order_of_labels_by_a_single_bit(
    labels: list[LabelRecord], dice: Any
) -> None:
    one = World("regression").predict(NUMBERS).label(labels)
    dice.shuffle(labels)
    two = World("regression").predict(NUMBERS)
    for each in labels:
        two.label([each])
    assert one.windows() == two.windows()


@settings(max_examples=8, deadline=None)
@given(st.lists(label, max_size=60), st.integers(1, 5))
def test_labels_that_came_before_their_predictions_count_as_those_that_came_after(
    labels: list[LabelRecord], panes: int
) -> None:
    late = binary().label(labels)
    early = World(slices=("region",), window_panes=2)
    early.predict(ANSWERS[: panes * 10], SCORES[: panes * 10], region=REGIONS[: panes * 10]).label(labels)
    early.predict(ANSWERS[panes * 10 :], SCORES[panes * 10 :], region=REGIONS[panes * 10 :])
    assert early.windows() == late.windows()


def test_a_late_label_corrects_the_old_window_and_no_other() -> None:
    world = binary().all_labelled(TRUTH[:59])
    before = world.windows()
    world.label([told(0, 1 - TRUTH[0], 900.0)])
    after = world.windows()
    assert before[1:] == after[1:]
    (whole,), (changed,) = ([g for g in each[0].groups if not g.slice] for each in (before, after))
    assert whole.labelled == changed.labelled == 20
    moved = np.abs(np.array(whole.confusion) - np.array(changed.confusion))
    assert moved.sum() == 2  # one row went from one cell to another


def test_a_correction_back_and_forth_leaves_no_trace() -> None:
    world = binary().all_labelled(TRUTH)
    before = world.windows()
    world.label([told(5, 1 - TRUTH[5], 600.0), told(5, TRUTH[5], 700.0)])
    assert world.windows() == before


def test_duplicates_corrections_outdated_unmatched_and_invalid_labels_are_told_apart() -> None:
    world = binary()
    world.label(
        [
            told(1, 1, 100.0),
            told(1, 1, 101.0),  # again
            told(1, 0, 102.0),  # corrected
            told(1, 1, 50.0),  # older than the one that stands
            told(999, 1, 100.0),  # of no prediction
            told(2, float("nan"), 100.0),
        ]
    )
    total = world.rows.total
    assert (total.new, total.duplicate, total.corrected, total.outdated) == (1, 1, 1, 1)
    assert (total.unmatched, total.invalid) == (1, 1)
    state = world.book.label_state(total, world.rows.waiting_labels, 1e6)
    assert (state.outdated, state.unmatched, state.invalid, state.waiting) == (1, 1, 1, 1)


def test_a_label_with_a_time_before_its_prediction_counts_and_is_told() -> None:
    world = binary().label([told(30, 1, -5.0)])
    state = world.book.label_state(world.rows.total, 0, 1e6)
    assert state.before_prediction == 1
    assert world.windows()[1].maturity.labelled == 1 / 20


def test_windows_whose_rows_are_let_go_keep_their_last_word() -> None:
    world = World(keep_rows=20, window_panes=1)
    for start in range(0, 600, 60):
        world.predict(ANSWERS, SCORES)
        world.label([told(start + at, value, start + at) for at, value in enumerate(TRUTH)])
    windows = world.windows()
    assert [window.first_row for window in windows] == list(range(0, 600, 10))
    assert {window.groups[0].labelled for window in windows} == {10}
    assert world.rows.oldest_row > 400
    world.label([told(0, 1 - TRUTH[0], 1e5)])
    assert world.windows() == windows  # too late for it: told as unmatched
    assert world.rows.total.unmatched == 1


def test_a_window_that_a_late_label_changes_is_told_again() -> None:
    world = World(window_panes=2).predict(ANSWERS, SCORES).all_labelled(TRUTH[:59])
    first = world.book.told(1e6)
    assert [window.first_row for window in first] == [0, 20, 40]
    assert [window.first_row for window in world.book.told(1e6)] == [40]  # the newest one is always told
    world.label([told(25, 1 - TRUTH[25], 900.0)])
    again = world.book.told(1e6)
    assert [window.first_row for window in again] == [20, 40]
    assert again[0].revision > first[1].revision
