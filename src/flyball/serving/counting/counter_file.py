"""One worker's counters as a flat layout over any writable buffer: bytes in memory, or a shared mapped file.

Theory of operation. The state of a running step is a fixed number of integers, floats and bitmaps, so memory stays flat
however long a step lasts, and a gateway that is killed finds its counts where it left them (the pages of a mapped file
outlive the process). Each worker writes its own slot only; whoever wants the sum reads all slots and adds. A reader, or
a kill, may catch a row half counted: one row of error in a sum, never a torn number (aligned 64-bit stores). The log's
own sums are exact after a kill: a row is counted in its pane first, and the sums are taken from the panes.

The bitmaps are sets of units by hash, 2**20 bits each. Two units that share a bit count as one: at 50,000 units in a
step 2.4 % of the new ones go unseen, in both arms alike, so shares and tests are unmoved and only totals are low.

A unit sticks to an arm and may reach any worker. So who was seen in this step, and whose event was counted, is known to
all workers of a service: these three sets (`Units`) are shared, everything that is added up stays in the worker's own
slot. There are two pages of them: the supervisor empties one and names it for the next step, while workers that have
not turned yet still write on the other. Two workers that set bits of one byte in the same 100 ns may lose one of
the two: that unit may count once more.
"""

from collections.abc import Callable
from typing import Final

MAGIC: Final = 0x466C7962616C6C02  # "Flyball", layout 2
BITS: Final = 1 << 20

KINDS: Final = ("errors", "slow")
JUDGED: Final = (
    *("begun", "bolder_begun", "events", "any_left", "reason_left"),  # `stats.change_point`
    *(
        "rise",
        "rate",
        "step_events",
        "step_exposures",
        "before_events",
        "before_exposures",
        "still",
    ),  # `stats.rate_rise`
)
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
    "even_received_before",  # `received` when the pane was opened
    "even_dropped_before",  # `dropped` then, without what belongs to the pane before it
    "odd_received_before",
    "odd_dropped_before",
    "told_rollout",  # what the judge has heard of this slot is of this rollout (`judged.py`)
    "judged_rollout",  # in the first slot: the judge's own state is of this rollout, and this step
    "judged_step",
)
_FLOATS = (
    "step_errors",
    "step_slow",
    "rollout_errors",
    "rollout_slow",
    "first_candidate_at",  # seconds since the epoch; 0: the candidate has answered nobody
    "bolder_errors",  # of the rollout, for the other alternative
    "bolder_slow",
    # from here on whoever judges writes (`judged.py`). Of each slot, what it has heard:
    *(f"told_{sums}_{kind}" for kind in KINDS for sums in ("rollout", "bolder")),
    # in the first slot, its own state
    *(f"judged_{name}_{kind}" for kind in KINDS for name in JUDGED),
    *(f"heard_{arm}_{name}" for arm in ("champion", "candidate", "shadow") for name in ("requests", *KINDS)),
    "judged_weight",
    *(f"heard_{arm}_again_{kind}" for kind in KINDS for arm in ("champion", "candidate")),
    # each worker's own again: rows of this step by units that had had their event in it, so were at no risk any more
    *(f"again_{arm}_{kind}" for kind in KINDS for arm in ("champion", "candidate")),
)
_BITMAPS = ("seen", "errors_done", "slow_done", "errors_seen", "slow_seen")
_SHARED = ("seen", "errors_done", "slow_done")  # by all workers of a service

INT: Final = {name: place for place, name in enumerate(_INTS)}
FLOAT: Final = {name: place for place, name in enumerate(_FLOATS)}
_HEAD: Final = 4096  # integers and floats, with room to grow
_FLOATS_AT: Final = 8 * 49  # one integer may still join without another layout; all zero in a file from before
_ARMS: Final = 2048  # where the counts of an A/B test's arms begin; all zero in a file from before there were arms
SLOT_BYTES: Final = _HEAD + len(_BITMAPS) * BITS // 8
UNITS_BYTES: Final = _HEAD + 2 * len(_SHARED) * BITS // 8
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


class SharedBitmap(Bitmap):
    """A set that all workers of a service write; emptying it means going to the page that the supervisor has named."""

    __slots__ = ("_named", "_pages")

    def __init__(self, pages: "tuple[memoryview[int], memoryview[int]]", named: Callable[[], int]) -> None:
        self._pages, self._named = pages, named
        super().__init__(pages[named()])

    def clear(self) -> None:
        self._bits = self._pages[self._named()]


class Units:
    """The sets of units that the workers of one service share; the supervisor alone calls `turn`."""

    def __init__(self, buffer: "bytearray | memoryview[int]") -> None:
        """`buffer`: at least `UNITS_BYTES` writable bytes, all zero or written by this layout.

        Raises: ValueError: too small.
        """
        whole = memoryview(buffer).cast("B")
        if len(whole) < UNITS_BYTES:
            raise ValueError(f"expected a buffer of {UNITS_BYTES} bytes, found {len(whole)}")
        self._head: memoryview[int] = whole[:16].cast("q")  # the layout; the step's key, its last bit the page in force
        size = BITS // 8
        self._sets = [whole[_HEAD + i * size : _HEAD + (i + 1) * size] for i in range(2 * len(_SHARED))]
        if self._head[0] != MAGIC:
            whole[:] = bytes(len(whole))
            self._head[0] = MAGIC

    @property
    def page(self) -> int:
        """The page in force, 0 or 1."""
        return self._head[1] & 1

    def turn(self, step_key: int) -> None:
        """Before a table is made known: its step finds empty sets; the same step again keeps those it has."""
        if self._head[1] | 1 == step_key | 1:
            return
        other = 1 - self.page
        for bits in self._sets[other::2]:
            bits[:] = _ZEROS
        self._head[1] = step_key & ~1 | other

    def bitmap(self, name: str) -> SharedBitmap:
        """One of the sets, on the page in force until it is cleared."""
        first = 2 * _SHARED.index(name)
        return SharedBitmap((self._sets[first], self._sets[first + 1]), lambda: self.page)


class Slot:
    """Views on one worker's part of the buffer."""

    def __init__(self, buffer: "bytearray | memoryview[int]", units: Units | None = None) -> None:
        """`buffer`: at least `SLOT_BYTES` writable bytes, all zero or written by this layout.

        `units`: what all workers of the service share; None: this slot is the only one and keeps its own sets.

        Raises: ValueError: too small.
        """
        whole = memoryview(buffer).cast("B")
        if len(whole) < SLOT_BYTES:
            raise ValueError(f"expected a buffer of {SLOT_BYTES} bytes, found {len(whole)}")
        self.ints: memoryview[int] = whole[: 8 * len(_INTS)].cast("q")
        self.floats: memoryview[float] = whole[_FLOATS_AT : _FLOATS_AT + 8 * len(_FLOATS)].cast("d")
        # integers first, then floats, as `arms.py` parts them: two views of one area
        self.arm_ints: memoryview[int] = whole[_ARMS:_HEAD].cast("q")
        self.arm_floats: memoryview[float] = whole[_ARMS:_HEAD].cast("d")
        parts = [whole[_HEAD + i * BITS // 8 : _HEAD + (i + 1) * BITS // 8] for i in range(len(_BITMAPS))]
        self.seen, self.errors_done, self.slow_done, self.errors_seen, self.slow_seen = map(Bitmap, parts)
        if units is not None:
            self.seen, self.errors_done, self.slow_done = map(units.bitmap, _SHARED)
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
