"""The seven tests of the ML Test Score about monitoring, in our words."""

from collections.abc import Iterable

from msgspec.structs import replace

from flyball.control.review.maturity.tested import Grounds, Tested, by_item, by_result, given
from flyball.control.review.seen import QUARTER_S, Shown
from flyball.core import events as e

SUPPLY = ("schema_break", "unit_change", "nan_burst", "upstream_stall")  # drills of what a service is fed


def of_monitoring(grounds: Grounds) -> Iterable[Tested]:
    """Breck et al. 2017, section V."""
    yield _told(grounds)
    yield _invariants(grounds)
    yield by_result(
        *(grounds, "monitoring", "training and serving compute the same"),
        "a gate {suite: deployment}: features and answers, packaged against trained",
        lambda test: test.suite == "deployment" and test.name.startswith(("same features", "same answers")),
    )
    yield _stale(grounds)
    yield by_result(
        *(grounds, "monitoring", "numbers stay numbers"),
        *("the training suite", lambda test: test.name == "finite"),
    )
    yield _speed(grounds)
    yield _quality(grounds)


def _told(grounds: Grounds) -> Tested:
    """A person hears of it; with a drill of the supply that was seen, by machine."""
    name, todo = "a change of what it depends on is told", "flyball alerts test; flyball drill upstream_stall"
    tested = grounds.items["alerts are tested"]
    drilled = _drilled(grounds)
    if tested.state == "PASS" and drilled is not None:
        found = by_item(grounds, "monitoring", name, "alerts are tested")
        return given("monitoring", name, 1, f"{found.why}; the drill {drilled[0].fault} was seen", todo, drilled[1])
    if tested.state == "PASS":
        return replace(by_item(grounds, "monitoring", name, "alerts are tested", most=0.5), todo=todo)
    return given("monitoring", name, 0, tested.why, todo)


def _invariants(grounds: Grounds) -> Tested:
    """The gateway holds the data contract to each row; a drill of the supply that passed shows that it sees."""
    name, todo = "what holds of the data is held while serving", "flyball drill schema_break"
    drilled = _drilled(grounds)
    if drilled is not None:
        return given("monitoring", name, 1, f"the drill {drilled[0].fault} was seen", todo, drilled[1])
    raised = grounds.asked.seen.newest(e.SignalRaised, lambda fact: fact.signal.signal in ("quality", "psi"))
    if raised is not None:
        return given("monitoring", name, 1, f"the monitor raised {raised[0].signal.signal}", todo, raised[1])
    contract = grounds.passed(lambda test: test.name == "contract")
    why = "the contract is executed, and nothing has shown yet that a breach is seen"
    return given("monitoring", name, 0.5 if contract else 0, why, todo, grounds.judged if contract else None)


def _stale(grounds: Grounds) -> Tested:
    """Trained again by itself within a quarter; by hand, half."""
    name, todo = "models are not stale", "autonomy.retrain: auto, with retrain.triggers or a schedule"
    ordered = grounds.asked.seen.newest(e.RetrainOrdered)
    if ordered is None:
        return given("monitoring", name, 0, "nothing was ever trained again", todo)
    fact, shown = ordered
    if shown.age_s > QUARTER_S:
        return given("monitoring", name, 0, f"trained again last {shown.age_s / 86_400:.0f} days ago", todo)
    alone = fact.proof == "policy"
    why = f"trained again {shown.age_s / 86_400:.1f} days ago, {'with no hand' if alone else f'by {fact.by}'}"
    return given("monitoring", name, 1 if alone else 0.5, why, todo, shown)


def _speed(grounds: Grounds) -> Tested:
    """A candidate is held to the champion's latency in each canary; a training, to its limits."""
    name = "speed and memory do not get worse"
    todo = "rollout.steps: a canary, whose guardrail is latency; experiment.limits"
    steps = {(f.rollout, f.step) for f, _ in grounds.asked.seen.all(e.StepStarted, lambda fact: fact.kind == "canary")}
    judged = grounds.asked.seen.newest(e.StepJudged, lambda fact: (fact.rollout, fact.step) in steps)
    limits = grounds.asked.service.experiment.limits
    bounded = limits.memory_mb is not None or limits.cost is not None
    if judged is None:
        return given("monitoring", name, 0, "no canary was ever judged", todo)
    why = "a canary was judged by its slow answers" + (
        "; trainings have limits" if bounded else "; trainings have none"
    )
    return given("monitoring", name, 1 if bounded else 0.5, why, todo, judged[1])


def _quality(grounds: Grounds) -> Tested:
    """By labels; where none come, by drift alone: half."""
    name, todo = "answers do not get worse unseen", "monitor.live_metric, and labels: POST /v1/labels"
    labels, shown = grounds.asked.looked.labels, grounds.watched()
    if grounds.asked.service.monitor.live_metric is not None and labels.ok:
        return given("monitoring", name, 1, f"the live metric is watched; {labels.why}", todo, shown)
    if grounds.asked.looked.controller.ok:
        return given("monitoring", name, 0.5, "drift is watched; how right answers are is not known", todo, shown)
    return given("monitoring", name, 0, grounds.asked.looked.controller.why, todo)


def _drilled(grounds: Grounds) -> tuple[e.DrillEnded, Shown] | None:
    return grounds.asked.seen.newest(
        e.DrillEnded, lambda fact: fact.fault.replace("-", "_") in SUPPLY and fact.outcome == "passed"
    )
