"""A loop in memory: the real reconciler, planner, check and ledger rules; a gateway whose counts the test sets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from tests.control.world import NAME, first_champion, service

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.people import Person, approve
from flyball.app.wiring.traffic import dice
from flyball.control.decision import Learning
from flyball.control.reconcile import Foretelling, Reconciler, Seen
from flyball.control.rollout.powering import foretold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import Refused, StaleEpoch, Unavailable, Untrusted
from flyball.core.ledger import Claimed
from flyball.core.policy import policy_digest
from flyball.core.routing import ArmCounts, Observed, Routing, StepCounts, Stopped, TestSums, Verdict
from flyball.core.service import Service
from flyball.decide.step_plan import Traffic
from flyball.registry import chain

F = TypeVar("F", bound=e.Fact)
ADA = Person(name="ada", proof="os_user")


@dataclass
class Gateways:
    """`core.ports.Gateways`: obeys epochs as the real one does, and shows the counts that the test wants seen."""

    routing: Routing | None = None
    stopped: Stopped | None = None
    gone: bool = False
    refuses: str | None = None  # a release that does not verify
    one_process: bool = False
    says_so: bool = True  # when it is asked: one of an older Flyball does not
    orders: list[int] = field(default_factory=list)
    recycled: list[str] = field(default_factory=list)  # keys, as often as they came
    seen: Callable[[Routing], StepCounts] | None = None

    def apply(self, key: str, routing: Routing) -> None:
        if self.gone:
            raise Unavailable("no gateway")
        if self.routing is not None and routing.epoch < self.routing.epoch:
            raise StaleEpoch(f"{routing.epoch} is below {self.routing.epoch}")
        arms = [arm.release for arm in routing.arms]
        if self.refuses is not None and self.refuses in (routing.candidate, routing.champion, *arms):
            raise Untrusted(f"{self.refuses} is not what was signed")
        self.orders.append(routing.epoch)
        self.routing = routing

    def recycle(self, key: str, service: str, epoch: int) -> None:
        if self.gone:
            raise Unavailable("no gateway")
        if self.one_process:
            raise Refused("one process answers")
        if self.routing is not None and epoch < self.routing.epoch:
            raise StaleEpoch(f"{epoch} is below {self.routing.epoch}")
        self.recycled.append(key)

    def observe(self, service: str) -> Observed:
        if self.gone:
            raise Unavailable("no gateway")
        counts = self.seen(self.routing) if self.seen and self.routing else None
        return Observed(
            routing=self.routing, counts=counts, stopped=self.stopped, alone=self.one_process and self.says_so
        )


@dataclass
class Sensor:
    """What the monitor would say."""

    seen: Seen = field(default_factory=Seen)

    def look(self, state: ServiceState, now: str, *, dropped: int | None = None) -> Seen:
        return self.seen


@dataclass
class Learner:
    """Answers a training with the facts that the test gives."""

    ledger: MemoryLedger
    facts: list[e.AnyFact] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        self.asked.append(claimed.command.key)
        self.ledger.append(self.facts, finished=[claimed.command.key])


class Loop:
    """One service, its first release serving, and everything that acts on it."""

    def __init__(self, declared: Service | None = None, *, traffic: Callable[[], Traffic] | None = None) -> None:
        """`traffic`: of today; None: nobody looks whether a rollout can answer."""
        self.service, self.traffic = declared or service(), traffic
        self.clock = SimulatedClock()
        self.ledger = MemoryLedger(sealer=chain, clock=self.clock)
        self.gateways, self.sensor, self.learner = Gateways(), Sensor(), Learner(self.ledger)
        facts = first_champion()
        people = dict(self.service.metadata.people)
        declaration = {
            "metadata": {"name": "fraud", "owner": "risk", "people": people},
            "autonomy": msgspec.to_builtins(self.service.autonomy),
            "retrain": msgspec.to_builtins(self.service.retrain),
            **{key: msgspec.to_builtins(getattr(self.service, key)) for key in ("data", "experiment", "rollout")},
            **{"apiVersion": self.service.apiVersion, "kind": self.service.kind},
        }
        assert isinstance(facts[0], e.ServiceDeclared)
        policy = policy_digest(self.service)
        self.write(replace(facts[0], declaration=declaration, policy=policy), *facts[1:])
        self.reconciler = self.another("one")

    def another(self, owner: str) -> Reconciler:
        """A controller that starts now."""
        return Reconciler(
            self.service,
            ledger=self.ledger,
            gateways=self.gateways,
            sensor=self.sensor,
            learner=self.learner,
            clock=self.clock,
            owner=owner,
            foretelling=self._foretelling(),
        )

    def _foretelling(self) -> Foretelling | None:
        traffic = self.traffic
        return None if traffic is None else Foretelling(self.service, lambda: foretold(self.service, traffic(), dice))

    def write(self, *facts: e.AnyFact) -> None:
        self.ledger.append(facts)

    def tick(self, seconds: float = 1.0) -> ServiceState:
        self.clock.advance(seconds)
        self.reconciler.tick()
        return self.reconciler.state

    def approve(self) -> None:
        approve(self.ledger, NAME, ADA)

    def types(self) -> list[str]:
        return [entry.type for entry in self.ledger.read()]

    def facts(self, kind: type[e.Fact]) -> list[e.AnyFact]:
        return [entry.fact for entry in self.ledger.read() if isinstance(entry.fact, kind)]

    def each(self, kind: type[F]) -> list[F]:
        """As `facts`, for whoever reads their fields."""
        return [entry.fact for entry in self.ledger.read() if isinstance(entry.fact, kind)]


def healthy(requests: int = 2000) -> Callable[[Routing], StepCounts]:
    """A candidate without errors on plenty of traffic."""

    def counts(routing: Routing) -> StepCounts:
        own = round(requests * routing.weight / 10_000)
        return StepCounts(
            service=routing.service,
            epoch=routing.epoch,
            rollout=routing.rollout,
            step=routing.step,
            champion=ArmCounts(requests=requests - own, units=requests - own),
            candidate=ArmCounts(requests=own, units=own),
            shadow=ArmCounts(requests=500, units=500) if routing.shadow else ArmCounts(),
            pairs=500 if routing.shadow else 0,
            rollout_candidate=ArmCounts(requests=own, units=own),
            received=requests,
            written=requests,
        )

    return counts


def failing(errors: int = 60) -> Callable[[Routing], StepCounts]:
    """A candidate whose errors have carried the rollout's test over its bound."""

    def counts(routing: Routing) -> StepCounts:
        base = healthy()(routing)
        arm = replace(base.candidate, errors=errors)
        return replace(base, candidate=arm, rollout_candidate=arm, rollout_tests=TestSums(errors=4.0))

    return counts


def stopped(routing: Routing) -> Stopped:
    """The gateway's own stop of the running rollout."""
    assert routing.rollout is not None
    verdict = Verdict(kind="ROLL_BACK", reason="errors", cause="errors")
    return Stopped(
        rollout=routing.rollout, epoch=routing.epoch, verdict=verdict, counts=failing()(routing), at="", seconds=2.5
    )


def wanting(fired: str = "drift", *, new_rows: int = 100) -> Seen:
    """The monitor wants a retraining."""
    from flyball.core.watching import Diagnosis

    diagnosis = Diagnosis(kind="covariate_shift", reason="amount moved", features=("amount",), remedy="retrain")
    learning = Learning(
        fired="risk" if fired == "risk" else "drift",
        why="psi of amount",
        diagnosis=diagnosis,
        row=900,
        new_rows=new_rows,
    )
    return Seen(learning=learning)
