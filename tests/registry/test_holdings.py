"""What the ledger keeps: each line of the promise as one test."""

from datetime import UTC, datetime, timedelta

import pytest

from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.facts.storage import HoldLifted, HoldPlaced
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.ledger import Entry
from flyball.core.release import Origin, Release, Snapshot
from flyball.core.routing import Routing, Verdict
from flyball.core.service import Pin
from flyball.registry.hexes import digits
from flyball.registry.holdings import LOGS_KEPT, Holdings

NAME = ServiceName("fraud")
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
A, B, C = (ReleaseRoot(f"sha256:{letter * 64}") for letter in "abc")
SNAPSHOT = Digest("sha256:" + "5" * 64)
EXPERIMENT = {root: ExperimentDigest("fx1:sha256:" + digit * 64) for root, digit in ((A, "1"), (B, "2"), (C, "3"))}
ROLLOUT = RolloutId("ro-1")


def release(root: ReleaseRoot) -> Release:
    return Release(
        root=root,
        experiment=EXPERIMENT[root],
        service=NAME,
        task="binary",
        snapshot=SNAPSHOT,
        metrics={},
        gates=(),
        passed=True,
    )


def made(root: ReleaseRoot, *, passed: bool = True) -> list[e.AnyFact]:
    return [
        e.ReleaseRegistered(service=NAME, release=release(root)),
        e.GatesJudged(service=NAME, release=root, passed=passed, results=()),
    ]


def champion(root: ReleaseRoot, previous: ReleaseRoot | None = None) -> e.AnyFact:
    return e.ChampionAppointed(service=NAME, release=root, previous=previous)


def opened(root: ReleaseRoot, to: ReleaseRoot) -> e.AnyFact:
    return e.RolloutOpened(
        service=NAME, rollout=ROLLOUT, release=root, champion=to, policy=SNAPSHOT, salt="", reason="manual"
    )


def step(candidate: ReleaseRoot, champion: ReleaseRoot) -> e.AnyFact:
    routing = Routing(service=NAME, epoch=1, champion=champion, candidate=candidate, weight=100)
    return e.StepStarted(service=NAME, rollout=ROLLOUT, step=0, kind="canary", key="k", routing=routing, why="")


def rolled_back(root: ReleaseRoot, to: ReleaseRoot) -> list[e.AnyFact]:
    verdict = Verdict(kind="ROLL_BACK", reason="errors")
    home = Routing(service=NAME, epoch=2, champion=to)
    return [
        e.RolledBack(
            service=NAME, rollout=ROLLOUT, release=root, to=to, cause="errors", by="gateway", verdict=verdict, epoch=2
        ),
        e.RoutingOrdered(service=NAME, key="r", routing=home, why=""),
        e.RolloutClosed(service=NAME, rollout=ROLLOUT, outcome="rolled_back", reason="errors"),
    ]


def holdings(*facts: e.AnyFact, service: str = NAME) -> Holdings:
    """One fact a day from START on."""
    found = Holdings()
    for seq, fact in enumerate(facts, 1):
        at = timestamp(START + (seq - 1) * DAY)
        found.take(Entry(seq=seq, at=at, type="", subject=service, fact=fact, prev_hash="", hash=""))
    return found


def kept(found: Holdings, *, days: float = 3650) -> set[str]:
    return set(found.roots(START + timedelta(days=days)))


def test_a_refused_release_is_the_one_thing_that_nothing_keeps() -> None:
    found = holdings(*made(A), champion(A), *made(B, passed=False))
    assert kept(found) == {digits(A)}
    assert found.roots(START)[digits(A)] == "champion of fraud"


def test_a_release_that_has_served_or_waits_is_kept_for_ever() -> None:
    found = holdings(*made(A), champion(A), *made(B), opened(B, A), champion(B, A), *made(C))
    assert kept(found) >= {digits(A), digits(B), digits(C)}
    why = found.roots(START)
    assert why[digits(C)] == "qualified in fraud"


def test_an_open_rollout_keeps_both_of_its_arms_until_it_closes() -> None:
    opens = [*made(A), champion(A), *made(B), opened(B, A), step(B, A)]
    assert {digits(A), digits(B)} <= kept(holdings(*opens))
    closed = holdings(*opens, *rolled_back(B, A))
    assert digits(B) not in kept(closed)
    assert digits(A) in kept(closed)


def test_what_answered_requests_is_kept_as_long_as_logs_are() -> None:
    facts = [*made(A), champion(A), *made(B), opened(B, A), step(B, A), *rolled_back(B, A)]
    found = holdings(*facts)
    last = len(facts) - 1  # the day on which the rollout closed
    assert digits(B) in kept(found, days=last + LOGS_KEPT.days - 0.1)
    assert digits(B) not in kept(found, days=last + LOGS_KEPT.days + 0.1)


def test_an_approval_keeps_the_model_and_the_evidence_that_it_names() -> None:
    evidence = Digest("sha256:" + "e" * 64)
    given = e.ApprovalGiven(
        service=NAME, rollout=ROLLOUT, model=B, evidence=evidence, policy=SNAPSHOT, by="ada", proof="os_user"
    )
    rejected = e.RolloutClosed(service=NAME, rollout=ROLLOUT, outcome="expired", reason="")
    found = holdings(*made(A), champion(A), *made(B), opened(B, A), given, rejected)
    assert {digits(B), digits(evidence)} <= kept(found)


def test_a_hold_keeps_until_it_is_lifted() -> None:
    placed = HoldPlaced(service=NAME, digest=Digest(B), by="ada", proof="os_user", why="dispute")
    lifted = HoldLifted(service=NAME, digest=Digest(B), by="ada", proof="os_user", why="settled")
    base = [*made(A), champion(A), *made(B, passed=False)]
    assert holdings(*base, placed).roots(START)[digits(B)] == "held by ada: dispute"
    assert digits(B) not in kept(holdings(*base, placed, lifted))


def test_a_pin_keeps_the_snapshot_to_the_end_of_its_last_day() -> None:
    pin = Pin(system="iceberg", table_id="cards", snapshot_id="42", retention_until="2027-06-30")
    manifest = Digest("sha256:" + "f" * 64)
    origin = Origin(root=SNAPSHOT, files=1, size=1, manifest=manifest, grade="B", pin=pin)
    taken = e.SnapshotTaken(
        service=NAME, snapshot=Snapshot(root=SNAPSHOT, files=(), rows=1, source="source", origin=origin)
    )
    found = holdings(taken)
    assert set(found.roots(datetime(2027, 6, 30, 23, 59, tzinfo=UTC))) == {digits(SNAPSHOT)}
    assert not found.roots(datetime(2027, 7, 1, tzinfo=UTC))
    assert found.needs(digits(SNAPSHOT)) == {digits(manifest)}


@pytest.mark.parametrize("ends", ["never", "failed", "registered"])
def test_a_training_that_has_not_ended_keeps_its_snapshot(ends: str) -> None:
    started = e.TrainingStarted(service=NAME, experiment=EXPERIMENT[B], snapshot=SNAPSHOT, reason="manual")
    end: dict[str, list[e.AnyFact]] = {
        "never": [],
        "failed": [e.TrainingFailed(service=NAME, experiment=EXPERIMENT[B], error="no luck")],
        "registered": made(B, passed=False),
    }
    assert (digits(SNAPSHOT) in kept(holdings(started, *end[ends]), days=30)) is (ends == "never")


def test_a_release_needs_its_snapshot_and_whatever_facts_about_its_experiment_name() -> None:
    started = e.TrainingStarted(service=NAME, experiment=EXPERIMENT[B], snapshot=SNAPSHOT, reason="manual")
    found = holdings(started, *made(B))
    assert found.needs(digits(B)) == {digits(SNAPSHOT), digits(EXPERIMENT[B])}
    assert digits(SNAPSHOT) in found.needs(digits(EXPERIMENT[B]))
    assert found.owners()[digits(B)] == NAME
