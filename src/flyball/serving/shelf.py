"""A bounded number of small records by name, in a buffer that several processes may share.

Theory of operation. A record is a tag of its name, when it was touched last, and some numbers. Names are spread over
sets of eight records by their tag; a name that is new to a full set takes the place of the one that was touched least
recently, and begins with zeros. Whoever reads and writes a record holds its set meanwhile (`hold`), so that what two
processes do to one record is what one would have done after the other: limits that are kept here are exact, however
many processes keep them. Two names with one tag (63 bits of BLAKE2b) would share a record.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from hashlib import blake2b
from types import TracebackType

WAYS = 8
_TAG, _TOUCHED, _HEAD = 0, 1, 2  # in 8-byte words

Hold = Callable[[int], AbstractContextManager[object]]  # of a set, or of the whole where there is one


@lru_cache(maxsize=4_096)
def tag_of(*name: object) -> int:
    """63 bits that stand for a name, never 0.

    >>> tag_of("a") == tag_of("a") != tag_of("b")
    True
    """
    text = "\0".join(map(str, name)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1 or 1


_ALONE = nullcontext()


def alone(_: int) -> AbstractContextManager[object]:
    """Nobody else is there."""
    return _ALONE


def bytes_for(*, sets: int, numbers: int) -> int:
    """Size of the buffer of a shelf."""
    return 8 * sets * WAYS * (_HEAD + numbers)


class Shelf:
    """Records of so many numbers each."""

    def __init__(self, buffer: "bytearray | memoryview[int]", *, sets: int, numbers: int, hold: Hold = alone) -> None:
        """`buffer`: `bytes_for` writable bytes, all zero or written by a shelf of this shape."""
        whole = memoryview(buffer).cast("B")[: bytes_for(sets=sets, numbers=numbers)]
        self._tags: memoryview[int] = whole.cast("q")
        self._reals: memoryview[float] = whole.cast("d")
        self._sets, self._numbers, self._hold = sets, numbers, hold
        self._stride = _HEAD + numbers

    def record(self, tag: int, now: float) -> "_Record":
        """The numbers of a name, to be read and written within a `with` block.

        >>> shelf = Shelf(bytearray(bytes_for(sets=1, numbers=1)), sets=1, numbers=1)
        >>> for _ in range(3):
        ...     with shelf.record(tag_of("a"), now=5.0) as numbers:
        ...         numbers[0] += 1.0
        >>> numbers[0]
        3.0
        """
        return _Record(self, tag, now)

    def hold(self, tag: int) -> AbstractContextManager[object]:
        """Nobody else reads or writes this record meanwhile."""
        return self._hold(tag % self._sets)

    def numbers(self, tag: int, now: float) -> "memoryview[float]":
        """Of a record that is held; it is touched."""
        start = self._start(tag)
        if start is None:
            start = self._claimed(tag)
        self._reals[start + _TOUCHED] = now
        return self._reals[start + _HEAD : start + self._stride]

    def glance(self, tag: int) -> "memoryview[float] | None":
        """Its numbers as they are at this moment, without holding anything: one of them is never torn, two may not
        belong together. None: there is no such record."""
        start = self._start(tag)
        return None if start is None else self._reals[start + _HEAD : start + self._stride]

    def __len__(self) -> int:
        return sum(1 for tag in self._tags[:: self._stride].tolist() if tag)

    def _start(self, tag: int) -> int | None:
        first = tag % self._sets * WAYS * self._stride
        try:
            return first + self._stride * self._tags[first : first + WAYS * self._stride : self._stride].tolist().index(
                tag
            )
        except ValueError:
            return None

    def _claimed(self, tag: int) -> int:
        """The place of a name that has none yet."""
        first = tag % self._sets * WAYS * self._stride
        starts = range(first, first + WAYS * self._stride, self._stride)
        start = min(starts, key=lambda each: (self._tags[each + _TAG] != 0, self._reals[each + _TOUCHED]))
        for word in range(start, start + self._stride):
            self._tags[word] = 0  # all bits zero are 0.0, too
        self._tags[start + _TAG] = tag
        return start


class _Record:
    """One record, held."""

    __slots__ = ("_hold", "_now", "_shelf", "_tag")

    def __init__(self, shelf: Shelf, tag: int, now: float) -> None:
        self._shelf, self._tag, self._now = shelf, tag, now
        self._hold = shelf.hold(tag)

    def __enter__(self) -> "memoryview[float]":
        self._hold.__enter__()
        return self._shelf.numbers(self._tag, self._now)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hold.__exit__(kind, error, trace)
