"""Objectives as rules of Prometheus: error ratios are recorded over each window, alerts compare them by pairs.

What is recorded of an objective has the labels `service` and `slo` and nothing else, so that alerts combine series by
plain `and`. Alerts ask the same pairs, thresholds and guard as the budgets from our own panes (`decide.objectives`);
they have no memory, and end where the short window falls below the threshold.

`scale` shrinks every window by the same factor and leaves all else as it is: a test of minutes for rules of days.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from flyball.app.slo.runbook_links import BY_SLI, SILENT, SPENT
from flyball.contracts.openslo.own_queries import queries_of
from flyball.core.declared.objectives import Objective, Slo, window_of
from flyball.core.promised import objectives_of
from flyball.core.record import Record
from flyball.core.runbook_link import link
from flyball.core.service import Service
from flyball.decide.objectives.burning import LEAST_BUDGET, LOW_TRAFFIC, Pair, pairs_of, threshold
from flyball.decide.objectives.slots import HOUR_S

MINUTE_S = 60.0
_SELECTOR = "[a-zA-Z_:][a-zA-Z0-9_:]*"
Rule = dict[str, Any]


class Links(Record):
    """Where alerts lead."""

    runbooks: str
    dashboard: str | None = None


def rules_text(service: Service, links: Links, *, scale: float = 1.0) -> str:
    """A file of rules. Args: scale: of every window; anything but 1 is for tests."""
    yaml = YAML()
    yaml.width = 4096  # an expression stays on its line
    written = StringIO()
    yaml.dump(rules(service, links, scale=scale), written)
    return written.getvalue()


def rules(service: Service, links: Links, *, scale: float = 1.0) -> dict[str, Any]:
    """The same as plain values."""
    groups: list[dict[str, Any]] = []
    for objective in objectives_of(service):
        each = _Rules(service.metadata.name, objective, service.slo or Slo(), links, scale)
        name = f"{each.service}-{objective.name}"
        recorded, alerts = list(each.recorded()), list(each.alerts())
        groups.append({"name": f"flyball-slo-recordings-{name}", "rules": recorded} | each.every())
        groups.append({"name": f"flyball-slo-alerts-{name}", "rules": alerts} | each.every())
    return {"groups": groups}


class _Rules:
    """Of one objective."""

    def __init__(self, service: str, objective: Objective, slo: Slo, links: Links, scale: float) -> None:
        self.service, self._objective, self._slo, self._links = service, objective, slo, links
        self._scale, self._queries = scale, queries_of(service, objective)
        self._labels = {"service": service, "slo": objective.name}
        self._sliced = objective.method != "Occurrences"

    def every(self) -> dict[str, str]:
        """A shrunk window needs a shorter interval than Prometheus's own."""
        return {} if self._scale == 1.0 else {"interval": "1s"}

    def recorded(self) -> Iterator[Rule]:
        objective = self._objective
        yield self._record("slo:objective:ratio", f"vector({objective.target!r})")
        if self._sliced:
            yield self._record(self._slice_name, self._ratio(objective.slice_s or 300.0))
        for window_s in sorted({*self._windows(), window_of(objective)}):
            yield self._record(f"slo:sli_error:ratio_rate{_name(window_s)}", self._error_ratio(window_s))
        hours = {HOUR_S, LOW_TRAFFIC.short_s, LOW_TRAFFIC.long_s, window_of(objective)}
        for window_s in sorted(hours):
            yield self._record(
                f"slo:sli_events:increase{_name(window_s)}", self._increase(self._queries.total, window_s)
            )
            yield self._record(f"slo:sli_bad_events:increase{_name(window_s)}", self._bad(window_s))
        yield self._record("slo:error_budget_left:ratio", self._left())

    def alerts(self) -> Iterator[Rule]:
        for pair in pairs_of(self._objective):
            yield self._burn(pair)
        if not self._sliced:
            yield self._low_traffic()
        yield self._spent()
        yield self._silent()

    def _burn(self, pair: Pair) -> Rule:
        limit = threshold(pair.factor, self._objective)
        short, long = (self._series(f"slo:sli_error:ratio_rate{_name(each)}") for each in (pair.short_s, pair.long_s))
        asked = [f"{short} > {limit!r}", f"{long} > {limit!r}"]
        if not self._sliced:  # a slice is one event, so there are never many
            asked.append(f"{self._series(f'slo:sli_events:increase{_name(HOUR_S)}')} > {self._slo.min_events}")
        capped = limit < pair.factor * self._objective.budget
        reached = f", capped at {limit:.3%} since {pair.factor:g} times as many cannot be" if capped else ""
        return self._alert(
            "ErrorBudgetBurn",
            " and ".join(asked),
            pair.urgency,
            summary=f"{self._objective.name} of {self.service} burns its error budget {pair.factor:g} times too fast",
            description=f"{{{{ $value | humanizePercentage }}}} of the events of the last {_name(pair.short_s)} were "
            f"bad, and too many over {_name(pair.long_s)}; {self._objective.budget:.4%} may be{reached}.",
            burn=f"{pair.factor:g}",
        )

    def _low_traffic(self) -> Rule:
        pair, slo = LOW_TRAFFIC, self._slo
        limit = threshold(pair.factor, self._objective)
        series = [
            f"{self._series(f'slo:sli_bad_events:increase{_name(pair.long_s)}')} > {slo.low_traffic_errors - 0.5}",
            f"{self._series(f'slo:sli_bad_events:increase{_name(pair.short_s)}')} > 0",
            f"{self._series(f'slo:sli_error:ratio_rate{_name(pair.long_s)}')} > {limit!r}",
            f"{self._series(f'slo:sli_events:increase{_name(HOUR_S)}')} <= {slo.min_events}",
        ]
        return self._alert(
            "ErrorBudgetBurnLowTraffic",
            " and ".join(series),
            self._objective.urgency,
            summary=f"{self._objective.name} of {self.service}: errors pile up at little traffic",
            description=f"{{{{ $value | humanize }}}} bad events in {_name(pair.long_s)}, the newest in the last "
            f"{_name(pair.short_s)}; with at most {slo.min_events} events an hour a burn rate would say nothing.",
        )

    def _spent(self) -> Rule:
        return self._alert(
            "ErrorBudgetSpent",
            f"{self._series('slo:error_budget_left:ratio')} <= 0",
            "ticket",
            runbook=SPENT,
            summary=f"{self._objective.name} of {self.service}: nothing is left of its error budget",
            description=f"{{{{ $value | humanizePercentage }}}} of the budget of "
            f"{_name(window_of(self._objective))} is left.",
        )

    def _silent(self) -> Rule:
        """Nothing measured is no good service."""
        rule = self._alert(
            "ObjectiveNotMeasured",
            f"absent({self._queries.total})"
            if self._plain(self._queries.total)
            else f"absent(({self._queries.total}))",
            "ticket",
            runbook=SILENT,
            summary=f"{self._objective.name} of {self.service} is not measured",
            description="Prometheus has no series of its events: nobody knows whether the promise is kept.",
        )
        return rule | {"for": _span(10 * MINUTE_S * self._scale)}

    def _windows(self) -> tuple[float, ...]:
        found = {each for pair in pairs_of(self._objective) for each in (pair.long_s, pair.short_s)}
        return tuple(sorted(found | {LOW_TRAFFIC.short_s, LOW_TRAFFIC.long_s}))

    @property
    def _slice_name(self) -> str:
        return f"slo:sli_slice_error:ratio_rate{_name(self._objective.slice_s or 300.0)}"

    def _error_ratio(self, window_s: float) -> str:
        return self._slices("avg", window_s) if self._sliced else self._ratio(window_s)

    def _slices(self, how: str, window_s: float) -> str:
        """Bad slices of a window: their `avg`, `sum` or `count`; a slice without events is none."""
        slice_ = self._series(self._slice_name)
        if self._objective.method == "Timeslices":
            slice_ = f"({slice_} > bool {1 - (self._objective.slice_target or self._objective.target):.12g})"
        step = _span((self._objective.slice_s or 300.0) * self._scale)
        return f"{how}_over_time({slice_}[{_span(window_s * self._scale)}:{step}])"

    def _ratio(self, window_s: float) -> str:
        """Share of bad events; no sample where there was no event, which is not 0."""
        queries = self._queries
        total = f"sum({self._over('rate', queries.total, window_s)})"
        if queries.bad:
            return f"(sum({self._over('rate', queries.bad, window_s)}) or vector(0)) / ({total} > 0)"
        return f"1 - (sum({self._over('rate', queries.good, window_s)}) or vector(0)) / ({total} > 0)"

    def _increase(self, query: str, window_s: float) -> str:
        return f"sum({self._over('increase', query, window_s)})"

    def _bad(self, window_s: float) -> str:
        queries = self._queries
        if queries.bad:
            return f"{self._increase(queries.bad, window_s)} or vector(0)"
        total, good = self._increase(queries.total, window_s), self._increase(queries.good, window_s)
        return f"clamp_min({total} - ({good} or vector(0)), 0)"

    def _left(self) -> str:
        if self._sliced:
            bad, total = (self._slices(how, window_of(self._objective)) for how in ("sum", "count"))
        else:
            window = _name(window_of(self._objective))
            bad, total = (self._series(f"slo:sli_{each}:increase{window}") for each in ("bad_events", "events"))
        return f"1 - {bad} / clamp_min({self._objective.budget:.12g} * ({total} > 0), {LEAST_BUDGET:g})"

    def _over(self, function: str, query: str, window_s: float) -> str:
        """A counter over a window: a plain selector takes it, anything else is asked as a subquery."""
        span = _span(window_s * self._scale)
        return f"{function}({query}[{span}])" if self._plain(query) else f"{function}(({query})[{span}:])"

    @staticmethod
    def _plain(query: str) -> bool:
        return re.fullmatch(_SELECTOR + r"\s*(\{[^{}]*\})?", query.strip()) is not None

    def _series(self, name: str) -> str:
        return f'{name}{{service="{self.service}",slo="{self._objective.name}"}}'

    def _record(self, name: str, expression: str) -> Rule:
        return {"record": name, "expr": expression, "labels": dict(self._labels)}

    def _alert(
        self,
        name: str,
        expression: str,
        severity: str,
        *,
        summary: str,
        description: str,
        runbook: str | None = None,
        **labels: str,
    ) -> Rule:
        annotations: dict[str, str] = {
            "summary": summary,
            "description": description,
            "runbook_url": link(self._links.runbooks, runbook or BY_SLI[self._objective.sli]),
        }
        if self._links.dashboard is not None:
            annotations["dashboard_url"] = self._links.dashboard
        told: Mapping[str, str] = {"severity": severity, **self._labels, **labels}
        return {"alert": name, "expr": expression, "labels": dict(told), "annotations": annotations}


def runbooks_of(objectives: Sequence[Objective]) -> frozenset[str]:
    """Names that the alerts of these objectives link to."""
    return frozenset({BY_SLI[each.sli] for each in objectives} | {SPENT, SILENT})


def _name(seconds: float) -> str:
    """A window as its series are called, whatever the scale: `5m`, `1h`, `3d`.

    >>> _name(300.0), _name(86_400.0), _name(2_419_200.0), _name(90.0)
    ('5m', '1d', '28d', '90s')
    """
    for unit, name in ((86_400.0, "d"), (HOUR_S, "h"), (MINUTE_S, "m")):
        if seconds % unit == 0:
            return f"{seconds / unit:.0f}{name}"
    return f"{seconds:.0f}s"


def _span(seconds: float) -> str:
    """A duration of PromQL, in whole milliseconds.

    >>> _span(300.0), _span(0.75)
    ('5m', '750ms')
    """
    return _name(seconds) if seconds % 1 == 0 else f"{max(1, round(seconds * 1000))}ms"
