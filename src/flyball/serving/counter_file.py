"""One worker's counters as a flat layout over any writable buffer: bytes in memory, or a shared mapped file.

Theory of operation. The state of a running step is a fixed number of integers, floats and bitmaps, so memory stays flat
however long a step lasts, and a gateway that is killed finds its counts where it left them (the pages of a mapped file
outlive the process). Each worker writes its own slot only; whoever wants the sum reads all slots and adds. A reader, or
a kill, may catch a row half counted: one row of error in a sum, never a torn number (aligned 64-bit stores).

The bitmaps are sets of units by hash, 2**20 bits each. Two units that share a bit count as one: at 50,000 units in a
step 2.4 % of the new ones go unseen, in both arms alike, so shares and tests are unmoved and only totals are low.
"""

from typing import Final

MAGIC: Final = 0x466C7962616C6C02  # "Flyball", layout 2
BITS: Final = 1 << 20

_ARM = ("requests", "units", "errors", "slow", "failed")
_INTS = (
    "magic",
    "step_key",  # names rollout, step and weight: another key, another step
    "rollout_key",
    "epoch",
    *(f"champion_{name}" for name in _ARM),
    *(f"candidate_{name}" for name in _ARM),
    *(f"shadow_{name}" for name in _ARM),
    *(f"before_{name}" for name in _ARM),  # the candidate in the earlier steps of the rollout
    "pairs",
    "disagreements",
    "errors_interval",  # distinct units since the last error event
    "errors_interval_candidate",
    "slow_interval",
    "slow_interval_candidate",
    "received",  # records offered to the log, ever
    "written",
    "dropped",
    "received_before",  # ... when the step began
    "dropped_before",
    "even_pane",  # index + 1 of the newest even pane, 0: none; two at a time, as one is sealed while the next fills
    "even_received",
    "even_dropped",
    "odd_pane",
    "odd_received",
    "odd_dropped",
)
_FLOATS = (
    "step_errors",
    "step_slow",
    "rollout_errors",
    "rollout_slow",
    "first_candidate_at",  # seconds since the epoch; 0: the candidate has answered nobody
)
_BITMAPS = ("seen", "errors_done", "slow_done", "errors_seen", "slow_seen")

INT: Final = {name: place for place, name in enumerate(_INTS)}
FLOAT: Final = {name: place for place, name in enumerate(_FLOATS)}
_HEAD: Final = 4096  # integers and floats, with room to grow
SLOT_BYTES: Final = _HEAD + len(_BITMAPS) * BITS // 8
_ZEROS: Final = bytes(BITS // 8)


class Bitmap:
    """A set of hashes in a fixed number of bits."""

    __slots__ = ("_bits",)

    def __init__(self, bits: "memoryview[int]") -> None:
        self._bits = bits

    def add(self, place: int) -> bool:
        """Put it in; True if it was not there."""
        bits, at, mask = self._bits, place >> 3, 1 << (place & 7)
        byte = bits[at]
        if byte & mask:
            return False
        bits[at] = byte | mask
        return True

    def __contains__(self, place: int) -> bool:
        return bool(self._bits[place >> 3] & 1 << (place & 7))

    def clear(self) -> None:
        self._bits[:] = _ZEROS


class Slot:
    """Views on one worker's part of the buffer."""

    def __init__(self, buffer: "bytearray | memoryview[int]") -> None:
        """`buffer`: at least `SLOT_BYTES` writable bytes, all zero or written by this layout.

        Raises: ValueError: too small.
        """
        whole = memoryview(buffer).cast("B")
        if len(whole) < SLOT_BYTES:
            raise ValueError(f"expected a buffer of {SLOT_BYTES} bytes, found {len(whole)}")
        floats_at = 8 * (len(_INTS) + 8)
        self.ints: memoryview[int] = whole[: 8 * len(_INTS)].cast("q")
        self.floats: memoryview[float] = whole[floats_at : floats_at + 8 * len(_FLOATS)].cast("d")
        parts = [whole[_HEAD + i * BITS // 8 : _HEAD + (i + 1) * BITS // 8] for i in range(len(_BITMAPS))]
        self.seen, self.errors_done, self.slow_done, self.errors_seen, self.slow_seen = map(Bitmap, parts)
        if self.ints[0] != MAGIC:
            whole[:] = bytes(len(whole))
            self.ints[0] = MAGIC

    def count(self, name: str) -> int:
        return self.ints[INT[name]]

    def real(self, name: str) -> float:
        return self.floats[FLOAT[name]]


def in_memory() -> Slot:
    """A slot that lives and dies with this process: replay, tests."""
    return Slot(bytearray(SLOT_BYTES))
