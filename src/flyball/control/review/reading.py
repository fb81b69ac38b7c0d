"""The ledger of one service read into its past: one pass, oldest fact first, each taken by what came before it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flyball.control.review.hands import hand_of
from flyball.control.review.of_drills import OfDrills
from flyball.control.review.past import (
    Budget,
    Closed,
    Deployment,
    Drilled,
    Failure,
    Happened,
    Opened,
    Past,
    Remedied,
    Reproduced,
    RunEnded,
    Told,
    Unanswered,
)
from flyball.control.unanswered import silence_of
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry

TRIES = ("shadow", "canary", "soak")  # steps in which a release is tried before it takes the champion's place
MET = ("canary", "soak")  # of these, those in which clients get its answers
REPAIRS = ("drift", "risk", "trend", "manual")  # why a retraining is a remedy and not routine
BY_LOOP = ("gateway", "controller")


def past_of(entries: Iterable[Entry], service: str) -> Past:
    """Facts of other services change nothing; a fact that is read twice counts once."""
    reader = _Reader(service)
    for entry in entries:
        reader.take(entry)
    return Past(**{name: tuple(found) for name, found in reader.found.items()})


class _Rollout:
    """What a rollout that runs has been through."""

    def __init__(self, release: str) -> None:
        self.release, self.kinds, self.met = release, set[str](), False


class _Reader:
    """All that later facts need of earlier ones."""

    def __init__(self, service: str) -> None:
        self.service, self.seq = service, 0
        self.drills = OfDrills()  # what they made is in no figure but their own
        self.found: defaultdict[str, list[Any]] = defaultdict(list)
        self.rollouts: dict[str, _Rollout] = {}
        self.experiments: dict[str, tuple[str, str | None]] = {}  # release -> its experiment, and ticket
        self.began: dict[str, str] = {}  # experiment -> when it was first started
        self.commit_at: str | None = None  # the first commit that nothing has answered yet
        self.commits: dict[str, str] = {}  # ticket -> when the commit that it answers came
        self.orders: dict[str, e.RetrainOrdered] = {}  # by ticket
        self.running: dict[str, tuple[str | None, bool]] = {}  # run -> its ticket, and whether somebody helped
        self.back: e.RollbackOrdered | None = None
        self.incidents: dict[str, tuple[e.IncidentOpened, str]] = {}
        self.alerts: dict[str, e.AlertRaised] = {}  # by id
        self.lives: set[tuple[str, str]] = set()  # processes that were started, each with its owner
        self.begun: dict[str, str] = {}  # remedies whose verdict is not known yet -> their kind
        self.by_hand: set[str] = set()  # incidents, alerts and runbooks' days whose work by hand was counted

    def take(self, entry: Entry) -> None:
        if entry.subject != self.service or entry.seq <= self.seq:
            return
        if not self.seq:
            self._add("first", Happened, entry, self.service)
        self.seq = entry.seq
        fact = entry.fact
        hand = hand_of(entry)
        if hand is not None and not self._needs_no_hand(fact):
            self.found["hands"].append(hand)
        if self.drills.take(entry):
            return
        for of in (self._training, self._rollout, self._incident, self._care):
            if of(entry, fact):
                return

    def _needs_no_hand(self, fact: e.AnyFact) -> bool:
        """A first start is a beginning; one under the name of an earlier one was made by what looks after it, and of
        two processes that one hand has started one counts."""
        if not isinstance(fact, e.ProcessStarted):
            return False
        life = (fact.process, fact.owner)
        known = bool(fact.owner) and any(fact.owner == owner for _, owner in self.lives)
        first = all(process != fact.process for process, _ in self.lives)
        self.lives.add(life)
        return first or known

    def _add(self, where: str, of: type[Happened], entry: Entry, what: str, /, **more: Any) -> None:
        self.found[where].append(of(seq=entry.seq, at=entry.at, what=what, **more))

    def _training(self, entry: Entry, fact: e.AnyFact) -> bool:
        match fact:
            case e.TriggerReceived(source="commit" | "tag"):
                self.commit_at = self.commit_at or entry.at
            case e.TicketOpened(ticket=ticket, reason="commit"):
                self.commits[ticket] = self.commit_at or entry.at
                self.commit_at = None
            case e.RetrainOrdered(ticket=ticket, proof=proof, reason=reason):
                self.orders[ticket] = fact
                if reason in REPAIRS:
                    self._add("remedies", Remedied, entry, "retrain", automatic=proof == "policy")
            case e.TrainingStarted(experiment=experiment, run=run, ticket=ticket):
                self.began.setdefault(experiment, entry.at)
                self.running[run] = (ticket, False)
            case e.RunFinished():
                self._run(entry, fact)
            case e.ReleaseRegistered(release=release, ticket=ticket):
                self.experiments[release.root] = (release.experiment, ticket)
                self._add("releases", Happened, entry, release.root)
            case e.ReproductionJudged(release=root, experiment=experiment, verdict=verdict):
                self._add("reproduced", Reproduced, entry, root or experiment, verdict=verdict)
            case _:
                return False
        return True

    def _run(self, entry: Entry, fact: e.RunFinished) -> None:
        ticket, helped = self.running.pop(fact.run, (None, False))
        order = self.orders.get(ticket) if ticket is not None else None
        ordered = order is not None and order.proof == "policy"
        self._add(
            "runs",
            RunEnded,
            entry,
            fact.run,
            well=fact.outcome in ("trained", "judged"),
            helped=helped or not ordered,
            first=fact.reason == "first",
            cost=fact.cost,
        )

    def _rollout(self, entry: Entry, fact: e.AnyFact) -> bool:
        match fact:
            case e.RolloutOpened(rollout=name, release=root):
                self.rollouts[name] = _Rollout(root)
            case e.StepStarted(rollout=name, kind=kind) if name in self.rollouts:
                self.rollouts[name].kinds.add(kind)
                if kind in MET:
                    self._met(entry, self.rollouts[name])
            case e.RolledBack(rollout=name, release=root, by=by):
                automatic = by in BY_LOOP or (self.back is not None and self.back.proof == "policy")
                self._add("remedies", Remedied, entry, "roll_back", automatic=automatic)
                if name in self.rollouts and self.rollouts[name].met:
                    self._add("failures", Failure, entry, root, promoted=False)
                self.back = None
            case e.RolloutClosed(rollout=name):
                self.rollouts.pop(name, None)
                self.back = None
            case e.RollbackOrdered():
                self.back = fact
            case e.ChampionAppointed():
                self._appointed(entry, fact)
            case _:
                return False
        return True

    def _met(self, entry: Entry, rollout: _Rollout) -> None:
        if not rollout.met:
            rollout.met = True
            self._add("changes", Happened, entry, rollout.release)

    def _appointed(self, entry: Entry, fact: e.ChampionAppointed) -> None:
        """By a rollout, as the first of all, or as a way back, which is no deployment."""
        if fact.rollout is None and fact.previous is not None:
            automatic = self.back is not None and self.back.proof == "policy"
            self._add("remedies", Remedied, entry, "roll_back", automatic=automatic)
            self._add("failures", Failure, entry, fact.previous, promoted=True)
            self.back = None
            return
        rollout = self.rollouts.get(fact.rollout) if fact.rollout is not None else None
        if rollout is not None:
            self._met(entry, rollout)
        self._add(
            "deployments",
            Deployment,
            entry,
            fact.release,
            first=fact.rollout is None,
            checked=tuple(kind for kind in TRIES if rollout is not None and kind in rollout.kinds),
            lead_s=self._lead_s(fact.release, entry.at),
        )

    def _lead_s(self, release: str, at: str) -> float | None:
        experiment, ticket = self.experiments.get(release, ("", None))
        began = self.commits.get(ticket) if ticket is not None else None
        began = began or self.began.get(experiment)
        return None if began is None else _seconds(began, at)

    def _incident(self, entry: Entry, fact: e.AnyFact) -> bool:
        match fact:
            case e.IncidentOpened(incident=name, kind=kind, cause=cause, began=began):
                self.incidents[name] = (fact, entry.at)
                detected = _seconds(began, entry.at) if began else None
                self._add("opened", Opened, entry, name, kind=kind, cause=cause or kind, detected_s=detected)
            case e.IncidentClosed(incident=name, recovered_s=recovered) if name in self.incidents:
                opened, at = self.incidents.pop(name)
                self._add(
                    "closed",
                    Closed,
                    entry,
                    name,
                    kind=opened.kind,
                    detected_s=None if opened.began else fact.detected_s,
                    recovered_s=_seconds(at, entry.at) if recovered is None else recovered,
                    by_closing=recovered is None,
                )
            case e.BudgetSpent(objective=name, left=left):
                self._add("budgets", Budget, entry, name, left=left, spent=True)
            case e.BudgetRestored(objective=name, left=left):
                self._add("budgets", Budget, entry, name, left=left, spent=False)
            case _:
                return False
        return True

    def _care(self, entry: Entry, fact: e.AnyFact) -> bool:
        match fact:
            case e.RemedyBegun(kind="roll_back" | "retrain"):
                pass  # told by the facts of what it does
            case e.RemedyBegun(kind="page" as kind, incident=incident):
                self._add("remedies", Remedied, entry, kind, automatic=False)
                if incident:
                    self.by_hand.add(incident)
            case e.RemedyBegun(remedy=name, kind=kind):
                self.begun[name] = kind
            case e.RemedyVerified(remedy=name, helped=helped) if name in self.begun:
                did = self.begun.pop(name)  # one that did not help has remedied nothing: what came after it counts
                if helped == "yes":
                    self._add("remedies", Remedied, entry, did, automatic=True)
            case e.RunbookStepDone(runbook=runbook, incident=incident, alert=alert):
                self.running = {run: (ticket, True) for run, (ticket, _) in self.running.items()}
                case_of = incident or alert or f"{runbook}/{entry.at[:10]}"
                if case_of not in self.by_hand:
                    self.by_hand.add(case_of)
                    self._add("remedies", Remedied, entry, runbook, automatic=False)
            case e.AlertRaised(test=False, alert=alert, name=name, urgency=urgency, to=to, cause=cause):
                self.alerts[alert] = fact
                self._add("told", Told, entry, name, urgency=urgency, people=to, cause=cause)
            case e.DrillEnded(outcome="passed" | "missed" as outcome, fault=fault):
                self._add(
                    "drills",
                    Drilled,
                    entry,
                    fault,
                    passed=outcome == "passed",
                    detected_s=fact.detected_s,
                    recovered_s=fact.recovered_s,
                    answers_failed=fact.answers_failed,
                    automatic=fact.automatic,
                )
            case e.ProcessStarted(life=life) if (silence := silence_of(entry)) is not None:
                self._add("unanswered", Unanswered, entry, life, since=silence.since)
            case e.AlertEscalated(alert=alert, to=to) if alert in self.alerts:
                told = self.alerts[alert]
                self._add("told", Told, entry, told.name, urgency=told.urgency, people=to, cause=told.cause)
            case _:
                return False
        return True


def _seconds(since: str, until: str) -> float:
    """Never negative: a clock that jumped back counts as no time."""
    return max(0.0, (moment(until) - moment(since)).total_seconds())
