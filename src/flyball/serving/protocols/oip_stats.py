"""Statistics of a service's releases in the words of the protocol's extension: counts, and sums of nanoseconds.

A request counts once for each release that its rows were assigned to. Requests that one call of the arm answered
together are counted one by one, so `execution_count` equals the requests. Since the start of the gateway.
"""

from collections.abc import Sequence
from typing import Any

from flyball.core.ids import short
from flyball.core.prediction import PredictionRecord
from flyball.serving.records import ANSWERED
from flyball.serving.released import Released, Releases

_NS = 1e6  # in a millisecond


class Statistics:
    """Of one service in one worker."""

    def __init__(self) -> None:
        self.releases: dict[str, Released] = {}

    def add(self, records: Sequence[PredictionRecord]) -> None:
        """The records of one request."""
        firsts: dict[str, PredictionRecord] = {}
        for record in records:
            answered = record.outcome in ANSWERED
            sums = self.releases.setdefault(record.release, Released())
            sums.rows += answered
            best = firsts.get(record.release)
            if best is None or (answered and best.outcome not in ANSWERED):
                firsts[record.release] = record
        for record in firsts.values():
            self._request(record)

    def add_each(self, records: Sequence[PredictionRecord]) -> None:
        """Records of as many requests of one row."""
        for record in records:
            sums = self._request(record)
            sums.rows += record.outcome in ANSWERED

    def turned_away(self, release: str) -> None:
        """A request that was refused unread."""
        (self.releases.get(release) or self.releases.setdefault(release, Released())).failed += 1

    def _request(self, record: PredictionRecord) -> Released:
        sums = self.releases.get(record.release) or self.releases.setdefault(record.release, Released())
        if record.outcome in ANSWERED:
            sums.succeeded += 1
            sums.success_ms += record.latency_ms
            sums.service_ms += record.service_ms
            sums.last_at = record.at
        else:
            sums.failed += 1
            sums.fail_ms += record.latency_ms
        return sums


def told(service: str, roots: Sequence[str], releases: Releases) -> list[dict[str, Any]]:
    """`model_stats` of the releases with these roots."""
    return [_told(service, root, releases.get(root) or Released()) for root in roots]


def _told(service: str, release: str, sums: Released) -> dict[str, Any]:
    def duration(count: int, ms: float) -> dict[str, int]:
        return {"count": count, "ns": int(ms * _NS)}

    done = sums.succeeded
    return {
        "name": service,
        "version": short(release),
        "last_inference": int(sums.last_at * 1000.0),
        "inference_count": sums.rows,
        "execution_count": done,
        "inference_stats": {
            "success": duration(done, sums.success_ms),
            "fail": duration(sums.failed, sums.fail_ms),
            "queue": duration(done, max(0.0, sums.success_ms - sums.service_ms)),
            "compute_input": duration(done, 0.0),  # reading and writing tensors is outside of what is measured
            "compute_infer": duration(done, sums.service_ms),
            "compute_output": duration(done, 0.0),
            "cache_hit": duration(0, 0.0),
            "cache_miss": duration(0, 0.0),
        },
        "batch_stats": [],
    }
