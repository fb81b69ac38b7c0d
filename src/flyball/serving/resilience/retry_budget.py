"""How often a second release may be asked for the same row: at most a share of the rows, or trouble doubles the load.

Only a second *question that made somebody work* costs: the first arm hangs, raised or answered nonsense. Rows whose arm
is dead, full or behind an open circuit, and rows that the contract withheld from it or that found no room there, are
asked for the first time.
"""

from flyball.core.declared.serving import RetryBudget
from flyball.core.prediction import Answer, Failure
from flyball.serving.batch import Ask, Batch

RESERVE = 200.0  # rows: what a quiet service may ask again at once
_FREE = frozenset({"dead", "open", "overload"})


def repeated(batch: Batch, ask: Ask) -> int:
    """Rows of this ask for which another release has worked, or works."""
    return sum(_worked(batch, place) for place in ask.places)


def _worked(batch: Batch, place: int) -> bool:
    own = batch.own[place]
    if batch.verdicts[place] is not None or batch.is_shed(place) or isinstance(own, Answer):
        return False
    return not isinstance(own, Failure) or own.reason not in _FREE


class Budget:
    """Of one service in one worker. Times are monotonic seconds, handed in."""

    def __init__(self, declared: RetryBudget, *, workers: int = 1) -> None:
        """`workers`: that have the reserve together; `declared` is this one's part."""
        self._share, self._per_s, self._most = declared.share, declared.per_s, RESERVE / workers
        self._left, self._at = self._most, 0.0
        self.spent = self.refused = 0  # rows

    def earn(self, rows: int, now: float) -> None:
        """Rows that were asked for the first time."""
        grown = self._left + self._share * rows + self._per_s * max(0.0, now - self._at)
        self._left, self._at = min(self._most, grown), now

    def spend(self, rows: int) -> bool:
        """May so many rows be asked again? One request may overdraw it; the next has to wait until that is earned.

        >>> budget = Budget(RetryBudget(share=0.1, per_s=0.0))
        >>> budget.spend(250), budget.spend(1)
        (True, False)
        >>> budget.earn(1000, 0.0)
        >>> budget.spend(1)
        True
        """
        if rows and self._left < 1.0:
            self.refused += rows
            return False
        self._left -= rows
        self.spent += rows
        return True
