"""A rollout in a simulated world: units arrive, are drawn to an arm, err, and are counted as a gateway counts them."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName
from flyball.core.routing import WHOLE, ArmCounts, Routing, StepCounts, TestSums, Verdict
from flyball.core.service import Guardrails, Rollout, Step
from flyball.decide.rollout import advance, judge
from flyball.stats.sequential_tests.change_point import BOLDER, ChangePointEvidence
from flyball.stats.sequential_tests.sequential import increment

BATCH = 500  # units between two questions whether the step may be left
Flags = npt.NDArray[np.bool_]


def routing(*, weight: int = 1000, step: int = 2, guardrails: Guardrails | None = None) -> Routing:
    return Routing(
        service=ServiceName("s"),
        epoch=step + 1,
        champion=ReleaseRoot("a"),
        candidate=ReleaseRoot("b"),
        weight=weight,
        rollout=RolloutId("ro"),
        step=step,
        guardrails=guardrails or Guardrails(),
    )


def seen(
    *,
    candidate: ArmCounts | None = None,
    champion: ArmCounts | None = None,
    step_tests: TestSums | None = None,
    rollout_tests: TestSums | None = None,
    rollout_candidate: ArmCounts | None = None,
    pairs: int = 0,
    disagreements: int = 0,
    received: int = 0,
    dropped: int = 0,
    step: int = 2,
) -> StepCounts:
    return StepCounts(
        service=ServiceName("s"),
        epoch=step + 1,
        rollout=RolloutId("ro"),
        step=step,
        candidate=candidate or ArmCounts(),
        champion=champion or ArmCounts(),
        step_tests=step_tests or TestSums(),
        rollout_tests=rollout_tests or TestSums(),
        rollout_candidate=rollout_candidate or candidate or ArmCounts(),
        pairs=pairs,
        disagreements=disagreements,
        received=received,
        written=received - dropped,
        dropped=dropped,
    )


@dataclass
class Tally:
    """One guardrail: its sums, and the units since its last event."""

    ratio: float
    step: float = 0.0
    whole: tuple[float, float] = (0.0, 0.0)
    later: ChangePointEvidence = field(default_factory=ChangePointEvidence)
    units: int = 0
    theirs: int = 0

    @property
    def rollout(self) -> float:
        return self.later.log_e(self.whole)

    def event(self, is_candidate: bool, w: float) -> None:
        gained = (increment(is_candidate, w, self.ratio), increment(is_candidate, w, BOLDER * self.ratio))
        self.step += gained[0]
        self.whole = (self.whole[0] + gained[0], self.whole[1] + gained[1])
        self.later = self.later.observe(gained, 1)
        self.units = self.theirs = 0


@dataclass
class World:
    """Rates of an error and of a slow answer in each arm; `base` may move as the day goes, for both alike."""

    rng: np.random.Generator
    errors: tuple[float, float]  # champion, candidate
    slow: tuple[float, float]
    declared: Rollout = field(default_factory=Rollout)
    wave: float = 0.0  # the base rates move by this factor up and down
    most_units: int = 60_000  # a step is undecided after this many
    own_errors: int = 0
    batches: int = 0

    def run(self) -> Verdict:
        """The verdict that ended the rollout: PROMOTE of the last step, ROLL_BACK, or a HOLD that never ended."""
        tests = {
            "errors": Tally(self.declared.guardrails.errors.ratio),
            "slow": Tally(self.declared.guardrails.slow.ratio),
        }
        before = ArmCounts()
        verdict = Verdict(kind="HOLD", reason="no step")
        for index, step in enumerate(self.declared.steps):
            if step.kind in ("approval", "promote"):
                continue
            for tally in tests.values():  # a fresh test a step, and no interval across a change of weight
                tally.step, tally.units, tally.theirs = 0.0, 0, 0
            verdict, arm = self._step(step, index, tests, before)
            before = before.plus(arm)
            if verdict.kind != "PROMOTE":
                break
        return verdict

    def _step(self, step: Step, index: int, tests: dict[str, Tally], before: ArmCounts) -> tuple[Verdict, ArmCounts]:
        weight = step.canary.weight if step.canary else 0.5
        told = routing(
            weight=round(weight * WHOLE) if step.canary else 0, step=index, guardrails=self.declared.guardrails
        )
        ours, theirs = ArmCounts(), ArmCounts()
        pairs = 0
        for _ in range(self.most_units // BATCH):
            arms, events = self._batch(weight)
            for at in np.flatnonzero(events["errors"] | events["slow"]):
                self._count(tests, arms, events, int(at))
                if not arms[at]:
                    continue  # an event of the champion only lowers the sums: no answer can change to ROLL_BACK
                found = self._seen(index, tests, ours, theirs, before, arms[: at + 1], events, pairs)
                verdict = judge(told, found)
                if verdict.kind == "ROLL_BACK":
                    self.own_errors = found.rollout_candidate.errors
                    return verdict, found.candidate
            for tally in tests.values():
                _move_on(tally, arms, events)
            found = self._seen(index, tests, ours, theirs, before, arms, events, pairs)
            ours, theirs = found.champion, found.candidate
            pairs += BATCH
            found = seen(
                step=index,
                champion=ours,
                candidate=theirs,
                step_tests=found.step_tests,
                rollout_tests=found.rollout_tests,
                rollout_candidate=found.rollout_candidate,
                pairs=pairs,
            )
            verdict = advance(step, told, found, elapsed_s=600)
            if verdict.kind != "HOLD":
                return verdict, theirs
        return verdict, theirs

    def _batch(self, weight: float) -> tuple[Flags, dict[str, Flags]]:
        arms = self.rng.random(BATCH) < weight
        self.batches += 1
        tide = 2 ** (self.wave * np.sin(self.batches / 9))
        return arms, {
            name: self.rng.random(BATCH) < np.minimum(1.0, tide * np.where(arms, rates[1], rates[0]))
            for name, rates in (("errors", self.errors), ("slow", self.slow))
        }

    def _count(self, tests: dict[str, Tally], arms: Flags, events: dict[str, Flags], at: int) -> None:
        for name, tally in tests.items():
            if events[name][at]:
                start = _last_event(events[name], at) + 1
                units = tally.units * (start == 0) + at + 1 - start
                theirs = tally.theirs * (start == 0) + int(arms[start : at + 1].sum())
                tally.event(bool(arms[at]), theirs / units)

    def _seen(
        self,
        index: int,
        tests: dict[str, Tally],
        ours: ArmCounts,
        theirs: ArmCounts,
        before: ArmCounts,
        arms: Flags,
        events: dict[str, Flags],
        pairs: int,
    ) -> StepCounts:
        n = arms.size
        errors, slow = events["errors"][:n], events["slow"][:n]
        mine = ArmCounts(
            requests=int(arms.sum()),
            units=int(arms.sum()),
            errors=int((arms & errors).sum()),
            slow=int((arms & slow).sum()),
        )
        rest = ArmCounts(
            requests=int((~arms).sum()),
            units=int((~arms).sum()),
            errors=int((~arms & errors).sum()),
            slow=int((~arms & slow).sum()),
        )
        return seen(
            step=index,
            champion=ours.plus(rest),
            candidate=theirs.plus(mine),
            step_tests=TestSums(errors=tests["errors"].step, slow=tests["slow"].step),
            rollout_tests=TestSums(errors=tests["errors"].rollout, slow=tests["slow"].rollout),
            rollout_candidate=before.plus(theirs.plus(mine)),
            pairs=pairs,
        )


def _last_event(flags: Flags, before: int) -> int:
    earlier = np.flatnonzero(flags[:before])
    return int(earlier[-1]) if earlier.size else -1


def _move_on(tally: Tally, arms: Flags, events: dict[str, Flags]) -> None:
    """Units after the last event of the batch wait for the next one."""
    name = "errors" if tally.ratio == 2 else "slow"
    start = _last_event(events[name], arms.size) + 1
    tally.units = tally.units * (start == 0) + arms.size - start
    tally.theirs = tally.theirs * (start == 0) + int(arms[start:].sum())
