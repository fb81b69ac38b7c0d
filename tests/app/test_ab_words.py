"""Arms and weights as people write them: what is read is exact, and all faults are told at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.app.ab_words import arms_of, length_of, weight_of, weights_of
from flyball.core.errors import BadInput


@given(st.integers(0, 10_000))
def test_every_hundredth_of_a_percent_is_read_both_ways(buckets: int) -> None:
    assert weight_of(f"{buckets / 100:.2f}%") == weight_of(f"{buckets / 10_000:.4f}") == buckets


@pytest.mark.parametrize("text", ["", "%", "x", "-1%", "100.001%", "0.00001", "nan", "inf", "1e9"])
def test_what_is_no_share_in_steps_of_a_hundredth_of_a_percent_is_none(text: str) -> None:
    assert weight_of(text) is None


def test_a_release_may_be_a_whole_root() -> None:
    (one,) = arms_of(["b=sha256:4e86aa01:5%"])
    assert (one.release, one.weight) == ("sha256:4e86aa01", 500)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], ["1 to 16 arms"]),
        (["b"], ["NAME=RELEASE:WEIGHT"]),
        (["b=4e86aa01:0%"], ["above 0"]),
        (["shadow=4e86aa01:1%"], ["means nothing else"]),
        (["b=4e86aa01:60%", "c=4e86aa02:40%"], ["leave the champion"]),
        (["b=4e86aa01:1%", "b=4e86aa02:x"], ["NAME=RELEASE:WEIGHT"]),
        (
            ["b=4e86aa01:60%", "b=4e86aa02:60%", "c=x"],
            ["NAME=RELEASE:WEIGHT", "a name of its own", "leave the champion"],
        ),
    ],
)
def test_all_that_is_wrong_with_arms_is_told_at_once(texts: list[str], words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        arms_of(texts)
    told = [fault.expected for fault in caught.value.faults]
    assert len(told) == len(words)
    assert all(any(word in each for each in told) for word in words)


def test_weights_and_lengths_that_cannot_be_read_are_refused() -> None:
    for texts in ([], ["b"], ["b=x"], ["b=1%", "b=2%"]):
        with pytest.raises(BadInput):
            weights_of(texts)
    for text in ("soon", "0s"):
        with pytest.raises(BadInput):
            length_of(text)
