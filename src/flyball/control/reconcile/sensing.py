"""The loop's eyes: sealed telemetry goes through the monitor, and what `decide` makes of the windows comes back.

It remembers only what feeding all segments again would restore, so a controller that starts anew simply looks again,
or goes on from a checkpoint (`checkpoint.py`).
Windows of a champion that no longer serves say nothing about the present one and are forgotten (anti-windup).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from flyball.control.decision import Learning, elapsed_s
from flyball.control.failure import Again, HalfCounted
from flyball.control.incidents.closing import with_times
from flyball.control.marks import Marks, marked
from flyball.control.pressing import pressing
from flyball.control.reconcile.budgeting import Budgeting
from flyball.control.reconcile.origins import origin_of_data
from flyball.control.reconcile.outlook import Seen
from flyball.control.reconcile.vitals import HealthWatch
from flyball.control.reconcile.windows import Windows
from flyball.control.state.rollout_state import trial_of
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment, Telemetry
from flyball.core.pressure import Pressure
from flyball.core.routing import PairEvidence
from flyball.core.service import Service
from flyball.core.watching import Pane, WindowReport
from flyball.decide.incident import heard, incident_fact, supply
from flyball.decide.lost_records import LostRecords
from flyball.decide.refused_access import refused_access
from flyball.decide.signals import signal_facts
from flyball.decide.triggers import History, Wish, dead_s, wish

if TYPE_CHECKING:
    import polars as pl


_MEMORY = ("_after", "_champion", "_windows", "_losses", "budgets", "pane", "row", "_marks")
Follows = tuple[tuple[e.AnyFact, ...], tuple[Pressure, ...], Wish]  # facts of the windows, pressures, what they ask


class Watching(Protocol):
    """The monitor's verb, as far as the loop needs it."""

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]: ...

    def captured(self, rows: int, since_row: int | None = None) -> "pl.DataFrame | None": ...

    def matured_rows(self, since_row: int) -> int: ...

    def pairs(self, candidate: str) -> PairEvidence | None: ...

    def compare(self, trial: MetricTrial | None) -> None: ...

    def arm_metrics(self) -> tuple[MetricEvidence, ...]: ...


class TelemetrySensor:
    """`Sensor` over a service's sealed segments."""

    def __init__(
        self, service: Service, telemetry: Telemetry, watching: Watching, *, health: HealthWatch | None = None
    ) -> None:
        """`health`: None: of the log alone."""
        self.health = health or HealthWatch(service)
        self._service, self._telemetry, self.watching = service, telemetry, watching
        self.handed_in = (service, service.monitor)
        self._after = -1  # index of the newest pane that was fed
        self.pane: Pane | None = None  # that pane
        self.fed = 0  # panes, by this process
        self._champion: str | None = None  # of that pane
        self._windows = Windows(service.monitor)  # of that champion
        self._folded: tuple[tuple[object, ...], Follows] | None = None
        self._counted: dict[int, int] = {}  # since which row -> labelled rows, as of the newest pane
        self._losses = LostRecords()
        self.budgets = Budgeting(service)
        self.row = 0  # stream position of the newest sealed row
        self._marks: Marks = ()
        self._half: Again | None = None  # it raised in the midst of a pane: only who feeds all anew knows more

    def memory(self) -> dict[str, Any]:
        """All that was made of the panes up to the newest; what can be computed from it is not in it."""
        return {name: getattr(self, name) for name in _MEMORY} | {"health": self.health.memory()}

    def recall(self, memory: dict[str, Any]) -> None:
        """Go on behind the panes that another sensor of this service was fed."""
        vars(self).update({name: memory[name] for name in _MEMORY})
        self.health.recall(memory["health"])
        self._losses.asked_anew()

    def look(self, state: ServiceState, now: str, *, dropped: int | None = None) -> Seen:
        """Feed what was sealed since the last look, and say what follows from it. What raised in the midst of a pane
        raises again at each look: the monitor has counted half of it, and going on would leave it out unseen."""
        if self._half is not None:
            self._half.throw()
        seen = self._look(state, now, dropped)
        reports = self._windows.reports if self._champion == state.champion else ()
        changed = (*self.health.look(state, now, reports), *self._refused(state, now))
        return replace(seen, changed=changed, health=self.health.health)

    def _refused(self, state: ServiceState, now: str) -> tuple[e.AnyFact, ...]:
        """Of clients that are refused. A controller that has just begun, and has not looked, says nothing of them."""
        found, standing = self.health.around.refused, state.health.refused
        if found is None or not (found or standing):
            return ()
        return refused_access(state.service, standing, found, now=now, calm_s=self._service.monitor.health.clear_s)

    def _look(self, state: ServiceState, now: str, dropped: int | None) -> Seen:
        self.watching.compare(trial_of(state.rollout))
        for segment in self._telemetry.sealed(state.service, self._after):
            try:
                self._losses.pane(segment.pane)
                try:
                    self._feed(segment, state)
                except Unavailable as away:
                    raise HalfCounted(str(away)) from away
            except Exception as error:
                self._half = Again(error)
                raise
        self._losses.counted(dropped)
        standing = any(fact.signal.signal == "capture" for fact in state.signals.values())
        lost = self._losses.fact(state.service, state.champion, standing=standing)
        watched: tuple[e.AnyFact, ...] = (*(() if lost is None else (lost,)), *self.budgets.facts(state.health, now))
        labels = self.watching.pairs(state.rollout.release) if state.rollout else None
        metrics = self.watching.arm_metrics()
        if self._champion != state.champion or state.champion is None:
            return Seen(
                learning=Learning(row=self.row, marks=self._marks), watched=watched, labels=labels, metrics=metrics
            )
        champion = state.releases.get(state.champion)
        learned = champion.last_row if champion else 0
        since = max(learned + 1, state.normal_since_row)
        learning = Learning(row=self.row, marks=self._marks, new_rows=self._new_rows(since))
        if self._service.retrain.new_data_rows is not None:
            learning = replace(learning, fresh_rows=self._new_rows(max(since, state.retrained_row + 1)))
        if not self._windows.reports:
            return Seen(learning=learning, watched=watched, labels=labels, metrics=metrics)
        facts, pressed, wanted = self._follows(state, _history(state, now, self._service))
        learning = replace(
            learning,
            fired=wanted.fired,
            why=wanted.why,
            waiting_for=wanted.waiting_for,
            diagnosis=wanted.diagnosis,
            evidence=wanted.evidence,
            pressures=pressed,
        )
        return Seen(learning=learning, watched=(*watched, *facts), labels=labels, metrics=metrics)

    def _feed(self, segment: Segment, state: ServiceState) -> None:
        champion = _serving(segment) or self._champion or state.champion
        self._after, self.row = segment.pane.index, max(self.row, segment.pane.last_row)
        self.pane, self.fed, self._marks = segment.pane, self.fed + 1, marked(self._marks, segment.pane)
        self._counted = {}
        self.health.take(segment, champion)
        if champion is None:
            self.budgets.take(segment, (), {})
            return
        if champion != self._champion:
            self._champion, self._windows, self._folded = champion, Windows(self._service.monitor), None
        reports = self.watching.feed(segment, champion=champion)
        self._windows.add(reports, word=state.accepted)
        release = state.releases.get(champion)
        self.budgets.take(segment, reports, release.metrics if release is not None else {})

    def _new_rows(self, since_row: int) -> int:
        """Labelled rows since then. Counted anew only where something was sealed: many thousand panes may be held."""
        if since_row not in self._counted:
            self._counted[since_row] = self.watching.matured_rows(since_row)
        return self._counted[since_row]

    def _follows(self, state: ServiceState, history: History) -> Follows:
        """What all windows say. The loop looks several times a second, and mostly nothing has changed since."""
        key = (self._windows.taken, state, history)
        if self._folded is None or not _same(self._folded[0], key):
            pressed = pressing(self._windows.reports, self._service, state)
            self._folded = key, (self._watched(state), pressed, self._wish(state, history, pressed))
        return self._folded[1]

    def _watched(self, state: ServiceState) -> tuple[e.AnyFact, ...]:
        """Signals and incidents that the ledger does not know yet, or knows as they no longer are."""
        windows = self._windows
        raised = [fact.signal for fact in state.signals.values()]
        facts: list[e.AnyFact] = list(signal_facts(state.service, windows.reports[-1], raised))
        running = state.incidents.open.get(state.incident.incident) if state.incident is not None else None
        incident = incident_fact(
            state.service,
            windows.reports,
            self._service.monitor,
            running=state.incident,
            moved=running is not None and _is_newer(state, running.champion),
            word=state.accepted,
            after=windows.supply_before,
        )
        if isinstance(incident, e.IncidentOpened):
            incident = replace(incident, drill=origin_of_data(state.healing.drilled, incident.began))
        if isinstance(incident, e.IncidentClosed):
            incident = with_times(incident, state.incidents.open[incident.incident])
        if incident is not None:
            facts.append(incident)
        return tuple(facts)

    def _wish(self, state: ServiceState, history: History, pressed: Sequence[Pressure]) -> Wish:
        windows, monitor = self._windows, self._service.monitor
        now = supply(windows.reports, monitor, word=state.accepted, after=windows.supply_before)
        return wish(
            windows.reports,
            self._service,
            history=history,
            settled=heard(now, state.accepted).settled,
            after=windows.streaks_before,
            pressed=pressed,
        )


def _same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    """The state is the same object as long as the ledger has nothing new of the service."""
    return before[1] is now[1] and (before[0], before[2]) == (now[0], now[2])


def _history(state: ServiceState, now: str, service: Service) -> History:
    """Of an earlier training: nothing changes any more once the trigger is no longer dead."""
    since_s = elapsed_s(state.retrained_at, now) if state.retrained_at else None
    return History(
        since_training_s=None if since_s is None else min(since_s, dead_s(service)),
        training_row=state.retrained_row,
        without_gain=state.without_gain,
    )


def _serving(segment: Segment) -> str | None:
    """The champion of a pane: who was asked for the newest row that was the champion's; None: nobody was."""
    rows = segment.predictions
    if not rows.height:
        return None
    releases: Sequence[str] = rows.filter(rows["arm"] == "champion")["release"].tail(1).to_list()
    return releases[0] if releases else None


def _is_newer(state: ServiceState, than: str) -> bool:
    """Whether the champion was registered after another release: a way back is to an older one and its reference."""
    order = list(state.releases)
    if state.champion in order and than in order:
        return order.index(state.champion) > order.index(than)
    return state.champion != than
