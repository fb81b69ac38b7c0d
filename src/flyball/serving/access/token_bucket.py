"""Rate limits: one token bucket a subject, in bounded memory that all workers may share; times are handed in.

A bucket is kept as one number, the moment at which it will be full again (the virtual scheduling form of the generic
cell rate algorithm, ITU-T I.371): a token moves it on by 1/rate. Zero, with which a record begins, is a full bucket.
"""

from flyball.serving.shelf import WAYS, Shelf, bytes_for, tag_of

SETS, NUMBERS = 2_048, 1
KEPT = SETS * WAYS  # subjects; of a full set the one silent longest is forgotten, and begins again with a full bucket
BYTES = bytes_for(sets=SETS, numbers=NUMBERS)
_ROUNDING = 1e-9  # tokens


class Buckets:
    """Of all subjects of a gateway. Exact over all processes that share the shelf."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        """`shelf`: of `SETS` and `NUMBERS`; None: of this process alone."""
        self._shelf = Shelf(bytearray(BYTES), sets=SETS, numbers=NUMBERS) if shelf is None else shelf

    def take(self, subject: str, *, rate_rps: float, burst: float, now: float) -> float:
        """Take a token; 0.0: go on, else the seconds until there is one, and nothing is taken.

        Args:
            rate_rps: tokens that come back a second, > 0.
            burst: tokens that a full bucket holds, >= 1.
            now: monotonic seconds, of one clock for all processes; a clock that went back gives nothing.

        >>> buckets = Buckets()
        >>> [buckets.take("a", rate_rps=2.0, burst=1, now=at) for at in (0.0, 0.0, 0.5)]
        [0.0, 0.5, 0.0]
        """
        with self._shelf.record(tag_of(subject), now) as numbers:
            full_at = max(numbers[0], now)
            tokens = float(burst) - (full_at - now) * rate_rps
            if tokens < 1.0 - _ROUNDING:
                return (1.0 - tokens) / rate_rps
            numbers[0] = full_at + 1.0 / rate_rps
            return 0.0

    def __len__(self) -> int:
        return len(self._shelf)
