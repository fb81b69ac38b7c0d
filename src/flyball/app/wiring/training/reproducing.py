"""Runs an experiment again from what the stores of a home hold, in a clean folder, and puts the signed verdict down.

Order: find, hash again, verify; take the inputs by digest; compare the environment; train without a network; compare
in three levels. A crash before the verdict leaves a draft under `home.work`, which nobody reads: it is run again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.keys import SigningKey, signing_key
from flyball.adapters.ids import TimeIds
from flyball.adapters.training.isolation import without_network
from flyball.adapters.training.trainer import SERVER, ForkServerTrainer
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, ledger_of
from flyball.app.wiring.stores import drafts
from flyball.app.wiring.stores.digests import Digests
from flyball.app.wiring.training.environment import environment_of, evaluation
from flyball.app.wiring.training.jobs import write_files
from flyball.app.wiring.training.materialising import Materialised, Stores
from flyball.core.errors import BadInput, Fault, FlyballError, NotFound, TrainingFailed
from flyball.core.events import Proof, ReproductionJudged
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName, short
from flyball.core.ledger import Ledger
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Estimate, Grade, Release
from flyball.pipeline import attestation, identity
from flyball.pipeline.environment import changes
from flyball.pipeline.inputs import Inputs
from flyball.pipeline.manifest import Manifest
from flyball.pipeline.packing import MANIFEST, METRICS
from flyball.pipeline.reproduction import TOLERANCE, Artefacts, Judgement, Verdict, blocked, first_byte, judge
from flyball.pipeline.suites.masking import masked

PROBE_PREDICTIONS = "probe_predictions.json"


class Reproduced(Record):
    """What `flyball reproduce` prints."""

    verdict: Verdict
    first_difference: str | None
    grades: dict[str, Grade]
    experiment: str
    release: str | None
    found: str | None  # root that came out
    reason: str
    missing: tuple[str, ...]  # why it was blocked, all of it
    environment: tuple[str, ...]  # how it differs from then
    network: bool  # whether the training could have reached one
    files: tuple[str, ...]
    answers: Any
    metrics: Any
    seq: int  # of the fact on the ledger


class Reproducing:
    """Over one home. `on_step` is told what is being done."""

    def __init__(self, home: Home, ledger: Ledger, key: SigningKey, *, on_step: Callable[[str], None]) -> None:
        self._home, self._ledger, self._key, self._on_step = home, ledger, key, on_step
        self._stores = Stores(home)

    def reproduce(self, text: str, *, allow_drift: bool, tolerance: float | None, by: str, proof: Proof) -> Reproduced:
        """Raises: NotFound: nobody knows the digest. BadInput: it is a snapshot's."""
        self._on_step("ledger")
        digests = Digests(self._ledger.read())
        known = digests.find(text)
        if known.kind == "snapshot":
            fault = Fault(
                where="command line", path="DIGEST", expected="an experiment or a release", found="a snapshot"
            )
            raise BadInput(
                "A snapshot is no experiment.", (fault,), hint="flyball explain names what was trained on it"
            )
        release = digests.releases.get(known.digest) or digests.of_experiment.get(known.digest)
        experiment = known.digest if release is None else release.experiment
        self._on_step("inputs")
        twins = frozenset() if release is None else digests.twins(release.root)
        held = self._stores.materialise(experiment, release, twins=twins)
        missing = list(held.missing)
        verified = audit(self._home)
        if not verified.ok:
            missing.insert(0, f"the ledger does not verify: {verified.reason}")
        if release is None:
            missing.insert(0, _no_release(experiment, digests))
        drift = _drift(held.inputs) if held.inputs is not None else ()
        if not allow_drift:
            missing += [f"environment: {words}" for words in drift]
        network = without_network() is None
        root, judgement = None, blocked(missing) if missing else None
        if judgement is None and release is not None:
            root, judgement = self._run(held, release, drift, tolerance)
        assert judgement is not None
        return self._put_down(
            known.service, experiment, release, root, judgement, held, missing, drift, network, by, proof
        )

    def _run(
        self, held: Materialised, release: Release, drift: tuple[str, ...], tolerance: float | None
    ) -> tuple[str | None, Judgement]:
        """The training, and what it comes to; the root that came out."""
        inputs = held.inputs
        assert inputs is not None
        assert held.release_folder is not None
        with self._draft() as draft:
            job = self._job(draft, held, inputs, release)
            trainer = ForkServerTrainer(on_step=self._on_step, command=(*(without_network() or ()), *SERVER))
            try:
                again = trainer.train(job)
            except TrainingFailed as error:
                words = masked(f"the training failed: {error}")
                if drift:
                    return None, blocked([f"{words.splitlines()[0]} (in another environment: {drift[0]})"])
                first = words.splitlines()[0]
                return None, Judgement(verdict="DIVERGED", first_difference=first, reason=words)
            except FlyballError as error:
                return None, blocked([masked(str(error))])
            finally:
                trainer.close()
            self._on_step("compare")
            runtime = inputs.experiment.runtime
            exact = not drift and tolerance is None and runtime.deterministic and runtime.accel.kind == "none"
            before, after = Path(held.release_folder), Path(job.output_folder)
            found = judge(
                _artefacts(before),
                _artefacts(after),
                drift=drift,
                exact=exact,
                tolerance=TOLERANCE if tolerance is None else tolerance,
            )
            return again.root, _with_offset(found, before, after)

    def _job(self, draft: Path, held: Materialised, inputs: Inputs, release: Release) -> TrainingJob:
        """As `Jobs.write` makes one, with nothing of the home in reach, nor a champion: it decides no bytes."""
        assert held.service is not None
        assert held.sources is not None
        exported, output, clean = draft / "service", draft / "release", draft / "home"
        write_files(exported, held.sources, tests=held.service.experiment.tests)
        output.mkdir()
        clean.mkdir()
        return TrainingJob(
            service_folder=str(exported),
            home=str(clean),
            declaration=inputs.declaration,
            snapshot=inputs.snapshot,
            snapshot_folder=str(self._stores.snapshot_folder(inputs.snapshot.root)),
            output_folder=str(output),
            reason=release.reason,
            contract=held.contract,
            experiment=inputs.name,
            code=inputs.code.root,
            parent=next(iter(inputs.experiment.parents), None),
            parent_folder=held.parent_folder,
        )

    def _put_down(
        self,
        service: str,
        experiment: str,
        release: Release | None,
        root: str | None,
        judgement: Judgement,
        held: Materialised,
        missing: list[str],
        drift: tuple[str, ...],
        network: bool,
        by: str,
        proof: Proof,
    ) -> Reproduced:
        """The verdict, signed, as a fact."""
        named = None if release is None else release.root
        statement = attestation.reproduction_statement(
            service=service,
            release=named,
            experiment=experiment,
            verdict=judgement.verdict,
            first_difference=judgement.first_difference,
        )
        signature = self._key.sign(attestation.to_sign(statement))
        fact = ReproductionJudged(
            service=ServiceName(service),
            experiment=ExperimentDigest(experiment),
            release=None if named is None else ReleaseRoot(named),
            verdict=judgement.verdict,
            first_difference=judgement.first_difference,
            reason=judgement.reason,
            grades=held.grades,
            found=None if root is None else Digest(root),
            by=by,
            proof=proof,
            envelope=attestation.envelope(statement, signature, self._key.key_id),
        )
        (entry,) = self._ledger.append([fact])
        return Reproduced(
            verdict=judgement.verdict,
            first_difference=judgement.first_difference,
            grades=held.grades,
            experiment=experiment,
            release=named,
            found=root,
            reason=judgement.reason,
            missing=tuple(missing),
            environment=drift,
            network=network,
            files=judgement.files,
            answers=judgement.answers,
            metrics=judgement.metrics,
            seq=entry.seq,
        )

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        with drafts.draft(self._home.made().work, TimeIds(SystemClock()).new("reproduce")) as draft:
            yield draft


@contextmanager
def reproducing(home: Home, *, on_step: Callable[[str], None]) -> Iterator[Reproducing]:
    """Raises: NotFound: there is no ledger."""
    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    with ledger_of(home) as ledger:
        yield Reproducing(home, ledger, signing_key(home.keys), on_step=on_step)


def _drift(inputs: Inputs) -> tuple[str, ...]:
    """How this process differs from the one that trained."""
    words = list(changes(inputs.environment, environment_of(None)))
    then, now = inputs.experiment.evaluation, evaluation()
    if then.version != now.version:
        words.append(f"flyball {then.version} -> {now.version}")
    elif then != now:
        words.append(f"flyball {now.version}: other sources under the same version")
    if inputs.experiment.runtime != identity.Runtime():
        words.append("the runtime settings of trainings are others")
    return tuple(words)


def _no_release(experiment: str, digests: Digests) -> str:
    why = digests.failed.get(experiment)
    return f"experiment {short(experiment)} has no release to compare with" + (f": it failed: {why}" if why else "")


def _artefacts(folder: Path) -> Artefacts:
    return Artefacts(
        manifest=msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest),
        answers=msgspec.json.decode((folder / PROBE_PREDICTIONS).read_bytes()),
        metrics=msgspec.json.decode((folder / METRICS).read_bytes(), type=dict[str, Estimate]),
    )


def _with_offset(found: Judgement, before: Path, after: Path) -> Judgement:
    """The first difference with the place where it begins, where it is a changed file."""
    name = (found.first_difference or "").removesuffix(" is changed")
    files = [folder / name for folder in (before, after)]
    if not found.files or not all(file.is_file() for file in files):
        return found
    at = first_byte(*(file.read_bytes() for file in files))
    return msgspec.structs.replace(found, first_difference=f"{found.first_difference}, from byte {at} on")
