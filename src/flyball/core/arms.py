"""Arms beyond the two of a rollout: a release, and the buckets of units that are its own."""

from typing import Annotated

from msgspec import Meta

from flyball.core.ids import ReleaseRoot
from flyball.core.record import Record

CHAMPION, CANDIDATE = "champion", "candidate"
MOST_ARMS = 16  # beside the champion; each is a process that is kept warm
WORDS_OF_OUR_OWN = frozenset({CHAMPION, CANDIDATE, "fallback", "none", "pinned", "previous", "shadow", "split"})

BucketRange = tuple[Annotated[int, Meta(ge=0, lt=10_000)], Annotated[int, Meta(gt=0, le=10_000)]]


class Arm(Record):
    """One arm of an A/B test beside its champion."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
    release: ReleaseRoot
    buckets: tuple[BucketRange, ...] = ()  # first of each range, and the one behind its last; ascending, apart

    @property
    def weight(self) -> int:
        """Its share of units, of 10,000.

        >>> Arm(name="b", release=ReleaseRoot("sha256:b"), buckets=((0, 100), (300, 301))).weight
        101
        """
        return sum(end - start for start, end in self.buckets)
