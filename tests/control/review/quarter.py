"""A constructed ledger of a service over a quarter, small enough that each figure of it can be counted by hand."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace
from tests.control.world import BACK, FIRST, NAME, OPENED, POLICY, SECOND, THIRD, release

from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId
from flyball.core.ledger import Entry
from flyball.core.routing import Routing
from flyball.core.watching import Diagnosis
from flyball.decide.calendar import Span

QUARTER = Span(since=datetime(2026, 7, 1, tzinfo=UTC), until=datetime(2026, 10, 1, tzinfo=UTC))  # 92 days, 3 months
FOURTH = ReleaseRoot("sha256:" + "d" * 64)
SHA = Digest("sha256:" + "0" * 64)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Dated = tuple[datetime, e.AnyFact]


def day(n: float) -> datetime:
    return QUARTER.since + n * DAY


def experiment(root: str) -> ExperimentDigest:
    return release(ReleaseRoot(root)).experiment


def trained(
    at: datetime, root: ReleaseRoot, *, run: str, ticket: str | None, reason: e.Reason, cost: float | None = 2.0
) -> list[Dated]:
    """A training that takes an hour and comes to a release."""
    started = e.TrainingStarted(
        service=NAME, experiment=experiment(root), snapshot=SHA, reason=reason, ticket=ticket, run=run
    )
    ended = e.RunFinished(
        service=NAME,
        run=run,
        experiment=experiment(root),
        outcome="trained",
        executor="subprocess",
        reason=reason,
        release=root,
        cost=cost,
    )
    by = "ada" if ticket is None else ""
    made = e.ReleaseRegistered(service=NAME, release=release(root), ticket=ticket, signature="s", by=by)
    return [(at, started), (at + HOUR, ended), (at + HOUR, made)]


def ordered(at: datetime, ticket: str, reason: e.Reason, *, by: str = "controller") -> list[Dated]:
    diagnosis = Diagnosis(kind="unknown", reason="-")
    opened = e.TicketOpened(service=NAME, ticket=ticket, kind="retrain", reason=reason, diagnosis=diagnosis)
    proof: e.Proof = "policy" if by == "controller" else "os_user"
    return [
        (at, opened),
        (at, e.RetrainOrdered(service=NAME, ticket=ticket, key=ticket, by=by, proof=proof, reason=reason)),
    ]


def opened(at: datetime, name: str, root: ReleaseRoot, champion: ReleaseRoot, *kinds: str) -> list[Dated]:
    rollout = replace(OPENED, rollout=RolloutId(name), release=root, champion=champion)
    steps = [
        e.StepStarted(
            service=NAME,
            rollout=RolloutId(name),
            step=index,
            kind=kind,  # type: ignore[arg-type]
            key=f"{name}/{index}",
            routing=Routing(service=NAME, epoch=index, champion=champion),
            why="-",
        )
        for index, kind in enumerate(kinds)
    ]
    return [(at, rollout), *((at + HOUR, step) for step in steps)]


def promoted(at: datetime, name: str, root: ReleaseRoot, champion: ReleaseRoot) -> list[Dated]:
    appointed = e.ChampionAppointed(service=NAME, release=root, previous=champion, rollout=RolloutId(name))
    closed = e.RolloutClosed(service=NAME, rollout=RolloutId(name), outcome="promoted", reason="-")
    return [(at, appointed), (at, closed)]


def incident(
    at: datetime, name: str, kind: e.IncidentOpened, *, late_s: float | None, recovered_s: float
) -> list[Dated]:
    began = "" if late_s is None else timestamp(at - timedelta(seconds=late_s))
    closed = e.IncidentClosed(service=NAME, incident=name, how="recovered", reason="-", recovered_s=recovered_s)
    return [(at, replace(kind, incident=name, began=began)), (at + HOUR, closed)]


BAD_DATA = e.IncidentOpened(service=NAME, incident="", kind="data_quality", reason="-", cause="data_quality")


def facts() -> list[Dated]:
    """Three deployments after a first one; one of four changes fails in its rollout and one as champion."""
    rolled_back = replace(BACK, rollout=RolloutId("ro-2"), release=THIRD, to=SECOND, epoch=9)
    gone = e.RolloutClosed(service=NAME, rollout=RolloutId("ro-2"), outcome="rolled_back", reason="-")
    by_ada = e.RollbackOrdered(service=NAME, key="k", by="ada", proof="os_user", why="-")
    undone = e.ChampionAppointed(service=NAME, release=SECOND, previous=FOURTH, by="ada")
    commit = e.TriggerReceived(service=NAME, source="commit", reference="c", key="c", by="ci", proof="token")
    failed = e.RunFinished(
        service=NAME,
        run="r5",
        experiment=experiment(FIRST),
        outcome="failed",
        executor="subprocess",
        reason="drift",
        cost=1.0,
    )
    page = e.AlertRaised(
        service=NAME,
        alert="al-1",
        cause="errors",
        name="ErrorRate",
        urgency="page",
        summary="-",
        detail="-",
        runbook="bad-rollout",
        owner="risk",
        to=("ada",),
    )
    drill = e.DrillEnded(
        service=NAME,
        drill="d1",
        fault="latency",
        outcome="passed",
        detected_s=30.0,
        recovered_s=40.0,
        answers_failed=2,
        automatic=True,
    )
    step = e.RunbookStepDone(
        service=NAME, runbook="data-drift", step="look", by="ada", proof="os_user", exit_code=0, alert="al-1"
    )
    found: list[Dated] = [
        (day(1), e.ServiceDeclared(service=NAME, policy=POLICY, declaration={}, folder="fraud")),
        *trained(day(1), FIRST, run="r1", ticket=None, reason="first"),
        (day(1) + 2 * HOUR, e.ChampionAppointed(service=NAME, release=FIRST, previous=None, rubber_stamped=True)),
        # by drift, alone, through a shadow and a canary: 3 hours from its beginning to the champion's place
        *ordered(day(10), "ti-1", "drift"),
        *trained(day(10), SECOND, run="r2", ticket="ti-1", reason="drift"),
        *opened(day(10) + HOUR, "ro-1", SECOND, FIRST, "shadow", "approval", "canary"),
        *promoted(day(10) + 3 * HOUR, "ro-1", SECOND, FIRST),
        # ordered by a person; the gateway stops its canary
        *ordered(day(20), "ti-2", "manual", by="ada"),
        *trained(day(20), THIRD, run="r3", ticket="ti-2", reason="manual"),
        *opened(day(20) + HOUR, "ro-2", THIRD, SECOND, "canary"),
        (day(20) + 3 * HOUR, rolled_back),
        (day(20) + 3 * HOUR, gone),
        # a commit, a day before anybody answers it; no step tries it, and a person takes it back
        (day(40), commit),
        *ordered(day(41), "ti-3", "commit"),
        *trained(day(41), FOURTH, run="r4", ticket="ti-3", reason="commit"),
        *opened(day(41) + HOUR, "ro-3", FOURTH, SECOND, "approval"),
        *promoted(day(41) + 2 * HOUR, "ro-3", FOURTH, SECOND),
        (day(42), by_ada),
        (day(42), undone),
        (day(50), failed),
        *incident(day(60), "in-1", BAD_DATA, late_s=100, recovered_s=600),
        *incident(day(61), "in-2", replace(BAD_DATA, kind="upstream"), late_s=None, recovered_s=1_200),
        *incident(day(62), "in-3", replace(BAD_DATA, kind="drill", cause="drill/latency"), late_s=30, recovered_s=40),
        (day(62), drill),
        (day(62), replace(drill, fault="nan_burst", detected_s=None, recovered_s=None, outcome="missed")),
        (day(62), replace(drill, fault="disaster", detected_s=None, recovered_s=900.0)),
        *((day(63) + n * HOUR, replace(page, alert=f"al-{n}", cause=f"errors{n % 2}")) for n in range(1, 7)),
        (day(64), step),
        (day(65), replace(step, step="look again")),
        *((day(66), _reproduced(root, verdict)) for root, verdict in ((FIRST, "IDENTICAL"), (SECOND, "DIVERGED"))),
        (day(70), e.BudgetSpent(service=NAME, objective="answers", left=-0.2, target=0.999, window_s=1.0, why="-")),
    ]
    return sorted(found, key=lambda each: each[0])


def _reproduced(root: ReleaseRoot, verdict: str) -> e.ReproductionJudged:
    return e.ReproductionJudged(
        service=NAME,
        experiment=experiment(root),
        release=root,
        verdict=verdict,  # type: ignore[arg-type]
        first_difference=None,
        reason="-",
        grades={},
        found=None,
        by="ada",
        proof="os_user",
        envelope={},
    )


def entries(dated: list[Dated]) -> list[Entry]:
    return [
        Entry(seq=seq, at=timestamp(at), type="?", subject=fact.service, fact=fact, prev_hash="", hash="")
        for seq, (at, fact) in enumerate(dated, 1)
    ]
