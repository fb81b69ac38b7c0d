"""The effects around a training: freeze the data, name the experiment, train, sign, store, write facts.

Used alike by the command line, the controller and the replay. Points at which a crash may come, and what repairs it;
in each case it is enough to run `train` again:

A. after the snapshot is stored, before its fact: the snapshot is found again under its root, the fact is written.
B. after `TrainingStarted`, during the training: nothing is registered for the experiment, so it trains again; drafts
   under `home.work` are never read.
C. after the release folder got its name, before `ReleaseRegistered`: it trains again, arrives at the same root, finds
   the folder, verifies it and registers it.
D. after the release is registered, before the first champion is appointed: the experiment is found on the ledger, and
   what is missing is appointed without training.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import polars as pl

from flyball.adapters import signing
from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.adapters.keys import signing_key
from flyball.adapters.trainer import ForkServerTrainer
from flyball.app.declared import Declared, read_table
from flyball.app.home import Home
from flyball.app.wiring.jobs import Jobs, Sources, experiment_of, sources_of
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.releases import ReleaseStore, check_root
from flyball.app.wiring.snapshots import SnapshotStore
from flyball.contracts.check import check
from flyball.core.clock import Clock
from flyball.core.codec import canonical, digest
from flyball.core.errors import Refused, TrainingFailed
from flyball.core.events import (
    ChampionAppointed,
    GatesJudged,
    Reason,
    ReleaseRegistered,
    ServiceDeclared,
    SnapshotTaken,
    TrainingStarted,
)
from flyball.core.events import TrainingFailed as TrainingFailedFact
from flyball.core.ids import Digest, ExperimentDigest, Ids, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.policy import policy_digest
from flyball.core.ports import Trainer
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot
from flyball.core.service import Service
from flyball.pipeline import gates, identity
from flyball.pipeline.packing import EXPERIMENT
from flyball.registry.releases import Registry, fold


class Key(Protocol):
    @property
    def path(self) -> Path: ...


class Trained(Record):
    experiment: ExperimentDigest
    release: Release
    cached: bool  # the experiment was known: nothing was trained


class Pipeline:
    """Handed in: where state lives, the ledger, time, identities, the signing key and who trains."""

    def __init__(self, home: Home, ledger: Ledger, clock: Clock, ids: Ids, key: Key, trainer: Trainer) -> None:
        self._home, self._ledger, self._clock, self._ids = home, ledger, clock, ids
        self._key, self._trainer = key, trainer
        self.releases = ReleaseStore(home)
        self.snapshots = SnapshotStore(home, ids)
        self._known: dict[str, Registry] = {}
        self._jobs = Jobs(home, self.releases, self.snapshots)

    def registry(self, service: str) -> Registry:
        """What the ledger says now; entries that were folded before are not read again."""
        state = self._known.get(service, Registry())
        for entry in self._ledger.read(state.seq, subject=service):
            state = fold(state, entry)
        self._known[service] = state
        return state

    def declare(self, declared: Declared) -> Digest:
        """Write the declaration down if it is not the newest one; returns the policy digest."""
        service = declared.service
        policy = policy_digest(service)
        declaration = msgspec.to_builtins(service)
        if self.registry(service.metadata.name).declaration != digest("flyball/declaration/v1", declaration):
            fact = ServiceDeclared(
                service=ServiceName(service.metadata.name),
                policy=policy,
                declaration=declaration,
                folder=declared.folder.resolve().name,
            )
            self._ledger.append([fact])
        return policy

    def snapshot_source(self, declared: Declared) -> Snapshot:
        """Freeze the table that `data.source` names.

        Raises: BadInput: it cannot be read. Refused: it violates the contract.
        """
        table = read_table(declared.source, needed=(declared.service.data.label,))
        timestamp = declared.service.data.timestamp
        if timestamp is not None and timestamp in table.columns:  # so that later in the table is later in time
            table = table.sort(timestamp, maintain_order=True)
        report = check(table, declared.contract)
        if not report.passed:
            broken = "; ".join(f"{found.rule} in {found.rows} rows" for found in report.violations[:5])
            raise Refused(
                f"{declared.service.data.source} violates {declared.service.data.contract}: {broken}",
                hint="flyball check names the rows",
            )
        if (
            not report.accepted.all()
        ):  # a broken warning does not stop a training, but nothing is learned from such rows
            table = table.filter(report.accepted)
        return self.snapshot_frame(declared, table, source="source")

    def snapshot_frame(
        self, declared: Declared, table: pl.DataFrame, *, source: str = "captured", as_of: str | None = None
    ) -> Snapshot:
        """Freeze rows that somebody else has put together.

        A column `pipeline.split.ROW` may carry each row's position in the stream: 1 is the first row of the source,
        and captured rows count on from its last.
        """
        snapshot = self.snapshots.freeze(table, declared.contract, source=source, as_of=as_of)
        fact = SnapshotTaken(service=ServiceName(declared.service.metadata.name), snapshot=snapshot)
        self._ledger.append([fact], ids=[f"snapshot:{fact.service}:{snapshot.root}:{as_of}"])  # crash point A
        return snapshot

    def train(
        self,
        declared: Declared,
        snapshot: Snapshot,
        *,
        reason: Reason,
        ticket: str | None = None,
        as_of: str | None = None,
    ) -> Trained:
        """The release of this experiment: the one on the ledger, else a new one, signed and registered.

        Raises: TrainingFailed: what the service's code said; the fact is on the ledger. BadInput: the folder is faulty.
        """
        service, name = declared.service, ServiceName(declared.service.metadata.name)
        if as_of is not None:
            snapshot = msgspec.structs.replace(snapshot, as_of=as_of)
        sources = sources_of(declared)
        document = experiment_of(service, sources, snapshot)
        experiment = identity.name(document)
        known = self.registry(name)
        if (found := known.of_experiment(experiment)) is not None:
            release = found.release
            if found.stage in ("refused", "qualified") and gates.names(service.gates) != [
                g.name for g in release.gates
            ]:
                release = self._judge_again(declared, sources, snapshot, release, document, known)
            self._appoint_first(service, release)
            return Trained(experiment=experiment, release=release, cached=True)
        with self._draft() as draft:
            job = self._jobs.write(draft, declared, sources, snapshot, document, known, reason)
            started = TrainingStarted(
                service=name,
                experiment=experiment,
                snapshot=snapshot.root,
                reason=reason,
                ticket=ticket,
                code=document.code,
                contract=Digest(f"sha256:{document.contract}"),
                environment=document.environment,
            )
            self._ledger.append([started])
            try:
                release = self._trainer.train(job)  # crash point B
            except TrainingFailed as error:
                fact = TrainingFailedFact(service=name, experiment=experiment, error=str(error), ticket=ticket)
                self._ledger.append([fact])
                raise
            self._store(Path(job.output_folder), release, document)
        self._register(release, ticket)  # crash point C is before, D behind
        self._appoint_first(service, release)
        return Trained(experiment=experiment, release=release, cached=False)

    def _judge_again(
        self,
        declared: Declared,
        sources: Sources,
        snapshot: Snapshot,
        release: Release,
        document: identity.Experiment,
        known: Registry,
    ) -> Release:
        """Gates are policy, not experiment: where they changed the packaged model is asked again, nothing is fitted."""
        with self._draft() as draft:
            job = self._jobs.write(draft, declared, sources, snapshot, document, known, release.reason)
            folder = self.releases.verified(release.root)
            judged = self._trainer.train(msgspec.structs.replace(job, judge_only=release, judged_folder=folder))
        fact = GatesJudged(service=release.service, release=release.root, passed=judged.passed, results=judged.gates)
        self._ledger.append([fact])
        return judged

    def _store(self, output: Path, release: Release, document: identity.Experiment) -> None:
        check_root(output, release.root)
        (output / EXPERIMENT).write_bytes(canonical(document))
        signing.sign(output, self._key.path)
        self.releases.put(output, release.root)

    def _register(self, release: Release, ticket: str | None) -> None:
        """Release and judgement in one transaction; writing them again does nothing."""
        facts = (
            ReleaseRegistered(
                service=release.service,
                release=release,
                ticket=ticket,
                signature=signing.signature(self.releases.folder(release.root)),
            ),
            GatesJudged(service=release.service, release=release.root, passed=release.passed, results=release.gates),
        )
        self._ledger.append(
            facts, ids=[f"registered:{release.experiment}:{release.root}", f"judged:{release.experiment}"]
        )

    def _appoint_first(self, service: Service, release: Release) -> None:
        """With no champion, a release that passed its gates becomes it, where the policy says auto.

        Raises: Conflict: somebody wrote about the service at this moment; run again.
        """
        known = self.registry(release.service)
        ready = release.root in known.releases and known.releases[release.root].stage == "qualified"
        if known.champion is None and ready and service.autonomy.first == "auto":
            fact = ChampionAppointed(service=release.service, release=release.root, previous=None, rubber_stamped=True)
            self._ledger.append([fact], expected=known.seq)

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        draft = self._home.made().work / self._ids.new("train")
        draft.mkdir(parents=True)
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def pipeline_of(home: Home, *, on_step: Callable[[str], None] = lambda _: None) -> Iterator[Pipeline]:
    """The pipeline of a home with the real clock, its ledger and a training server that ends with the block."""
    clock = SystemClock()
    trainer = ForkServerTrainer(on_step=on_step)
    try:
        with ledger_of(home.made()) as ledger:
            yield Pipeline(home, ledger, clock, TimeIds(clock), signing_key(home.keys), trainer)
    finally:
        trainer.close()
