"""How well the service is: from the newest panes and windows, what is on the ledger, and what is measured around it.

The ledger is the memory: what it says of the service's health is where the next judgement begins, so a controller that
starts anew goes on from there. Only since when a sign is gone is remembered beside it; who begins asks the panes, and
where they do not say so waits anew.

A look costs nothing where nothing was sealed, written or measured since the one before, and no moment has come at
which the passing of time alone could change the answer.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from flyball.control.reconcile import tallies as counts
from flyball.control.reconcile.beginnings import with_beginnings
from flyball.control.reconcile.labelled import loss_of, trend_of
from flyball.control.reconcile.origins import asked_since, named_until, of_our_making, surely_real, with_origins
from flyball.control.reconcile.tallies import Tallies
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.contract import ServiceLevel
from flyball.core.health import Health, SignKind
from flyball.core.ids import ServiceName
from flyball.core.ports import Segment
from flyball.core.service import Service
from flyball.core.surroundings import Surroundings
from flyball.core.watching import WindowReport
from flyball.decide.health import (
    Counted,
    Judging,
    Latency,
    Reading,
    Readings,
    Unlabelled,
    Vitals,
    due,
    judge,
    latency_limit_ms,
    readings,
    resumed,
    same,
)
from flyball.decide.incident import broken_now

AGAIN_S = 30.0  # how often rates are looked at while no pane comes: the oldest rows leave the span
NEWEST = 0.2  # of the span: what begins is seen there first
PARTS = 3  # of the time after which a service is FAILED
ENOUGH_LABELS = 50  # before that nobody can say that they used to come
OF_RATES: tuple[SignKind, ...] = ("errors", "availability", "fallback", "latency")  # that panes alone show
OF_AGE = ("latency", "freshness")  # service levels that say how old a value of a column may be
NOTHING = Surroundings()


class HealthWatch:
    """Of one service. Feed it every pane, and ask it at every look."""

    def __init__(
        self,
        service: Service,
        *,
        around: Callable[[], Surroundings] = lambda: NOTHING,
        levels: Sequence[ServiceLevel] = (),
    ) -> None:
        """Args: around: what is measured beside the log, the same object as long as it is the same. levels: that the
        data contract promises, in a world whose clock is the one of the data."""
        self._service, self._rules, self._around = service, service.monitor.health, around
        self._levels = [level for level in levels if level.name in OF_AGE and level.column is not None]
        self._tallies = Tallies()
        self._champion: str | None = None  # of the newest pane
        self._judging = Judging()
        self._agreed = Judging()  # the newest that says what the ledger says
        self._asked: tuple[ServiceState, Surroundings, int] | None = None
        self._first = True  # nobody has looked yet
        self._panes = 0
        self._due = ""
        self._facts: tuple[e.AnyFact, ...] = ()

    def memory(self) -> dict[str, Any]:
        """Of the panes. The last answer is on the ledger: with or without a checkpoint one goes on from there."""
        return {"tallies": self._tallies, "champion": self._champion}

    def recall(self, memory: dict[str, Any]) -> None:
        self._tallies, self._champion = memory["tallies"], memory["champion"]
        self._judging = self._agreed = Judging()
        self._asked, self._first = None, True

    @property
    def health(self) -> Health:
        """As of the newest look, figures and all."""
        return self._judging.health

    @property
    def around(self) -> Surroundings:
        """As measured now."""
        return self._around()

    def take(self, segment: Segment, champion: str | None) -> None:
        """One pane, and who was champion in it."""
        if champion != self._champion:
            self._champion = champion
            self._tallies.begin()
        keep_s = max(self._rules.failed_s, self._rules.span_s)
        first = self._rules.baseline_rows
        self._tallies.take(segment, keep_s=keep_s, first_rows=first, levels=self._levels)
        self._panes += 1

    def look(self, state: ServiceState, now: str, reports: Sequence[WindowReport]) -> tuple[e.AnyFact, ...]:
        """The fact that the ledger lacks, if there is one. Args: reports: newest windows of the present champion."""
        around = self._around()
        asked = self._asked
        known = asked is not None and asked[0] is state and asked[1] is around and asked[2] == self._panes
        if known and (not self._due or now < self._due):
            return self._facts
        self._facts = self._look(state, now, reports, around)
        self._asked = (state, around, self._panes)
        return self._facts

    def _look(
        self, state: ServiceState, now: str, reports: Sequence[WindowReport], around: Surroundings
    ) -> tuple[e.AnyFact, ...]:
        told, now_s = state.health, moment(now).timestamp()
        if same(self._judging.health, told.health):
            self._agreed = self._judging
        else:
            stood = any(sign.severity != "warning" for sign in told.health.signs)  # until now, as far as anybody knows
            self._agreed = resumed(told.health, now if stood else told.critical_at, self._agreed)
            if self._first:
                self._agreed = replace(self._agreed, gone=self._gone(state, now, reports))
        self._first = False
        self._tallies.drop(now_s - max(self._rules.failed_s, self._rules.span_s))
        vitals = self._vitals(state, now_s, reports, around)
        found = self._with_beginnings(readings(vitals, self._service), state, reports, vitals)
        found = replace(found, at_once=of_our_making(told.health, state.healing.tried.values()))
        judging = judge(found, self._rules, self._agreed, now)
        health = self._with_origins(judging, state, now, reports, around)
        self._judging = replace(judging, health=health)
        self._due = self._next(now_s, around, vitals, state)
        if same(self._judging.health, told.health):
            return ()
        fact = e.HealthChanged(
            service=ServiceName(state.service), health=self._judging.health, previous=told.health.state
        )
        return (fact,)

    def _with_origins(
        self, judging: Judging, state: ServiceState, now: str, reports: Sequence[WindowReport], around: Surroundings
    ) -> Health:
        drilled, health, before = state.healing.drilled, judging.health, state.health.health
        real: dict[str, Reading] = {}
        incident = state.incidents.open.get(state.incident.incident) if state.incident is not None else None
        for at_s, kinds in asked_since(health, before, drilled).items():
            found, newer = self._since(at_s, state, now, reports, around)
            made = drilled.get(incident.drill if incident is not None else "") or tuple(drilled.values())[-1]
            begun_s = moment(made.at).timestamp()
            older = [report for report in reports if report.end and report.end <= begun_s]
            sure = surely_real(found, newer, older, [one.begun.kind for one in state.healing.standing])
            real |= {key: each for key, each in sure.items() if each.kind in kinds}
        return with_origins(
            health,
            before,
            drilled,
            real,
            now,
            waiting=judging.gone.keys() | judging.unseen.keys(),
            of_data=incident.drill if incident is not None else None,
        )

    def _since(
        self, at_s: float, state: ServiceState, now: str, reports: Sequence[WindowReport], around: Surroundings
    ) -> tuple[Readings, list[WindowReport]]:
        """What was measured after that moment alone, and the windows that began after it."""
        newer = [report for report in reports if report.start >= at_s]
        around = Surroundings(probes=around.probed_since(at_s))
        vitals = self._vitals(state, moment(now).timestamp(), newer, around, since=at_s)
        found = readings(vitals, self._service)
        return self._with_beginnings(found, state, newer, vitals, since=at_s), newer

    def _gone(self, state: ServiceState, now: str, reports: Sequence[WindowReport]) -> dict[str, str]:
        """Signs of rates that were well below their limits in all panes of the time after which a sign is dropped:
        nobody looked, and what was over then is not over from now on."""
        at = moment(now) - timedelta(seconds=self._rules.clear_s)
        gone = dict.fromkeys(self._well(state, at.timestamp(), reports, unseen=False), timestamp(at))
        while (at := at + timedelta(seconds=self._rules.span_s)) < moment(now):
            well = self._well(state, at.timestamp(), reports, unseen=True)
            gone = {key: since for key, since in gone.items() if key in well}
        return gone

    def _well(self, state: ServiceState, at_s: float, reports: Sequence[WindowReport], *, unseen: bool) -> set[str]:
        """Of the signs on the ledger those that no pane of the time before that moment showed. Unseen: with those of
        which there was nothing to see."""
        found = readings(self._vitals(state, at_s, reports, NOTHING), self._service).found
        measured = {each.key: each for each in found}
        probed = self._service.serving.probes is not None  # a probe may fail where all rows are answered
        kinds = [kind for kind in OF_RATES if kind != "availability" or not probed]
        keys = {sign.key for sign in state.health.health.signs if sign.kind in kinds}
        return {key for key in keys if (measured[key].holds is None if key in measured else unseen)}

    def _vitals(
        self,
        state: ServiceState,
        now_s: float,
        reports: Sequence[WindowReport],
        around: Surroundings,
        *,
        since: float = 0.0,
    ) -> Vitals:
        """Since: seconds since the epoch; what was seen before is left out."""
        rules, tallies = self._rules, self._tallies
        mine = state.champion is not None and self._champion == state.champion
        acted = max(_acted(state), since)
        newest = tallies.within(now_s - rules.span_s, now_s) if mine else []
        newest = [pane for pane in newest if pane.start >= acted]  # what was counted before says nothing of now
        soon = [pane for pane in newest if pane.end > now_s - NEWEST * rules.span_s]
        silent = None if tallies.rows_at is None else max(0.0, now_s - max(tallies.rows_at, since))
        unlabelled = self._unlabelled(now_s, reports)
        return Vitals(
            champion=state.champion is not None,
            silent_s=silent,
            errors=counts.errors(newest) if newest else None,
            errors_now=counts.errors(soon) if newest else None,
            failing=self._failing(now_s, since=acted) if newest else (),
            unanswered=counts.unanswered(newest) if newest else None,
            unanswered_now=counts.unanswered(soon) if newest else None,
            fallbacks=counts.fallbacks(newest) if newest else None,
            refused=counts.refused(newest) if newest else None,
            latency=self._latency(newest) if newest else None,
            loss=loss_of(reports, unlabelled, self._service.monitor),
            trend=trend_of(reports, self._service.monitor),
            unlabelled=unlabelled,
            late=tallies.late if newest else (),
            windows=len(reports),
            signals=reports[-1].signals if reports else (),
            incident=broken_now(state.incident, reports),
            around=replace(around, probes=around.probed_since(now_s - rules.span_s)),
        )

    def _with_beginnings(
        self,
        found: Readings,
        state: ServiceState,
        reports: Sequence[WindowReport],
        vitals: Vitals,
        *,
        since: float = 0.0,
    ) -> Readings:
        """Since: seconds since the epoch; what is told of then began later, whatever stands."""
        standing = set[str]() if since else {sign.key for sign in self._agreed.health.signs}
        panes = [pane for pane in self._tallies.panes if pane.start >= max(_acted(state), since)]
        labelled = vitals.loss is not None and not vitals.loss.estimated
        return with_beginnings(found, standing, panes, reports if labelled else (), self._rules, state.alerts.gone)

    def _failing(self, now_s: float, *, since: float) -> tuple[Counted, ...]:
        """By parts of `failed_s`; a part without rows is one all the same. `since`: older panes count in none."""
        part_s = self._rules.failed_s / PARTS
        starts = [now_s - part_s * part for part in range(PARTS, 0, -1)]
        parts = [self._tallies.within(start, start + part_s) for start in starts]
        return tuple(counts.errors([pane for pane in part if pane.start >= since]) for part in parts)

    def _latency(self, newest: Sequence[counts.PaneTally]) -> Latency | None:
        base, found = self._tallies.baseline_ms(self._rules.baseline_rows), counts.latency(newest)
        if base is None or not found.sum():
            return None
        limit = latency_limit_ms(base, self._rules)
        return Latency(
            baseline_ms=base, beyond=counts.slower(found, limit), p95_ms=counts.quantile_ms(found, counts.P95)
        )

    def _unlabelled(self, now_s: float, reports: Sequence[WindowReport]) -> Unlabelled | None:
        tallies = self._tallies
        labels = next((report.labels for report in reversed(reports) if report.labels is not None), None)
        if tallies.labels < ENOUGH_LABELS or labels is None or labels.p99_s is None:
            return None
        waited = max(0.0, now_s - tallies.waiting_at) if tallies.waiting_at is not None else 0.0
        return Unlabelled(waited_s=waited, usual_s=max(labels.p99_s, tallies.longest_s))

    def _next(self, now_s: float, around: Surroundings, vitals: Vitals, state: ServiceState) -> str:
        """When to judge again though nothing has come."""
        moments = [due(self._judging, self._rules), named_until(self._judging.health, state.healing.drilled)]
        if self._tallies.panes or around.probes:
            moments.append(_at(now_s + AGAIN_S))
        if self._tallies.rows_at is not None and self._rules.silent_s is not None:
            end = self._tallies.rows_at + self._rules.silent_s
            moments += [_at(end)] if end >= now_s else []
        if vitals.unlabelled is not None and not vitals.unlabelled.missed(self._rules):
            left_s = vitals.unlabelled.limit_s(self._rules) - vitals.unlabelled.waited_s
            moments.append(_at(now_s + max(AGAIN_S, left_s)))
        return min((each for each in moments if each), default="")


def _acted(state: ServiceState) -> float:
    """When healing acted last, seconds since the epoch; 0: never."""
    return moment(state.healing.acted_at).timestamp() if state.healing.acted_at else 0.0


def _at(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
