"""A service whose alerts are watched through time: facts go in, the planner is asked until it rests, facts come out."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from msgspec.structs import replace
from tests.control.readings import NOTHING_REAL
from tests.control.world import FIRST, NAME, first_champion, folded, service

from flyball.control.alerts.alerting import plan_alerts
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Learning, Situation
from flyball.control.plan import Plan
from flyball.control.reconcile.origins import with_origins
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.health import Health, Severity, Sign, SignKind
from flyball.core.ledger import Entry
from flyball.core.routing import Observed
from flyball.core.service import Alerts, Service
from flyball.core.watching import Signal, SignalKind

BEGIN = "2026-11-21T10:00:00.000000Z"
MOST = 10  # moves of one tick; more is a plan that never rests


class Watch:
    """Time stands still unless told."""

    def __init__(self, alerts: Alerts | None = None, state: ServiceState | None = None) -> None:
        self.state = state or folded(first_champion())
        self.service: Service = replace(
            service(), alerts=alerts if alerts is not None else Alerts(on_call=("ada", "bob"))
        )
        self.now = BEGIN
        self.told: list[e.AnyFact] = []  # everything that the planner ever said
        self.observed: Observed | None = None
        self.learning = Learning()
        self.health = Health()  # as judged now: nobody looked
        self.real = NOTHING_REAL  # signs that what came after a drill's fault makes by itself

    def say(self, *facts: e.AnyFact) -> "Watch":
        for fact in facts:
            if isinstance(fact, e.HealthChanged):  # as the watch tells it
                before, drilled = self.state.health.health, self.state.healing.drilled
                fact = replace(fact, health=with_origins(fact.health, before, drilled, self.real, self.now))
            entry = Entry(
                seq=self.state.version + 1, at=self.now, type="?", subject=NAME, fact=fact, prev_hash="", hash=""
            )
            self.state = fold(self.state, entry)
        return self

    def after(self, seconds: float) -> "Watch":
        self.now = timestamp(moment(self.now) + timedelta(seconds=seconds))
        return self

    def situation(self) -> Situation:
        return Situation(
            state=self.state,
            service=self.service,
            now=self.now,
            observed=self.observed,
            learning=self.learning,
            health=self.health,
        )

    def tick(self) -> list[e.AnyFact]:
        """What the planner says now; the plans are checked by code of their own, and asked twice."""
        said: list[e.AnyFact] = []
        for _ in range(MOST):
            decision = plan_alerts(self.situation())
            assert decision == plan_alerts(self.situation())
            if decision is None:
                self.told += said
                return said
            made = Plan(service=NAME, parent=self.state.version, decisions=(decision,))
            assert broken_rules(made, self.state, self.service, now=self.now) == ()
            self.say(*decision.facts)
            said += decision.facts
        raise AssertionError(f"no rest after {MOST} moves: {said[-3:]}")

    def kinds(self) -> list[str]:
        """Of this moment's facts, in short: `raised errors page`, `held drift/x inhibited`."""
        return [brief(fact) for fact in self.tick()]

    def count(self, kind: type[e.AnyFact], urgency: str = "") -> int:
        found = [fact for fact in self.told if isinstance(fact, kind)]
        return sum(not urgency or getattr(fact, "urgency", "") == urgency for fact in found)


def brief(fact: e.AnyFact) -> str:
    match fact:
        case e.AlertRaised(cause=cause, urgency=urgency):
            return f"raised {cause} {urgency}"
        case e.AlertHeld(cause=cause, by=by):
            return f"held {cause} {by}"
        case e.AlertEscalated(to=to):
            return f"escalated to {', '.join(to)}"
        case e.AlertResolved():
            return "resolved"
        case _:
            return str(msgspec.to_builtins(fact)["type"])


def sign(kind: SignKind, severity: Severity = "critical", feature: str | None = None, *, since: str = BEGIN) -> Sign:
    return Sign(
        kind=kind,
        severity=severity,
        value=0.05,
        limit=0.01,
        since=since,
        why=f"{kind} is 0.05, limit 0.01",
        clears=f"{kind} is under 0.01 for 5 min",
        feature=feature,
    )


def healthy(*signs: Sign) -> e.HealthChanged:
    return e.HealthChanged(service=NAME, health=Health(state="UNHEALTHY" if signs else "HEALTHY", signs=signs))


def raised(kind: SignalKind, feature: str | None = None) -> e.SignalRaised:
    signal = Signal(
        signal=kind,
        level="act",
        value=0.4,
        limit=0.25,
        release=FIRST,
        window=7,
        first_row=700,
        last_row=799,
        feature=feature,
        consecutive=3,
    )
    return e.SignalRaised(service=NAME, signal=signal)


def cleared(kind: SignalKind, feature: str | None = None) -> e.SignalCleared:
    return e.SignalCleared(service=NAME, signal=kind, feature=feature)


def incident(name: str, kind: str, cause: str = "") -> e.IncidentOpened:
    return e.IncidentOpened(service=NAME, incident=name, kind=kind, reason=f"{kind} is broken", cause=cause)  # type: ignore[arg-type]


def over(name: str) -> e.IncidentClosed:
    return e.IncidentClosed(service=NAME, incident=name, how="recovered", reason="it is well again")


def remedy(cause: str, kind: str, until: str, name: str = "re-1") -> e.RemedyBegun:
    return e.RemedyBegun(service=NAME, remedy=name, kind=kind, cause=cause, number=0, why="policy", verify_by=until)  # type: ignore[arg-type]


def burning(objective: str) -> e.BudgetBurning:
    return e.BudgetBurning(
        service=NAME, objective=objective, urgency="page", rate=20.0, limit=14.4, long_s=3600, short_s=300, why="much"
    )


def given_up(kind: str) -> e.CommandGivenUp:
    return e.CommandGivenUp(service=NAME, key=f"{kind}/fraud/0", kind=kind, attempts=9, error="no answer")


def silenced(match: str, until: str, name: str = "si-1") -> e.AlertsSilenced:
    return e.AlertsSilenced(
        service=NAME, silence=name, match=match, until=until, by="bob", proof="os_user", why="known"
    )


def later(seconds: float, since: str = BEGIN) -> str:
    return timestamp(moment(since) + timedelta(seconds=seconds))


def names(facts: Iterable[e.AnyFact]) -> list[str]:
    return [brief(fact) for fact in facts]
