"""What a gateway and an arm process say to each other comes over, whatever else a client put into its row."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flyball.serving.frames import LENGTH, Question, packed, unpacked

READ = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@given(st.dictionaries(st.text(), READ))
def test_what_a_model_can_read_comes_over(row: dict[str, Any]) -> None:
    assert unpacked(packed(Question(7, [row]))[LENGTH.size :]) == Question(7, [row])


def test_a_further_key_that_cannot_be_said_is_left_out_and_the_row_is_asked() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    rows = [
        {"amount": 1.0, "note": 2**64, "list": [1, -(2**70)]},
        {"amount": 2.0, "deep": deep},
        {"amount": 3.0, "x": [1]},
    ]
    assert unpacked(packed(Question(1, rows))[LENGTH.size :]) == Question(
        1, [{"amount": 1.0}, {"amount": 2.0}, {"amount": 3.0, "x": [1]}]
    )
