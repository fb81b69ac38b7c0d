"""Whether a process that answers should make room for a fresh one: a leak is ended before it is an outage.

A process is worn when it holds more than `memory_mb` or has answered `rows`. One that was over the bound when it was
fresh would be replaced for ever by its like: its memory says nothing, and the operator is told.
"""

from collections.abc import Sequence

from flyball.core.declared.serving import Recycling


def strictest(declared: Sequence[Recycling]) -> Recycling:
    """Of several services in one process: each bound where it is lowest.

    >>> strictest([Recycling(memory_mb=900.0), Recycling(memory_mb=700.0, rows=10)])
    Recycling(memory_mb=700.0, rows=10)
    """
    sizes = [one.memory_mb for one in declared if one.memory_mb is not None]
    counts = [one.rows for one in declared if one.rows is not None]
    return Recycling(memory_mb=min(sizes, default=None), rows=min(counts, default=None))


def spread(declared: Recycling, place: int, places: int) -> Recycling:
    """Bounds for one of several processes that fill alike, so that they are not replaced all at once: up to a fifth
    higher for the last of them.

    >>> [spread(Recycling(rows=100), place, 2).rows for place in (0, 1)]
    [100, 110]
    """
    more = 1.0 + 0.2 * place / max(1, places)
    return Recycling(
        memory_mb=None if declared.memory_mb is None else declared.memory_mb * more,
        rows=None if declared.rows is None else round(declared.rows * more),
    )


class Wear:
    """Of one life of one process."""

    def __init__(self, declared: Recycling, *, fresh_mb: float | None) -> None:
        """`fresh_mb`: what it held when it was warm; None: nobody knows."""
        self._declared = declared
        bound = declared.memory_mb
        self.hopeless = bound is not None and fresh_mb is not None and fresh_mb >= bound
        self._fresh_mb = fresh_mb

    def why(self, memory_mb: float | None, rows: int) -> str | None:
        """What wears it out; None: it goes on.

        >>> wear = Wear(Recycling(memory_mb=500.0, rows=1000), fresh_mb=200.0)
        >>> wear.why(499.0, 999), wear.why(512.4, 0), wear.why(None, 1000)
        (None, 'it holds 512 MB', 'it has answered 1000 rows')
        """
        bound = self._declared.memory_mb
        if bound is not None and memory_mb is not None and not self.hopeless and memory_mb >= bound:
            return f"it holds {memory_mb:.0f} MB"
        if self._declared.rows is not None and rows >= self._declared.rows:
            return f"it has answered {rows} rows"
        return None

    @property
    def complaint(self) -> str | None:
        """What the operator should know of the bound."""
        if not self.hopeless or self._fresh_mb is None:
            return None
        return f"`recycle.memory_mb` is {self._declared.memory_mb:g}, a fresh process holds {self._fresh_mb:.0f} MB"
