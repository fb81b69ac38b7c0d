"""All regimes are measured on the same rows, and a row without an answer is not forgotten."""

import math

from hypothesis import given
from hypothesis import strategies as st

from flyball.app.replay.tracks import Scale, Track

answers = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0, 1, None])), min_size=1, max_size=60)


def binary(metric: str, truth: list[int]) -> Scale:
    return Scale(metric=metric, truth=truth, classes=(0, 1))


@given(answers)
def test_accuracy_is_the_share_of_rows_answered_rightly_whoever_stayed_silent(
    rows: list[tuple[int, int | None]],
) -> None:
    truth = [label for label, _ in rows]
    track = Track(predictions=[answer for _, answer in rows], scores=[None] * len(rows))
    right = sum(label == answer for label, answer in rows)
    found = binary("accuracy", truth).value(track)
    assert found is not None
    assert math.isclose(found, right / len(rows))


@given(answers, st.integers(1, 7))
def test_windows_of_a_curve_add_up_to_the_whole(rows: list[tuple[int, int | None]], step: int) -> None:
    scale = binary("accuracy", [label for label, _ in rows])
    track = Track(predictions=[answer for _, answer in rows], scores=[None] * len(rows))
    total = 0.0
    for start in range(0, len(rows), step):
        value = scale.value(track, start, start + step)
        assert value is not None
        total += value * len(rows[start : start + step])
    whole = scale.value(track)
    assert whole is not None
    assert math.isclose(whole, total / len(rows))


def test_a_row_whose_label_never_came_is_not_scored() -> None:
    scale = Scale(metric="accuracy", truth=[1, None, 0], classes=(0, 1))
    assert scale.value(Track(predictions=[1, 1, 1], scores=[None] * 3)) == 0.5
    assert scale.value(Track(predictions=[1, 1, 1], scores=[None] * 3), 1, 2) is None


def test_a_metric_that_is_not_defined_on_the_rows_is_none_and_not_a_number() -> None:
    track = Track(predictions=[1, 1], scores=[0.9, 0.8])
    assert binary("roc_auc", [1, 1]).value(track) is None
    assert binary("accuracy", []).value(Track()) is None


def test_an_error_in_the_unit_of_the_label_is_taken_over_the_answered_rows() -> None:
    scale = Scale(metric="mae", truth=[10.0, 20.0, 30.0], classes=())
    track = Track(predictions=[11.0, None, 27.0], scores=[None] * 3)
    assert scale.value(track) == 2.0
    assert scale.better == "lower"


def test_scores_of_several_classes_are_read_in_the_order_of_the_classes() -> None:
    scale = Scale(metric="log_loss", truth=["a", "b"], classes=("a", "b", "c"))
    sure = Track(predictions=["a", "b"], scores=[[0.98, 0.01, 0.01], [0.01, 0.98, 0.01]])
    wrong = Track(predictions=["b", "a"], scores=[[0.01, 0.98, 0.01], [0.98, 0.01, 0.01]])
    good, bad = scale.value(sure), scale.value(wrong)
    assert good is not None
    assert bad is not None
    assert good < bad
