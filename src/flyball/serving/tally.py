"""What `/metrics` tells of a service: answers by arm and outcome, and how long they took. Few labels, fixed buckets."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from flyball.core.prediction import PredictionRecord

BUCKETS_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)


class Tally:
    """Sums since the process began."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()  # (arm, outcome)
        self.errors: Counter[str] = Counter()  # error events, by arm
        self.slow: Counter[str] = Counter()
        self.buckets = [0] * (len(BUCKETS_MS) + 1)
        self.seconds = 0.0

    def add(self, records: Sequence[PredictionRecord]) -> None:
        for record in records:
            arm = record.arm or "none"
            self.outcomes[arm, record.outcome] += 1
            if record.error:
                self.errors[arm] += 1
            if record.slow:
                self.slow[arm] += 1
            self.buckets[bisect_left(BUCKETS_MS, record.latency_ms)] += 1
            self.seconds += record.latency_ms / 1000.0

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound in seconds, answers at or below it), the last bound is `+Inf`."""
        total, rows = 0, []
        for bound, count in zip((*BUCKETS_MS, None), self.buckets, strict=True):
            total += count
            rows.append(("+Inf" if bound is None else f"{bound / 1000:g}", float(total)))
        return rows
