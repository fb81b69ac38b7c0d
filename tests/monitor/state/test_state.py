"""States are a group: any order, any grouping, and what was added can be taken away again."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.monitor.state.frames import a_frame, baseline, rows

from flyball.core.release import Baseline, Reference
from flyball.monitor.panes import count
from flyball.monitor.state.counting import counted, labelled
from flyball.monitor.state.frame import LABEL, frame
from flyball.monitor.state.state import FrameMismatch, State, empty, reference_state

FRAME = a_frame()
states = arrays(np.int64, FRAME.size, elements=st.integers(-(2**40), 2**40)).map(lambda counts: State(FRAME, counts))


@settings(max_examples=40)
@given(states, states, states)
def test_states_are_a_commutative_group(a: State, b: State, c: State) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + b - b == a
    assert a + empty(FRAME) == a
    assert a + (-a) == empty(FRAME)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=5), st.randoms())
def test_a_state_does_not_tell_how_its_rows_were_cut_up(cuts: list[int], dice: object) -> None:
    table = rows(300, seed=3)
    places = sorted({0, 300, *cuts})
    parts = [counted(FRAME, table[a:b]) for a, b in pairwise(places)]
    dice.shuffle(parts)  # type: ignore[attr-defined]
    total = empty(FRAME)
    for part in parts:
        total += part
    assert total == counted(FRAME, table)


def test_a_state_on_plain_bins_is_what_the_panes_count() -> None:
    table = rows(5000, seed=4).with_columns(error=False, slow=False, latency_ms=1.0)
    state, group = counted(FRAME, table), count(table, baseline(), arm="champion", release="r")
    assert state.rows == group.rows
    for name, found in group.features.items():
        assert tuple(state.psi_bins("feature", name).tolist()) == found
    for name, found in group.prediction.items():
        assert tuple(state.psi_bins("prediction", name).tolist()) == found


def test_infinities_and_missing_are_told_and_lost_from_nothing() -> None:
    table = rows(5000, seed=4).filter(~_excluded(5000, 4))
    accepted = table.filter(~table["outcome"].is_in(["rejected", "quarantined", "shed"]))
    state = counted(FRAME, table)
    assert state.bins("feature", "amount").sum() == accepted.height
    assert state.bins("feature", "amount")[-1] == accepted["x.amount"].is_nan().sum()
    assert state.infinite("feature", "amount") == (0, accepted["x.amount"].is_infinite().sum())
    assert state.infinite("feature", "country") == (0, 0)


def test_joint_cells_have_the_margins_of_their_parts() -> None:
    table = rows(5000, seed=5)
    state = counted(FRAME, table)
    by_class = state.part("by_class", "country")
    assert by_class.shape == (4, 4)
    assert by_class.sum(axis=1).tolist() == state.bins("prediction", "prediction").tolist()
    assert state.part("by_class", "amount").sum() == state.bins("prediction", "prediction").sum()


def test_a_late_label_is_added_and_a_corrected_one_taken_back() -> None:
    pane = counted(FRAME, rows(100, seed=6))
    first = pane + labelled(FRAME, [0, 1, 1], ["1", 1.0, None])
    assert first.part("label", LABEL).tolist() == [[0, 1, 0, 0], [0, 1, 0, 1], [0] * 4, [0] * 4]
    corrected = first - labelled(FRAME, [0], [1]) + labelled(FRAME, [0], [0])
    assert corrected.part("label", LABEL)[0].tolist() == [1, 0, 0, 0]
    assert corrected.rows == pane.rows == first.rows


def test_the_reference_is_a_state_of_its_own_frame() -> None:
    state = reference_state(FRAME)
    for name, reference in baseline().features.items():
        assert tuple(state.psi_bins("feature", name).tolist()) == reference.counts


def test_a_release_older_than_fine_bins_counts_on_its_plain_ones() -> None:
    old = Baseline(
        rows=4,
        features={"x": Reference(kind="numeric", edges=(1.0, 2.0), counts=(1, 2, 1, 0))},
        prediction={"prediction": Reference(kind="numeric", edges=(0.5,), counts=(2, 2, 0))},
    )
    table = rows(50, seed=1).with_columns(**{"x.x": 1.5})
    state = counted(frame(old), table)
    assert state.bins("feature", "x").tolist() == state.psi_bins("feature", "x").tolist()
    assert reference_state(frame(old)).bins("feature", "x").tolist() == [1, 2, 1, 0]
    with pytest.raises(ValueError, match="a regression"):
        labelled(frame(old), [1.0], [1.0])


def test_the_size_of_a_state_does_not_depend_on_the_rows() -> None:
    assert counted(FRAME, rows(10, seed=1)).counts.nbytes == counted(FRAME, rows(9000, seed=2)).counts.nbytes
    assert FRAME.size < 600


def test_states_of_two_references_have_no_sum() -> None:
    with pytest.raises(FrameMismatch, match="not added"):
        empty(FRAME) + empty(a_frame(seed=2))
    with pytest.raises(FrameMismatch):
        empty(FRAME) - empty(frame(baseline(), without=["age"]))


def test_nobody_writes_to_a_state() -> None:
    with pytest.raises(ValueError, match="read-only"):
        empty(FRAME).counts[0] = 1
    with pytest.raises(ValueError, match="int64"):
        State(FRAME, np.zeros(3, dtype=np.int64))


def _excluded(n: int, seed: int):  # type: ignore[no-untyped-def]
    return rows(n, seed)["excluded"]
