"""What goes wrong again and again is told once: a loop that fails ten times a second is one line, not a full disk."""

from collections.abc import Callable
from traceback import walk_tb

KEPT = 1_000  # messages remembered; after that many others, an old one is news again


class Complaints:
    """A `complain` that leaves out what it has said. Called from several threads, it may at worst say a thing twice."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: dict[str, None] = {}

    def __call__(self, message: str) -> None:
        """Say it, unless it was said.

        >>> complain = Complaints(print)
        >>> complain("the disk is full"), complain("the disk is full")
        the disk is full
        (None, None)
        """
        if message in self._said:
            return
        if len(self._said) >= KEPT:
            self._said.clear()
        self._said[message] = None
        self._say(message)


def where_raised(error: BaseException) -> str:
    """An error by its kind and place: its text is left out, as it may quote what a stranger sent.

    >>> try:
    ...     {}["4929-1111"]
    ... except KeyError as error:
    ...     print(where_raised(error))
    KeyError at <doctest flyball.serving.serve.complaints.where_raised[0]>:2
    """
    steps = list(walk_tb(error.__traceback__))
    if not steps:
        return type(error).__name__
    frame, number = steps[-1]
    return f"{type(error).__name__} at {frame.f_code.co_filename.rpartition('/flyball/')[2]}:{number}"
