"""Which credentials are good, remembered for a while, and how often strangers may have theirs judged.

What is remembered is a hash and what was found. After `exchange` everything is judged anew, so that rotated keys come
into force between two requests; who was known before is judged without delay, so that no honest client is refused then.
A token costs a signature to judge: whoever sends many that nobody has seen gets so many judged a second, and no more.
"""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

from flyball.core.access import Denied, Grant
from flyball.core.clock import Clock
from flyball.serving.access.api_keys import PREFIX
from flyball.serving.access.token_bucket import Buckets
from flyball.serving.serve.complaints import Complaints

REMEMBERED = 4_096
REMEMBERED_S = 60.0  # a good credential is judged anew after so long, or when it expires
STRANGERS_RPS, STRANGERS_BURST = 100.0, 200  # tokens of one address that are judged, of those nobody knows

Judged = Callable[[str, float], Grant | Denied]  # a credential and the time, seconds since the epoch


class Credentials:
    """Of the clients of one process."""

    def __init__(
        self, judged: Judged, clock: Clock, complain: Callable[[str], None], buckets: Buckets | None = None
    ) -> None:
        self._judged, self._clock, self._complain = judged, clock, Complaints(complain)
        self._known: OrderedDict[bytes, tuple[Grant, float, int]] = OrderedDict()  # grant, until when, which judge
        self._judges = 0
        self._strangers = Buckets() if buckets is None else buckets

    def exchange(self, judged: Judged) -> None:
        """From now on these are good, and only these."""
        self._judged, self._judges = judged, self._judges + 1

    def found(self, text: str, address: str) -> Grant | Denied | float:
        """What the credential allows; a number: seconds after which it may be judged."""
        now = self._clock.now().timestamp()
        name = blake2b(text.encode(), digest_size=16).digest()
        known = self._known.get(name)
        if known is not None and known[2] == self._judges and now < known[1]:
            return known[0]
        if known is None and not text.startswith(PREFIX):
            at = self._clock.monotonic()
            if wait_s := self._strangers.take(
                f"stranger {address}", rate_rps=STRANGERS_RPS, burst=STRANGERS_BURST, now=at
            ):
                return wait_s
        found = self._judged(text, now)
        if isinstance(found, Denied):
            self._complain(f"credentials refused: {found.reason}")
            self._known.pop(name, None)
            return found
        until = now + REMEMBERED_S
        self._known[name] = found, until if found.expires is None else min(until, found.expires), self._judges
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found
