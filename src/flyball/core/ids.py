"""Names with a type, so that a release root is never passed where an event id is meant."""

import re
from typing import NewType, Protocol

ServiceName = NewType("ServiceName", str)  # `fraud`
Digest = NewType("Digest", str)  # `sha256:<hex>`
ExperimentDigest = NewType("ExperimentDigest", str)  # `fx1:sha256:<hex>`
ReleaseRoot = NewType("ReleaseRoot", str)  # `sha256:<hex>`, root of the release's manifest
EventId = NewType("EventId", str)
PredictionId = NewType("PredictionId", str)
RolloutId = NewType("RolloutId", str)
Epoch = NewType("Epoch", int)  # fencing number of a routing, only grows


class Ids(Protocol):
    """Port: where new identities come from; sortable by time, never reused."""

    def new(self, prefix: str) -> str:
        """A fresh id such as `ro-0193f2…`."""
        ...


_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def is_sha256(name: str) -> bool:
    """Whether this can be the name of bytes.

    >>> is_sha256("sha256:" + "0" * 64), is_sha256("sha256:../../etc")
    (True, False)
    """
    return _SHA256.fullmatch(name) is not None


def short(digest: str) -> str:
    """The first 12 hex digits, for people.

    >>> short("fx1:sha256:0123456789abcdef")
    '0123456789ab'
    """
    return digest.rsplit(":", 1)[-1][:12]
