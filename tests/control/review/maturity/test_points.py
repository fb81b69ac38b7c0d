"""Each of the 28 tests of the score is earned by the thing it names, and lost without any part of it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace
from tests.control.review.test_readiness import YES
from tests.control.world import BACK, FIRST, NAME, OPENED, POLICY, SECOND, entries, release, service

from flyball.contracts.declaration.service_file import declaration
from flyball.control.review.maturity import Maturity, maturity
from flyball.control.review.readiness import Checked, Looked
from flyball.core import events as e
from flyball.core.declared.experiment import Search, Space
from flyball.core.declared.serving import PredictionLog
from flyball.core.health import Health
from flyball.core.ids import Digest, ExperimentDigest, RolloutId
from flyball.core.release import GateResult, TestResult
from flyball.core.routing import Routing, Verdict
from flyball.core.service import AlertDestination, Alerts, Gate, Limits, LiveMetric, Service
from flyball.core.watching import Signal

AT, NOW = "2026-11-27T08:00:00.000000Z", "2026-11-27T10:00:00.000000Z"
SHA, OTHER = (Digest("sha256:" + letter * 64) for letter in "78")
NO = Checked(ok=False, why="looked at")
Change = Callable[[Service], Service]


class Shown(NamedTuple):
    """What a service has shown: its champion's tests and gates, facts before and after it serves, what is declared,
    and what was looked at."""

    tests: tuple[TestResult, ...] = ()
    gates: tuple[GateResult, ...] = ()
    before: tuple[e.AnyFact, ...] = ()
    after: tuple[e.AnyFact, ...] = ()
    declared: tuple[Change, ...] = ()
    looked: tuple[str, ...] = ()

    def less(self) -> Iterator["Shown"]:
        """Without any one part of it."""
        for field in self._fields:
            parts = getattr(self, field)
            for at in range(len(parts)):
                yield self._replace(**{field: parts[:at] + parts[at + 1 :]})


def scored(shown: Shown) -> Maturity:
    declared = service()
    for change in shown.declared:
        declared = change(declared)
    first = replace(release(FIRST), tests=shown.tests, gates=shown.gates, passed=all(g.passed for g in shown.gates))
    facts: list[e.AnyFact] = [
        *shown.before,
        e.ReleaseRegistered(service=NAME, release=first),
        e.ChampionAppointed(service=NAME, release=FIRST, previous=None),
        *shown.after,
    ]
    looked = Looked(**dict.fromkeys(shown.looked, YES))
    return maturity(declared, entries(facts, at=AT), looked, NOW)


def points(shown: Shown, name: str) -> float:
    (found,) = [test.points for test in scored(shown).tests if test.name == name]
    return found


def result(suite: str, name: str, dimension: str = "quality", verdict: str = "PASS") -> TestResult:
    return TestResult(suite=suite, name=name, dimension=dimension, verdict=verdict, reason="-")  # type: ignore[arg-type]


def gate(metric: str, *, passed: bool = True) -> GateResult:
    return GateResult(name=metric, metric=metric, passed=passed, verdict="PASS" if passed else "FAIL", reason="-")


def declared(search: Search | None = None) -> e.ServiceDeclared:
    """As the verb `train` puts it on the ledger."""
    base = service()
    told = declaration(replace(base, experiment=replace(base.experiment, search=search)))
    return e.ServiceDeclared(service=NAME, policy=POLICY, declaration=told, folder="fraud")


def training(experiment: str = FIRST, **more: Any) -> e.TrainingStarted:
    told = {"snapshot": SHA, "reason": "first", "code": SHA, "run": "r1"} | more
    return e.TrainingStarted(service=NAME, experiment=ExperimentDigest("fx1:" + experiment), **told)


def ran(run: str = "r1") -> e.RunFinished:
    found = ExperimentDigest("fx1:" + FIRST)
    return e.RunFinished(
        service=NAME, run=run, experiment=found, outcome="trained", executor="subprocess", reason="drift", release=FIRST
    )


def ordered(by: str = "controller") -> e.RetrainOrdered:
    proof: e.Proof = "policy" if by == "controller" else "os_user"
    return e.RetrainOrdered(service=NAME, ticket="ti-1", key="k", by=by, proof=proof, reason="drift")


def approved(**more: Any) -> e.ApprovalGiven:
    told = {"by": "ada", "proof": "os_user"} | more
    return e.ApprovalGiven(service=NAME, rollout=OPENED.rollout, model=SECOND, evidence=SHA, policy=POLICY, **told)


def stepped(kind: str) -> e.StepStarted:
    table = Routing(service=NAME, epoch=1, champion=FIRST)
    return e.StepStarted(service=NAME, rollout=OPENED.rollout, step=0, kind=kind, key="k", routing=table, why="-")  # type: ignore[arg-type]


def drilled(fault: str, outcome: str = "passed") -> e.DrillEnded:
    return e.DrillEnded(service=NAME, drill="d", fault=fault, outcome=outcome)  # type: ignore[arg-type]


def reproduced(verdict: str) -> e.ReproductionJudged:
    return e.ReproductionJudged(
        service=NAME, experiment=ExperimentDigest("fx1:" + FIRST), release=FIRST, verdict=verdict,  # type: ignore[arg-type]
        first_difference=None, reason="-", grades={}, found=None, by="ada", proof="os_user", envelope={},
    )  # fmt: skip


def raised(kind: str) -> e.SignalRaised:
    found = Signal(
        signal=kind, level="act", value=0.3, limit=0.25, release=FIRST, window=1, first_row=0, last_row=9  # type: ignore[arg-type]
    )  # fmt: skip
    return e.SignalRaised(service=NAME, signal=found)


def told_to_slack(base: Service) -> Service:
    return replace(base, alerts=Alerts(on_call=("ada",), to=(AlertDestination(format="slack", to="env:HOOK"),)))


def kept_a_day(base: Service) -> Service:
    return replace(base, serving=replace(base.serving, log=PredictionLog(retention_s=86_400.0)))


def watched(base: Service) -> Service:
    return replace(base, monitor=replace(base.monitor, live_metric=LiveMetric(name="accuracy", max_loss=0.1)))


def limited(base: Service) -> Service:
    return replace(base, experiment=replace(base.experiment, limits=Limits(memory_mb=1_000.0)))


def gated(base: Service) -> Service:
    return replace(base, gates=(Gate(metric="latency_p99_ms", max=20.0),))


SEARCH = Search(trials=20, space={"max_depth": Space(low=2, high=8)})
ATTRIBUTED = e.EvidenceAttached(service=NAME, release=FIRST, evidence=SHA, files=("attributions.json",))
HEALTHY = e.HealthChanged(service=NAME, health=Health(state="HEALTHY", why="nothing is beyond its limit"))
ALERTED = e.AlertsTested(service=NAME, alert="al", by="ada", proof="os_user", arrived=("slack",))
PROMOTED = e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=OPENED.rollout)
JUDGED = e.StepJudged(service=NAME, rollout=OPENED.rollout, step=0, verdict=Verdict(kind="PROMOTE", reason="as quick"))
AB = e.AbClosed(service=NAME, test=RolloutId("ab-1"), outcome="stopped", reason="-")
CLEAN = result("privacy", "no personal data", "privacy")
TWICE = result("training", "deterministic", "training")

# in the paper's order: the test, its points, and what earns them
EARNED: list[tuple[str, float, Shown]] = [
    ("what each input may be is written down, and held", 1, Shown(tests=(result("data", "contract", "data"),))),
    ("each input earns its place", 0.5, Shown(after=(ATTRIBUTED,))),
    ("no input costs too much", 1, Shown(gates=(gate("latency_p99_ms"),))),
    ("no input costs too much", 0.5, Shown(tests=(result("deployment", "latency_p99_ms", "latency"),))),
    ("no input is used that must not be", 1, Shown(tests=(result("data", "label in features", "data"),))),
    ("no input is used that must not be", 1, Shown(tests=(result("data", "time in features", "data"),))),
    ("no input is used that must not be", 1, Shown(tests=(result("data", "target leak", "data"),))),
    ("personal data are controlled", 1, Shown(tests=(CLEAN,), declared=(kept_a_day,))),
    ("personal data are controlled", 0.5, Shown(tests=(CLEAN,))),
    ("a new input is added quickly", 1, Shown(after=(training(reason="commit", ticket="ti-1"),))),
    ("a new input is added quickly", 0.5, Shown(after=(training(), training(code=OTHER)))),
    (
        "the code that makes the inputs is tested",
        1,
        Shown(tests=(result("deployment", "same features in a clean process"),)),
    ),
    ("the model's code is versioned and reviewed", 1, Shown(after=(training(), approved()))),
    ("the model's code is versioned and reviewed", 0.5, Shown(after=(training(),))),
    (
        "what is measured before serving holds while serving",
        1,
        Shown(after=(HEALTHY,), declared=(watched,), looked=("labels",)),
    ),
    ("what is measured before serving holds while serving", 0.5, Shown(after=(AB,))),
    ("its settings were searched for", 1, Shown(before=(declared(SEARCH), training()))),
    ("its settings were searched for", 0.5, Shown(after=(training(), training(SECOND)))),
    ("what a stale model costs is known", 1, Shown(tests=(result("model", "backtest"),))),
    (
        "nothing simpler does as well",
        1,
        Shown(tests=(result("training", "better than a dummy by accuracy", "training"),)),
    ),
    ("it is good enough on each slice that matters", 1, Shown(tests=(result("model", "slice region=EU"),))),
    (
        "it treats groups alike",
        1,
        Shown(tests=(result("model", "demographic parity region", "fairness"),)),
    ),
    ("a training comes out the same again", 1, Shown(tests=(TWICE,), after=(reproduced("IDENTICAL"),))),
    ("a training comes out the same again", 0.5, Shown(after=(reproduced("EQUIVALENT"),))),
    ("a training comes out the same again", 0.5, Shown(tests=(TWICE,))),
    ("the training code is tested", 1, Shown(tests=(result("training", "overfits a tiny batch", "training"),))),
    (
        "the training code is tested",
        1,
        Shown(tests=(result("training", "better than shuffled labels by accuracy", "training"),)),
    ),
    (
        "the whole pipeline is tried from end to end",
        1,
        Shown(after=(ordered(), training(ticket="ti-1"), ran())),
    ),
    ("the whole pipeline is tried from end to end", 0.5, Shown(after=(ran(),))),
    ("a model's quality is judged before it serves", 1, Shown(gates=(gate("accuracy"),))),
    ("a model's quality is judged before it serves", 0.5, Shown(gates=(gate("accuracy", passed=False),))),
    ("a single answer can be looked into", 1, Shown(after=(ATTRIBUTED,))),
    ("a new model meets few clients before many", 1, Shown(after=(OPENED, stepped("canary"), PROMOTED))),
    ("a new model meets few clients before many", 1, Shown(after=(OPENED, stepped("soak"), PROMOTED))),
    ("a new model meets few clients before many", 0.5, Shown(after=(OPENED, stepped("shadow"), PROMOTED))),
    ("a bad model is taken back, fast", 1, Shown(after=(BACK,))),
    ("a bad model is taken back, fast", 0.5, Shown(after=(replace(BACK, by="ada"),))),
    ("a bad model is taken back, fast", 1, Shown(after=(replace(drilled("bad_candidate"), automatic=True),))),
    ("a bad model is taken back, fast", 0.5, Shown(after=(drilled("bad_candidate"),))),
    (
        "a change of what it depends on is told",
        1,
        Shown(after=(ALERTED, drilled("upstream_stall")), declared=(told_to_slack,)),
    ),
    ("a change of what it depends on is told", 0.5, Shown(after=(ALERTED,), declared=(told_to_slack,))),
    ("what holds of the data is held while serving", 1, Shown(after=(drilled("schema_break"),))),
    ("what holds of the data is held while serving", 1, Shown(after=(raised("psi"),))),
    ("what holds of the data is held while serving", 1, Shown(after=(raised("quality"),))),
    ("what holds of the data is held while serving", 0.5, Shown(tests=(result("data", "contract", "data"),))),
    (
        "training and serving compute the same",
        1,
        Shown(tests=(result("deployment", "same features in a clean process"),)),
    ),
    (
        "training and serving compute the same",
        1,
        Shown(tests=(result("deployment", "same answers in a clean process"),)),
    ),
    ("models are not stale", 1, Shown(after=(ordered(),))),
    ("models are not stale", 0.5, Shown(after=(ordered("ada"),))),
    ("numbers stay numbers", 1, Shown(tests=(result("training", "finite", "training"),))),
    ("speed and memory do not get worse", 1, Shown(after=(stepped("canary"), JUDGED), declared=(limited,))),
    ("speed and memory do not get worse", 0.5, Shown(after=(stepped("canary"), JUDGED))),
    ("answers do not get worse unseen", 1, Shown(after=(HEALTHY,), declared=(watched,), looked=("labels",))),
    ("answers do not get worse unseen", 0.5, Shown(after=(HEALTHY,), looked=("controller",))),
]
# what looks like it and is not: no point
NOT_EARNED: list[tuple[str, Shown]] = [
    ("no input costs too much", Shown(declared=(gated,))),  # declared, and the champion was never held to it
    ("no input costs too much", Shown(gates=(gate("latency_p99_ms", passed=False),))),
    ("no input costs too much", Shown(gates=(gate("accuracy"),))),
    ("personal data are controlled", Shown(declared=(kept_a_day,))),
    ("a new input is added quickly", Shown(after=(training(), training()))),
    ("the model's code is versioned and reviewed", Shown(after=(training(code=None), approved()))),
    ("what is measured before serving holds while serving", Shown(after=(HEALTHY,), declared=(watched,))),
    ("its settings were searched for", Shown(before=(training(), declared(SEARCH)))),  # declared too late
    ("its settings were searched for", Shown(before=(declared(), training()))),
    ("a training comes out the same again", Shown(after=(reproduced("DIVERGED"),))),
    ("the training code is tested", Shown(tests=(result("training", "finite", "training"),))),
    ("the training code is tested", Shown(tests=(result("training", "better than a dummy by accuracy", "training"),))),
    ("a new model meets few clients before many", Shown(after=(OPENED, stepped("approval"), PROMOTED))),
    ("a bad model is taken back, fast", Shown(after=(replace(drilled("bad_candidate", "missed"), automatic=True),))),
    ("a bad model is taken back, fast", Shown(after=(replace(drilled("latency"), automatic=True),))),
    ("a change of what it depends on is told", Shown(after=(drilled("upstream_stall"),))),
    ("what holds of the data is held while serving", Shown(after=(drilled("schema_break", "missed"),))),
    ("what holds of the data is held while serving", Shown(after=(drilled("latency"),))),
    ("what holds of the data is held while serving", Shown(after=(raised("risk"),))),
    ("speed and memory do not get worse", Shown(after=(stepped("shadow"), JUDGED), declared=(limited,))),
    ("answers do not get worse unseen", Shown(looked=("labels", "controller"), declared=(watched,))),
]
HALVES_BY_APPROVAL = [approved(alone=True), approved(by="policy", proof="policy")]
OF_THE_CHAMPION = [case for case in EARNED if case[2].tests and case[2] == Shown(tests=case[2].tests)]


@pytest.mark.parametrize(("name", "worth", "shown"), EARNED)
def test_it_is_earned_by_what_it_names_and_lost_without_any_part_of_it(name: str, worth: float, shown: Shown) -> None:
    assert points(shown, name) == worth
    for less in shown.less():
        assert points(less, name) < worth, less


@pytest.mark.parametrize(("name", "shown"), NOT_EARNED)
def test_what_only_looks_like_it_gives_no_point(name: str, shown: Shown) -> None:
    assert points(shown, name) == 0


@pytest.mark.parametrize(("name", "worth", "shown"), OF_THE_CHAMPION)
@pytest.mark.parametrize("verdict", ["FAIL", "INCONCLUSIVE"])
def test_a_test_of_the_champion_that_did_not_pass_earns_nothing(
    name: str, worth: float, shown: Shown, verdict: str
) -> None:
    (passed,) = shown.tests
    assert points(Shown(tests=(result(passed.suite, passed.name, passed.dimension, verdict),)), name) == 0 < worth


@pytest.mark.parametrize("alone", HALVES_BY_APPROVAL)
def test_an_approval_by_nobody_else_is_no_review(alone: e.ApprovalGiven) -> None:
    assert points(Shown(after=(training(), alone)), "the model's code is versioned and reviewed") == 0.5


def test_a_search_is_told_with_its_trials_and_what_it_looked_for() -> None:
    (found,) = [test for test in scored(Shown(before=(declared(SEARCH), training()))).tests if "searched" in test.name]
    assert (found.why, found.evidence) == ("20 trials of max_depth", (2,))  # shown by the training


def test_a_retraining_is_no_longer_one_after_a_quarter() -> None:
    facts: list[e.AnyFact] = [e.ReleaseRegistered(service=NAME, release=release(FIRST)), ordered()]

    def stale(now: str) -> float:
        found = maturity(service(), entries(facts, at="2026-01-01T00:00:00.000000Z"), Looked(), now)
        return next(test.points for test in found.tests if test.name == "models are not stale")

    assert (stale("2026-04-03T00:00:00.000000Z"), stale("2026-04-03T00:00:01.000000Z")) == (1, 0)  # 92 days


def test_every_test_of_the_score_is_earned_by_some_input() -> None:
    names = [test.name for test in scored(Shown()).tests]
    assert len(names) == 28
    assert list(dict.fromkeys(name for name, _, _ in EARNED)) == names
    assert {test.points for test in scored(Shown()).tests} == {0}
