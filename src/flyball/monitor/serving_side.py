"""The serving side of a window, arm by arm: latency, availability, errors, throughput, features that were there, cost.

Unlike the labels' side it is final when the window ends. Rows of testers and pinned versions are left out; a row that
the contract rejected belongs to no arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flyball.core.realised import Rate, ServingFigures
from flyball.core.service import Cost
from flyball.core.watching import PaneGroup
from flyball.monitor.objectives import quantile
from flyball.monitor.panes import LATENCY_EDGES_MS
from flyball.monitor.windows import Span
from flyball.stats.scoring.intervals import wilson

_PREFIX = "x."


@dataclass(kw_only=True)
class _Counts:
    """One arm."""

    rows: int = 0
    errors: int = 0
    slow: int = 0
    failed: int = 0
    fallback: int = 0
    service_ms: float = 0.0
    latency: np.ndarray = field(default_factory=lambda: np.zeros(len(LATENCY_EDGES_MS) + 1, dtype=np.int64))
    missing: dict[str, int] = field(default_factory=dict)  # of arms other than the champion's


@dataclass(kw_only=True)
class ServingSide:
    """Counts of the running window."""

    champion: str  # release
    arms: dict[tuple[str, str], _Counts] = field(default_factory=dict)

    def take(self, predictions: pl.DataFrame, by: Sequence[str | None]) -> None:
        """A pane more. Args: by: the release that answered each row itself; None: no release did."""
        if not predictions.height:
            return
        if by.count(self.champion) == len(by):  # nearly every pane: no other arm, no failure, no tester
            self._count(("champion", self.champion), predictions, answered=True)
            return
        if "excluded" in predictions.columns and predictions["excluded"].any():
            predictions = predictions.filter(~predictions["excluded"])
        arm = predictions["arm"]
        if not predictions.height or arm.null_count() == predictions.height:
            return
        for part in predictions.filter(arm.is_not_null()).partition_by("arm", "release", maintain_order=True):
            self._count((part["arm"][0], part["release"][0]), part)

    def figures(self, span: Span, group: PaneGroup | None, cost: Cost | None) -> tuple[ServingFigures, ...]:
        """Args: group: the champion's counts, which know the features that were missing."""
        return tuple(self._told(owner, found, span, group, cost) for owner, found in sorted(self.arms.items()))

    def _count(self, owner: tuple[str, str], rows: pl.DataFrame, *, answered: bool = False) -> None:
        found = self.arms.setdefault(owner, _Counts())
        found.rows += rows.height
        found.errors += int(rows["error"].sum())
        found.slow += int(rows["slow"].sum())
        if not answered:
            outcome = rows["outcome"]
            found.failed += int((outcome == "failed").sum())
            found.fallback += int((outcome == "fallback").sum())
        if "service_ms" in rows.columns:
            found.service_ms += float(rows["service_ms"].sum())
        at = np.searchsorted(LATENCY_EDGES_MS, rows["latency_ms"].to_numpy())
        found.latency += np.bincount(at, minlength=found.latency.size)
        if owner != ("champion", self.champion):
            for name in rows.columns:
                if name.startswith(_PREFIX):
                    key = name.removeprefix(_PREFIX)
                    found.missing[key] = found.missing.get(key, 0) + rows[name].null_count()

    def _told(
        self, owner: tuple[str, str], found: _Counts, span: Span, group: PaneGroup | None, cost: Cost | None
    ) -> ServingFigures:
        counts = tuple(found.latency.tolist())
        missing: Mapping[str, float] = {name: rows / found.rows for name, rows in found.missing.items()}
        if owner == ("champion", self.champion) and group is not None:
            missing = {name: bins[-1] / sum(bins) for name, bins in group.features.items() if sum(bins)}
        length = span.end - span.start
        spent = None
        if cost is not None:
            spent = cost.per_request + cost.per_second * found.service_ms / 1000 / found.rows
        return ServingFigures(
            arm=owner[0],
            release=owner[1],
            rows=found.rows,
            latency_p50_ms=quantile(counts, 0.50),
            latency_p90_ms=quantile(counts, 0.90),
            latency_p99_ms=quantile(counts, 0.99),
            availability=_rate(found.rows - found.failed, found.rows),
            error_rate=_rate(found.errors, found.rows),
            slow_rate=_rate(found.slow, found.rows),
            fallback_rate=_rate(found.fallback, found.rows),
            throughput_rps=found.rows / length if length > 0 else None,
            features_available=1 - sum(missing.values()) / len(missing) if missing else None,
            features_missing={name: share for name, share in missing.items() if share > 0},
            service_s=found.service_ms / 1000,
            cost_per_inference=spent,
        )


def _rate(events: int, rows: int) -> Rate:
    low, high = wilson(events, rows)
    return Rate(value=events / rows, low=low, high=high, n=rows)
