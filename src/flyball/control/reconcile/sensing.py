"""The loop's eyes: sealed telemetry goes through the monitor, and what `decide` makes of the windows comes back.

It remembers only what feeding all segments again would restore, so a controller that starts anew simply looks again.
Windows of a champion that no longer serves say nothing about the present one and are forgotten (anti-windup).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from flyball.control.decision import Learning, elapsed_s
from flyball.control.reconcile.loop import Seen
from flyball.control.state import ServiceState
from flyball.core import events as e
from flyball.core.ports import Segment, Telemetry
from flyball.core.routing import PairEvidence
from flyball.core.service import Service
from flyball.core.watching import WindowReport
from flyball.decide.incident import incident_fact, supply
from flyball.decide.signals import signal_facts
from flyball.decide.triggers import History, wish

if TYPE_CHECKING:
    import polars as pl


class Watching(Protocol):
    """The monitor's verb, as far as the loop needs it."""

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]: ...

    def captured(self, rows: int, since_row: int | None = None) -> "pl.DataFrame | None": ...

    def matured_rows(self, since_row: int) -> int: ...

    def pairs(self, candidate: str) -> PairEvidence | None: ...


class TelemetrySensor:
    """`Sensor` over a service's sealed segments."""

    def __init__(self, service: Service, telemetry: Telemetry, watching: Watching) -> None:
        self._service, self._telemetry, self.watching = service, telemetry, watching
        self._after = -1  # index of the newest pane that was fed
        self._champion: str | None = None  # of that pane
        self._reports: list[WindowReport] = []  # of that champion
        self.row = 0  # stream position of the newest sealed row

    def look(self, state: ServiceState, now: str) -> Seen:
        """Feed what was sealed since the last look, and say what follows from it."""
        for segment in self._telemetry.sealed(state.service, self._after):
            self._feed(segment, state)
        labels = self.watching.pairs(state.rollout.release) if state.rollout else None
        if self._champion != state.champion or state.champion is None:
            return Seen(learning=Learning(row=self.row), labels=labels)
        return Seen(learning=self._learning(state, now), watched=self._watched(state), labels=labels)

    def _feed(self, segment: Segment, state: ServiceState) -> None:
        champion = _serving(segment) or self._champion or state.champion
        self._after, self.row = segment.pane.index, max(self.row, segment.pane.last_row)
        if champion is None:
            return
        if champion != self._champion:
            self._champion, self._reports = champion, []
        self._reports += self.watching.feed(segment, champion=champion)

    def _watched(self, state: ServiceState) -> tuple[e.AnyFact, ...]:
        """Signals and incidents that the ledger does not know yet, or knows as they no longer are."""
        if not self._reports:
            return ()
        raised = [fact.signal for fact in state.signals.values()]
        facts: list[e.AnyFact] = list(signal_facts(state.service, self._reports[-1], raised))
        incident = incident_fact(
            state.service,
            self._reports,
            self._service.monitor,
            running=state.incident,
            accepted_row=state.accepted_row,
        )
        if incident is not None:
            facts.append(incident)
        return tuple(facts)

    def _learning(self, state: ServiceState, now: str) -> Learning:
        champion = state.releases.get(state.champion or "")
        learned = champion.last_row if champion else 0
        new_rows = self.watching.matured_rows(max(learned + 1, state.normal_since_row))
        if not self._reports:
            return Learning(row=self.row, new_rows=new_rows)
        settled = supply(self._reports, self._service.monitor, accepted_row=state.accepted_row).settled
        wanted = wish(self._reports, self._service, history=_history(state, now), settled=settled)
        return Learning(
            fired=wanted.fired,
            why=wanted.why,
            waiting_for=wanted.waiting_for,
            diagnosis=wanted.diagnosis,
            evidence=wanted.evidence,
            row=self.row,
            new_rows=new_rows,
        )


def _history(state: ServiceState, now: str) -> History:
    return History(
        since_training_s=elapsed_s(state.retrained_at, now) if state.retrained_at else None,
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
