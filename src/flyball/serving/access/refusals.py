"""Requests that are refused for who asks: counted by why, and what people should hear of is left for the controller.

What a stranger sends is never a name here: keys are those of the key file, everything else is `unknown`, and of that
only many in a short time. So neither labels nor files grow with what comes over the network.
"""

from collections import Counter, deque
from collections.abc import Callable

from flyball.core.access import Denied, RefusalKind

UNKNOWN = "unknown"
MANY, WITHIN_S = 20, 60.0  # so many unknown ones in this time, of one process
EVERY_S = 5.0  # the same is left once in so long

Leave = Callable[[str, float], None]  # `key-ID` or `unknown`, and when, seconds since the epoch


class Refusals:
    """Of one process of a gateway."""

    def __init__(self, leave: Leave = lambda _key, _at: None) -> None:
        """`leave`: where the controller finds it."""
        self.counts: Counter[RefusalKind] = Counter()
        self._leave = leave
        self._left: dict[str, float] = {}
        self._unknown: deque[float] = deque(maxlen=MANY)

    def tell(self, denied: Denied, now: float) -> None:
        """One more. Args: now: seconds since the epoch.

        >>> found = Refusals(lambda key, at: print(key))
        >>> found.tell(Denied(reason="key-0a: expired", kind="expired", key="key-0a"), 100.0)
        key-0a
        >>> found.tell(Denied(reason="key-0a: expired", kind="expired", key="key-0a"), 101.0)
        >>> found.counts["expired"]
        2
        """
        self.counts[denied.kind] += 1
        key = denied.key if denied.kind == "expired" else UNKNOWN if self._many(denied, now) else ""
        if key and not 0 <= now - self._left.get(key, float("-inf")) < EVERY_S:
            self._left[key] = now
            self._leave(key, now)

    def _many(self, denied: Denied, now: float) -> bool:
        if denied.kind != "unknown":
            return False
        self._unknown.append(now)
        return len(self._unknown) == MANY and 0 <= now - self._unknown[0] <= WITHIN_S
