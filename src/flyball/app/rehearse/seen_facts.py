"""What a rule of the policy reads, gathered once more from the ledger's facts, by code of its own. Pure."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from flyball.core import events as e
from flyball.core.policy_facts import asked
from flyball.core.release import Release
from flyball.core.rollout_power import RolloutPower
from flyball.core.routing import WHOLE
from flyball.core.service import Rule, Service

WEEK: Final = timedelta(days=7)


class SeenFacts:
    """Grows fact by fact. Ask it before the fact that a rule may forbid is shown to it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.releases: dict[str, Release] = {}
        self.passed: set[str] = set()
        self.champion = ""
        self._incident = ""
        self._signals: dict[tuple[str, str | None], str] = {}  # -> its level
        self._weight = 0.0
        self._appointed: datetime | None = None
        self._moments: dict[str, list[datetime]] = {"rollouts": [], "rolled_back": [], "retrains": []}
        self._failed: Counter[str] = Counter()
        self._of: dict[str, str] = {}  # rollout -> release
        self._ordered_by: dict[str, str] = {}  # ticket -> the person who had it trained
        self._by_person: set[str] = set()
        self._tried = ""  # release of the rollout that is open
        self._power: RolloutPower | None = None  # what was foretold of it

    def fact(self, at: datetime, fact: e.AnyFact) -> None:
        """The next one."""
        match fact:
            case e.ReleaseRegistered(release=release, ticket=ticket, by=by):
                self.releases[release.root] = release
                if by or (ticket is not None and ticket in self._ordered_by):
                    self._by_person.add(release.root)
            case e.GatesJudged(release=root, passed=passed):
                (self.passed.add if passed else self.passed.discard)(root)
            case e.IncidentOpened(incident=name, kind="data_quality"):  # the one that holds trainings back
                self._incident = name
            case e.IncidentClosed(incident=name) if name == self._incident:
                self._incident = ""
            case e.SignalRaised(signal=signal):
                self._signals[signal.signal, signal.feature] = signal.level
            case e.SignalCleared(signal=name, feature=feature):
                self._signals.pop((name, feature), None)
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                self._weight = routing.weight / WHOLE
            case e.RetrainOrdered(ticket=ticket, by=by, proof=proof):
                self._moments["retrains"].append(at)
                if proof != "policy":
                    self._ordered_by[ticket] = by
            case _:
                self._of_rollouts(at, fact)

    def _of_rollouts(self, at: datetime, fact: e.AnyFact) -> None:
        match fact:
            case e.RolloutOpened(rollout=rollout, release=root):
                self._of[rollout] = root
                self._tried, self._power = root, fact.power
                self._moments["rollouts"].append(at)
            case e.RolloutClosed(rollout=rollout, outcome=outcome, again=again):
                self._tried = ""
                if outcome != "promoted" and not again:
                    self._failed[self._of.get(rollout, "")] += 1
            case e.RolledBack():
                self._moments["rolled_back"].append(at)
            case e.ChampionAppointed(release=root, rollout=rollout, previous=previous):
                self.champion, self._appointed = root, at
                if rollout is None and previous is not None:
                    self._failed[previous] += 1
                    self._moments["rolled_back"].append(at)
            case _:
                return

    def told(self, root: str, at: datetime) -> dict[str, Any]:
        """What is known of a release at a moment."""
        levels = {(name, level) for (name, _), level in self._signals.items()}
        found: dict[str, Any] = {
            "hour": at.hour,
            "weekday": at.isoweekday(),
            "incident": bool(self._incident),
            "drift": ("psi", "act") in levels or ("shift", "act") in levels,
            "risk": ("risk", "act") in levels,
            "weight": self._weight,
        }
        found |= {
            f"{name}_this_week": sum(at - when < WEEK for when in moments) for name, moments in self._moments.items()
        }
        if self._appointed is not None:
            found["champion_age_h"] = (at - self._appointed).total_seconds() / 3600
        if root == self._tried and self._power is not None and self._power.verdict != "UNKNOWN":
            found["underpowered"] = bool(self._power.steps)
        release = self.releases.get(root)
        if release is None:
            return found
        verdicts = {gate.name: str(gate.verdict) for gate in release.gates}
        names = [str(gate.name) for gate in self._service.gates]
        verdicts |= {name: said for name in names for gate, said in verdicts.items() if gate.startswith(f"{name}: ")}
        return found | {
            "by_exception": root not in self.passed,
            "by_person": root in self._by_person,
            "failed_rollouts": self._failed[root],
            "reason": release.reason,
            "trained_rows": release.trained_rows,
            "holdout_rows": release.holdout_rows,
            "gates": verdicts,
            "metrics": {
                name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
                for name, each in release.metrics.items()
            },
        }


def binds(rule: Rule, told: dict[str, Any]) -> bool:
    """Whether it is true, or reads something that is not there."""
    return asked(rule.when, rule.action, told).reason != "it is false"


def is_true(rule: Rule, told: dict[str, Any]) -> bool:
    """Plainly so: for what allows more."""
    return asked(rule.when, rule.action, told).passed
