"""Comparators: laws that hold for all of them, and what sets them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.serving import Compare
from flyball.core.prediction import Answer
from flyball.serving.compare import agree, distance

KINDS = [
    None,
    Compare(kind="exact"),
    Compare(kind="absolute", tolerance=0.2),
    Compare(kind="relative", tolerance=0.1),
    Compare(kind="ranking", top=2),
    Compare(kind="distribution", tolerance=0.1),
]
SHARES = st.floats(0.0, 1.0)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    kind = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    if kind == "regression":
        return Answer(prediction=draw(st.floats(-1e6, 1e6)))
    if kind == "binary":
        score = draw(SHARES)
        return Answer(prediction=int(score >= 0.5), score=score)
    a, b = draw(SHARES), draw(SHARES)
    scores = {"x": a / 2, "y": b / 2, "z": 1.0 - (a + b) / 2}
    return Answer(prediction=max(scores, key=lambda name: scores[name]), scores=scores)


@pytest.mark.parametrize("declared", KINDS)
@given(one=answers())
def test_everything_agrees_with_itself(declared: Compare | None, one: Answer) -> None:
    if declared is None or declared.kind not in ("absolute", "relative") or one.scores is None:
        assert agree(declared, one, one)


@given(one=SHARES, other=SHARES)
def test_agreement_is_mutual(one: float, other: float) -> None:
    first, second = (Answer(prediction=int(score >= 0.5), score=score) for score in (one, other))
    for declared in KINDS:
        assert agree(declared, first, second) == agree(declared, second, first)


@given(one=answers(), other=answers())
def test_a_distance_is_a_share_and_zero_for_equals(one: Answer, other: Answer) -> None:
    if (one.scores is None) == (other.scores is None):
        assert -1e-9 <= distance(one, other) <= 1.0 + 1e-9
    assert distance(one, one) == 0.0


@pytest.mark.parametrize(
    ("declared", "agrees"),
    [
        (None, True),  # the class is the same
        (Compare(kind="exact"), True),
        (Compare(kind="absolute", tolerance=0.05), False),
        (Compare(kind="relative", tolerance=0.2), True),
        (Compare(kind="distribution", tolerance=0.05), False),
        (Compare(kind="distribution", tolerance=0.11), True),
    ],
)
def test_what_a_binary_answer_is_compared_by(declared: Compare | None, agrees: bool) -> None:
    assert agree(declared, Answer(prediction=1, score=0.9), Answer(prediction=1, score=0.8)) is agrees


def test_a_ranking_looks_at_the_order_of_the_likeliest_classes() -> None:
    one = Answer(prediction="a", scores={"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05})
    swapped = Answer(prediction="a", scores={"a": 0.5, "b": 0.3, "c": 0.05, "d": 0.15})
    assert agree(Compare(kind="ranking", top=2), one, swapped)
    assert not agree(Compare(kind="ranking", top=3), one, swapped)
    assert not agree(Compare(kind="ranking"), one, swapped)
