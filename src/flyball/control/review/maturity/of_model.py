"""The seven tests of the ML Test Score about the model, in our words."""

from collections.abc import Iterable
from typing import Any

from flyball.control.review.maturity.tested import Grounds, Tested, by_result, given
from flyball.control.review.seen import Shown
from flyball.core import events as e


def of_model(grounds: Grounds) -> Iterable[Tested]:
    """Breck et al. 2017, section III."""
    yield _reviewed(grounds)
    yield _offline_online(grounds)
    yield _tuned(grounds)
    yield by_result(
        *(grounds, "model", "what a stale model costs is known"),
        *("experiment.suites: full, or a gate on backtest.worst", lambda test: test.name == "backtest"),
    )
    yield by_result(
        *(grounds, "model", "nothing simpler does as well"),
        *("a metric by which it beats a dummy", lambda test: test.name.startswith("better than a dummy")),
    )
    yield by_result(
        *(grounds, "model", "it is good enough on each slice that matters"),
        *("experiment.tests.slices", lambda test: test.name.startswith("slice ")),
    )
    yield by_result(
        *(grounds, "model", "it treats groups alike"),
        *("experiment.tests.fairness", lambda test: test.dimension == "fairness"),
    )


def _reviewed(grounds: Grounds) -> Tested:
    """The code has a digest by which a second person said yes; without a second person, half."""
    name, todo = "the model's code is versioned and reviewed", "an approval step, and an approver who did not train it"
    approved = grounds.asked.seen.newest(e.ApprovalGiven, lambda fact: fact.proof != "policy" and not fact.alone)
    digest = grounds.asked.seen.newest(e.TrainingStarted, lambda fact: fact.code is not None)
    if digest is None:
        return given("model", name, 0, "no training has its code on the ledger", todo)
    if approved is None:
        return given("model", name, 0.5, "code has a digest; no second person said yes to a release", todo, digest[1])
    return given("model", name, 1, f"{approved[0].by} approved a release by its digests", todo, approved[1], digest[1])


def _offline_online(grounds: Grounds) -> Tested:
    """The live metric is held to the holdout's value in each window, as far as labels come."""
    name, todo = "what is measured before serving holds while serving", "monitor.live_metric, and labels"
    metric = grounds.asked.service.monitor.live_metric
    labels = grounds.asked.looked.labels
    if metric is not None and labels.ok:
        shown = grounds.watched()
        return given("model", name, 1, f"{metric.name} of each window against the holdout; {labels.why}", todo, shown)
    tested = grounds.asked.seen.newest(e.AbClosed)
    if tested is not None:
        return given("model", name, 0.5, "an A/B test compared releases on clients", todo, tested[1])
    why = "no live metric is declared" if metric is None else labels.why
    return given("model", name, 0, why, todo)


def _tuned(grounds: Grounds) -> Tested:
    """By the search that was declared when the champion's training began: one that came later has tried nothing."""
    name, todo = "its settings were searched for", "experiment.search"
    started = grounds.asked.seen.all(e.TrainingStarted)
    experiments = {fact.experiment for fact, _ in started}
    champion = grounds.asked.state.releases.get(grounds.asked.state.champion or "")
    trained = [shown for fact, shown in started if champion is not None and fact.experiment == champion.experiment]
    search = _search_at(grounds, trained[-1]) if trained else None
    if search is not None:
        why = f"{search.get('trials', 20)} trials of {', '.join(search['space'])}"
        return given("model", name, 1, why, todo, trained[-1])
    if len(experiments) > 1:
        return given("model", name, 0.5, f"{len(experiments)} experiments, no search", todo, started[-1][1])
    return given("model", name, 0, "one experiment, no search", todo)


def _search_at(grounds: Grounds, training: Shown) -> dict[str, Any] | None:
    """`experiment.search` of the newest declaration before a training."""
    declared = [fact for fact, shown in grounds.asked.seen.all(e.ServiceDeclared) if shown.seq < training.seq]
    experiment = declared[-1].declaration.get("experiment", {}) if declared else {}
    search: dict[str, Any] | None = experiment.get("search")
    return search
