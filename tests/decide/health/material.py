"""A small service, and vitals of it as they come in practice: material for the tests of health."""

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core.declared.serving import Recycling, Serving
from flyball.core.estimating import ConceptTrend
from flyball.core.release import Estimate
from flyball.core.service import Data, Experiment, LiveMetric, Metadata, Monitor, Service
from flyball.core.surroundings import Probed, Surroundings, Worker
from flyball.core.watching import Signal
from flyball.decide.health import Counted, Late, Latency, Loss, Trend, Unlabelled, Vitals

SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="fraud", owner="risk"),
    data=Data(contract="contract.yaml", source="data.parquet", label="fraud"),
    experiment=Experiment(task="binary", metric="accuracy"),
    serving=Serving(recycle=Recycling(memory_mb=500.0)),
    monitor=Monitor(live_metric=LiveMetric(name="accuracy", max_loss=0.05)),
)
WELL: dict[str, Any] = {
    "silent_s": 5.0,
    "errors": Counted(events=1, rows=2000),
    "unanswered": Counted(events=0, rows=2000),
    "fallbacks": Counted(events=0, rows=2000),
    "windows": 3,
}


def well(**other: Any) -> Vitals:
    """Of a service that is well, with something else."""
    return Vitals(**(WELL | other))


def lost(value: float, half: float = 0.01) -> Loss:
    estimate = Estimate(value=value, low=value - half, high=value + half, n=2000)
    return Loss(metric="accuracy", estimate=estimate, base=None)


def trend(a_day: float) -> Trend:
    slope = Estimate(value=a_day, low=0.9 * a_day, high=1.1 * a_day, n=40)
    return Trend(told=ConceptTrend(verdict="DRIFT", reason="it falls", windows=40, slope=slope), base=None)


def drift(value: float, *, consecutive: int = 3, feature: str = "amount") -> Signal:
    return Signal(
        signal="psi",
        level="act" if value > 0.25 else "warn",
        value=value,
        limit=0.25,
        release="r",
        window=1,
        first_row=0,
        last_row=999,
        feature=feature,
        consecutive=consecutive,
    )


def probes(*ok: bool) -> Surroundings:
    return Surroundings(
        probes=tuple(
            Probed(endpoint="predict", at=float(at), ok=each, latency_ms=2.0, said="" if each else "503")
            for at, each in enumerate(ok)
        )
    )


# one thing that a service may suffer from, by what it should be called
ILL: dict[str, tuple[str, Vitals]] = {
    "half of the rows fail": ("UNHEALTHY", well(errors=Counted(events=150, rows=300))),
    "no probe is answered for a quarter of an hour": (
        "FAILED",
        well(around=replace(probes(False, False, False), failing_since={"predict": 2.0 - 900.0})),
    ),
    "no probe is answered for a little less": (
        "UNHEALTHY",
        well(around=replace(probes(False, False, False), failing_since={"predict": 2.5 - 900.0})),
    ),
    "all fail for a quarter of an hour": (
        "FAILED",
        well(errors=Counted(events=300, rows=300), failing=(Counted(events=300, rows=300),) * 3),
    ),
    "clients get no answer": ("UNHEALTHY", well(unanswered=Counted(events=90, rows=300))),
    "probes fail": ("UNHEALTHY", well(around=probes(True, False, False, False))),
    "every second probe fails": ("UNHEALTHY", well(around=probes(*(True, False) * 5))),
    "others answer": ("DEGRADING", well(fallbacks=Counted(events=100, rows=300))),
    "slow": (
        "DEGRADING",
        well(latency=Latency(baseline_ms=20.0, beyond=Counted(events=60, rows=300), p95_ms=70.0)),
    ),
    "accuracy lost": ("UNHEALTHY", well(loss=lost(0.08))),
    "accuracy falls by 3.5 points a week": ("DEGRADING", well(trend=trend(0.005))),
    "drift": ("DEGRADING", well(signals=(drift(0.4),))),
    "the supply is broken": ("UNHEALTHY", well(incident="amount: 40 % are missing")),
    "silence": ("DEGRADING", well(silent_s=2000.0, errors=None, unanswered=None, fallbacks=None)),
    "stale rows": ("DEGRADING", well(late=(Late(column="at", late_s=9000.0, limit_s=3600.0),))),
    "labels fail to come": ("DEGRADING", well(unlabelled=Unlabelled(waited_s=9000.0, usual_s=600.0))),
    "a worker grows": ("DEGRADING", well(around=Surroundings(workers=(Worker(pid=7, memory_mb=600.0),)))),
    "memory runs out": ("DEGRADING", well(around=Surroundings(memory_used=0.97))),
    "the disk fills": ("DEGRADING", well(around=Surroundings(disk_free=0.05))),
    "the disk is full": ("UNHEALTHY", well(around=Surroundings(disk_free=0.001))),
}


def counted(most: int = 400) -> st.SearchStrategy[Counted]:
    return st.integers(0, most).flatmap(
        lambda rows: st.builds(Counted, events=st.integers(0, rows), rows=st.just(rows))
    )


VITALS = st.builds(
    Vitals,
    champion=st.sampled_from([True, True, True, False]),
    silent_s=st.none() | st.floats(0, 4000),
    errors=st.none() | counted(),
    failing=st.just(()) | st.tuples(counted(), counted(), counted()),
    unanswered=st.none() | counted(),
    fallbacks=st.none() | counted(),
    latency=st.none()
    | st.builds(Latency, baseline_ms=st.floats(0.1, 100), beyond=counted(), p95_ms=st.floats(0.1, 500)),
    loss=st.none() | st.builds(lost, st.floats(-0.1, 0.2), st.floats(0, 0.1)),
    trend=st.none() | st.builds(trend, st.floats(-0.02, 0.02)),
    unlabelled=st.none() | st.builds(Unlabelled, waited_s=st.floats(0, 9e4), usual_s=st.floats(0, 9e4)),
    late=st.just(())
    | st.tuples(st.builds(Late, column=st.just("at"), late_s=st.floats(0, 9000), limit_s=st.just(3600.0))),
    windows=st.integers(0, 3),
    signals=st.lists(
        st.builds(drift, st.floats(0.1, 0.6), consecutive=st.integers(1, 5), feature=st.sampled_from("ab")),
        max_size=2,
        unique_by=lambda signal: signal.feature,
    ).map(tuple),
    incident=st.none() | st.just("broken"),
    around=st.builds(
        Surroundings,
        probes=st.lists(st.booleans(), max_size=10).map(lambda ok: probes(*ok).probes),
        memory_used=st.none() | st.floats(0, 1),
        disk_free=st.none() | st.floats(0, 1),
    ),
)
