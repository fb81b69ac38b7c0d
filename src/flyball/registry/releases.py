"""Who is what, and who said so: the releases of one service as a fold over its facts.

`fold` takes any entry of the service, in order; facts about other things, and facts that the table of stages does not
allow, leave the releases as they are. Folding an entry that was folded before changes nothing.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from flyball.core.events import (
    ChampionAppointed,
    EvidenceAttached,
    GatesJudged,
    ReleaseRegistered,
    RolledBack,
    RolloutClosed,
    RolloutOpened,
    ServiceDeclared,
    SnapshotTaken,
)
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId
from flyball.core.ledger import Entry
from flyball.core.policy import declaration_digest
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot, refusals
from flyball.registry.stages import Event, Stage, after, allowed

_JUDGED = ("built", "qualified", "refused")  # stages in which the newest judgement counts


class Word(Record):
    """One change of stage, and the line of the ledger that says so."""

    stage: Stage
    seq: int
    at: str  # RFC 3339, UTC
    by: str  # `policy`, `pipeline`, `gateway`, `controller` or a person
    why: str = ""


class Registered(Record):
    """One release with its history, oldest first."""

    release: Release
    history: tuple[Word, ...]

    @property
    def stage(self) -> Stage:
        return self.history[-1].stage


class Term(Record):
    """One time as champion."""

    release: ReleaseRoot
    seq: int
    at: str
    by: str
    rollout: RolloutId | None = None
    rubber_stamped: bool = False


class Registry(Record):
    """What the ledger says about the releases of one service."""

    seq: int = 0  # newest entry folded
    releases: dict[ReleaseRoot, Registered] = {}
    experiments: dict[ExperimentDigest, ReleaseRoot] = {}
    terms: tuple[Term, ...] = ()  # champions, oldest first; a return is a term of its own
    rollouts: dict[RolloutId, ReleaseRoot] = {}
    snapshots: dict[Digest, Snapshot] = {}
    evidence: dict[ReleaseRoot, Digest] = {}  # root of the folder with its card, bill of materials and plots
    policy: Digest | None = None
    declaration: Digest | None = None  # of the newest declaration

    @property
    def champion(self) -> ReleaseRoot | None:
        return self.terms[-1].release if self.terms else None

    @property
    def previous(self) -> ReleaseRoot | None:
        """The newest champion before this one that was not rolled back itself: where a rollback goes."""
        for term in reversed(self.terms[:-1]):
            if term.release != self.champion and self.releases[term.release].stage == "retired":
                return term.release
        return None

    def of_experiment(self, experiment: str) -> Registered | None:
        root = self.experiments.get(ExperimentDigest(experiment))
        return self.releases[root] if root is not None else None


def registry(entries: Iterable[Entry]) -> Registry:
    """The registry of one service from all its entries."""
    state = Registry()
    for entry in entries:
        state = fold(state, entry)
    return state


def fold(state: Registry, entry: Entry) -> Registry:
    """The registry after one more entry of the same service."""
    if entry.seq <= state.seq:
        return state
    return replace(_fold(state, entry), seq=entry.seq)


def _fold(state: Registry, entry: Entry) -> Registry:
    match entry.fact:
        case ServiceDeclared(policy=policy, declaration=declaration):
            return replace(state, policy=policy, declaration=declaration_digest(declaration))
        case SnapshotTaken(snapshot=snapshot):
            return replace(state, snapshots=state.snapshots | {snapshot.root: snapshot})
        case ReleaseRegistered(release=release):
            return _register(state, entry, release)
        case EvidenceAttached(release=root, evidence=str(folder)):
            return replace(state, evidence=state.evidence | {root: Digest(folder)})
        case GatesJudged():
            return _judged(state, entry, entry.fact)
        case RolloutOpened(rollout=rollout, release=root, reason=reason):
            moved = _move(state, entry, root, "opened", "policy", reason)
            return replace(moved, rollouts=moved.rollouts | {rollout: root})
        case RolloutClosed(rollout=rollout, outcome=outcome, reason=why) if outcome in ("rejected", "expired"):
            closed = state.rollouts.get(rollout)
            return state if closed is None else _move(state, entry, closed, "withdrawn", outcome, why)
        case ChampionAppointed():
            return _appoint(state, entry, entry.fact)
        case RolledBack(release=root, to=to, by=by, cause=cause):
            return _roll_back(state, entry, root, to, by, cause)
        case _:
            return state


def _register(state: Registry, entry: Entry, release: Release) -> Registry:
    if (known := state.releases.get(release.root)) is not None:
        # another experiment may give the same bytes; its name then leads to the release that is there, and while
        # judgements count, the reasons of the one that comes with it are found in its own tests
        if known.stage in _JUDGED:
            known = replace(known, release=replace(known.release, tests=release.tests))
        return replace(
            state,
            releases=state.releases | {release.root: known},
            experiments={release.experiment: release.root} | state.experiments,
        )
    first = Word(stage="built", seq=entry.seq, at=entry.at, by="pipeline", why=release.reason)
    return replace(
        state,
        releases=state.releases | {release.root: Registered(release=release, history=(first,))},
        experiments={release.experiment: release.root} | state.experiments,
    )


def _judged(state: Registry, entry: Entry, fact: GatesJudged) -> Registry:
    """The newest judgement counts, until the release has been offered to traffic."""
    root, ok = fact.release, fact.passed
    known = state.releases.get(root)
    if known is None or known.stage not in _JUDGED:
        return state
    tests = fact.tests or known.release.tests
    failed = "; ".join(refusals(fact.results, tests))
    judged = replace(known, release=replace(known.release, gates=fact.results, tests=tests, passed=ok))
    state = replace(state, releases=state.releases | {root: judged})
    return _move(state, entry, root, "qualified" if ok else "refused", "pipeline", failed)


def _appoint(state: Registry, entry: Entry, fact: ChampionAppointed) -> Registry:
    known = state.releases.get(fact.release)
    if fact.release == state.champion or known is None or not allowed(known.stage, "appointed"):
        return state
    if state.champion is not None:
        state = _move(state, entry, state.champion, "succeeded", fact.by)
    state = _move(state, entry, fact.release, "appointed", fact.by)
    term = Term(
        release=fact.release,
        seq=entry.seq,
        at=entry.at,
        by=fact.by,
        rollout=fact.rollout,
        rubber_stamped=fact.rubber_stamped,
    )
    return replace(state, terms=(*state.terms, term))


def _roll_back(state: Registry, entry: Entry, root: ReleaseRoot, to: ReleaseRoot, by: str, cause: str) -> Registry:
    """A candidate goes; where it was champion already, the one named in the fact takes over."""
    was_champion = root == state.champion
    state = _move(state, entry, root, "withdrawn", by, cause)
    target = state.releases.get(to)
    if not was_champion or target is None or not allowed(target.stage, "appointed"):
        return state
    state = _move(state, entry, to, "appointed", by, cause)
    return replace(state, terms=(*state.terms, Term(release=to, seq=entry.seq, at=entry.at, by=by)))


def _move(state: Registry, entry: Entry, root: ReleaseRoot, event: Event, by: str, why: str = "") -> Registry:
    known = state.releases.get(root)
    if known is None or not allowed(known.stage, event):
        return state
    stage = after(known.stage, event)
    assert stage is not None
    word = Word(stage=stage, seq=entry.seq, at=entry.at, by=by, why=why)
    return replace(state, releases=state.releases | {root: replace(known, history=(*known.history, word))})
