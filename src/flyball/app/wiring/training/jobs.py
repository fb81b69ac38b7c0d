"""A training as a job: what is named is what runs.

The sources are read once; the digest is taken from those bytes, and the same bytes are exported for the child.
"""

from pathlib import Path

import msgspec

from flyball.adapters.content.blobs import Blobs
from flyball.adapters.training import vcs
from flyball.app.baselines import baseline_files
from flyball.app.declared import Declared, read_text
from flyball.app.home import Home
from flyball.app.wiring.stores.experiments import ExperimentStore
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.stores.snapshots import SnapshotStore
from flyball.app.wiring.training.environment import environment_of, evaluation
from flyball.core.errors import BadInput, Fault
from flyball.core.events import Reason
from flyball.core.ids import ReleaseRoot
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Snapshot
from flyball.core.service import ModelTests, Service
from flyball.pipeline import identity
from flyball.pipeline.environment import Environment
from flyball.pipeline.features_version import features_version
from flyball.pipeline.inputs import Inputs, Vcs
from flyball.pipeline.manifest import entry, of_bytes
from flyball.pipeline.packing import BASELINES, CODE, CONTRACT
from flyball.registry.releases import Registry


class Sources(Record):
    code: dict[str, bytes]  # path -> content
    contract: bytes
    golden: bytes | None = None  # the golden set, where one is declared
    off_policy: bytes | None = None  # the log of actions, likewise
    baselines: dict[str, bytes] = {}  # tables that the contract's clauses compare with, as it names them -> content


def sources_of(declared: Declared) -> Sources:
    """The code as it was declared, the contract file with the tables that it compares with, and the files of tests.

    Raises: BadInput: one of the files is gone.
    """
    log = declared.service.experiment.tests.off_policy
    contract = read_text(declared.folder / declared.service.data.contract, where=declared.service.data.contract)
    return Sources(
        code={path: text.encode() for path, text in declared.code.items()},
        contract=contract.encode(),
        golden=_test_file(declared, declared.service.experiment.tests.golden, "golden set"),
        off_policy=_test_file(declared, None if log is None else log.log, "off-policy log"),
        baselines=baseline_files(declared.contract, declared.contract_folder),
    )


def inputs_of(declared: Declared, sources: Sources, snapshot: Snapshot, known: Registry) -> Inputs:
    """The experiment that these sources, these data and this process make."""
    environment = environment_of(declared.folder)
    observed = vcs.state(declared.folder)
    return assembled(
        declared.service,
        sources,
        snapshot,
        environment=environment,
        columns=tuple(column.name for column in declared.contract.columns),
        parents=_parents(declared.service, known),
        table=declared.source.stem,
        observed=None if observed is None else Vcs(commit=observed[0], dirty=observed[1]),
    )


def assembled(
    service: Service,
    sources: Sources,
    snapshot: Snapshot,
    *,
    environment: Environment,
    columns: tuple[str, ...],
    parents: tuple[ReleaseRoot, ...],
    table: str,
    observed: Vcs | None = None,
) -> Inputs:
    """The inputs with the document that names them."""
    code = of_bytes(sources.code)
    document = identity.experiment(
        service,
        code=code.root,
        features=features_version(sources.code, service.experiment.module),
        columns=columns,
        contract=entry(CONTRACT, sources.contract).sha256,
        snapshot=snapshot,
        environment=environment.name,
        evaluation=evaluation(),
        runtime=identity.Runtime(),
        parents=parents,
        golden=None if sources.golden is None else entry("golden", sources.golden).sha256,
        off_policy=None if sources.off_policy is None else entry("off-policy log", sources.off_policy).sha256,
        baselines={name: entry(name, data).sha256 for name, data in sources.baselines.items()},
    )
    return Inputs(
        experiment=document,
        environment=environment,
        code=code,
        snapshot=snapshot,
        declaration=msgspec.to_builtins(service),
        table=table,
        vcs=observed,
    )


def _test_file(declared: Declared, name: str | None, what: str) -> bytes | None:
    if name is None:
        return None
    try:
        return (declared.folder / name).read_bytes()
    except OSError as error:
        fault = Fault(where=name, path="(file)", expected="a file that can be read", found=str(error.strerror))
        raise BadInput(f"The {what} cannot be read.", (fault,)) from error


def _parents(service: Service, known: Registry) -> tuple[ReleaseRoot, ...]:
    return (known.champion,) if service.experiment.warm_start and known.champion is not None else ()


class Jobs:
    """Writes jobs into draft folders, from what the stores of a home hold."""

    def __init__(self, home: Home, releases: ReleaseStore, snapshots: SnapshotStore) -> None:
        self._home, self._releases, self._snapshots = home, releases, snapshots
        self._blobs, self._experiments = Blobs(home.blobs), ExperimentStore(home)

    def write(
        self,
        draft: Path,
        declared: Declared,
        sources: Sources,
        snapshot: Snapshot,
        inputs: Inputs,
        known: Registry,
        reason: Reason,
    ) -> TrainingJob:
        """The job, its exported sources and its empty output folder.

        Raises: Untrusted: the champion it would be compared with does not verify.
        """
        exported, output = draft / "service", draft / "release"
        for data in write_files(exported, sources, tests=declared.service.experiment.tests):
            self._blobs.put(data)  # so that the experiment can be repeated later
        self._experiments.put(inputs)
        output.mkdir()
        parent = next(iter(inputs.experiment.parents), None)
        champion = known.releases[known.champion].release if known.champion is not None else None
        job = TrainingJob(
            service_folder=str(exported),
            home=str(self._home.root),
            declaration=msgspec.to_builtins(declared.service),
            snapshot=snapshot,
            snapshot_folder=str(self._snapshots.folder(snapshot.root)),
            output_folder=str(output),
            reason=reason,
            contract=declared.contract,
            experiment=inputs.name,
            code=inputs.code.root,
            parent=parent,
            parent_folder=None if parent is None else self._releases.verified(parent),
        )
        if champion is None:
            return job
        theirs = known.snapshots.get(champion.snapshot)
        return msgspec.structs.replace(
            job,
            champion=champion.root,
            champion_folder=self._releases.verified(champion.root),
            champion_last_row=champion.trained_last_row,
            champion_snapshot=None if theirs is None or _one_stream(snapshot, theirs) else theirs,
            champion_snapshot_folder=str(self._snapshots.folder(champion.snapshot)),
        )


def write_files(folder: Path, sources: Sources, *, tests: ModelTests) -> list[bytes]:
    """The sources as a training expects them below `service_folder`; returns what was written."""
    files = {f"{BASELINES}/{path}": data for path, data in sources.baselines.items()}
    files |= {f"{CODE}/{path}": data for path, data in sources.code.items()} | {CONTRACT: sources.contract}
    if tests.golden is not None and sources.golden is not None:
        files[tests.golden] = sources.golden
    if tests.off_policy is not None and sources.off_policy is not None:
        files[tests.off_policy.log] = sources.off_policy
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return list(files.values())


def _one_stream(snapshot: Snapshot, theirs: Snapshot | None) -> bool:
    """Whether row positions of the two mean the same rows: two readings of a source file that changed do not."""
    if theirs is None or snapshot.root == theirs.root:
        return True
    return not (snapshot.source == "source" and theirs.source == "source")
