"""Recorded rollouts under other guardrails and steps: the evidence that the record decided on is judged again.

Counts are on record only where somebody decided. So it can be said that another policy would have taken a candidate
back by then, or let it pass there too; not what it would have seen later, or under another weight. What labels said of
the two arms is in the rows of the log, where these are still there: it is judged pane by pane, as the loop does.

A candidate that would have stayed longer than on record answered at least what the record has: a bound, told as one.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from flyball.app.backtest.past import PastJudgement, PastRollout
from flyball.app.backtest.trials import TrialSeen, lacking, newest
from flyball.control.decision import elapsed_s
from flyball.control.rollout.steps import effective_steps
from flyball.core.clock import moment
from flyball.core.declared.guardrails import NO_LIMIT
from flyball.core.record import Record
from flyball.core.routing import Verdict
from flyball.core.service import Guardrails, Service, Step
from flyball.decide.metric_rails import harmed
from flyball.decide.rollout import RATIO_LOG_E, advance, judge

Ended = Literal["promoted", "rolled_back", "rejected", "expired", "open", "unknown"]


class RolloutAgain(Record):
    """One recorded rollout under one policy."""

    rollout: str
    release: str
    recorded: Ended
    outcome: Ended
    why: str
    requests: int | None  # that the candidate answered until its weight was 0, or whole; None: not on record
    at_least: bool = False  # the requests are a bound: it would have answered more than the record can tell
    at: str = ""  # when the policy decided for itself; empty: when the record did


def again(
    one: PastRollout, policy: Service, recorded: Service, trials: Sequence[TrialSeen] | None = None
) -> RolloutAgain:
    """What the policy says to the evidence of a recorded rollout.

    Args: trials: of this rollout, in order, under the policy's metrics; None: the rows are not read.
    """
    ended: Ended = _ENDED.get(one.outcome or "open", "unknown")
    same = RolloutAgain(
        rollout=one.rollout,
        release=one.release,
        recorded=ended,
        outcome=ended,
        why="as recorded",
        requests=_requests(one.judged),
    )
    if policy.rollout == recorded.rollout:
        return same
    return _Again(one, policy, recorded, trials).ended(same)


def by_labels_of_arms(policy: Service, recorded: Service) -> bool:
    """Whether the rows of the log are needed to judge recorded rollouts under a policy."""
    metrics = policy.rollout.guardrails.metrics or recorded.rollout.guardrails.metrics
    return policy.rollout != recorded.rollout and bool(metrics)


_ENDED: dict[str, Ended] = {
    "promoted": "promoted",
    "rolled_back": "rolled_back",
    "rejected": "rejected",
    "expired": "expired",
    "open": "open",
}


class _Again:
    """Walks along the record, from one decision of it to the next."""

    def __init__(
        self, one: PastRollout, policy: Service, recorded: Service, trials: Sequence[TrialSeen] | None
    ) -> None:
        self._one, self._policy, self._recorded = one, policy, recorded
        self._steps, self._before = effective_steps(policy), effective_steps(recorded)
        self._rails, self._old_rails = policy.rollout.guardrails, recorded.rollout.guardrails
        self._trials = () if trials is None else trials
        why = lacking(self._trials, _requests(one.judged) or 0)
        self._unseen = "what labels said of the two arms is not on record"
        self._unseen += f": {why}" if trials is not None and why else ""
        self._by_rows = trials is not None and not why
        self._same_budget = _budget(self._rails) == _budget(self._old_rails)

    def ended(self, same: RolloutAgain) -> RolloutAgain:
        """How it would have ended, and when the two parted."""
        ratio_before, since = 0.0, self._one.opened_at
        for at, judged in enumerate(self._one.judged):
            if stopped := self._stopped(same, since, judged.at):
                return stopped
            since = judged.at
            found, why = self._verdict(judged, ratio_before)
            so_far = _requests(self._one.judged[: at + 1])
            if found is None:
                return replace(same, outcome="unknown", why=why, requests=None, at=judged.at)
            if found.kind == "ROLL_BACK":
                return replace(same, outcome="rolled_back", why=found.reason, requests=so_far, at=judged.at)
            longer = replace(same, outcome="unknown", requests=so_far, at_least=True, at=judged.at)
            if judged.verdict.kind == "ROLL_BACK":
                return replace(longer, why="it would not have been taken back when the record did it")
            if judged.verdict.kind == "PROMOTE" and found.kind != "PROMOTE":
                return replace(longer, why=f"step {judged.step + 1} would have gone on: {_waits(found)}")
            ratio_before += judged.verdict.numbers.get(RATIO_LOG_E, 0.0)
        stopped = self._stopped(same, since, self._one.closed_at)
        return stopped or replace(same, why="each step is judged as recorded")

    def _stopped(self, same: RolloutAgain, since: str, until: str | None) -> RolloutAgain | None:
        """Sent back by a metric at the end of a pane in between, by the same code as in the loop."""
        if not self._by_rows or self._same_budget:
            return None
        for seen in self._trials:
            if moment(seen.at) <= moment(since) or not self._comparable(seen.step):
                continue
            if until is not None and moment(seen.at) > moment(until):
                break
            found = harmed(self._rails, seen.metrics, {})
            if found is not None:
                rows = seen.candidate_rows
                return replace(same, outcome="rolled_back", why=found.reason, requests=rows, at=seen.at)
        return None

    def _verdict(self, judged: PastJudgement, ratio_before: float) -> tuple[Verdict | None, str]:
        """None: nobody knows, and why."""
        rails, counts, at = self._rails, judged.counts, judged.step
        if at >= len(self._steps) or at >= len(self._before) or self._steps[at].kind != self._before[at].kind:
            return None, "its steps are others"
        step, cause = self._steps[at], judged.verdict.cause
        by_labels = cause in ("labels", "metric")
        if (step == self._before[at] and rails == self._old_rails) or cause == "refused":
            return judged.verdict, "as recorded"
        if by_labels and self._same_budget:
            return judged.verdict, "as recorded"
        seen = newest(self._trials, judged.at) if self._by_rows else None
        by_labels |= rails.metrics != self._old_rails.metrics or _waits_for_labels(step, rails)
        if seen is None and by_labels:
            return None, self._unseen
        if counts is None:
            return (judged.verdict, "no counts were asked") if step.approval else (None, "no counts")
        if _ratios(rails) != _ratios(self._old_rails):
            return None, "the record's tests were counted for another ratio"
        routing = replace(judged.routing, guardrails=_of_step(rails, step))
        stopped = judge(routing, counts)
        if stopped.kind == "ROLL_BACK":
            return stopped, ""
        if not self._same_weight(at):
            return None, f"its {step.kind} has another weight"
        found = advance(
            step,
            routing,
            counts,
            elapsed_s=elapsed_s(judged.started_at, judged.at),
            labels=None if seen is None else seen.pairs,
            metrics=() if seen is None else seen.metrics,
            ratio_log_e_before=ratio_before,
        )
        return found, ""

    def _comparable(self, step: int) -> bool:
        """Whether units were assigned as the policy would have assigned them, in this step and all before it."""
        known = step < min(len(self._steps), len(self._before))
        return known and all(
            self._steps[at].kind == self._before[at].kind and self._same_weight(at) for at in range(step + 1)
        )

    def _same_weight(self, at: int) -> bool:
        mine, other = self._steps[at].live, self._before[at].live
        return mine is None or other is None or mine.weight == other.weight


def _waits(found: Verdict) -> str:
    return "; ".join([found.reason, *found.waiting_for])


def _waits_for_labels(step: Step, rails: Guardrails) -> bool:
    needed = any(each.labels == "required" for each in rails.metrics)
    return step.live is not None and bool(rails.metrics) and (step.soak is not None or needed)


def _of_step(rails: Guardrails, step: Step) -> Guardrails:
    """A soak has a limit on errors of its own, which its routing carries."""
    return rails if step.soak is None else replace(rails, max_errors=step.soak.max_errors or NO_LIMIT)


def _ratios(rails: Guardrails) -> tuple[float, float]:
    return rails.errors.ratio, rails.slow.ratio


def _budget(rails: Guardrails) -> tuple[object, ...]:
    """All that decides what labels may stop."""
    return rails.alpha, rails.beta, rails.metrics


def _requests(judged: Sequence[PastJudgement]) -> int | None:
    """Of the whole rollout, as the newest counts have it."""
    counted = [one.counts.rollout_candidate.requests for one in judged if one.counts is not None]
    return counted[-1] if counted else None
