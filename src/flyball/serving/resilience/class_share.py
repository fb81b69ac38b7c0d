"""The share of a class among the last answers of releases, of all workers that share the buffer.

Theory of operation. A ring of one byte an answer (was it of the class?), the place of the next one, how many there are,
and how many are of the class. Whoever counts an answer holds the ring meanwhile, so it has the last answers of all
workers in the order in which they came here.
"""

from flyball.core.declared.serving import ClassRate
from flyball.serving.shelf import Hold, alone

_HEAD = 3  # words: the next place, how many there are, how many are of the class
_NEXT, _THERE, _MINE = range(_HEAD)


def bytes_for(declared: ClassRate) -> int:
    """Size of the buffer of one filter."""
    return 8 * _HEAD + declared.window_rows


class ClassShare:
    """Of one filter."""

    def __init__(
        self, declared: ClassRate, buffer: "bytearray | memoryview[int] | None" = None, hold: Hold = alone
    ) -> None:
        """`buffer`: `bytes_for` writable bytes, all zero or written by this; None: of this process alone."""
        self._class, self._most, self._window = declared.prediction, declared.max_share, declared.window_rows
        whole = memoryview(bytearray(bytes_for(declared)) if buffer is None else buffer).cast("B")
        self._words: memoryview[int] = whole[: 8 * _HEAD].cast("q")
        self._ring, self._hold = whole[8 * _HEAD : 8 * _HEAD + self._window], hold

    def beyond(self, prediction: object, *, counted: bool) -> bool:
        """Count the answer; True where it is of the class and a full window has too many of them."""
        mine = bool(prediction == self._class)
        if counted:
            with self._hold(0):
                self._count(mine)
        there, of_the_class = self._words[_THERE], self._words[_MINE]
        return mine and there == self._window and of_the_class > self._most * self._window

    def _count(self, mine: bool) -> None:
        words, place = self._words, self._words[_NEXT]
        words[_MINE] += mine - self._ring[place]
        words[_THERE] = min(self._window, words[_THERE] + 1)
        self._ring[place] = mine
        words[_NEXT] = (place + 1) % self._window
