"""Small services and scenarios in which what people and policies may do happens: each story has its own."""

from dataclasses import replace as with_contract

from msgspec.structs import replace
from tests.simulation.crashing import QUICK
from tests.simulation.small import CONTRACT, declared, scenario

from flyball.app.rehearse.faults import FaultAt
from flyball.app.rehearse.scenario import Candidate, Drift, Scenario, Word
from flyball.app.wiring.rehearse.cast import Cast
from flyball.core.contract import Column
from flyball.core.service import (
    Approval,
    Autonomy,
    Canary,
    Gate,
    Metadata,
    MetricGuardrail,
    Policy,
    PressureRule,
    Promote,
    Rule,
    Service,
    Shadow,
    Soak,
    Step,
)

GOOD = Candidate(at=60, error_ratio=0, slow_ratio=0)
KEYED = replace(CONTRACT, columns=(Column(name="unit", kind="string", required=True), *CONTRACT.columns))
CALM = replace(QUICK, autonomy=Autonomy(retrain="observe"), monitor=replace(QUICK.monitor, window_rows=5000))


def stepped(service: Service, *steps: Step) -> Service:
    return replace(service, rollout=replace(service.rollout, steps=steps))


def cast(service: Service, told: Scenario) -> Cast:
    return Cast(with_contract(declared(service), contract=KEYED), told)


def soaking(*, max_loss: float, min_s: float) -> Service:
    """A canary and a soak that both wait for labels. The wider the margin, the fewer of them are needed."""
    found = stepped(
        replace(CALM, data=replace(CALM.data, key="unit")),
        Step(shadow=Shadow(min_pairs=10)),
        Step(approval=Approval()),
        Step(canary=Canary(weight=0.5, min_requests=40, min_s=0, timeout_s=3600, on_timeout="abort")),
        Step(soak=Soak(holdback=0.3, min_requests=40, min_s=min_s, timeout_s=3600, on_timeout="abort")),
        Step(promote=Promote()),
    )
    metric = MetricGuardrail(name="accuracy", max_loss=max_loss, labels="required")
    rails = replace(found.rollout.guardrails, metrics=(metric,))
    return replace(found, rollout=replace(found.rollout, guardrails=rails))


A_SOAK = scenario(
    days=0.08,
    traffic_rps=1.0,
    label_delay_s=60.0,
    candidates=(GOOD, replace(GOOD, at=3000, metric_change=-0.4)),
    words=(Word(at=900, say="pause"), Word(at=960, say="resume")),
)

EXCEPTED = replace(
    CALM,
    metadata=Metadata(
        name="small",
        owner="somebody",
        people={"ada": ("approver", "exception"), "ben": ("exception",), "eve": ("operator", "exception")},
    ),
    gates=(Gate(metric="accuracy", min=0.9),),
)
FAILED = replace(GOOD, fails="accuracy")
EXCEPTIONS = scenario(
    days=0.09,
    traffic_rps=0.7,
    candidates=(FAILED, replace(FAILED, at=2500), replace(FAILED, at=5000)),
    words=(
        Word(at=100, say="except", by="ada", lasts_s=3600.0),
        Word(at=160, say="confirm", by="ben"),
        Word(at=2600, say="except", lasts_s=200.0),  # over before anybody has looked, or soon after
        Word(at=2620, say="confirm"),
        Word(at=5100, say="except", by="eve"),
        Word(at=5200, say="confirm", by="ada"),
        Word(at=5260, say="revoke", by="ben"),
    ),
)

RULED = replace(
    CALM,
    policy=Policy(
        rules=(
            Rule(action="promote", when="hour == 0", effect="never", reason="nobody is awake"),
            Rule(action="promote", when='reason == "manual"', effect="needs", reason="made by hand", quorum=2),
            Rule(action="rollout", when="rollouts_this_week >= 2", effect="never", reason="two a week are enough"),
        )
    ),
)
RULES = scenario(
    days=0.09,
    traffic_rps=0.3,
    candidates=(GOOD, replace(GOOD, at=4000, error_ratio=300), replace(GOOD, at=6200)),
)

ALONE = replace(
    QUICK,
    retrain=replace(QUICK.retrain, triggers=("drift", "commit"), cooldown_s=600.0),
    autonomy=Autonomy(retrain="approval"),
    policy=Policy(rules=(Rule(action="promote", when='reason == "commit"', effect="alone", reason="routine"),)),
)
MESSAGES = scenario(
    days=0.1,
    traffic_rps=0.7,
    label_delay_s=60.0,
    candidates=(),
    drift=(Drift(at=6000, feature="x", shift=4.0),),
    words=(
        Word(at=900, say="commit", by="ada"),
        Word(at=920, say="commit", by="ada"),
        Word(at=3600, say="freeze"),
        Word(at=3700, say="thaw"),
    ),
)

PRESSED = replace(
    QUICK,
    retrain=replace(QUICK.retrain, triggers=("drift",), cooldown_s=600.0, pressure=PressureRule()),
    autonomy=Autonomy(retrain="auto"),
)
PRESSURE = scenario(
    days=0.1, traffic_rps=0.7, label_delay_s=60.0, candidates=(), drift=(Drift(at=600, feature="x", shift=3.0),)
)

DEAF = scenario(
    days=0.06,
    traffic_rps=0.5,
    candidates=(replace(GOOD, at=300),),
    faults=(FaultAt(at=310, point="gateway.apply", kind="dead"),),
    words=(Word(at=1600, say="promote"), Word(at=2500, say="retrain"), Word(at=3000, say="rollback")),
)

STORIES = {
    "a soak with a metric": cast(soaking(max_loss=0.25, min_s=300), A_SOAK),
    "exceptions": cast(EXCEPTED, EXCEPTIONS),
    "rules": cast(RULED, RULES),
    "messages": cast(ALONE, MESSAGES),
    "pressure": cast(PRESSED, PRESSURE),
    "a gateway that takes no order": cast(CALM, DEAF),
}
