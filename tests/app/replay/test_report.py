"""What the governor did is read off the ledger, each deed at the row where it was written."""

import pytest

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.replay.report import Deeds, deeds
from flyball.core import events as e
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.watching import Diagnosis, Signal
from flyball.registry import chain

SERVICE = ServiceName("s")
SHIFT = Diagnosis(kind="covariate_shift", reason="the inputs moved", remedy="retrain")


def training(reason: e.Reason, ticket: str | None = None) -> e.TrainingStarted:
    return e.TrainingStarted(
        service=SERVICE,
        experiment=ExperimentDigest("fx1:sha256:0"),
        snapshot=Digest("sha256:d"),
        reason=reason,
        ticket=ticket,
    )


def opened(name: str) -> e.RolloutOpened:
    release = ReleaseRoot(f"sha256:{name}")
    return e.RolloutOpened(
        service=SERVICE,
        rollout=RolloutId(name),
        release=release,
        champion=ReleaseRoot("sha256:first"),
        policy=Digest("sha256:p"),
        salt=name,
        reason="drift",
    )


def closed(name: str, outcome: str) -> e.RolloutClosed:
    return e.RolloutClosed(service=SERVICE, rollout=RolloutId(name), outcome=outcome, reason=outcome)  # type: ignore[arg-type]


SIGNAL = Signal(
    signal="psi",
    level="warn",
    value=0.2,
    limit=0.1,
    release="sha256:first",
    window=1,
    first_row=1001,
    last_row=1100,
    feature="x",
    consecutive=1,
)
PANES: tuple[tuple[int, list[e.AnyFact]], ...] = (
    (1000, [training("first")]),
    (1099, []),
    (1199, [e.SignalRaised(service=SERVICE, signal=SIGNAL)]),
    (1299, []),
    (
        1399,
        [
            e.TicketOpened(service=SERVICE, ticket="t", kind="retrain", reason="drift", diagnosis=SHIFT),
            training("drift", "t"),
            opened("one"),
        ],
    ),
    (1499, [e.IncidentOpened(service=SERVICE, incident="i", kind="data_quality", reason="broken")]),
    (1699, [closed("one", "promoted"), opened("two")]),
    (1799, [e.IncidentClosed(service=SERVICE, incident="i", how="new_normal", reason="steady")]),
    (1899, []),
)


@pytest.fixture
def done() -> Deeds:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    row_at: dict[int, int] = {}
    size = 0
    for row, facts in PANES:
        if facts:
            ledger.append(facts)
            size += len(facts)
        row_at.setdefault(size, row)
    return deeds(ledger.read(), row_at, 1000)


def test_a_deed_stands_at_the_pane_that_wrote_it_and_not_at_a_later_quiet_one(done: Deeds) -> None:
    assert [(line.row, line.reason, line.diagnosis) for line in done.trainings] == [
        (1000, "first", None),
        (1399, "drift", "covariate_shift"),
    ]
    assert [(line.row, line.signal, line.feature, line.level) for line in done.signals] == [(1199, "psi", "x", "warn")]


def test_a_rollout_without_an_end_is_open(done: Deeds) -> None:
    assert [(line.opened_row, line.row, line.outcome) for line in done.rollouts] == [
        (1399, 1699, "promoted"),
        (1699, 1699, "open"),
    ]


def test_the_lag_of_a_schedule_comes_from_promotions_only(done: Deeds) -> None:
    assert done.retrainings == 1
    assert done.lags == (300,)


def test_an_incident_has_a_beginning_and_an_end(done: Deeds) -> None:
    assert [(line.row, line.closed_row) for line in done.incidents] == [(1499, 1799)]


def test_an_empty_ledger_tells_of_nothing() -> None:
    assert deeds([], {}, 10) == Deeds(trainings=(), rollouts=(), signals=(), incidents=())
