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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import polars as pl

from flyball.adapters import signing
from flyball.adapters.blobs import Blobs
from flyball.adapters.environment import installed
from flyball.app.declared import Declared, read_table, read_text
from flyball.app.home import Home
from flyball.app.wiring.releases import ReleaseStore, check_root
from flyball.app.wiring.snapshots import SnapshotStore
from flyball.core.clock import Clock
from flyball.core.codec import canonical, digest
from flyball.core.errors import TrainingFailed
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
from flyball.core.ports import Trainer, TrainingJob
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot
from flyball.core.service import Service
from flyball.pipeline import identity
from flyball.pipeline.manifest import of_bytes
from flyball.pipeline.packing import CODE, CONTRACT, EXPERIMENT
from flyball.registry.releases import Registry, registry


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
        self._blobs = Blobs(home.blobs)

    def registry(self, service: str) -> Registry:
        """What the ledger says now."""
        return registry(self._ledger.read(subject=service))

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
        """Freeze the table that `data.source` names."""
        table = read_table(declared.source, needed=(declared.service.data.label,))
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
        sources = _sources(declared)
        document = _experiment(service, sources, snapshot)
        experiment = identity.name(document)
        known = self.registry(name)
        if (found := known.of_experiment(experiment)) is not None:
            self._appoint_first(service, found.release)
            return Trained(experiment=experiment, release=found.release, cached=True)
        with self._draft() as draft:
            job = self._job(draft, declared, sources, snapshot, experiment, document.code, known, reason)
            self._ledger.append(
                [
                    TrainingStarted(
                        service=name, experiment=experiment, snapshot=snapshot.root, reason=reason, ticket=ticket
                    )
                ]
            )
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

    def _job(
        self,
        draft: Path,
        declared: Declared,
        sources: "Sources",
        snapshot: Snapshot,
        experiment: str,
        code: Digest,
        known: Registry,
        reason: Reason,
    ) -> TrainingJob:
        """The exported tree that was hashed is the tree that runs."""
        exported, output = draft / "service", draft / "release"
        for path, data in {f"{CODE}/{path}": data for path, data in sources.code.items()}.items():
            target = exported / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            self._blobs.put(data)
        (exported / CONTRACT).write_bytes(sources.contract)
        self._blobs.put(sources.contract)
        output.mkdir()
        champion = known.releases[known.champion].release if known.champion is not None else None
        same_stream = champion is None or _one_stream(snapshot, known.snapshots.get(champion.snapshot))
        return TrainingJob(
            service_folder=str(exported),
            home=str(self._home.root),
            declaration=msgspec.to_builtins(declared.service),
            snapshot=snapshot,
            snapshot_folder=str(self.snapshots.folder(snapshot.root)),
            output_folder=str(output),
            champion_folder=self.releases.verified(champion.root) if champion is not None else None,
            champion_last_row=champion.trained_last_row if champion is not None and same_stream else 0,
            reason=reason,
            contract=declared.contract,
            experiment=experiment,
            code=code,
            champion=champion.root if champion is not None else None,
            champion_snapshot_folder=(
                None if champion is None or same_stream else str(self.snapshots.folder(champion.snapshot))
            ),
        )

    def _store(self, output: Path, release: Release, document: identity.Experiment) -> None:
        check_root(output, release.root)
        (output / EXPERIMENT).write_bytes(canonical(document))
        signing.sign(output, self._key.path)
        self.releases.put(output, release.root)

    def _register(self, release: Release, ticket: str | None) -> None:
        """Release and judgement in one transaction; writing them again does nothing."""
        facts = (
            ReleaseRegistered(service=release.service, release=release, ticket=ticket),
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


class Sources(Record):
    code: dict[str, bytes]  # path -> content
    contract: bytes


def _sources(declared: Declared) -> Sources:
    """The code as it was declared, and the contract file.

    Raises: BadInput: the contract file is gone.
    """
    contract = read_text(declared.folder / declared.service.data.contract, where=declared.service.data.contract)
    return Sources(code={path: text.encode() for path, text in declared.code.items()}, contract=contract.encode())


def _experiment(service: Service, sources: Sources, snapshot: Snapshot) -> identity.Experiment:
    tags, found = installed()
    return identity.experiment(
        service,
        code=of_bytes(sources.code).root,
        contract=of_bytes({CONTRACT: sources.contract}).files[0].sha256,
        snapshot=snapshot,
        environment=identity.Environment(
            **tags,
            distributions=tuple(identity.Distribution(name=n, version=v, record=r) for n, v, r in found),
        ),
        runtime=identity.Runtime(),
    )


def _one_stream(snapshot: Snapshot, theirs: Snapshot | None) -> bool:
    """Whether row positions of the two mean the same rows: two readings of a source file that changed do not."""
    if theirs is None or snapshot.root == theirs.root:
        return True
    return not (snapshot.source == "source" and theirs.source == "source")
