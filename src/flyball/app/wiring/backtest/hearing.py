"""What stands between a record and the production sensor: segments handed over tick by tick, reports overheard."""

from collections.abc import Iterable
from datetime import UTC, datetime

import polars as pl

from flyball.app.backtest.trials import TrialSeen
from flyball.app.wiring.loop.passed_on import PassedOn
from flyball.control.reconcile.sensing import Watching
from flyball.control.state.rollout_state import RolloutState, trial_of
from flyball.core.arms import CANDIDATE, CHAMPION
from flyball.core.clock import timestamp
from flyball.core.metric_evidence import MetricTrial
from flyball.core.ports import Segment
from flyball.core.routing import WHOLE
from flyball.core.watching import WindowReport


class Feed:
    """`core.ports.Telemetry` of what was fed and not yet read."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def sealed(self, service: str, after: int) -> Iterable[Segment]:  # noqa: ARG002 -- there is one service, in order
        segments, self.segments = self.segments, []
        return segments


class Overheard(PassedOn):
    """`Watching` whose reports are kept, and what it says of the arms of running rollouts."""

    def __init__(self, watching: Watching) -> None:
        super().__init__(watching)
        self.reports: list[WindowReport] = []
        self.trials: list[TrialSeen] = []
        self._rollout: RolloutState | None = None  # whose rows may be in the next pane
        self._ended = True
        self._candidate = self._champion = 0  # rows of its arms so far

    def follow(self, rollout: RolloutState | None) -> None:
        """Which rollout ran when the next pane was sealed. The pane in which one ends has its last rows."""
        self._ended = rollout is None
        if rollout is not None:
            if self._rollout is None or self._rollout.rollout != rollout.rollout:
                self._candidate = self._champion = 0
            self._rollout = rollout
        self._watching.compare(trial_of(rollout))

    def compare(self, trial: MetricTrial | None) -> None:
        """The sensor asks by the state before the pane; `follow` knows the one at its end."""

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        found = super().feed(segment, champion=champion)
        self.reports += found
        if self._rollout is not None and self._rollout.step is not None:
            self._note(self._rollout, self._rollout.step.index, segment)
        if self._ended:
            self._rollout = None
        return found

    def _note(self, rollout: RolloutState, step: int, segment: Segment) -> None:
        rows = segment.predictions
        if rows.height:
            weights = dict(rollout.weights)
            live = [epoch for epoch, weight in weights.items() if 0 < weight < WHOLE]
            arms = rows.filter(pl.col("epoch").is_in(live))["arm"]
            self._candidate += int((arms == CANDIDATE).sum())
            self._champion += int((arms == CHAMPION).sum())
        at = timestamp(datetime.fromtimestamp(segment.pane.end, UTC))
        self.trials.append(
            TrialSeen(
                rollout=rollout.rollout,
                step=step,
                at=at,
                row=segment.pane.last_row,
                candidate_rows=self._candidate,
                champion_rows=self._champion,
                metrics=self._watching.arm_metrics(),
                pairs=self._watching.pairs(rollout.release),
            )
        )
