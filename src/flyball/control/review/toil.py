"""Toil: what people did by hand, counted, and which key of the declaration would do it where it was done twice."""

from collections.abc import Mapping, Sequence

from flyball.control.review.past import Hand, Past
from flyball.core.record import Record

TWICE = 2
# what `review.hands` names -> what would do it
AUTOMATION: Mapping[str, str] = {
    "approve a retraining": "autonomy.retrain: auto, with retrain.budget.runs_per_week as its bound",
    "order a retraining": "retrain.triggers with autonomy.retrain: auto, or retrain.schedule",
    "train a release": "retrain.triggers: [commit], or retrain.schedule",
    "roll back": "rollout.guardrails of what was seen, a soak after the canaries; healing.policies with roll_back",
    "ask for a rollout": "autonomy.promote, or a rule of policy.rules with effect: alone",
    "hold a rollout or let it go on": "a pause step with duration_s, or a rule of policy.rules with effect: never",
    "skip a step": "rollout.steps: fewer requests or a shorter time, which flyball rollout plan tells",
    "freeze or thaw": "a rule of policy.rules with effect: never, which ends by itself; healing.policies with freeze",
    "close an incident": "monitor.quality.settle_windows: a new normal closes it; healing.policies with quarantine",
    "take an alert": "healing.policies: a remedy before page, for its cause",
    "silence alerts": "the limit that it goes by, in monitor; a canary of ours silences by itself",
    "fill in a span again": "a scheduled job: flyball backfill changes nothing when it is run twice",
    "start the gateway": "a supervisor of the machine; serving.recycle where memory was the reason",
    "start the controller": "a supervisor of the machine",
    "approve a rollout": "a rule of policy.rules with effect: alone for what you always approve",
}
OF_A_RUNBOOK = "healing.policies: a remedy of the same effect before page, for the runbook's cause"


class Toil(Record):
    """One kind of thing that people did."""

    what: str
    times: int
    work: str  # decision or hand
    by: tuple[str, ...]  # people, by name; empty: no name is on the ledger
    automation: str  # what would do it; empty: it was done once, or it is a decision that stays a person's
    evidence: tuple[int, ...]  # sequence numbers of the facts


def toil(past: Past) -> tuple[Toil, ...]:
    """By how often, then by name. The first start of a process is a beginning and no toil."""
    found: dict[str, list[Hand]] = {}
    for hand in past.hands:
        found.setdefault(hand.what, []).append(hand)
    told = [_toil(what, hands) for what, hands in found.items()]
    return tuple(sorted(told, key=lambda each: (-each.times, each.what)))


def by_hand(found: Sequence[Toil]) -> int:
    """How often, decisions left out."""
    return sum(each.times for each in found if each.work == "hand")


def _toil(what: str, hands: Sequence[Hand]) -> Toil:
    times = len(hands)
    automation = AUTOMATION.get(what, OF_A_RUNBOOK if ": " in what else "") if times >= TWICE else ""
    return Toil(
        what=what,
        times=times,
        work=hands[0].work,
        by=tuple(sorted({each.by for each in hands if each.by})),
        automation=automation,
        evidence=tuple(each.seq for each in hands),
    )
