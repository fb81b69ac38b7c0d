"""A past that is known by construction, run by the real loop, and five other policies on it, to be checked by hand.

An hour is a window of 100 rows, so row n is answered in hour n / 100.

    rows 500 to 599     PSI 0.30 by chance: nothing has changed
    from row 2000       the world has changed: PSI 0.60 until a release serves that was trained after it
    from row 4000       whatever serves then loses 0.10 of accuracy, until a release serves that was trained after it

Trainings take 100 s, 200 s, 300 s ... at 36 an hour, so they cost 1, 2, 3 ... The candidate of the second training is
bad: it has 30 errors in 400 requests when its first canary is judged, and 80 in 1,200 when the record takes it back.
"""

from collections.abc import Iterator

from msgspec.structs import replace
from tests.app.backtest.two_arms import TwoArms, accuracy
from tests.app.backtest.two_arms import declared as declared_of_arms
from tests.control.plant import NAME, Hour, Plant, Trainer
from tests.control.world import service

from flyball.app.backtest.past import past
from flyball.app.backtest.policies import AS_RECORDED, Policy
from flyball.app.backtest.report import Backtest, PolicyLine
from flyball.app.backtest.words import beside, page
from flyball.app.wiring.backtest.run import Asked, Run, of_windows
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.declared.guardrails import MetricGuardrail
from flyball.core.ids import Digest, ExperimentDigest
from flyball.core.ledger import Claimed
from flyball.core.ports import Segment
from flyball.core.realised import LabelState
from flyball.core.routing import ArmCounts, Routing, StepCounts, TestSums
from flyball.core.runs import Use
from flyball.core.seen_windows import SeenWindow
from flyball.core.service import Autonomy, Canary, LiveMetric, Promote, Psi, Retrain, Service, Step
from flyball.core.watching import WindowReport

HOURS = 60
SHIFTED, SPOILT = 20, 40  # hours
PRICE = 36.0  # an hour
LIVE = tuple(Step(canary=Canary(weight=weight, min_s=3600, timeout_s=86_400)) for weight in (0.2, 0.4))


def declared() -> Service:
    base = service(steps=[*LIVE, Step(promote=Promote())], autonomy=Autonomy(retrain="auto", promote="auto"))
    live = LiveMetric(name="accuracy", max_loss=0.05)
    monitor = replace(base.monitor, psi=Psi(warn=0.10, act=0.25, consecutive=2), live_metric=live)
    return replace(base, monitor=monitor, retrain=Retrain(min_new_rows=50, cooldown_s=6 * 3600))


def world(hour: int, trained: int) -> Hour:
    psi = 0.30 if hour == 5 else 0.60 if hour >= SHIFTED > trained else 0.05
    return Hour(psi, 0.10 if hour >= SPOILT > trained else 0.0)


class Priced(Trainer):
    """The n-th training takes n times 100 s."""

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        number = len(self.asked) + 1
        run, experiment, seconds = f"run-{number}", ExperimentDigest(f"fx1:{number}"), 100.0 * number
        self.ledger.append(
            [
                e.TrainingStarted(
                    service=NAME,
                    experiment=experiment,
                    snapshot=Digest("sha256:5"),
                    reason="drift",
                    ticket=str(claimed.command.body["ticket"]),
                    run=run,
                ),
                e.RunFinished(
                    service=NAME,
                    run=run,
                    experiment=experiment,
                    outcome="trained",
                    executor="in_process",
                    reason="drift",
                    use=Use(seconds=seconds),
                    cost=seconds / 3600 * PRICE,
                ),
            ]
        )
        super().learn(state, claimed)


class Past(Plant):
    """The record: a ledger of the real loop, and the windows as the monitor would have kept them."""

    def __init__(self) -> None:
        super().__init__(declared(), world, gain=lambda _: True)
        self.windows: list[SeenWindow] = []
        self.loop.learner = Priced(self, lambda _: True)
        self.loop.gateways.seen = counted
        self.anew()

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        found = super().feed(segment, champion=champion)
        reports = [
            replace(each, metric_rows=(each.first_row, each.last_row), labels=LabelState(new=each.last_row + 1))
            for each in found
        ]
        self.windows += [SeenWindow(start=each.start, end=each.end, report=each) for each in reports]
        return reports


def counted(routing: Routing) -> StepCounts:
    """2,000 requests a canary; of the second candidate many end as errors."""
    bad = str(routing.candidate).endswith("2")  # of the second training
    first, later = ArmCounts(requests=400, units=400), ArmCounts(requests=800, units=800)
    arm = later if routing.step else first
    whole = ArmCounts(requests=1200, units=1200) if routing.step else first
    if bad:
        arm, whole = replace(arm, errors=50 if routing.step else 30), replace(whole, errors=80 if routing.step else 30)
    log_e = (4.5 if routing.step else 2.0) if bad else 0.0
    return StepCounts(
        service=routing.service,
        epoch=routing.epoch,
        rollout=routing.rollout,
        step=routing.step,
        champion=ArmCounts(requests=2000 - arm.requests, units=2000 - arm.requests),
        candidate=arm,
        step_tests=TestSums(errors=-3.0),
        rollout_tests=TestSums(errors=log_e),
        rollout_candidate=whole,
        received=2000,
        written=2000,
    )


def policies() -> tuple[Policy, ...]:
    base = declared()
    rails = base.rollout.guardrails
    hasty = replace(base.monitor, psi=replace(base.monitor.psi, consecutive=1))
    blind = replace(base.monitor, psi=replace(base.monitor.psi, act=0.70))
    return (
        Policy(name=AS_RECORDED, service=base),
        Policy(name="1 window", service=replace(base, monitor=hasty)),
        Policy(name="act at 0.70", service=replace(base, monitor=blind)),
        Policy(name="rest 1 h", service=replace(base, retrain=replace(base.retrain, cooldown_s=3600))),
        Policy(name="20 errors", service=_rails(base, replace(rails, max_errors=20))),
        Policy(name="alpha 0.001", service=_rails(base, replace(rails, alpha=0.001))),
    )


def _rails(base: Service, rails: object) -> Service:
    return replace(base, rollout=replace(base.rollout, guardrails=rails))


def found() -> Backtest:
    """The record, and every policy on it; the two changes are known."""
    record = Past()
    record.run(HOURS)
    run = Run(service=NAME, recorded=declared(), past=past(NAME, record.loop.ledger.read()), kind="windows")
    changes = (str(100 * SHIFTED), str(100 * SPOILT))
    asked = Asked(files=(), sweeps=(), changes=changes, within_rows=1000)
    return run.backtest(policies(), asked, of_windows(NAME, declared(), record.windows), lambda _: None)


def backtest() -> Iterator[str]:
    """As the command prints it."""
    yield "Six policies on one recorded past: changes at rows 2000 and 4000, and a candidate that errs"
    yield ""
    yield from page(found()).splitlines()


def backtest_of_labels() -> Iterator[str]:
    """A candidate that is right in 80 % beside a champion that is in 90 %, and nobody who looked at its labels."""
    record = TwoArms(declared_of_arms(), (0.9, 0.8), panes=53)
    needs = MetricGuardrail(name="accuracy", max_loss=0.001, labels="required")
    policies = {
        "worse by 0.02": declared_of_arms(accuracy(0.02)),
        "worse by 0.05": declared_of_arms(accuracy(0.05)),
        "worse by 0.2": declared_of_arms(accuracy(0.2)),
        "needs 0.001": declared_of_arms(needs, alpha=1e-6),
    }
    told = record.backtest(*policies.values(), names=tuple(policies))
    yield "Right in 80 % instead of 90 %: a canary from row 600 on, a soak from row 1400, champion from row 2900"
    yield ""
    heads = ("policy", "ends", "candidate's rows", "known to row", "bad champion's rows")
    yield from beside([heads, *(_of_labels(each, told.last_row) for each in told.policies)])
    yield ""
    for each in told.policies:
        yield f"{each.policy}: {each.rollout_list[0].why}"


def _of_labels(each: PolicyLine, last_row: int) -> tuple[str, ...]:
    (rollout,) = each.rollout_list
    known = "the end" if each.known_to_row == last_row else str(each.known_to_row)
    at_least = ["at least " * bound for bound in (rollout.at_least, each.bad_rows_at_least)]
    ended = rollout.outcome.replace("_", " ")
    return each.policy, ended, f"{at_least[0]}{rollout.requests}", known, f"{at_least[1]}{each.bad_rows}"
