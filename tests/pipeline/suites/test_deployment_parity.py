"""The gate on models that are functions: what it must see, whatever the format."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.model import Predictions, Scores
from flyball.pipeline.suites.deployment_edges import edge_rows
from flyball.pipeline.suites.deployment_parity import Outputs, parity, result, words

ROWS = pl.DataFrame({"x": np.linspace(-2.0, 2.0, 41), "n": list(range(41)), "c": ["a", "b", None] * 13 + ["a", "b"]})


def stepping(at: float, *, low: float = 0.2, high: float = 0.8) -> Outputs:
    """Missing goes to the lower side."""

    def ask(table: pl.DataFrame) -> tuple[Predictions, Scores]:
        scores = np.where(table["x"].fill_null(-9.0).fill_nan(-9.0).to_numpy() > at, high, low)
        return scores >= 0.5, scores

    return ask


@settings(max_examples=30, deadline=None)
@given(at=st.floats(-1.9, 1.9))
def test_a_split_that_moved_to_the_neighbouring_float_is_found(at: float) -> None:
    """The smallest error that a conversion can make, at any place."""
    assert parity(stepping(at), stepping(at), ROWS, tolerance=0.0).agrees
    found = parity(stepping(at), stepping(float(np.nextafter(at, 3.0))), ROWS, tolerance=0.0)
    assert found.changed >= 1
    assert found.worst == pytest.approx(0.6)


@settings(max_examples=30, deadline=None)
@given(at=st.floats(-1.9, 1.9))
def test_both_sides_of_a_jump_are_among_the_edge_rows(at: float) -> None:
    values = edge_rows(ROWS, lambda table: np.asarray(stepping(at)(table)[1]))["x"].to_list()
    assert at in values
    assert float(np.nextafter(at, 3.0)) in values


def test_edge_rows_hold_what_no_holdout_has_and_keep_the_types() -> None:
    rows = edge_rows(ROWS, lambda table: np.zeros(table.height))
    assert rows.schema == ROWS.schema
    assert None in rows["x"].to_list()
    assert float("inf") in rows["x"].to_list()
    assert "a text that is no category" in rows["c"].to_list()
    assert -1 in rows["n"].to_list()
    assert rows.equals(edge_rows(ROWS, lambda table: np.zeros(table.height)), null_equal=True)


def refusing(ask: Outputs, what: float | None) -> Outputs:
    def checked(table: pl.DataFrame) -> tuple[Predictions, Scores]:
        if what in table["x"].to_list():
            raise ValueError("no")
        return ask(table)

    return checked


def test_an_answer_where_the_original_has_none_is_wrong_and_the_other_way_round() -> None:
    plain, strict = stepping(0.5), refusing(stepping(0.5), None)
    for original, other in ((plain, strict), (strict, plain)):
        found = parity(original, other, ROWS, tolerance=1e-9)
        assert (found.agrees, found.changed, found.off) == (False, 0, 0)
        assert found.refused >= 1
        assert "answered by one of the two only" in words(found)
        assert "no answer" in found.where
    assert parity(strict, strict, ROWS, tolerance=0.0).agrees


def test_a_number_that_is_not_finite_counts_as_no_answer() -> None:
    def nan(table: pl.DataFrame) -> tuple[Predictions, Scores]:
        labels, scores = stepping(0.5)(table)
        assert scores is not None
        return labels, np.where(table["x"].is_null().to_numpy(), np.nan, scores)

    assert parity(refusing(stepping(0.5), None), nan, ROWS, tolerance=0.0).agrees


def test_a_model_that_answers_a_row_otherwise_when_it_is_alone_is_found() -> None:
    def alone(table: pl.DataFrame) -> tuple[Predictions, Scores]:
        labels, scores = stepping(0.5)(table)
        assert scores is not None
        return labels, scores + (1e-3 if table.height == 1 else 0.0)

    assert parity(stepping(0.5), alone, ROWS, tolerance=1e-9).off >= 10


def test_a_changed_label_fails_whatever_the_tolerance() -> None:
    found = parity(stepping(0.5, high=0.5), stepping(0.5, high=0.5 - 1e-12), ROWS, tolerance=1e-6)
    assert (found.off, found.agrees) == (0, False)
    assert found.changed > 0


def test_numbers_of_a_regression_are_compared_relatively() -> None:
    def scaled(factor: float) -> Outputs:
        return lambda table: (table["n"].fill_null(0).to_numpy() * 1e6 * factor, None)

    assert parity(scaled(1.0), scaled(1.0 + 1e-10), ROWS, tolerance=1e-9).agrees
    assert not parity(scaled(1.0), scaled(1.0 + 1e-8), ROWS, tolerance=1e-9).agrees


def test_the_result_says_what_was_compared_in_words() -> None:
    good = result("model.onnx", parity(stepping(0.5), stepping(0.5), ROWS, tolerance=1e-9))
    assert (good.verdict, good.suite, good.value) == ("PASS", "deployment", 0.0)
    assert good.reason.startswith("model.onnx agrees with the original within 1e-09 on 41 rows of the holdout and")
    bad = result("model.onnx", parity(stepping(0.5), stepping(0.75), ROWS, tolerance=1e-9))
    assert bad.verdict == "FAIL"
    assert "0.8 became 0.2" in bad.reason
