"""Shares of the classes from the counts of a window, solved in two ways that agree where the assumption holds."""

import numpy as np
import pytest

from flyball.core.causes import ClassShift
from flyball.core.release import Baseline, Outcomes, Reference, View
from flyball.core.watching import PaneGroup
from flyball.decide.diagnosis.classes import label_shift
from flyball.monitor.causes import class_shift

LINES = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])  # of each class over the bins of the score
THEN = 10_000 * LINES.T * [0.7, 0.3]  # rows of the holdout by bin and class


def told(counts: list[int]) -> ClassShift | None:
    cells = tuple(tuple(int(rows) for rows in row) for row in THEN.round())
    rows = tuple(sum(row) for row in cells)
    score = Reference(kind="numeric", edges=(0.25, 0.5, 0.75), counts=(*rows, 0))
    view = View(rows=(*rows, 0), by_class=(*cells, (0, 0)))
    known = Outcomes(rows=sum(rows), classes=("no", "yes"), answers={"score": view})
    baseline = Baseline(rows=sum(rows), features={}, prediction={"score": score}, outcomes=known)
    group = PaneGroup(arm="champion", release="r", rows=sum(counts), prediction={"score": (*counts, 0)})
    return class_shift(group, baseline)


def test_both_ways_of_solving_find_the_shares_where_rows_of_a_class_look_as_they_did() -> None:
    found = told((1000 * (LINES.T @ [0.4, 0.6])).round().astype(int).tolist())
    assert found is not None
    assert found.now == pytest.approx((0.4, 0.6), abs=0.01)
    assert found.likeliest == pytest.approx((0.4, 0.6), abs=0.01)
    assert "by maximum likelihood" not in label_shift(found, ["score"], 0.1).detail


def test_where_they_do_not_agree_both_are_told() -> None:
    found = told([100, 100, 100, 700])
    assert found is not None
    assert found.clipped
    assert found.now[0] == 0.0 <= found.likeliest[0]
    other = told([300, 100, 100, 500])  # both ends grew: no mixture of the two classes looks like it
    assert other is not None
    assert abs(other.now[1] - other.likeliest[1]) > 0.01
    assert f"; by maximum likelihood no {other.likeliest[0]:.0%}" in label_shift(other, ["score"], 0.1).detail


def test_without_a_move_nothing_is_solved_twice() -> None:
    found = told((1000 * (LINES.T @ [0.7, 0.3])).round().astype(int).tolist())
    assert found is not None
    assert found.likeliest == ()
