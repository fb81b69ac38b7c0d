"""An answer is the same however it is made of what an estimator found."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.model import Packaged, answers, binary_answers, judged, plain_labels

SHARES = st.floats(0.0, 1.0) | st.sampled_from([0.5, -0.1, 1.1, float("nan"), float("inf")])
CLASSES = st.sampled_from([(0, 1), (False, True), ("no", "yes"), (0, 1.5), (0.0, 1.0), ("a", 1)])


def facts(classes: tuple[Any, ...], threshold: float) -> Packaged:
    return Packaged(
        service="s",
        task="binary",
        threshold=threshold,
        label="y",
        classes=classes,
        inputs=(),
        plain=(),
        module="m.py",
        code="c",
    )


@given(CLASSES, st.floats(0.0, 1.0) | st.just(0.5), st.lists(SHARES, max_size=5))
def test_the_answers_of_few_rows_are_those_of_a_table(classes: Any, threshold: float, shares: list[float]) -> None:
    about = facts(classes, threshold)
    found = np.array([[1.0 - share, share] for share in shares]).reshape(-1, 2)
    short = binary_answers(found, len(shares), about, plain_labels(about))
    whole = answers(*judged(found, len(shares), about), about)
    assert short == whole
    assert [type(getattr(each, "prediction", None)) for each in short] == [
        type(getattr(each, "prediction", None)) for each in whole
    ]


@pytest.mark.parametrize("found", [[[0.1, 0.9]], [[0.1], [0.2]], [0.1, 0.2], [[0.1, 0.2, 0.7]] * 2])
def test_an_estimator_that_answers_in_another_shape_is_refused_in_the_same_words(found: Any) -> None:
    about = facts((0, 1), 0.5)
    with pytest.raises(ValueError, match="found shape") as short:
        binary_answers(found, 2, about, plain_labels(about))
    with pytest.raises(ValueError, match="found shape") as whole:
        judged(found, 2, about)
    assert str(short.value) == str(whole.value)
