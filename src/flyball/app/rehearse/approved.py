"""Live traffic and promotion: gates passed or let pass by two people, and everybody whom the policy asks said yes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from flyball.app.rehearse.invariants import Invariant
from flyball.app.rehearse.seen_facts import SeenFacts, binds, is_true
from flyball.app.rehearse.witness import Stand
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.service import Service

SLACK: Final = timedelta(seconds=120)  # from a plan to its facts: a controller may have stood still in between
CALM_S: Final = 900.0  # after this, with nothing broken, what is over has to be gone
RULED: Final = {"canary": "canary", "soak": "promote", "promote": "promote"}  # kind of a step -> what rules call it


class Approved(Invariant):
    """An approval of exactly this model, evidence and policy, by as many different people as step and rules ask for."""

    name = "approval"

    def __init__(self, service: Service) -> None:
        steps = service.rollout.steps
        self._needed = service.autonomy.promote == "approval" or any(step.approval for step in steps)
        self._quorum = max([1, *(step.approval.quorum for step in steps if step.approval)])
        self._rules = [rule for rule in service.policy.rules if rule.action == "promote"]
        self._seen = SeenFacts(service)
        self._release = ""
        self._policy = ""
        self._asked: e.ApprovalRequested | None = None
        self._given: list[e.ApprovalGiven] = []
        self._going = False  # its last step has begun
        self._by_rule = False  # the policy's own word, and a rule that allowed it
        self._bars = False  # a person ended a step of the rollout, one cannot answer, or it stands on exceptions
        self._excepted: dict[str, set[str]] = {}  # exception -> (release, gate) and the people who said so
        self._of: dict[str, tuple[str, str]] = {}  # exception -> release, gate

    def entry(self, entry: Entry) -> Iterator[str]:
        at, fact = datetime.fromisoformat(entry.at), entry.fact
        match fact:
            case e.ServiceDeclared():
                self._policy = fact.policy
            case e.RolloutOpened():
                self._release, self._asked, self._given = fact.release, None, []
                self._by_rule = self._going = False
                self._bars = bool(fact.exceptions) or (fact.power is not None and len(fact.power.steps) > 0)
            case e.StepSkipped():
                self._bars = True
            case e.ApprovalRequested():
                self._asked = fact
            case e.ApprovalGiven():
                self._given.append(fact)
                self._by_rule = fact.proof == "policy" and self._lets_alone(at)
            case e.ExceptionRequested():
                self._of[fact.exception] = fact.release, fact.gate
                self._excepted[fact.exception] = {fact.by}
            case e.ExceptionConfirmed():
                self._excepted[fact.exception].add(fact.by)
            case e.ExceptionEnded():
                self._excepted.pop(fact.exception, None)
            case e.StepStarted(kind="canary" | "soak" | "promote"):
                yield from self._lacking(f"step {fact.step} of {fact.rollout} gives traffic to {self._release}", at)
                self._going = fact.kind == "promote"
            case e.ChampionAppointed(rollout=str()):
                yield from self._lacking(f"{fact.release} was appointed", at)
            case _:
                pass
        self._seen.fact(at, fact)

    def _lacking(self, what: str, at: datetime) -> Iterator[str]:
        if self._release not in self._seen.passed and not (self._going or self._let_pass()):
            yield f"{what}, which has not passed its gates"
        if not self._needed:
            return
        asked = self._asked
        wanted = None if asked is None else (asked.model, asked.evidence, asked.policy)
        if wanted is None or wanted[0] != self._release or wanted[2] != self._policy:
            yield f"{what}, and nobody was asked about this model under this policy"
            return
        given = [each for each in self._given if (each.model, each.evidence, each.policy) == wanted]
        people = {each.by for each in given if each.proof != "policy"}
        if not given:
            yield f"{what} without an approval of what was asked for"
        elif not people and not self._by_rule:
            yield f"{what} by the policy's own word, which nothing allows"
        elif people and len(people) < (least := self._people(at)):
            yield f"{what} with the approval of {len(people)} of {least} people"

    def _people(self, at: datetime) -> int:
        told = self._seen.told(self._release, at)
        asking = [rule.quorum or 1 for rule in self._rules if rule.effect == "needs" and binds(rule, told)]
        return max([self._quorum, *asking])

    def _lets_alone(self, at: datetime) -> bool:
        """By a rule, and of a release that needs nobody's eyes whatever a rule says."""
        told = self._seen.told(self._release, at)
        if self._bars or any(told.get(bar, True) for bar in ("by_person", "by_exception", "failed_rollouts")):
            return False
        strict = any(rule.effect != "alone" and binds(rule, told) for rule in self._rules)
        return not strict and any(rule.effect == "alone" and is_true(rule, told) for rule in self._rules)

    def _let_pass(self) -> bool:
        """Each gate that failed has its exception, and each exception two people."""
        release = self._seen.releases.get(self._release)
        failed = {gate.name for gate in release.gates if not gate.passed} if release is not None else set()
        let = {self._of[name] for name, people in self._excepted.items() if len(people) > 1}
        return bool(failed) and all((self._release, gate) in let for gate in failed)


class Rules(Invariant):
    """What a rule of the policy forbids does not happen while it binds."""

    name = "policy"

    def __init__(self, service: Service) -> None:
        self._rules = [rule for rule in service.policy.rules if rule.effect == "never"]
        self._seen = SeenFacts(service)
        self._release = ""
        self._running: e.StepStarted | None = None

    def entry(self, entry: Entry) -> Iterator[str]:
        at, fact = datetime.fromisoformat(entry.at), entry.fact
        match fact:
            case e.RolloutOpened(release=root):
                self._release, self._running = root, None
                yield from self._forbidden("rollout", root, at, f"{fact.rollout} was opened")
            case e.StepStarted(kind=kind):
                if kind in RULED and not self._lowered(fact):
                    yield from self._forbidden(RULED[kind], self._release, at, f"{kind} of {fact.rollout} began")
                self._running = fact
            case e.RetrainOrdered(proof="policy", reason=reason):
                more = {"trigger": str(reason)}
                yield from self._forbidden("retrain", self._seen.champion, at, f"{fact.ticket} was ordered", more)
            case _:
                pass
        self._seen.fact(at, fact)

    def _lowered(self, fact: e.StepStarted) -> bool:
        """The same step with less weight: no rule forbids that."""
        running = self._running
        return running is not None and running.step == fact.step and fact.routing.weight < running.routing.weight

    def _forbidden(
        self, action: str, root: str, at: datetime, what: str, more: dict[str, str] | None = None
    ) -> Iterator[str]:
        for rule in self._rules:
            # at the time of the plan, which may have been a moment before
            moments = (self._seen.told(root, each) | (more or {}) for each in (at, at - SLACK))
            if rule.action == action and all(binds(rule, told) for told in moments):
                yield f"{what}, which a rule forbids: {rule.reason} ({rule.when})"


class TimeBox(Invariant):
    """An exception holds for as long as it was given: nothing begins by it afterwards, and what began goes back."""

    name = "exception"

    def __init__(self) -> None:
        self._ends: dict[str, datetime] = {}
        self._standing: tuple[str, ...] = ()  # what the open rollout stands on
        self._over_s: float | None = None  # since when something is over and its candidate is not gone

    def entry(self, entry: Entry) -> Iterator[str]:
        at, fact = datetime.fromisoformat(entry.at), entry.fact
        match fact:
            case e.ExceptionRequested():
                self._ends[fact.exception] = datetime.fromisoformat(fact.expires_at)
            case e.ExceptionEnded(how="revoked" | "void"):
                self._ends[fact.exception] = min(at, self._ends[fact.exception])
            case e.RolloutOpened():
                self._standing, self._over_s = fact.exceptions, None
                yield from self._after(at, f"{fact.rollout} was opened")
            case e.StepStarted(kind="canary" | "soak" | "promote"):
                yield from self._after(at, f"step {fact.step} of {fact.rollout} began")
            case e.RolloutClosed():
                self._standing, self._over_s = (), None
            case _:
                return

    def stand(self, stand: Stand) -> Iterator[str]:
        over = [name for name in self._standing if stand.at > self._ends[name].timestamp()]
        if not over or not stand.weight:
            self._over_s = None
            return
        if self._over_s is None:
            self._over_s = stand.now_s
        if min(stand.now_s - self._over_s, stand.calm_s) > CALM_S:
            yield f"exception {over[0]} is over and its candidate still has traffic"

    def _after(self, at: datetime, what: str) -> Iterator[str]:
        for name in self._standing:
            if at - SLACK > self._ends[name]:
                yield f"{what} by exception {name}, which was over"
