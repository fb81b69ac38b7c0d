"""The seven tests of the ML Test Score about infrastructure, in our words."""

from collections.abc import Iterable

from flyball.control.review.maturity.tested import Grounds, Tested, by_result, given
from flyball.control.review.past import Happened
from flyball.control.review.seen import Shown
from flyball.control.review.ways_back import ways_back
from flyball.core import events as e
from flyball.core.clock import moment


def of_infrastructure(grounds: Grounds) -> Iterable[Tested]:
    """Breck et al. 2017, section IV."""
    yield _reproducible(grounds)
    yield by_result(
        *(grounds, "infrastructure", "the training code is tested"),
        "a gate {suite: training}: it learns, it beats shuffled labels, twice is the same",
        lambda test: test.suite == "training" and not test.name.startswith(("finite", "better than a dummy")),
    )
    yield _whole(grounds)
    yield _judged(grounds)
    yield _debugged(grounds)
    yield _canary(grounds)
    yield _back(grounds)


def _reproducible(grounds: Grounds) -> Tested:
    """By hand with `reproduce`; with the pipeline's own test of two trainings beside it, by machine."""
    name, todo = "a training comes out the same again", "flyball reproduce, and a gate {suite: training, name: ...}"
    same = grounds.asked.seen.newest(e.ReproductionJudged, lambda fact: fact.verdict in ("IDENTICAL", "EQUIVALENT"))
    twice = grounds.passed(lambda test: test.name == "deterministic")
    if same is not None and twice is not None:
        return given("infrastructure", name, 1, f"{same[0].verdict}; {twice.reason}", todo, same[1], grounds.judged)
    if same is not None:
        return given("infrastructure", name, 0.5, f"{same[0].verdict} when {same[0].by} asked", todo, same[1])
    if twice is not None:
        return given("infrastructure", name, 0.5, twice.reason, todo, grounds.judged)
    return given("infrastructure", name, 0, "no experiment was run again and came out the same", todo)


def _whole(grounds: Grounds) -> Tested:
    name, todo = "the whole pipeline is tried from end to end", "autonomy.retrain: auto, or retrain.schedule"
    alone = [run for run in grounds.past.runs if run.well and not run.helped]
    by_hand = [run for run in grounds.past.runs if run.well]
    if alone:
        why = f"{len(alone)} runs from the data to a release with no hand"
        return given("infrastructure", name, 1, why, todo, _shown(grounds, alone[-1]))
    if by_hand:
        return given("infrastructure", name, 0.5, f"{len(by_hand)} runs, by hand", todo, _shown(grounds, by_hand[-1]))
    return given("infrastructure", name, 0, "no run has ended well", todo)


def _judged(grounds: Grounds) -> Tested:
    name, todo = "a model's quality is judged before it serves", "gates: [{metric: ..., min: ...}]"
    champion = grounds.asked.state.releases.get(grounds.asked.state.champion or "")
    if champion is None or not champion.gates:
        return given("infrastructure", name, 0, "no gate judged the champion", todo)
    if not champion.passed:
        why = "the champion failed a gate, and serves by an exception of people"
        return given("infrastructure", name, 0.5, why, todo, grounds.judged)
    return given("infrastructure", name, 1, f"the champion passed {len(champion.gates)} gates", todo, grounds.judged)


def _debugged(grounds: Grounds) -> Tested:
    """`predictions attribute` explains one answer by the means that made these files."""
    name, todo = "a single answer can be looked into", "the extra `explain`: attributions of each release"
    found = grounds.asked.seen.newest(e.EvidenceAttached, lambda fact: "attributions.json" in fact.files)
    if found is None:
        return given("infrastructure", name, 0, "no attributions were ever made", todo)
    why = "what an answer rests on is told for each release, and by flyball predictions attribute for each row"
    return given("infrastructure", name, 1, why, todo, found[1])


def _canary(grounds: Grounds) -> Tested:
    """By clients in small shares; a shadow alone is half."""
    name, todo = "a new model meets few clients before many", "rollout.steps: a canary"
    later = [each for each in grounds.past.deployments if not each.first]
    met = [each for each in later if {"canary", "soak"} & {*each.checked}]
    beside = [each for each in later if each.checked]
    if met:
        why = f"{len(met)} of {len(later)} deployments went through a canary or a soak"
        return given("infrastructure", name, 1 if len(met) == len(later) else 0.5, why, todo, _shown(grounds, met[-1]))
    if beside:
        return given("infrastructure", name, 0.5, "a shadow, and no canary", todo, _shown(grounds, beside[-1]))
    return given("infrastructure", name, 0, "no deployment but a first one went through a canary", todo)


def _back(grounds: Grounds) -> Tested:
    """For real, or in a drill that passed: a service whose releases were all good has shown it too."""
    name, todo = "a bad model is taken back, fast", "rollout.guardrails; flyball drill bad_candidate"
    back = [each for each in grounds.past.remedies if each.what == "roll_back"]
    alone = [each for each in back if each.automatic]
    taken = ways_back(grounds.asked.seen)
    drill = next((each for each in taken if each.drilled), None)
    if alone:
        return given("infrastructure", name, 1, f"{len(alone)} times with no hand", todo, _shown(grounds, alone[-1]))
    if drill is not None and drill.automatic:
        return given("infrastructure", name, 1, drill.why, todo, drill.shown)
    if back:
        return given("infrastructure", name, 0.5, f"{len(back)} times by hand", todo, _shown(grounds, back[-1]))
    if taken:
        return given("infrastructure", name, 0.5, taken[0].why, todo, taken[0].shown)
    return given("infrastructure", name, 0, "no release was ever taken back, nor was it drilled", todo)


def _shown(grounds: Grounds, happened: Happened) -> Shown:
    age_s = max(0.0, (moment(grounds.asked.seen.now) - moment(happened.at)).total_seconds())
    return Shown(seq=happened.seq, at=happened.at, age_s=age_s)
