"""The seven tests of the ML Test Score about features and data, in our words."""

from collections.abc import Iterable

from flyball.control.review.maturity.tested import Grounds, Tested, by_result, given
from flyball.core import events as e


def of_data(grounds: Grounds) -> Iterable[Tested]:
    """Breck et al. 2017, section II."""
    yield by_result(
        *(grounds, "data", "what each input may be is written down, and held"),
        *("contract.yaml, and a training that keeps it", lambda test: test.name == "contract"),
    )
    yield _useful(grounds)
    yield _cheap(grounds)
    yield by_result(
        *(grounds, "data", "no input is used that must not be"),
        "the data suite: no label, no time and no later knowledge among the inputs",
        lambda test: test.suite == "data" and test.name in ("label in features", "time in features", "target leak"),
    )
    yield _private(grounds)
    yield _new_inputs(grounds)
    yield by_result(
        *(grounds, "data", "the code that makes the inputs is tested"),
        "a gate {suite: deployment}: the whole frame against single rows and batches",
        lambda test: test.suite == "deployment" and test.name.startswith("same features"),
    )


def _useful(grounds: Grounds) -> Tested:
    """Attributions tell what each input is worth; leaving a useless one out stays a person's decision: half."""
    found = grounds.asked.seen.newest(e.EvidenceAttached, lambda fact: "attributions.json" in fact.files)
    why = "what each input moves was written down for a release" if found else "no attributions were ever made"
    todo = "no key: whoever reads attributions.json leaves out what moves nothing"
    return given("data", "each input earns its place", 0.5 if found else 0, why, todo, found[1] if found else None)


def _cheap(grounds: Grounds) -> Tested:
    """A gate on latency or cost that the champion passed counts; a latency that was only measured, half."""
    name, todo = "no input costs too much", "gates: [{metric: latency_p99_ms, max: ...}]"
    champion = grounds.asked.state.releases.get(grounds.asked.state.champion or "")
    gates = [gate for gate in (champion.gates if champion else ()) if gate.metric.startswith(("latency", "cost"))]
    failed = next((gate for gate in gates if not gate.passed), None)
    measured = grounds.passed(lambda test: test.dimension in ("latency", "cost"))
    if failed is not None:
        return given("data", name, 0, f"{failed.name} is {failed.verdict}: {failed.reason}", todo)
    if gates:
        return given("data", name, 1, f"the champion passed {gates[0].name}", todo, grounds.judged)
    if measured is not None:
        return given("data", name, 0.5, f"measured: {measured.reason}", todo, grounds.judged)
    return given("data", name, 0, "no gate of the champion reads a latency or a cost, and none was measured", todo)


def _private(grounds: Grounds) -> Tested:
    name, todo = "personal data are controlled", "experiment.tests.personal: fail, and serving.log.retention_s"
    held = grounds.passed(lambda test: test.suite == "privacy")
    kept_s = grounds.asked.service.serving.log.retention_s
    if held is None:
        return given("data", name, 0, "the privacy suite has not passed for the champion", todo)
    if kept_s is None:
        return given("data", name, 0.5, f"{held.reason}; rows of clients are kept for ever", todo, grounds.judged)
    why = f"{held.reason}; rows of clients are kept for {kept_s / 86_400:g} days"
    return given("data", name, 1, why, todo, grounds.judged)


def _new_inputs(grounds: Grounds) -> Tested:
    """A change of code or contract that came to a release: by a commit alone, or by a hand."""
    name, todo = "a new input is added quickly", "retrain.triggers: [commit], and autonomy.retrain: auto"
    started = grounds.asked.seen.all(e.TrainingStarted)
    versions = {(fact.code, fact.contract) for fact, _ in started if fact.code is not None}
    alone = [shown for fact, shown in started if fact.reason == "commit" and fact.ticket is not None]
    if alone:
        return given("data", name, 1, "a commit alone was trained on", todo, alone[-1])
    if len(versions) > 1:
        return given("data", name, 0.5, f"{len(versions)} versions of code and contract, by hand", todo, started[-1][1])
    return given("data", name, 0, "code and contract have had one version so far", todo)
