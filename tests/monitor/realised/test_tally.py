"""Tallies add and subtract, bit for bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from flyball.core.errors import NotEnoughData
from flyball.monitor.realised.tally import Batch, Form, Tally
from flyball.stats.exact_sum import number, units
from flyball.stats.scoring.score_counts import BINS, bins_of, precision_area, roc_area

FORM = Form(task="binary", classes=("0", "1"), ranked=(1,), sums=(("log_loss", 46),))
row = st.tuples(st.integers(0, 2), st.integers(0, 1), st.floats(0, 1))


def batch(rows: list[tuple[int, int, float]]) -> Batch:
    truth, answer, score = (np.array([each[at] for each in rows]) for at in range(3))
    places = np.where(truth < 2, truth * BINS + bins_of(score.astype(float)), -1).astype(np.int64)
    loss = -np.log(np.clip(score.astype(float), 1e-15, 1))
    return Batch(
        n=len(rows),
        known=np.ones(len(rows), dtype=bool),
        cell=(truth * 3 + answer).astype(np.int64),
        score=places[None, :],
        said=score.astype(float)[None, :],
        terms={"log_loss": loss},
    )


def tally(rows: list[tuple[int, int, float]]) -> Tally:
    found = Tally(form=FORM)
    if rows:
        found.count(batch(rows))
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(row, max_size=12), st.lists(row, max_size=12), st.lists(row, max_size=12))
def test_tallies_add_in_any_order_to_the_tally_of_all(
    a: list[tuple[int, int, float]], b: list[tuple[int, int, float]], c: list[tuple[int, int, float]]
) -> None:
    assert tally(a).plus(tally(b)) == tally(b).plus(tally(a)) == tally(b + a)
    assert tally(a).plus(tally(b)).plus(tally(c)) == tally(a).plus(tally(b).plus(tally(c))) == tally(c + b + a)


@settings(max_examples=30, deadline=None)
@given(st.lists(row, min_size=1, max_size=12), st.lists(row, min_size=1, max_size=12))
def test_what_is_taken_out_leaves_no_trace(a: list[tuple[int, int, float]], b: list[tuple[int, int, float]]) -> None:
    found = tally(a + b)
    found.count(batch(b), -1)
    assert found == tally(a)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), max_size=30), st.randoms(use_true_random=False))
def test_a_sum_of_units_is_the_sum_and_has_no_order(values: list[float], dice: object) -> None:
    shuffled = sorted(values)
    assert units(np.array(values), 60) == units(np.array(shuffled), 60)
    assert number(units(np.array(values), 60), 60) == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=8, max_size=80))
def test_areas_of_counts_lie_within_their_bound_of_the_areas_of_scores(rows: list[tuple[bool, float]]) -> None:
    truth, score = np.array([y for y, _ in rows]), np.array([p for _, p in rows])
    if min(truth.sum(), (~truth).sum()) < 2:
        return
    no, yes = (np.bincount(bins_of(score[side]), minlength=BINS).astype(float) for side in (~truth, truth))
    found = roc_area(no, yes)
    assert abs(found.value - roc_auc_score(truth, score)) <= found.bound + 1e-9
    found = precision_area(no, yes)
    assert abs(found.value - average_precision_score(truth, score)) <= found.bound + 1e-9
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_one_class_has_no_area() -> None:
    with pytest.raises(NotEnoughData, match="two rows of each class"):
        roc_area(np.zeros(BINS), np.ones(BINS))


def test_tallies_of_two_forms_do_not_add() -> None:
    with pytest.raises(ValueError, match="one form"):
        Tally(form=FORM).plus(Tally(form=Form(task="regression")))
