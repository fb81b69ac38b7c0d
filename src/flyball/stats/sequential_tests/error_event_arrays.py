"""The error-event test on arrays: the same numbers as event by event, to the last bit, at millions of events a second.

To the last bit, because a replay must come to the decision that was taken live. Two things would break that. numpy
has a logarithm of its own (vector instructions; on one machine 8 % of its values differ from the C library's in the
last bit), so the C library's is called for each event. And sums in pairs round otherwise than sums in order, so the
sum is `cumsum`, which goes in order. `docs/decisions/0098-arrays-to-the-last-bit.md` has the price.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.stats.sequential_tests.sequential import ErrorEventTest, theta1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class EventPath:
    """Where the evidence went, event by event."""

    log_e: Floats  # after each event, nats, shape [n]
    state: ErrorEventTest  # after the last

    def first_beyond(self, bound: float) -> int | None:
        """Index of the first event at which the evidence was at or beyond the bound; None: it never was.

        Args: bound: nats; positive (`rollback_bound`) is reached from below, negative (`accept_bound`) from above.

        >>> observe_events(ErrorEventTest(), [True, True], [0.5, 0.5], 2).first_beyond(0.5)
        1
        """
        beyond = self.log_e >= bound if bound > 0 else self.log_e <= bound
        place = int(beyond.argmax()) if beyond.size else 0
        return place if beyond.size and beyond[place] else None


def observe_events(before: ErrorEventTest, is_candidate: npt.ArrayLike, w: npt.ArrayLike, ratio: float) -> EventPath:
    """With these error events more, in their order: what `ErrorEventTest.observe` gives one by one, bit for bit.

    Args:
        before: the state that the events follow.
        is_candidate: whose unit each was, shape [n].
        w: realised share of the candidate's units at each, 0..1, shape [n]; 0 and 1 say nothing.
        ratio: of the odds of an error, > 0.

    Raises: ValueError: shapes differ, or a share or the ratio cannot be.

    >>> path = observe_events(ErrorEventTest(), [True, False], [0.1, 0.1], 2)
    >>> path.log_e.round(5).tolist(), path.state.events_champion
    ([0.59784, 0.50253], 1)
    """
    arms, shares = np.asarray(is_candidate, dtype=np.bool_), np.asarray(w, dtype=np.float64)
    gained = increments(arms, shares, ratio)
    path = np.cumsum(np.concatenate([[before.log_e], gained]))[1:]
    theirs = int(arms.sum())
    return EventPath(
        log_e=path,
        state=ErrorEventTest(
            log_e=float(path[-1]) if path.size else before.log_e,
            events_candidate=before.events_candidate + theirs,
            events_champion=before.events_champion + arms.size - theirs,
        ),
    )


def increments(is_candidate: npt.NDArray[np.bool_], w: Floats, ratio: float) -> Floats:
    """`sequential.increment` of each event, nats, shape [n]; arguments as in `observe_events`.

    >>> increments(np.array([True]), np.array([0.5]), 2).round(6).tolist()
    [0.287682]
    """
    if is_candidate.shape != w.shape or w.ndim != 1:
        raise ValueError(f"expected one share for each event, found shapes {is_candidate.shape} and {w.shape}")
    theta1(0.5, ratio)  # the same range
    if (bad := ~((w >= 0) & (w <= 1))).any():
        theta1(float(w[bad][0]), ratio)  # raises
    step = -np.fromiter(map(math.log1p, (w * (ratio - 1)).tolist()), np.float64, w.size)
    gain = step + math.log(ratio)
    gain = np.maximum(gain, 0.0) if ratio >= 1 else np.minimum(gain, 0.0)
    found: Floats = np.where((w == 0.0) | (w == 1.0), 0.0, np.where(is_candidate, gain, step))
    return found
