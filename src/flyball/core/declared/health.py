"""`monitor.health` of a service file: the limits beyond which a service is not well, and how long a sign stays.

Shares and rates lie in 0..1, durations are seconds. What each number does: `decide/health`.
"""

from typing import Annotated

from msgspec import Meta

from flyball.core.declared.kinds import Positive, Seconds, Share
from flyball.core.record import Record


class HealthRules(Record):
    # how a rate becomes a sign, and a sign ends
    span_s: Positive = 300.0  # the newest traffic that rates are counted over
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 1e-6  # chance at one look of a sign at a rate exactly at its limit
    exit: Annotated[float, Meta(gt=0, lt=1)] = 0.8  # of its limit: a sign that stands begins to go below this
    clear_s: Seconds = 300.0  # that it has to be gone for
    critical_s: Seconds = 3600.0  # so long a critical sign keeps the service UNHEALTHY
    # how it answers
    errors: Share = 0.01  # rows of the champion with an error event: critical
    failed_errors: Share = 0.05  # the same, over all of `failed_s`: FAILED
    failed_s: Positive = 900.0
    unanswered: Share = 0.01  # rows whose client got no answer, or that were shed: critical
    fallback: Share = 0.05  # rows answered by the fallback chain: warning
    latency_ratio: Annotated[float, Meta(gt=1)] = 2.0  # of the p95 of the champion's first rows: warning
    latency_floor_ms: Seconds = 5.0  # a p95 below this is quick enough, whatever it was before
    baseline_rows: Annotated[int, Meta(ge=100)] = 1000  # first rows of a champion that its p95 is learned from
    probe_failures: Annotated[int, Meta(ge=1)] = 3  # probes in a row without a good answer: critical
    probe_share: Annotated[float, Meta(gt=0, le=1)] = 0.5  # of the last ten probes: critical
    # what it is fed
    silent_s: Positive | None = 900.0  # without a row, where rows used to come: warning; null: silence is no sign
    labels_s: Seconds = 3600.0  # without a label, where labels used to come: warning at the earliest
    # how right it is: points of a metric that is a share, else a share of the holdout's value
    quality: Positive = 0.05  # worse than the holdout: critical
    quality_windows: Annotated[int, Meta(ge=2, le=50)] = (
        3  # in a row with a 90 % interval beyond it; or one beyond doubt
    )
    trend_days: Positive = 7.0
    trend_warn: Positive = 0.03  # worse in `trend_days`: warning
    trend_retrain: Positive = 0.05  # worse in `trend_days`: the trigger `trend` asks for a retraining
    # what it stands on
    memory: Annotated[float, Meta(gt=0)] = 1.0  # of serving.recycle.memory_mb, in a process that answers: warning
    machine_memory: Share = 0.95  # in use, of the machine's: warning
    disk_free: Share = 0.10  # of the home's disk: warning below
    disk_full: Share = 0.02  # of the home's disk: critical below
