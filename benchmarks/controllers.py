"""One controller, many services: what a tick of all of them costs one core, and whether it grows faster than they do.

The real reconciler, planner, check and SQLite ledger, synced as in production; gateways and sensors are in memory, as
what they cost is measured elsewhere (`fleet`). A tick of a service at rest, with a canary under way, and the lower
bound of both: reading the ledger for each service and planning, with nothing else around. The same of services that
declare alerts, an objective, drills and digests: when they are well, and when each is unwell and somebody was told.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from flyball.adapters.clock import SystemClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.control.decision import Situation
from flyball.control.plan import plan
from flyball.control.reconcile import Reconciler, Seen
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.declared.alerts import AlertDestination, Alerts
from flyball.core.declared.objectives import Objective, Slo
from flyball.core.declared.review import Review
from flyball.core.health import Health, Sign
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.ledger import Claimed
from flyball.core.policy import policy_digest
from flyball.core.release import Release
from flyball.core.routing import ArmCounts, Observed, Routing, StepCounts
from flyball.core.service import Approval, Canary, Data, Experiment, Metadata, Promote, Rollout, Service, Step
from flyball.registry import chain

FLEETS, ROUNDS = (10, 100, 1000), 5
FIRST, SECOND = (ReleaseRoot("sha256:" + letter * 64) for letter in "ab")


class Gateways:
    """One gateway of all services: holds what it was given, and has counted a little of each canary."""

    def __init__(self) -> None:
        self.held: dict[str, Routing] = {}

    def apply(self, key: str, routing: Routing) -> None:  # noqa: ARG002
        self.held[routing.service] = routing

    def recycle(self, key: str, service: str, epoch: int) -> None:
        """Nothing is worn here."""

    def observe(self, service: str) -> Observed:
        routing = self.held.get(service)
        if routing is None:
            return Observed(routing=None, counts=None)
        few = ArmCounts(requests=20, units=20)
        counts = StepCounts(
            service=routing.service,
            epoch=routing.epoch,
            rollout=routing.rollout,
            step=routing.step,
            champion=ArmCounts(requests=180, units=180),
            candidate=few,
            rollout_candidate=few,
            received=200,
            written=200,
        )
        return Observed(routing=routing, counts=counts)


class Quiet:
    """A sensor that has nothing to say, and a learner that is never asked."""

    def look(self, state: ServiceState, now: str, *, dropped: int | None = None) -> Seen:  # noqa: ARG002
        return Seen()

    def learn(self, state: ServiceState, claimed: Claimed) -> None:  # noqa: ARG002
        raise AssertionError("nothing is trained here")


def cared_for(service: Service) -> Service:
    """With somebody to tell, a promise to keep, and routine that is owed."""
    files = AlertDestination(format="ticket_file", to="tickets")
    slo = Slo(objectives=(Objective(name="answered", sli="availability", target=0.999),))
    return replace(
        service,
        alerts=Alerts(on_call=("ann", "bob"), to=(files,), wait_for_remedy=False),
        slo=slo,
        drills={"fallback": "weekly", "disaster": "quarterly"},
        review=Review(digests=("weekly", "monthly", "quarterly")),
    )


def declared(name: str) -> Service:
    steps = (Step(approval=Approval()), Step(canary=Canary(weight=0.1, min_requests=10_000)), Step(promote=Promote()))
    return Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name=name, owner="bench"),
        data=Data(contract="c", source="s", label="y"),
        experiment=Experiment(task="binary", metric="accuracy"),
        rollout=Rollout(steps=steps),
    )


def facts(name: ServiceName, root: ReleaseRoot) -> list[e.AnyFact]:
    release = Release(
        root=root,
        experiment=ExperimentDigest("fx1:" + root),
        service=name,
        task="binary",
        snapshot=Digest("sha256:" + "5" * 64),
        metrics={},
        gates=(),
        passed=True,
    )
    return [
        e.ReleaseRegistered(service=name, release=release),
        e.GatesJudged(service=name, release=root, passed=True, results=()),
    ]


class Fleet:
    """A ledger with so many services, and a controller that keeps them."""

    def __init__(self, folder: Path, services: Sequence[Service]) -> None:
        self.ledger = SqliteLedger(folder / "ledger.db", sealer=chain, clock=SystemClock())
        self.services = services
        policy = policy_digest(self.services[0])
        for service in self.services:
            name = ServiceName(service.metadata.name)
            told = e.ServiceDeclared(service=name, policy=policy, declaration={}, folder=name)
            first = e.ChampionAppointed(service=name, release=FIRST, previous=None)
            self.ledger.append([told, *facts(name, FIRST), first])
        gateways, quiet = Gateways(), Quiet()
        self.loops = [
            Reconciler(
                service,
                ledger=self.ledger,
                gateways=gateways,
                sensor=quiet,
                learner=quiet,
                clock=SystemClock(),
                owner="bench",
            )
            for service in self.services
        ]

    def roll_out(self) -> None:
        """A canary of each service, under way."""
        for service in self.services:
            self.ledger.append(facts(ServiceName(service.metadata.name), SECOND))
        self.tick()
        for loop in self.loops:
            rollout = loop.state.rollout
            assert rollout is not None
            assert rollout.asked is not None
            asked = rollout.asked
            given = e.ApprovalGiven(
                service=asked.service,
                rollout=asked.rollout,
                model=asked.model,
                evidence=asked.evidence,
                policy=asked.policy,
                by="bench",
                proof="os_user",
            )
            self.ledger.append([given])
        self.tick()
        assert all(loop.state.rollout is not None and loop.state.rollout.step is not None for loop in self.loops)

    def fall_ill(self) -> None:
        """Each service is slow, as its monitor says; what follows is done, and then stands."""
        now = timestamp(SystemClock().now())
        slow = Sign(
            kind="latency", severity="critical", value=300.0, limit=100.0, since=now, why="p99 300 ms", clears="100 ms"
        )
        ill = Health(state="UNHEALTHY", why="latency", signs=(slow,))
        for service in self.services:
            self.ledger.append([e.HealthChanged(service=ServiceName(service.metadata.name), health=ill)])
        self.tick()
        assert all(loop.state.health.health.state == "UNHEALTHY" for loop in self.loops)

    def tick(self) -> None:
        for loop in self.loops:
            loop.tick()

    def bound(self) -> None:
        """What is not to be had for less: the facts read for each service, and the plan."""
        for loop, service in zip(self.loops, self.services, strict=True):
            loop.catch_up()
            plan(Situation(state=loop.state, service=service, now="2026-11-26T00:00:00.000000Z"))


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Median of wall and processor seconds."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.thread_time() - cpu)
    return median(walls), median(cpus)


def measured(size: int) -> Sequence[tuple[str, float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), [declared(f"s{number:04}") for number in range(size)])
        fleet.tick()
        found = [("at rest", *timed(fleet.tick)), ("read and plan only", *timed(fleet.bound))]
        fleet.roll_out()
        found += [("canary under way", *timed(fleet.tick)), ("read and plan only", *timed(fleet.bound))]
        fleet.ledger.close()
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), [cared_for(declared(f"s{number:04}")) for number in range(size)])
        fleet.tick()
        found += [("cared for, at rest", *timed(fleet.tick)), ("read and plan only", *timed(fleet.bound))]
        fleet.fall_ill()
        alerted = sum(len(loop.state.alerts.open) for loop in fleet.loops)
        found += [(f"unwell, {alerted} alerts", *timed(fleet.tick)), ("read and plan only", *timed(fleet.bound))]
        fleet.ledger.close()
    return found


def main() -> None:
    print("one tick of all services, one thread; seconds of the wall and of the processor, and of the latter a service")
    print(f"{'services':>9} {'':<20} {'wall s':>8} {'cpu s':>8} {'cpu us each':>12}")
    for size in FLEETS:
        for name, wall, cpu in measured(size):
            print(f"{size:>9} {name:<20} {wall:>8.3f} {cpu:>8.3f} {1e6 * cpu / size:>12.0f}")


if __name__ == "__main__":
    main()
