"""The effects around a training: freeze the data, name the experiment, train, sign, store, write facts.

Used alike by the command line, the controller and the replay. Points at which a crash may come, and what repairs it;
in each case it is enough to run `train` again:

A. after the snapshot is stored, before its fact: the snapshot is found again under its root, the fact is written.
B. after `TrainingStarted`, during the training: nothing is registered for the experiment, so it trains again; drafts
   under `home.work` are never read, and removed by the next training or sweep (`drafts.py`).
C. after the release folder got its name, before `ReleaseRegistered`: it trains again, arrives at the same root, finds
   the folder, verifies it and registers it.
D. after the release is registered, before the first champion is appointed: the experiment is found on the ledger, and
   what is missing is appointed without training.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import msgspec
import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.keys import signing_key
from flyball.adapters.ids import TimeIds
from flyball.adapters.training import optuna_search
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.history import History
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.stores import drafts
from flyball.app.wiring.stores.origins import Origins
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.stores.snapshots import SnapshotStore
from flyball.app.wiring.training.alone import alone
from flyball.app.wiring.training.evidence import EvidenceStore
from flyball.app.wiring.training.executors import Executors
from flyball.app.wiring.training.jobs import Jobs, inputs_of, sources_of
from flyball.app.wiring.training.order import STANDS, Order
from flyball.app.wiring.training.order import Trained as Trained
from flyball.app.wiring.training.registering import Key, Registrar
from flyball.app.wiring.training.run_book import RunBook
from flyball.app.wiring.training.source_rows import source_rows
from flyball.core.clock import Clock
from flyball.core.errors import Refused, TrainingFailed, Unavailable
from flyball.core.events import (
    GatesJudged,
    Reason,
    ServiceDeclared,
    SnapshotTaken,
)
from flyball.core.ids import Digest, Ids, ServiceName, short
from flyball.core.ledger import Ledger
from flyball.core.policy import declaration_digest, policy_digest
from flyball.core.ports import Trainer, TrainingJob
from flyball.core.release import Origin, Release, Snapshot
from flyball.core.service import Service
from flyball.pipeline import gates
from flyball.pipeline.inputs import Inputs
from flyball.registry.releases import Registry
from flyball.registry.runs import Book


# stages in which traffic or people have had their say, so that a changed gate judges no more
class Pipeline:
    """Handed in: where state lives, the ledger, time, identities, the signing key and who trains."""

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        key: Key,
        trainer: Trainer,
        *,
        on_step: Callable[[str], None] = lambda _: None,
        explains: bool = True,
    ) -> None:
        """Args:
        on_step: told of the steps outside the training's process (`pipeline/steps.py`).
        explains: whether a registered release gets its evidence; a replay serves nobody and does without.
        """
        self._home, self._ledger, self._clock, self._ids = home, ledger, clock, ids
        self._trainer, self._on_step = trainer, on_step
        self.releases = ReleaseStore(home)
        self.snapshots = SnapshotStore(home, ids)
        self._origins = Origins(home, clock, Random())
        self._history = History(ledger)
        self._registrar = Registrar(ledger, self._history, self.releases, key, ids)
        self._jobs = Jobs(home, self.releases, self.snapshots)
        self._runs = RunBook(home, ids)
        self._evidence = EvidenceStore(home, ledger, key, trainer) if explains else None

    def registry(self, service: str) -> Registry:
        """The releases of a service, as the ledger says now."""
        return self._history.registry(service)

    def book(self, service: str) -> Book:
        """The runs of a service, as the ledger says now."""
        return self._history.book(service)

    def declare(self, declared: Declared) -> Digest:
        """Write the declaration down if it is not the newest one; returns the policy digest."""
        service = declared.service
        policy = policy_digest(service)
        declaration = msgspec.to_builtins(service)
        if self.registry(service.metadata.name).declaration != declaration_digest(declaration):
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
        table, origin = source_rows(self._home, declared, self._origins)
        return self.snapshot_frame(declared, table, source="source", origin=origin)

    def snapshot_frame(
        self,
        declared: Declared,
        table: pl.DataFrame,
        *,
        source: str = "captured",
        as_of: str | None = None,
        origin: Origin | None = None,
        backfills: tuple[str, ...] = (),
    ) -> Snapshot:
        """Freeze rows that somebody else has put together.

        A column `pipeline.split.ROW` may carry each row's position in the stream: 1 is the first row of the source,
        and captured rows count on from its last.
        """
        snapshot = self.snapshots.freeze(
            table, declared.contract, source=source, as_of=as_of, origin=origin, backfills=backfills
        )
        fact = SnapshotTaken(service=ServiceName(declared.service.metadata.name), snapshot=snapshot)
        read_from = f":{origin.root}" if origin is not None else ""  # the same rows may come from other files
        self._ledger.append(
            [fact], ids=[f"snapshot:{fact.service}:{snapshot.root}:{as_of}{read_from}"]
        )  # crash point A
        return snapshot

    def train(
        self,
        declared: Declared,
        snapshot: Snapshot,
        *,
        reason: Reason,
        ticket: str | None = None,
        as_of: str | None = None,
        judge_again: bool = False,
        by: str = "",
    ) -> Trained:
        """The release of this experiment: the one on the ledger, else a new one, signed and registered.

        judge_again: ask a packaged model that is known the gates once more, and measure its times anew.
        by: the person who asks for it, who then cannot be the one to approve its rollout.

        Raises: Refused: to be judged again, and it has been offered to traffic already.
            TrainingFailed: what the service's code said; the fact is on the ledger. BadInput: the folder is faulty.
        """
        name = ServiceName(declared.service.metadata.name)
        if as_of is not None:
            snapshot = msgspec.structs.replace(snapshot, as_of=as_of)
        sources = sources_of(declared)
        known = self.registry(name)
        inputs = inputs_of(declared, sources, snapshot, known)
        order = Order(declared=declared, sources=sources, snapshot=snapshot, inputs=inputs, by=by)
        with alone(
            self._home.locks,
            inputs.name,
            waits=lambda: self._on_step(f"wait for {self.book(name).open_run(inputs.name)}"),
        ):
            return self._known_or_new(order, reason, ticket, judge_again=judge_again)

    def _known_or_new(self, order: Order, reason: Reason, ticket: str | None, *, judge_again: bool) -> Trained:
        """The registry is read again: somebody else may have trained the same meanwhile."""
        service, inputs = order.declared.service, order.inputs
        name, experiment = ServiceName(service.metadata.name), inputs.name
        known = self.registry(name)
        if (found := known.of_experiment(experiment)) is not None and self.releases.held(found.release.root):
            release, note = found.release, ""
            stands = STANDS.get(found.stage)  # what traffic and people made of it is not taken back by a gate
            if judge_again and stands is not None:
                raise Refused(
                    f"release {short(release.root)} is {found.stage}: what was offered to traffic keeps its judgement",
                    hint="`flyball explain` shows it; another seed or configuration makes another release",
                )
            if judge_again or gates.names(service.gates) != [gate.name for gate in release.gates]:
                if stands is None:
                    release = self._judge_again(order, release)
                else:
                    note = f"the gates have changed, not judged again: {stands}"
            self._registrar.appoint_first(service, release)
            note = self._explain(order, release) or note
            return Trained(
                experiment=experiment, release=release, cached=True, environment=inputs.environment, note=note
            )
        if service.experiment.search is not None and service.experiment.executor != "ray":
            optuna_search.check_installed()
        with self._draft() as draft:
            job = self._job(draft, order, reason)
            release = self._run(job, service, inputs, ticket)
            began = self._clock.monotonic()
            self._on_step("sign")
            self._registrar.store(Path(job.output_folder), release, inputs)
            signed_s = self._clock.monotonic() - began
        self._on_step("gate")
        finished = self._runs.worked(job, release, signed_s, self.book(name))
        self._on_step("register")
        self._registrar.register(release, ticket, finished, by=order.by)  # crash point C is before, D behind
        self._registrar.appoint_first(service, release)
        note = self._explain(order, release)
        self._runs.tidy(name)
        return Trained(experiment=experiment, release=release, cached=False, environment=inputs.environment, note=note)

    def _run(self, job: TrainingJob, service: Service, inputs: Inputs, ticket: str | None) -> Release:
        """One run of the trainer between its facts.

        Raises: TrainingFailed: refused by its limits, stopped, or failed. Unavailable: the trainer is not there.
        """
        book = self.book(service.metadata.name)
        refused = self._runs.refusal(service.experiment, job.snapshot.rows, book)
        if refused is not None:
            self._ledger.append(self._runs.failed(job, "refused", refused, ticket, book))
            raise TrainingFailed(refused, hint="raise the limit in service.yaml, or train on fewer rows")
        self._ledger.append(self._runs.begun(job, inputs.experiment, ticket, book))
        try:
            return self._trainer.train(job)  # crash point B
        except TrainingFailed as error:
            self._ledger.append(self._runs.failed(job, "failed", str(error), ticket, book))
            raise
        except Unavailable as error:
            self._ledger.append([self._runs.ended(job, "broken_off", error=str(error))])
            raise

    def _judge_again(self, order: Order, release: Release) -> Release:
        """Gates are policy, not experiment: where they changed the packaged model is asked again, nothing is fitted."""
        with self._draft() as draft:
            job = self._job(draft, order, release.reason)
            folder = self.releases.verified(release.root)
            judged = self._trainer.train(msgspec.structs.replace(job, judge_only=release, judged_folder=folder))
            ended = self._runs.ended(job, "judged", release=judged)
        fact = GatesJudged(
            service=release.service,
            release=release.root,
            passed=judged.passed,
            results=judged.gates,
            tests=judged.tests,
        )
        self._ledger.append([fact, ended])
        return judged

    def _explain(self, order: Order, release: Release) -> str:
        """The evidence of a release, after it is registered: no rollout waits for it. Returns why there is none."""
        self._on_step("explain")
        if self._evidence is None or self.registry(release.service).evidence.get(release.root) is not None:
            return ""
        with self._draft() as draft:
            job = self._job(draft, order, release.reason)
            return self._evidence.attach(job, release, self.releases.verified(release.root))

    def _job(self, draft: Path, order: Order, reason: Reason) -> TrainingJob:
        known = self.registry(order.declared.service.metadata.name)
        job = self._jobs.write(draft, order.declared, order.sources, order.snapshot, order.inputs, known, reason)
        return self._runs.prepared(job, order.declared, order.inputs.experiment)

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        work = self._home.made().work
        drafts.remove_left(work)
        with drafts.draft(work, self._ids.new("train")) as draft:
            yield draft


@contextmanager
def pipeline_of(home: Home, *, on_step: Callable[[str], None] = lambda _: None) -> Iterator[Pipeline]:
    """The pipeline of a home with the real clock, its ledger and a training server that ends with the block."""
    clock = SystemClock()
    trainer = Executors(on_step=on_step)
    try:
        with ledger_of(home.made()) as ledger:
            yield Pipeline(home, ledger, clock, TimeIds(clock), signing_key(home.keys), trainer, on_step=on_step)
    finally:
        trainer.close()
