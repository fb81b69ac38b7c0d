"""What `/metrics` tells of a service: answers by arm and outcome, and how long they took. Few labels, fixed buckets."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from flyball.core.prediction import PredictionRecord

BUCKETS_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)
# told from the start: a series that is born with its first row hides that row from Prometheus, which reads differences
FROM_THE_START = (
    *((("champion", outcome)) for outcome in ("answered", "fallback", "quarantined", "failed", "shed")),
    *(("none", outcome) for outcome in ("rejected", "shed")),
)
Labelled = tuple[dict[str, str], float, float]  # an exemplar: labels, seconds it took, when


class Tally:
    """Sums since the process began."""

    def __init__(self, limits_ms: Iterable[float] = ()) -> None:
        """Args: limits_ms: of objectives, which become bounds of buckets so that they can be asked for exactly."""
        self.bounds_ms = tuple(sorted({*BUCKETS_MS, *limits_ms}))
        self.outcomes: Counter[tuple[str, str]] = Counter(dict.fromkeys(FROM_THE_START, 0))  # (arm, outcome)
        self.errors: Counter[str] = Counter()  # error events, by arm
        self.slow: Counter[str] = Counter()
        self.buckets = [0] * (len(self.bounds_ms) + 1)
        self.seconds = 0.0
        self.latest: list[PredictionRecord | None] = [None] * len(self.buckets)  # the newest row of each bucket

    def add(self, records: Sequence[PredictionRecord]) -> None:
        bounds_ms = self.bounds_ms
        for record in records:
            arm = record.arm or "none"
            self.outcomes[arm, record.outcome] += 1
            if record.error:
                self.errors[arm] += 1
            if record.slow:
                self.slow[arm] += 1
            place = bisect_left(bounds_ms, record.latency_ms)
            self.buckets[place] += 1
            self.latest[place] = record
            self.seconds += record.latency_ms / 1000.0

    def turned_away(self, rows: int) -> None:
        """Rows that were refused unread, at once."""
        self.outcomes["none", "shed"] += rows
        self.buckets[0] += rows

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound in seconds, answers at or below it), the last bound is `+Inf`."""
        total, rows = 0, []
        for bound, count in zip((*self.bounds_ms, None), self.buckets, strict=True):
            total += count
            rows.append(("+Inf" if bound is None else f"{bound / 1000:g}", float(total)))
        return rows

    def bucket_of(self, record: PredictionRecord) -> int:
        """The place of a row's latency among the buckets."""
        return bisect_left(self.bounds_ms, record.latency_ms)

    def exemplars(self) -> list[Labelled | None]:
        """Of each bucket its newest row; None: it has none."""
        return [None if record is None else labelled(record) for record in self.latest]


def labelled(record: PredictionRecord, **labels: str) -> Labelled:
    """A row as an exemplar."""
    return labels | {"prediction_id": record.id}, record.latency_ms / 1000.0, record.at
