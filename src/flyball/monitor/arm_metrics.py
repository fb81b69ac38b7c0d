"""Metrics of a rollout's two arms, from rows whose labels have matured: the evidence of `guardrails.metrics`.

A row counts if chance assigned its unit: while a canary of this rollout ran, by its weight, and for the first time (in
the rollout, for what can only stop it; in the step, for what lets it go on). It counts for the arm that it was assigned
to. Both arms wait for the same label window, so quick labels of one arm are no sample of their own; and as a check on
that, labelled units must come from the arms as they were assigned.

A step may go on with other shares: a row has the weight of its own epoch, and the step's evidence is of all its epochs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from flyball.core.arms import CANDIDATE, CHAMPION
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.routing import WHOLE
from flyball.core.service import Service
from flyball.monitor.labels import HeldPane, Place
from flyball.monitor.metric_values import bounds, opened, row_values
from flyball.monitor.realised.labelled_rows import LabelledRows
from flyball.monitor.realised.tally import Floats, Ints
from flyball.stats.experiment.ratio_epochs import RatioEpochs
from flyball.stats.sequential_tests.arm_means import ArmMeans

Mask = npt.NDArray[np.bool_]
MOST_UNITS = 1_000_000  # of one rollout that are told apart; some sixty bytes each


@dataclass(kw_only=True)
class ArmMetrics:
    """Follows one rollout at a time; another one begins anew. State: some sums a metric and group, and who was seen."""

    service: Service
    rows_of: Callable[[HeldPane], LabelledRows | None]
    trial: MetricTrial | None = None
    _seen: set[int] = field(default_factory=set)
    _seen_in_step: set[int] = field(default_factory=set)
    _rollout: dict[tuple[int, str], ArmMeans] = field(default_factory=dict)  # by guardrail and group
    _step: dict[int, ArmMeans] = field(default_factory=dict)  # by guardrail
    _arms: RatioEpochs = field(default_factory=RatioEpochs)

    def follow(self, trial: MetricTrial | None) -> None:
        """Which rollout runs now, and which step of it; None: none does."""
        before, self.trial = self.trial, trial
        if before is None or trial is None or before.rollout != trial.rollout:
            self._seen, self._rollout, self._arms = set(), {}, RatioEpochs()
            before = None
        if before is None or trial is None or before.epoch != trial.epoch:
            self._seen_in_step, self._step = set(), {}

    def judged(self, places: Sequence[Place]) -> None:
        """Rows whose time has come, in their order; those without a label say nothing."""
        if self.trial is None or not self.trial.weights:
            return
        by_pane: dict[int, tuple[HeldPane, list[int]]] = {}
        for held, at in places:
            if held.labels[at] is not None and held.usable[at]:
                by_pane.setdefault(id(held), (held, []))[1].append(at)
        for held, offsets in by_pane.values():
            labelled = self.rows_of(held)
            if labelled is not None:
                self._pane(held, labelled, np.array(offsets, dtype=np.int64), self.trial)

    def evidence(self) -> tuple[MetricEvidence, ...]:
        """What it comes to, metric by metric, all rows before the groups."""
        return tuple(self._told(index, group, means) for (index, group), means in sorted(self._rollout.items()))

    def _told(self, index: int, group: str, means: ArmMeans) -> MetricEvidence:
        rail = self.service.rollout.guardrails.metrics[index]
        step = self._step.get(index, ArmMeans())
        low, high = bounds(rail, self.service)
        return MetricEvidence(
            name=rail.name,
            group=group,
            candidate=means.candidate,
            champion=means.champion,
            candidate_mean=low + (high - low) * means.candidate_mean if means.candidate else None,
            champion_mean=low + (high - low) * means.champion_mean if means.champion else None,
            log_e_worse=means.now_worse if group else means.most_worse,
            log_e_fine=0.0 if group else step.most_fine,
            step_candidate=0 if group else step.candidate,
            step_champion=0 if group else step.champion,
            log_e_arms=self._arms.log_e,
            full=len(self._seen) >= MOST_UNITS,
        )

    def _pane(self, held: HeldPane, labelled: LabelledRows, rows: Ints, trial: MetricTrial) -> None:
        frame = held.frame.select("unit", "arm", "epoch")[rows.tolist()]
        mine = (frame["arm"] == CANDIDATE).to_numpy()
        epochs = frame["epoch"].to_numpy()
        weight = np.array([trial.weights.get(epoch, 0) for epoch in epochs.tolist()])
        by_chance = (weight > 0) & (weight < WHOLE) & (mine | (frame["arm"] == CHAMPION).to_numpy())
        units = [_short(unit) for unit in frame["unit"].to_list()]
        first = _first(units, by_chance, self._seen)
        in_step = _first(units, by_chance & (epochs >= trial.epoch), self._seen_in_step)
        if not (first.any() or in_step.any()):
            return
        self._count_arms(epochs, mine, first, trial)
        shares = weight / WHOLE
        groups = list(labelled.groups(rows))
        for index, values in enumerate(self._values(labelled, rows, otherwise=trial.candidate)):
            told = ~np.isnan(values)
            column = values, mine, shares
            self._rollout[index, ""] = self._added(self._rollout.get((index, "")), index, first & told, column)
            self._step[index] = self._added(self._step.get(index), index, in_step & told, column)
            for group, inside in groups:
                if (here := first & told & inside).any():
                    key = index, group
                    self._rollout[key] = self._added(self._rollout.get(key), index, here, column)

    def _count_arms(self, epochs: npt.NDArray[np.int64], mine: Mask, first: Mask, trial: MetricTrial) -> None:
        for epoch in np.unique(epochs[first]).tolist():
            here, share = first & (epochs == epoch), trial.weights[epoch] / WHOLE
            candidate = int(mine[here].sum())
            self._arms = self._arms.plus(epoch, (1 - share, share), (int(here.sum()) - candidate, candidate))

    def _added(self, before: ArmMeans | None, index: int, here: Mask, column: tuple[Floats, Mask, Floats]) -> ArmMeans:
        means = before or opened(self.service.rollout.guardrails.metrics[index], self.service)
        values, mine, shares = column
        return means.plus(values[here], mine[here], shares[here])

    def _values(self, labelled: LabelledRows, rows: Ints, *, otherwise: str) -> list[Floats]:
        """Of each guardrail the value of each row, 0..1, NaN: it has none; shape [rows]."""
        rails = self.service.rollout.guardrails.metrics
        found = [np.full(rows.size, np.nan) for _ in rails]
        for places, batch in labelled.batches(rows, otherwise=otherwise):
            for rail, values in zip(rails, found, strict=True):
                values[places] = row_values(rail, batch, self.service)
        return found


def _short(unit: str | None) -> int:
    """Eight bytes that tell units apart, the same in every process: who was seen is kept between them."""
    return int.from_bytes(blake2b((unit or "").encode(), digest_size=8).digest(), "big")


def _first(units: Sequence[int], by_chance: Mask, seen: set[int]) -> Mask:
    """Which rows are the first of their unit, shape [n]; from now on they are not."""
    found = np.zeros(len(units), dtype=bool)
    for at in np.flatnonzero(by_chance).tolist():
        if units[at] not in seen and len(seen) < MOST_UNITS:
            seen.add(units[at])
            found[at] = True
    return found
