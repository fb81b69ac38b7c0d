"""What an approval binds, and when it is void."""

import pytest
from msgspec.structs import replace
from tests.decide.rollouts import seen

from flyball.core.events import ApprovalGiven, ApprovalRequested
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.release import Estimate, Release
from flyball.core.routing import Verdict
from flyball.decide.evidence import bundle, objections, valid, void_because

RELEASE = Release(
    root=ReleaseRoot("sha256:b"),
    experiment=ExperimentDigest("fx1:sha256:e"),
    service=ServiceName("s"),
    task="binary",
    snapshot=Digest("sha256:d"),
    metrics={"accuracy": Estimate(value=0.9, low=0.88, high=0.92, n=1000)},
    gates=(),
    passed=True,
)
VERDICTS = {0: Verdict(kind="PROMOTE", reason="200 pairs")}
ASKED = ApprovalRequested(
    service=ServiceName("s"),
    rollout=RolloutId("ro"),
    step=1,
    model=ReleaseRoot("m"),
    evidence=Digest("e"),
    policy=Digest("p"),
    role="approver",
    expires_at="2026-11-22T10:00:00.000000Z",
)
GIVEN = ApprovalGiven(
    service=ServiceName("s"),
    rollout=RolloutId("ro"),
    model=ReleaseRoot("m"),
    evidence=Digest("e"),
    policy=Digest("p"),
    by="ada",
    proof="token",
)


def test_an_approval_of_exactly_this_stands() -> None:
    assert valid(GIVEN, ASKED)


@pytest.mark.parametrize("field", ["model", "evidence", "policy", "rollout"])
def test_an_approval_voids_itself_when_a_digest_changes(field: str) -> None:
    assert void_because(GIVEN, replace(ASKED, **{field: "another"})) == (field,)


def test_the_same_evidence_has_the_same_digest_and_any_change_another() -> None:
    report, evidence = bundle(RELEASE, VERDICTS, seen(pairs=200))
    assert bundle(RELEASE, VERDICTS, seen(pairs=200)) == (report, evidence)
    assert bundle(RELEASE, VERDICTS, seen(pairs=201))[1] != evidence
    assert bundle(RELEASE, {}, seen(pairs=200))[1] != evidence
    assert bundle(RELEASE, VERDICTS, seen(pairs=200), labels="worse")[1] != evidence
    better = replace(RELEASE, metrics={"accuracy": Estimate(value=0.91, low=0.88, high=0.92, n=1000)})
    assert bundle(better, VERDICTS, seen(pairs=200))[1] != evidence


def test_the_approver_reads_gates_metrics_and_the_shadow() -> None:
    report, _ = bundle(RELEASE, VERDICTS, seen(pairs=200, disagreements=7))
    assert report["shadow"]["disagreements"] == 7
    assert report["metrics"]["accuracy"]["value"] == 0.9


def test_only_people_with_the_role_approve() -> None:
    assert objections("ada", "approver", {"ada": ("approver",)}) == ()
    assert objections("bob", "approver", {"ada": ("approver",), "bob": ("operator",)})
    assert objections("whoever", "approver", {}) == ()
