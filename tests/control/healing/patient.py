"""A service under the real loop that becomes unwell as the test says, with a release to go back to."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from tests.control.loop import Loop
from tests.control.world import FIRST, NAME, SECOND, registered, service

from flyball.control.decision import Situation
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.facts.incident import IncidentKind
from flyball.core.health import Health, HealthState, Severity, Sign, SignKind
from flyball.core.ids import RolloutId
from flyball.core.service import Constant, FallbackLink, Healing, HealingPolicy, Service, Serving

CONSTANT = FallbackLink(constant=Constant(prediction=0))


def sign(
    kind: SignKind = "errors",
    severity: Severity = "critical",
    feature: str | None = None,
    since: str = "",
    began: str = "",
) -> Sign:
    return Sign(
        kind=kind,
        severity=severity,
        value=0.08,
        limit=0.01,
        since=since,
        why=f"{kind} is beyond its limit",
        clears=f"{kind} below its limit",
        feature=feature,
        began=began,
    )


def unwell(*signs: Sign) -> e.HealthChanged:
    """The fact that these signs stand; without any the service is healthy."""
    severities = {each.severity for each in signs}
    state: HealthState = "HEALTHY"
    if "failed" in severities:
        state = "FAILED"
    elif signs:
        state = "UNHEALTHY" if "critical" in severities else "DEGRADING"
    return e.HealthChanged(service=NAME, health=Health(state=state, why="as the test says", signs=signs))


UNKNOWN = e.HealthChanged(service=NAME, health=Health())


def incident(cause: str, kind: IncidentKind = "health", name: str = "") -> e.IncidentOpened:
    return e.IncidentOpened(
        service=NAME, incident=name or f"in-{cause}", kind=kind, reason=f"{cause} broke", cause=cause
    )


def patient_service(
    *policies: HealingPolicy, fallback: Sequence[str | FallbackLink] = ("previous", CONSTANT), **healing: float
) -> Service:
    base = service()
    bounds = Healing(**healing) if not policies else Healing(policies=policies, **healing)  # type: ignore[arg-type]
    return replace(base, serving=Serving(fallback=tuple(fallback)), healing=bounds)  # type: ignore[arg-type]


class Patient(Loop):
    """SECOND serves, FIRST is warm; the loop has ticked until nothing moved."""

    def __init__(self, declared: Service | None = None, *, exercised: bool = True) -> None:
        super().__init__(declared or patient_service())
        self.write(
            *registered(SECOND),
            e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=RolloutId("ro-0")),
        )
        if exercised:
            self.write(e.FallbackExercised(service=NAME, link="previous", period=1, rows=20, answered=20, agreed=20))
        self.tick()

    def falls_ill(self, *signs: Sign) -> ServiceState:
        now = timestamp(self.clock.now())
        self.write(unwell(*(replace(each, since=each.since or now) for each in signs)))
        return self.tick()

    def recovers(self) -> ServiceState:
        return self.falls_ill()

    def after(self, seconds: float) -> ServiceState:
        return self.tick(seconds=seconds)

    @property
    def begun(self) -> list[e.RemedyBegun]:
        return [fact for fact in self.all_facts() if isinstance(fact, e.RemedyBegun)]

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self.begun]

    @property
    def verdicts(self) -> list[str]:
        return [fact.helped for fact in self.all_facts() if isinstance(fact, e.RemedyVerified)]

    def all_facts(self) -> list[e.AnyFact]:
        return [entry.fact for entry in self.ledger.read()]

    def situation(self) -> Situation:
        return self.reconciler._situation(self.sensor.seen)

    def why(self, action: str = "healing") -> e.DecisionTaken:
        return self.reconciler.state.decisions[action]


def kinds_of(facts: Iterable[e.AnyFact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]
