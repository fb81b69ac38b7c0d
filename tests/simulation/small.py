"""A small service whose rehearsals are cheap: two features, few requests a step, windows that close now and then."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from flyball.app.declared import Declared
from flyball.app.rehearse.report import Run
from flyball.app.rehearse.scenario import Candidate, Drift, Scenario
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core.contract import Column, DataContract
from flyball.core.service import (
    Approval,
    Autonomy,
    Canary,
    Data,
    Experiment,
    LiveMetric,
    Metadata,
    Monitor,
    Promote,
    Psi,
    Retrain,
    Rollout,
    Service,
    Shadow,
    Step,
)

CONTRACT = DataContract(
    id="small",
    version="1",
    table="rows",
    columns=(
        Column(name="x", kind="number", required=True, minimum=0, maximum=100),
        Column(name="group", kind="string", required=True, enum=("a", "b", "c")),
        Column(name="y", kind="integer", required=True, minimum=0, maximum=1),
    ),
)
SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="small", owner="somebody", people={"ada": ("approver",)}),
    data=Data(contract="contract.yaml", source="rows.parquet", label="y"),
    experiment=Experiment(task="binary", metric="accuracy"),
    rollout=Rollout(
        steps=(
            Step(shadow=Shadow(min_pairs=100)),
            Step(approval=Approval()),
            Step(canary=Canary(weight=0.4, min_requests=150, timeout_s=7200, on_timeout="abort")),
            Step(canary=Canary(weight=0.5, min_requests=150, timeout_s=7200, on_timeout="abort")),
            Step(promote=Promote()),
        )
    ),
    monitor=Monitor(window_rows=500, psi=Psi(consecutive=2), live_metric=LiveMetric(name="accuracy", max_loss=0.05)),
    retrain=Retrain(triggers=("drift", "risk"), min_new_rows=300, cooldown_s=6 * 3600.0),
    autonomy=Autonomy(retrain="auto"),
)


def declared(service: Service = SERVICE) -> Declared:
    """As if it had been read from a folder."""
    here = Path("small")
    return Declared(
        file=here / "service.yaml",
        folder=here,
        service=service,
        contract=CONTRACT,
        code={},
        source=here / "rows.parquet",
        notes=(),
        not_executed=(),
    )


def scenario(**changes: object) -> Scenario:
    """Seven hours with a good candidate and a bad one."""
    told = {
        "service": "small",
        "days": 0.3,
        "traffic_rps": 1.0,
        "label_delay_s": 600.0,
        "candidates": (Candidate(at=600, metric_change=0.02), Candidate(at=10_800, error_ratio=10)),
    }
    return Scenario(**(told | changes))  # type: ignore[arg-type]


_CASTS: dict[bytes, Cast] = {}


def cast_of(told: Scenario) -> Cast:
    """What its seeds share; made once."""
    name = msgspec.json.encode(told)
    if name not in _CASTS:
        _CASTS[name] = Cast(declared(), told)
    return _CASTS[name]


def drifting() -> Scenario:
    """A day on which the rows change, so that the loop trains again."""
    return scenario(days=1.0, candidates=(), drift=(Drift(at=3600, feature="x", shift=2.0),))


def rehearse(told: Scenario, seeds: Sequence[int]) -> list[Run]:
    return [Rehearsal(cast_of(told), seed).run() for seed in seeds]
