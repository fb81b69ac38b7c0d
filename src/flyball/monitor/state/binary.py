"""A state as bytes, and back: versioned, tied to the reference it counts by, and refused where anything is not as said.

    magic 8 | version u16 | bytes a count u8 | zero u8 | counts u32 | digest of the frame 32 | counts | SHA-256 32

All numbers are little-endian; counts are signed, as narrow as the largest of them allows. The length follows from the
reference and the width alone, whatever the rows held.
"""

import hashlib
import struct
from typing import Final

import numpy as np

from flyball.monitor.state.frame import Frame
from flyball.monitor.state.state import State

MAGIC: Final = b"FLYSTATE"
VERSION: Final = 1
_HEAD = struct.Struct("<8sHBBI32s")
_SUM = 32  # bytes of SHA-256
_WIDTHS = (1, 2, 4, 8)


class StateRefused(ValueError):
    """Bytes that are no state of this reference. Says what was expected and what was found."""


def encoded(state: State) -> bytes:
    """The same bytes for the same state, wherever and in whatever order it was counted."""
    width = _width(state)
    head = _HEAD.pack(MAGIC, VERSION, width, 0, state.counts.size, _raw_digest(state.frame))
    body = head + state.counts.astype(f"<i{width}").tobytes()
    return body + hashlib.sha256(body).digest()


def decoded(data: bytes, frame: Frame) -> State:
    """The state of these bytes.

    Raises: StateRefused: no state, another version, cut off or longer, damaged, or counts of another reference.
    """
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise StateRefused(f"expected a state, which begins {MAGIC!r}, found {len(data)} bytes: {data[:8]!r}")
    _, version, width, zero, size, digest = _HEAD.unpack_from(data)
    if version != VERSION:
        raise StateRefused(f"expected a state of version {VERSION}, found version {version}: another Flyball wrote it")
    if width not in _WIDTHS or zero:
        raise StateRefused(f"expected counts of 1, 2, 4 or 8 bytes, found {width} and {zero}: damaged")
    length = _HEAD.size + size * width + _SUM
    if len(data) != length:
        raise StateRefused(
            f"expected {length} bytes for {size} counts of {width}, found {len(data)}: cut off or damaged"
        )
    found = hashlib.sha256(data[:-_SUM]).digest()
    if found != data[-_SUM:]:
        raise StateRefused(f"expected the sum {data[-_SUM:].hex()[:12]}, found {found.hex()[:12]}: damaged")
    if digest != _raw_digest(frame):
        other = "sha256:" + digest.hex()
        raise StateRefused(f"expected counts on the reference {frame.digest}, found counts on {other}")
    if size != frame.size:
        raise StateRefused(f"expected {frame.size} counts, found {size}: another Flyball lays them out otherwise")
    counts = np.frombuffer(data, dtype=f"<i{width}", count=size, offset=_HEAD.size)
    return State(frame, counts.astype(np.int64))


def _width(state: State) -> int:
    low, high = int(state.counts.min()), int(state.counts.max())
    return next(n for n in _WIDTHS if -(2 ** (8 * n - 1)) <= low and high < 2 ** (8 * n - 1))


def _raw_digest(frame: Frame) -> bytes:
    return bytes.fromhex(frame.digest.removeprefix("sha256:"))
