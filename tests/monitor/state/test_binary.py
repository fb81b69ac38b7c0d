"""A state survives as bytes, and bytes that are not what they say are refused with what was expected and found."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.monitor.state.frames import a_frame, rows

from flyball.monitor.state.binary import StateRefused, decoded, encoded
from flyball.monitor.state.counting import counted
from flyball.monitor.state.state import State

FRAME = a_frame()
GOOD = encoded(counted(FRAME, rows(500, seed=1)))


@settings(max_examples=30)
@given(arrays(np.int64, FRAME.size, elements=st.integers(-(2**63), 2**63 - 1)))
def test_bytes_bring_the_state_back(counts: np.ndarray) -> None:
    state = State(FRAME, counts)
    assert decoded(encoded(state), FRAME) == state


def test_the_length_does_not_depend_on_what_the_rows_held() -> None:
    assert len({len(encoded(counted(FRAME, rows(100, seed=seed)))) for seed in range(5)}) == 1


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_changed_byte_is_read(place: int, change: int) -> None:
    damaged = bytearray(GOOD)
    damaged[place] ^= change
    with pytest.raises(StateRefused, match=r"expected .* found"):
        decoded(bytes(damaged), FRAME)


@given(st.integers(0, len(GOOD) - 1))
def test_no_cut_is_read(length: int) -> None:
    with pytest.raises(StateRefused, match=r"expected .* found"):
        decoded(GOOD[:length], FRAME)


def test_another_reference_and_another_version_are_named() -> None:
    other = a_frame(seed=2)
    with pytest.raises(StateRefused, match=f"expected .*{re.escape(other.digest)}, found .*{re.escape(FRAME.digest)}"):
        decoded(GOOD, other)
    with pytest.raises(StateRefused, match="version 1, found version 2"):
        decoded(GOOD[:8] + b"\x02\x00" + GOOD[10:], FRAME)
    with pytest.raises(StateRefused, match="cut off"):
        decoded(GOOD + b"\x00", FRAME)
