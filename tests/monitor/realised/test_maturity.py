"""With what a window may be compared: labels that are in, labels that are weighted to the final mix, or nothing yet."""

import numpy as np
import pytest
from tests.monitor.realised.books import World, told

from flyball.monitor.realised.maturity import EDGES, Cohorts
from flyball.stats.product_limit import product_limit

N = 200
ANSWERS = [0, 1] * (N // 2)


def test_no_figure_of_a_window_is_told_while_its_labels_are_still_coming() -> None:
    delays = [2.0 if row % 4 < 2 else 50.0 for row in range(N)]
    world = World(window_panes=2).predict(ANSWERS, [0.5] * N)
    labels = [told(row, ANSWERS[row], row + delays[row]) for row in range(N)]
    world.label([each for each in labels if each.at <= 205.0])
    young = world.windows(now=205.0)[-1]
    assert young.maturity.standing == "immature"
    assert {figure.value for group in young.groups for figure in group.figures} == {None}
    assert all("labels are still coming" in figure.reason for group in young.groups for figure in group.figures)
    assert "take longer than any that this window has" in young.maturity.reason
    old = world.label(labels).windows(now=1000.0)[-1]
    assert old.maturity.standing == "mature"
    assert old.groups[0].labelled == 20


def test_a_window_all_of_whose_rows_have_their_label_waits_for_nothing_however_late_others_were() -> None:
    rows, answers = 700, [0, 1] * 350
    world = World(window_panes=10).predict(answers, [0.5] * rows)
    world.label([told(row, answers[row], row + (500.0 if row < 100 else 1.0)) for row in range(rows)])
    newest = world.windows(now=702.0)[-1]
    assert (newest.maturity.standing, newest.maturity.labelled, newest.maturity.arrived) == ("mature", 1.0, 1.0)
    assert newest.groups[0].figures[0].value == 1.0


def test_with_a_label_window_a_figure_waits_for_it() -> None:
    world = World(window_panes=10, label_window_s=500.0).predict(ANSWERS, [0.5] * N).all_labelled(ANSWERS)
    assert [each.maturity.standing for each in world.windows(now=650.0)] == ["waited", "immature"]
    assert "passes in 50 s" in world.windows(now=650.0)[1].maturity.reason


def test_a_window_without_labels_is_never_compared() -> None:
    (window,) = World(window_panes=20).predict(ANSWERS, [0.5] * N).windows(now=1e6)
    assert window.maturity.standing == "immature"
    assert window.maturity.arrived is None


def test_quick_labels_of_a_half_mature_window_are_weighted_to_the_final_mix() -> None:
    """Quick labels (2 s) are right in 90 %, slow ones (1500 s) in 50 %, as many of each: 70 % in the end. The window
    has all its quick labels and a quarter of the slow ones: the plain share of right answers is too rosy."""
    rng = np.random.default_rng(4)
    rows = 4000
    slow = rng.random(rows) < 0.5
    right = rng.random(rows) < np.where(slow, 0.5, 0.9)
    answers = rng.integers(0, 2, rows)
    truth = np.where(right, answers, 1 - answers)
    world = World(window_panes=200).predict(answers.tolist(), [0.5] * rows)
    comes = np.arange(rows) + np.where(slow, 1500.0, 2.0)
    world.label([told(row, int(truth[row]), comes[row]) for row in range(rows) if comes[row] <= 4010.0])
    window = world.windows(now=4010.0)[-1]
    figure = window.groups[0].figures[0]
    here = comes[2000:] <= 4010.0
    plain = float(right[2000:][here].mean())
    assert window.maturity.standing == "adjusted"
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    assert plain > 0.78
    assert figure.low < 0.7 < figure.high
    assert abs(figure.value - 0.7) < abs(plain - 0.7) / 2
    waits = [each for group in window.groups if group.slice for each in group.figures]
    assert all(each.value is None for each in waits)


def test_old_panes_share_a_group_and_the_curve_stays_what_it_is() -> None:
    rng = np.random.default_rng(5)
    cohorts = Cohorts()
    ends, rows, delays = [], [], []
    for at in range(3000):
        number = cohorts.add(10, at * 10.0)
        taken = rng.exponential(30.0, 10)
        cohorts.arrive(number, taken)
        ends.append(at * 10.0)
        rows.append(10)
        bins = np.minimum(np.searchsorted(EDGES, taken, side="right"), EDGES.size - 1)
        delays.append(np.bincount(bins, minlength=EDGES.size))
    now = 3000 * 10.0
    whole = product_limit(np.array(rows), now - np.array(ends), np.array(delays), EDGES)
    found = cohorts.curve(now)
    held = found.edges.size
    assert found.share[held - 1] == pytest.approx(whole.share[held - 1], abs=1e-9)
    assert found.share[:20] == pytest.approx(whole.share[:20], abs=1e-9)


def test_a_label_for_an_old_pane_is_counted_in_the_group_of_old_ones_and_can_be_taken_back() -> None:
    cohorts = Cohorts()
    numbers = [cohorts.add(10, float(at)) for at in range(3000)]
    before = cohorts.curve(1e4).share.copy()
    cohorts.arrive(numbers[3], np.array([5.0]))
    assert cohorts.curve(1e4).share[-1] > before[-1]
    cohorts.arrive(numbers[3], np.array([5.0]), -1)
    assert cohorts.curve(1e4).share.tolist() == before.tolist()
