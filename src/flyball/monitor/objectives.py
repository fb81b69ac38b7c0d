"""Service levels of a window: error rate of each arm and latency, against the declared objectives.

A rate alarms when even its lower bound (one-sided 5 %) is beyond the objective, and warns when only its value is: one
unlucky row in a small window is not an outage.
"""

from flyball.core.service import Objectives
from flyball.core.watching import PaneGroup, Signal
from flyball.monitor.panes import LATENCY_EDGES_MS
from flyball.monitor.windows import Span
from flyball.stats.scoring.intervals import wilson

CONFIDENCE = 0.90  # two-sided, so 5 % on the side that matters


def signals(group: PaneGroup, objectives: Objectives, span: Span) -> tuple[Signal, ...]:
    """`error` for availability, `latency` for the 99th percentile of the whole stay in the gateway."""
    if not group.rows:
        return ()
    limit, limit_ms = 1 - objectives.availability, objectives.latency_p99_ms
    error = _rate("error", group.errors, group.rows, limit, span, group.errors / group.rows, limit, "of the rows")
    late = above(group.latency, limit_ms)
    p99 = quantile(group.latency, 0.99)
    latency = None
    if p99 is not None:
        latency = _rate("latency", late, sum(group.latency), 0.01, span, p99, limit_ms, "ms at the 99th percentile")
    return tuple(signal for signal in (error, latency) if signal is not None)


def quantile(counts: tuple[int, ...], share: float) -> float | None:
    """A quantile in ms, read from counts on `LATENCY_EDGES_MS`: the upper edge of its bin; None without rows.

    >>> counts = [0] * (len(LATENCY_EDGES_MS) + 1); counts[10] = 5
    >>> quantile(tuple(counts), 0.5) == LATENCY_EDGES_MS[10], quantile((), 0.5) is None
    (True, True)
    """
    total, seen = sum(counts), 0
    for at, rows in enumerate(counts):
        seen += rows
        if rows and seen >= share * total:
            return LATENCY_EDGES_MS[min(at, len(LATENCY_EDGES_MS) - 1)]
    return None


def above(counts: tuple[int, ...], limit_ms: float) -> int:
    """Rows that were surely slower than the limit: those in bins that begin at or above it."""
    return sum(rows for at, rows in enumerate(counts) if at and LATENCY_EDGES_MS[at - 1] >= limit_ms)


def _rate(
    kind: str, events: int, rows: int, allowed: float, span: Span, value: float, limit: float, unit: str
) -> Signal | None:
    if events <= allowed * rows:
        return None
    sure = wilson(events, rows, confidence=CONFIDENCE)[0] > allowed
    return Signal(
        signal="error" if kind == "error" else "latency",
        level="act" if sure else "warn",
        value=value,
        limit=limit,
        release=span.release,
        window=span.index,
        first_row=span.first_row,
        last_row=span.last_row,
        detail=f"{value:.4g} {unit}, {events} of {rows} rows beyond the objective",
    )
