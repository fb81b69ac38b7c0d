"""Facts of a small service, as the loop would write them: material for the tests of `control`."""

from collections.abc import Iterable, Sequence

from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.ledger import Entry
from flyball.core.policy import policy_digest
from flyball.core.release import Release
from flyball.core.routing import Verdict
from flyball.core.service import (
    Approval,
    Autonomy,
    Canary,
    Data,
    Experiment,
    Metadata,
    Monitor,
    Promote,
    Retrain,
    Rollout,
    Service,
    Shadow,
    Step,
)

NAME = ServiceName("fraud")
FIRST, SECOND, THIRD = (ReleaseRoot("sha256:" + letter * 64) for letter in "abc")
NOW = "2026-11-21T10:00:00.000000Z"


def service(*, steps: Sequence[Step] | None = None, autonomy: Autonomy | None = None) -> Service:
    return Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name="fraud", owner="risk", people={"ada": ("approver",), "bob": ("operator",)}),
        data=Data(contract="contract.yaml", source="data.parquet", label="fraud"),
        experiment=Experiment(task="binary", metric="accuracy"),
        rollout=Rollout(
            steps=tuple(
                steps
                or (
                    Step(shadow=Shadow(min_pairs=10)),
                    Step(approval=Approval()),
                    Step(canary=Canary(weight=0.1, min_requests=10, min_s=0)),
                    Step(canary=Canary(weight=0.5, min_requests=10, min_s=0)),
                    Step(promote=Promote()),
                )
            )
        ),
        monitor=Monitor(window_rows=100),
        retrain=Retrain(min_new_rows=50, cooldown_s=600),
        autonomy=autonomy or Autonomy(retrain="auto"),
    )


POLICY = policy_digest(service())
OPENED = e.RolloutOpened(
    service=NAME, rollout=RolloutId("ro-1"), release=SECOND, champion=FIRST, policy=POLICY, salt="s", reason="drift"
)
BACK = e.RolledBack(
    service=NAME,
    rollout=OPENED.rollout,
    release=SECOND,
    to=FIRST,
    cause="errors",
    by="gateway",
    verdict=Verdict(kind="ROLL_BACK", reason="errors of the candidate"),
    epoch=3,
)


def release(root: ReleaseRoot, *, passed: bool = True) -> Release:
    return Release(
        root=root,
        experiment=ExperimentDigest("fx1:" + root),
        service=NAME,
        task="binary",
        snapshot=Digest("sha256:" + "5" * 64),
        metrics={},
        gates=(),
        passed=passed,
    )


def registered(root: ReleaseRoot, *, passed: bool = True, ticket: str | None = None) -> list[e.AnyFact]:
    return [
        e.ReleaseRegistered(service=NAME, release=release(root, passed=passed), ticket=ticket),
        e.GatesJudged(service=NAME, release=root, passed=passed, results=()),
    ]


def first_champion() -> list[e.AnyFact]:
    """A service that serves its first release."""
    return [
        e.ServiceDeclared(service=NAME, policy=POLICY, declaration={}, folder="fraud"),
        *registered(FIRST),
        e.ChampionAppointed(service=NAME, release=FIRST, previous=None, rubber_stamped=True),
    ]


def entries(facts: Iterable[e.AnyFact], *, at: str = NOW) -> list[Entry]:
    return [
        Entry(seq=seq, at=at, type="?", subject=fact.service, fact=fact, prev_hash="", hash="")
        for seq, fact in enumerate(facts, 1)
    ]


def folded(facts: Iterable[e.AnyFact]) -> ServiceState:
    state = ServiceState(service=NAME)
    for entry in entries(facts):
        state = fold(state, entry)
    return state
