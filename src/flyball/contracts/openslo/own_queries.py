"""Our own indicators as Prometheus sees them: the counters of the gateway that count the same events as our panes.

The difference: rows of testers and pinned versions are in the counters, and not in the panes.
"""

import re

from flyball.core.declared.objectives import Objective, Sli
from flyball.core.record import Record

_LE = re.compile(r'^flyball_latency_seconds_bucket\{.*le="([^"]+)"')


class Queries(Record):
    """PromQL of counters: all events, and the good ones or the bad ones."""

    total: str
    good: str = ""
    bad: str = ""


def queries_of(service: str, objective: Objective) -> Queries:
    """What a rule asks.

    >>> queries_of("fraud", Objective(name="up", sli="availability", target=0.9)).bad
    'flyball_rows_total{service="fraud",outcome=~"failed|shed"}'
    """
    mine = f'service="{service}"'
    match objective.sli:
        case "availability":
            return Queries(
                total=f'flyball_rows_total{{{mine},outcome!="rejected"}}',
                bad=f'flyball_rows_total{{{mine},outcome=~"failed|shed"}}',
            )
        case "latency":
            limit_s = (objective.limit_ms or 0.0) / 1000
            return Queries(
                total=f"flyball_latency_seconds_count{{{mine}}}",
                good=f'flyball_latency_seconds_bucket{{{mine},le="{limit_s:g}"}}',
            )
        case "inputs":
            return Queries(
                total=f'flyball_rows_total{{{mine},outcome!="shed"}}',
                bad=f'flyball_rows_total{{{mine},outcome=~"quarantined|rejected"}}',
            )
        case "freshness" | "quality":
            own = f'flyball_objective_events_total{{{mine},objective="{objective.name}",what='
            return Queries(total=f'{own}"total"}}', good=f'{own}"good"}}')
        case _:
            return Queries(total=objective.total, good=objective.good, bad=objective.bad)


def recognised(service: str, name: str, queries: Queries) -> tuple[Sli, float | None] | None:
    """Which of our indicators these queries are, blanks apart, with the limit of a latency in ms; None: none of them.

    One that reads our metrics in another way counts other events, and stays a stranger's. Freshness and quality are
    known by their annotation only: what they ask does not say which of them it is.
    """
    le = _LE.match(_bare(queries.good))
    limit_ms = float(le[1]) * 1000 if le is not None and le[1] != "+Inf" else None
    kinds: tuple[Sli, ...] = ("availability", "inputs", *(("latency",) if limit_ms is not None else ()))
    for sli in kinds:
        own = queries_of(service, Objective(name=name, sli=sli, target=0.5, limit_ms=limit_ms))
        if all(_bare(getattr(own, each)) == _bare(getattr(queries, each)) for each in ("total", "good", "bad")):
            return sli, limit_ms if sli == "latency" else None
    return None


def _bare(query: str) -> str:
    return "".join(query.split())
