"""Recorded rollouts under other guardrails and steps: the counts that the record decided on are judged again.

Counts are on record only where somebody decided. So it can be said that another policy would have taken a candidate
back by then, or let it pass there too; not what it would have seen later, or under another weight.
"""

from typing import Literal

from msgspec.structs import replace

from flyball.app.backtest.past import PastJudgement, PastRollout
from flyball.control.decision import elapsed_s
from flyball.control.steps import effective_steps
from flyball.core.record import Record
from flyball.core.routing import Verdict
from flyball.core.service import Guardrails, Service, Step
from flyball.decide.rollout import RATIO_LOG_E, advance, judge

Ended = Literal["promoted", "rolled_back", "rejected", "expired", "open", "unknown"]


class RolloutAgain(Record):
    """One recorded rollout under one policy."""

    rollout: str
    release: str
    recorded: Ended
    outcome: Ended
    why: str
    requests: int | None  # that the candidate answered until its weight was 0; None: not on record


def again(one: PastRollout, policy: Service, recorded: Service) -> RolloutAgain:
    """What the policy says to the counts of a recorded rollout."""
    ended: Ended = _ENDED.get(one.outcome or "open", "unknown")

    def told(outcome: Ended, why: str, requests: int | None) -> RolloutAgain:
        return RolloutAgain(
            rollout=one.rollout,
            release=one.release,
            recorded=ended,
            outcome=outcome,
            why=why,
            requests=requests,
        )

    if policy.rollout == recorded.rollout:
        return told(ended, "as recorded", _requests(one.judged))
    ratio_before = 0.0
    for at, judged in enumerate(one.judged):
        found, why = _verdict(judged, policy, recorded, ratio_before)
        if found is None:
            return told("unknown", why, None)
        if found.kind == "ROLL_BACK":
            return told("rolled_back", found.reason, _requests(one.judged[: at + 1]))
        if judged.verdict.kind == "ROLL_BACK":
            return told("unknown", "it would not have been taken back when the record did it", None)
        if judged.verdict.kind == "PROMOTE" and found.kind != "PROMOTE":
            return told("unknown", f"step {judged.step + 1} would have gone on: {found.reason}", None)
        ratio_before += judged.verdict.numbers.get(RATIO_LOG_E, 0.0)
    return told(ended, "each step is judged as recorded", _requests(one.judged))


_ENDED: dict[str, Ended] = {
    "promoted": "promoted",
    "rolled_back": "rolled_back",
    "rejected": "rejected",
    "expired": "expired",
    "open": "open",
}


def _verdict(
    judged: PastJudgement, policy: Service, recorded: Service, ratio_before: float
) -> tuple[Verdict | None, str]:
    """None: nobody knows, and why."""
    steps, before = effective_steps(policy), effective_steps(recorded)
    rails, counts = policy.rollout.guardrails, judged.counts
    if judged.step >= len(steps) or judged.step >= len(before) or steps[judged.step].kind != before[judged.step].kind:
        return None, "its steps are others"
    same = steps[judged.step] == before[judged.step] and rails == recorded.rollout.guardrails
    if same or judged.verdict.cause in ("labels", "metric", "refused"):
        return judged.verdict, "as recorded"
    if rails.metrics != recorded.rollout.guardrails.metrics or _waits_for_labels(steps[judged.step], rails):
        return None, "what labels said of the two arms is not on record"
    if counts is None:
        return (judged.verdict, "no counts were asked") if steps[judged.step].approval else (None, "no counts")
    if _ratios(rails) != _ratios(recorded.rollout.guardrails):
        return None, "the record's tests were counted for another ratio"
    routing = replace(judged.routing, guardrails=rails)
    stopped = judge(routing, counts)
    if stopped.kind == "ROLL_BACK":
        return stopped, ""
    step, started = steps[judged.step], before[judged.step]
    if step.live is not None and started.live is not None and step.live.weight != started.live.weight:
        return None, f"its {step.kind} has another weight"
    took = elapsed_s(judged.started_at, judged.at)
    return advance(step, routing, counts, elapsed_s=took, ratio_log_e_before=ratio_before), ""


def _waits_for_labels(step: Step, rails: Guardrails) -> bool:
    needed = any(each.labels == "required" for each in rails.metrics)
    return step.live is not None and bool(rails.metrics) and (step.soak is not None or needed)


def _ratios(rails: Guardrails) -> tuple[float, float]:
    return rails.errors.ratio, rails.slow.ratio


def _requests(judged: tuple[PastJudgement, ...]) -> int | None:
    """Of the whole rollout, as the newest counts have it."""
    counted = [one.counts.rollout_candidate.requests for one in judged if one.counts is not None]
    return counted[-1] if counted else None
