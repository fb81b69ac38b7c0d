"""The scorecard of a service over a span: each figure with its target, the count behind it and the facts that show it.

A figure of nothing is unknown: neither 0 nor 100 %. The definitions stand in `docs/reference/scorecard.md`.
"""

from collections.abc import Sequence
from math import ceil
from typing import Literal

from flyball.control.review import figures
from flyball.control.review.figures import Figure, Unit
from flyball.control.review.outside import Outside
from flyball.control.review.past import Past
from flyball.core.clock import timestamp
from flyball.core.record import Record
from flyball.core.service import Review
from flyball.decide.calendar import Span
from flyball.stats.scoring.exact_share import clopper_pearson

MOST_EVIDENCE = 10  # facts that are named, the newest
Met = Literal["met", "missed", "unknown", "no target"]


class Line(Record):
    """One figure."""

    name: str
    unit: Unit
    value: float | None  # None: unknown, `why` says for want of what
    target: float | None
    better: Literal["higher", "lower"]
    met: Met
    n: int  # what stands behind it: rows, incidents, deployments ...
    why: str  # how it came to be, in words
    low: float | None = None  # 95 % interval of a share
    high: float | None = None
    sure: bool | None = None  # whether the whole interval lies on that side of the target; None: no interval
    evidence: tuple[int, ...] = ()  # sequence numbers on the ledger


class Scorecard(Record):
    service: str
    since: str  # RFC 3339, UTC
    until: str
    lines: tuple[Line, ...]
    drills: tuple[Line, ...]  # detection and recovery where the fault was one of ours

    def line(self, name: str) -> Line:
        return next(each for each in self.lines if each.name == name)


def scorecard(service: str, past: Past, span: Span, declared: Review, told: Outside) -> Scorecard:
    """Args: past: of the whole ledger; what lies after the span changes nothing."""
    there = past.within(span)
    found = (
        figures.availability(there, told.answers),
        figures.data_incidents(there, span, told.answers),
        figures.detected(there),
        figures.recovered(there),
        figures.checked(there),
        figures.automated(there),
        figures.lead_time(there),
        figures.deployments(there, span, there=past.began(span)),
        figures.pipeline(there),
        figures.change_failures(there),
        figures.reproducible(there),
        figures.cost(there, told.answers, declared.serving_cost_per_hour, told.serving_hours),
        figures.budget(past.spent(span), told.budgets),
    )
    return Scorecard(
        service=service,
        since=timestamp(span.since),
        until=timestamp(span.until),
        lines=tuple(_line(each, _target(each.name, declared)) for each in found),
        drills=tuple(_line(each, _target(each.name, declared)) for each in figures.drilled(there)),
    )


def verdicts(lines: Sequence[Line]) -> dict[Met, int]:
    """How many are met, missed, unknown."""
    counts: dict[Met, int] = {"met": 0, "missed": 0, "unknown": 0, "no target": 0}
    for line in lines:
        counts[line.met] += 1
    return counts


def _target(name: str, declared: Review) -> float | None:
    targets = declared.targets
    known: dict[str, float | None] = {
        "availability": targets.availability,
        "data incidents": targets.incidents_per_month,
        "time to detect": targets.detect_s,
        "time to recover": targets.recover_s,
        "deployments tried first": targets.checked_share,
        "remedies automated": targets.automated_share,
        "lead time": targets.lead_time_s,
        "deployments": targets.deployments_per_week,
        "pipeline success": targets.pipeline_success,
        "change failures": targets.change_failure_share,
        "reproducible": targets.reproducible_share,
        "cost per prediction": targets.cost_per_prediction,
        "budgets spent": 0.0,
        "drills detected": 1.0,
        "drills recovered alone": targets.automated_share,
        "drills: time to detect": targets.detect_s,
        "drills: time to recover": targets.recover_s,
    }
    return known[name]


def _line(found: Figure, target: float | None) -> Line:
    low, high = (None, None) if found.of is None or not found.of[1] else _bounds(*found.of)
    met, sure = _met(found, target), _sure(low, high, target, found)
    return Line(
        name=found.name,
        unit=found.unit,
        value=found.value,
        target=target,
        better=found.better,
        met="unknown" if met == "missed" and sure is False else met,  # the next few cases may turn it
        n=found.n,
        why=found.why + _small(low, high, found.n) + _begun(found, target, met),
        low=low,
        high=high,
        sure=sure,
        evidence=found.evidence[-MOST_EVIDENCE:],
    )


def _met(found: Figure, target: float | None) -> Met:
    if found.value is None:
        return "unknown"
    if target is None:
        return "no target"
    if found.units is not None:  # one a month: one in a span that is a little shorter is no more than that
        return "met" if found.n <= ceil(target * found.units) else "missed"
    return "met" if (found.value >= target if found.better == "higher" else found.value <= target) else "missed"


def _begun(found: Figure, target: float | None, met: Met) -> str:
    """Why a rate above its target keeps it."""
    if met != "met" or found.units is None or target is None or found.value is None or found.value <= target:
        return ""
    return f"; a month that has begun may hold all of its {target:g}, so {ceil(target * found.units)} here keep it"


def _bounds(of: int, n: int) -> tuple[float | None, float | None]:
    """None where more failed than there were: failures of what came before the span."""
    return clopper_pearson(of, n) if of <= n else (None, None)


def _sure(low: float | None, high: float | None, target: float | None, found: Figure) -> bool | None:
    if low is None or high is None or target is None or found.value is None:
        return None
    on_the_other_side = low < target <= found.value or found.value < target <= high
    if found.better == "lower":
        on_the_other_side = low <= target < found.value or found.value <= target < high
    return not on_the_other_side


def _small(low: float | None, high: float | None, n: int) -> str:
    if low is None or high is None or high - low < 0.1:
        return ""
    return f"; with n = {n} the share may lie anywhere from {low:.0%} to {high:.0%}"
