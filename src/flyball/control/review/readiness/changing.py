"""Items of the checklist about change: training, release, rollout and the way back."""

from collections.abc import Iterable

from flyball.control.review.readiness.item import Asked, Item, failed, fresh, looked_at, passed, unknown
from flyball.control.review.seen import QUARTER_S
from flyball.control.review.ways_back import ways_back
from flyball.core import events as e
from flyball.core.ids import short

YEAR_S = 365 * 86_400.0  # what was shown longer ago is shown anew


def changing(asked: Asked) -> Iterable[Item]:
    """In the order in which a release meets them."""
    yield _gates(asked)
    yield _by_itself(asked)
    yield _signed(asked)
    yield _scripted(asked)
    yield _shadow(asked)
    yield _way_back(asked)
    yield _way_back_tested(asked)


def _gates(asked: Asked) -> Item:
    name = "gates have a floor"
    floors = [gate for gate in asked.service.gates if gate.min is not None or gate.max is not None or gate.expression]
    if floors:
        return passed(name, f"{len(floors)} of {len(asked.service.gates)} gates hold a candidate to a limit of its own")
    found = f"{len(asked.service.gates)} gates, none with a limit" if asked.service.gates else "there is no gate"
    return failed(name, found, "gates: [{metric: ..., min: ...}]")


def _by_itself(asked: Asked) -> Item:
    name = "a retraining went through with no hand"
    todo = "autonomy.retrain: auto and retrain.triggers, or flyball rehearse until the first one is due"
    orders = {
        fact.ticket: shown for fact, shown in asked.seen.all(e.RetrainOrdered, lambda fact: fact.proof == "policy")
    }
    made = asked.seen.newest(e.ReleaseRegistered, lambda fact: fact.ticket in orders)
    if made is not None:
        fact, shown = made
        why = f"release {short(fact.release.root)} was ordered by the policy"
        return fresh(name, why, todo, shown, within_s=YEAR_S)
    by_hand = asked.seen.newest(e.RetrainOrdered, lambda fact: fact.proof != "policy")
    if by_hand is not None:
        return failed(name, f"{by_hand[0].by} ordered the last one", todo, by_hand[1])
    return unknown(name, "nothing was ever trained again", todo)


def _signed(asked: Asked) -> Item:
    name = "the champion is signed and verifies"
    champion = asked.state.champion
    if champion is None:
        return failed(name, "no release serves", "flyball train")
    found = asked.seen.newest(e.ReleaseRegistered, lambda fact: fact.release.root == champion)
    if found is None or not found[0].signature:
        return failed(name, f"the registration of {short(champion)} holds no signature", "flyball train: a new release")
    return looked_at(name, asked.looked.champion, "flyball ledger verify; restore the release's folder", found[1])


def _scripted(asked: Asked) -> Item:
    name = "the rollout is scripted"
    kinds = [step.kind for step in asked.service.rollout.steps]
    lacking = [kind for kind in ("shadow", "canary", "promote") if kind not in kinds]
    if "canary" in lacking and "soak" in kinds:
        lacking.remove("canary")
    said = " > ".join(kinds) or "no step"
    return failed(name, f"{said}: no {', no '.join(lacking)}", "rollout.steps") if lacking else passed(name, said)


def _shadow(asked: Asked) -> Item:
    name = "a shadow has passed"
    steps = {(fact.rollout, fact.step) for fact, _ in asked.seen.all(e.StepStarted, lambda fact: fact.kind == "shadow")}
    judged = asked.seen.newest(e.StepJudged, lambda fact: (fact.rollout, fact.step) in steps)
    todo = "flyball rollout start: a release behind the champion, with a shadow step in rollout.steps"
    if judged is None:
        return unknown(name, "no shadow was ever judged", todo)
    fact, shown = judged
    verdict = f"{fact.verdict.kind} in {fact.rollout}: {fact.verdict.reason}"
    if fact.verdict.kind != "PROMOTE":
        return failed(name, verdict, todo, shown)
    return fresh(name, verdict, todo, shown, within_s=YEAR_S)


def _way_back(asked: Asked) -> Item:
    name = "there is a release to go back to"
    if asked.state.previous is None:
        return failed(name, "no release served before this one", "roll out a second release; the first stays warm")
    return looked_at(name, asked.looked.previous, "restore its folder; until then a rollback has no target")


def _way_back_tested(asked: Asked) -> Item:
    name = "the way back was taken"
    todo = "flyball drill bad_candidate, or flyball rollback in a quiet hour"
    taken = ways_back(asked.seen)
    if not taken:
        return unknown(name, "no release was ever taken back, nor was it drilled", todo)
    return fresh(name, taken[0].why, todo, taken[0].shown, within_s=QUARTER_S)
