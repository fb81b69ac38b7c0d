"""What each release of a service has done, in sums that add: over the rows of one process, and over processes."""

from collections.abc import Mapping, Sequence

import msgspec


class Released(msgspec.Struct, kw_only=True):
    """Of one release, since its process began."""

    rows: int = 0
    succeeded: int = 0  # requests
    failed: int = 0
    success_ms: float = 0.0  # whole stay in the gateway
    fail_ms: float = 0.0
    service_ms: float = 0.0  # the arm's share of the successful
    last_at: float = 0.0  # seconds since the epoch

    def plus(self, other: "Released") -> "Released":
        """Both together; `last_at` is the later one.

        >>> Released(rows=1, last_at=5.0).plus(Released(rows=2, last_at=3.0))
        Released(rows=3, succeeded=0, failed=0, success_ms=0.0, fail_ms=0.0, service_ms=0.0, last_at=5.0)
        """
        return Released(
            rows=self.rows + other.rows,
            succeeded=self.succeeded + other.succeeded,
            failed=self.failed + other.failed,
            success_ms=self.success_ms + other.success_ms,
            fail_ms=self.fail_ms + other.fail_ms,
            service_ms=self.service_ms + other.service_ms,
            last_at=max(self.last_at, other.last_at),
        )


Releases = Mapping[str, Released]  # by root


def together(parts: Sequence[Releases]) -> dict[str, Released]:
    """Several processes of one service as one."""
    found: dict[str, Released] = {}
    for part in parts:
        for root, one in part.items():
            found[root] = found[root].plus(one) if root in found else one
    return found
