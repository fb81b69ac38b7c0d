"""What must be kept, from the ledger alone: the roots of the sweep, each with its reason, and what the ledger says that
they need. Everything is named by its 64 hex digits.

A release is a root unless it was refused or withdrawn, never served, and is not named by anything below. So what may go
in the end are candidates that failed, with what only they needed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.facts.storage import HoldLifted, HoldPlaced
from flyball.core.ids import short
from flyball.core.ledger import Entry
from flyball.core.service import Pin
from flyball.registry.hexes import digits, hexes
from flyball.registry.releases import Registry, fold

LOGS_KEPT = timedelta(days=183)  # predictions can be explained for half a year: what made them stays as long
_GONE = ("refused", "withdrawn")  # stages from which a release may be deleted


class Holdings:
    """Take every entry of the ledger in order, then ask. Facts about other things change nothing."""

    def __init__(self) -> None:
        self._registries: dict[str, Registry] = {}
        self._rollouts: dict[str, tuple[str, str]] = {}  # open ones: release, champion
        self._routed: dict[str, tuple[str, ...]] = {}  # service -> releases of its newest routing
        self._answered: dict[str, str] = {}  # release -> when it was last in a routing
        self._approvals: dict[str, str] = {}  # digest -> who asked or said so
        self._holds: dict[str, str] = {}
        self._pins: dict[str, Pin] = {}  # snapshot -> pin of its origin
        self._running: dict[str, tuple[str, str]] = {}  # experiment -> snapshot, when it began
        self._newest: dict[str, str] = {}  # service -> experiment that was begun last
        self._needs: dict[str, set[str]] = {}

    def take(self, entry: Entry) -> None:
        """One fact further."""
        service = entry.subject
        self._registries[service] = fold(self._registries.get(service, Registry()), entry)
        fact = entry.fact
        experiment = getattr(fact, "experiment", None)
        if isinstance(experiment, str):  # trainings, runs, reproductions: whatever they name, it needs
            self._need(experiment, hexes(msgspec.json.encode(fact)))
        match fact:
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                arms = [arm.release for arm in routing.arms]
                named = [root for root in (routing.champion, routing.previous, routing.candidate, *arms) if root]
                self._routed[service] = tuple(named)
                self._answered |= dict.fromkeys(named, entry.at)
            case e.AbStarted(arms=arms):  # its first routing comes later
                self._routed[service] = (*self._routed.get(service, ()), *(arm.release for arm in arms))
            case e.RolloutOpened():
                self._rollouts[fact.rollout] = (fact.release, fact.champion)
            case e.RolloutClosed():
                self._answered |= dict.fromkeys(self._rollouts.pop(fact.rollout, ())[:1], entry.at)
            case e.ApprovalRequested():
                self._approve(fact, f"approval was asked for rollout {fact.rollout}")
            case e.ExceptionRequested(release=root, by=by):
                self._approvals[digits(root)] = f"{by} asked for an exception for it"
            case e.ApprovalGiven():
                self._approve(fact, f"{fact.by} approved it")
            case _:
                self._take_stored(entry)

    def _take_stored(self, entry: Entry) -> None:
        match entry.fact:
            case e.SnapshotTaken(snapshot=snapshot):
                if snapshot.origin is not None:
                    self._need(snapshot.root, {digits(snapshot.origin.manifest)})
                    if snapshot.origin.pin is not None:
                        self._pins[snapshot.root] = snapshot.origin.pin
            case e.TrainingStarted(experiment=experiment, snapshot=root):
                self._running[experiment] = (root, entry.at)
                self._newest[entry.subject] = experiment
            case e.TrainingFailed(experiment=experiment):
                self._running.pop(experiment, None)
            case e.ReleaseRegistered(release=release):
                self._running.pop(release.experiment, None)
                self._need(release.root, {digits(release.snapshot), digits(release.experiment)})
            case HoldPlaced(digest=digest, by=by, why=why):
                self._holds[digest] = f"held by {by}: {why}"
            case HoldLifted(digest=digest):
                self._holds.pop(digest, None)

    def roots(self, now: datetime) -> dict[str, str]:
        """What must stay at this moment, and why, in words; the strongest reason of each."""
        found: dict[str, str] = {}
        for root, pin in self._pins.items():
            if now.date().isoformat() <= pin.retention_until:
                found[digits(root)] = f"read from a version that {pin.system} keeps until {pin.retention_until}"
        for root, at in self._answered.items():
            if moment(at) + LOGS_KEPT > now:
                found[digits(root)] = f"answered requests until {at[:10]}; what made logged answers is kept half a year"
        for experiment, (root, at) in self._running.items():
            if moment(at) + LOGS_KEPT > now:
                why = f"training {short(experiment)} began {at[:10]} and has not ended"
                found |= {digits(root): why, digits(experiment): why}
        for service, registry in self._registries.items():
            found |= _of_registry(service, registry)
        found |= {digits(root): why for root, why in self._approvals.items()}
        for rollout, pair in self._rollouts.items():
            found |= {digits(root): f"in the open rollout {rollout}" for root in pair}
        for service, named in self._routed.items():
            found |= {digits(root): f"in the routing of {service}" for root in named}
        for service, registry in self._registries.items():
            found |= _aliases(service, registry)
        return found | {digits(digest): why for digest, why in self._holds.items()}

    def needs(self, name: str) -> frozenset[str]:
        """What the ledger says that this digest needs; a release its snapshot, say."""
        return frozenset(self._needs.get(name, ()))

    def remembered(self) -> dict[str, str]:
        """What stays by itself, without what it needs: the inputs of each service's newest experiment, and why."""
        return {digits(name): f"newest experiment of {service}" for service, name in sorted(self._newest.items())}

    def owners(self) -> dict[str, str]:
        """Release or snapshot -> a service that it belongs to."""
        return {
            digits(root): service
            for service, registry in sorted(self._registries.items(), reverse=True)
            for root in (*registry.releases, *registry.snapshots)
        }

    def services(self) -> tuple[str, ...]:
        return tuple(sorted(self._registries))

    def _need(self, name: str, what: Iterable[str]) -> None:
        self._needs.setdefault(digits(name), set()).update(what)

    def _approve(self, fact: e.ApprovalRequested | e.ApprovalGiven, why: str) -> None:
        self._approvals |= {fact.model: why, fact.evidence: why}


def _of_registry(service: str, registry: Registry) -> dict[str, str]:
    terms = {term.release for term in registry.terms}
    return {
        digits(root): f"has served as champion of {service}" if root in terms else f"{known.stage} in {service}"
        for root, known in registry.releases.items()
        if root in terms or known.stage not in _GONE
    }


def _aliases(service: str, registry: Registry) -> dict[str, str]:
    found = {}
    if registry.previous is not None:
        found[digits(registry.previous)] = f"the release before the champion of {service}"
    if registry.champion is not None:
        found[digits(registry.champion)] = f"champion of {service}"
    return found
