"""The inputs of an experiment, taken out of a home's stores by digest and hashed again; all that is missing at once."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.blobs import Blobs
from flyball.adapters.ids import TimeIds
from flyball.app.home import Home
from flyball.app.wiring.stores.experiments import ExperimentStore
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.stores.snapshots import SnapshotStore
from flyball.app.wiring.training.jobs import Sources, assembled
from flyball.contracts.odcs.document import parse_contract
from flyball.core.contract import DataContract
from flyball.core.errors import FlyballError, NotFound, Untrusted
from flyball.core.ids import short
from flyball.core.record import Record
from flyball.core.release import Grade, Release
from flyball.core.service import Service
from flyball.pipeline import identity
from flyball.pipeline.inputs import Inputs
from flyball.pipeline.manifest import Manifest, differences, manifest
from flyball.pipeline.packing import BESIDE, CODE, CONTRACT, EXPERIMENT, INPUTS, MANIFEST
from flyball.pipeline.run.data import manifest_of

Found = TypeVar("Found")


class Materialised(Record):
    """What was found. `missing`: in words, what was not; a training may only begin where that is empty."""

    inputs: Inputs | None
    service: Service | None = None
    sources: Sources | None = None
    contract: DataContract | None = None
    release_folder: str | None = None
    parent_folder: str | None = None
    missing: tuple[str, ...] = ()
    grades: dict[str, Grade] = {}


class Stores:
    """The stores of one home, read only."""

    def __init__(self, home: Home) -> None:
        self._experiments, self._blobs = ExperimentStore(home), Blobs(home.blobs)
        self._snapshots, self._releases = SnapshotStore(home, TimeIds(SystemClock())), ReleaseStore(home)

    def snapshot_folder(self, root: str) -> Path:
        return self._snapshots.folder(root)

    def materialise(
        self, experiment: str, release: Release | None, *, twins: frozenset[str] = frozenset()
    ) -> Materialised:
        """Everything that the experiment needs, each part under the digest that the document gives it.

        Args: twins: the experiments of the ledger that gave this root. A release folder is kept once and carries
            the document of whoever was first; the documents of the others are in the store of experiments.
        """
        missing: list[str] = []

        def need(read: Callable[[], Found]) -> Found | None:
            try:
                return read()
            except FlyballError as error:
                missing.append(str(error))
                return None

        folder = None if release is None else need(lambda: self._verified(release.root))
        if folder is not None:
            need(lambda: _is_of(folder, frozenset({experiment}) | twins))
        inputs = need(lambda: self._inputs(experiment, folder))
        if inputs is None:
            return Materialised(inputs=None, release_folder=folder, missing=tuple(missing))
        grades: dict[str, Grade] = {"environment": inputs.environment.grade}
        before = len(missing)
        sources = need(lambda: self._sources(inputs, folder))
        grades["code"] = "A" if len(missing) == before else "C"
        before = len(missing)
        need(lambda: self._data(inputs))
        grades["data"] = "A" if len(missing) == before else "C"
        service = need(lambda: _service(inputs, sources)) if sources is not None else None
        contract = None
        if sources is not None and service is not None:
            contract = need(lambda: _contract(inputs, sources, service))
        parents = [need(lambda root=root: self._verified(root)) for root in inputs.experiment.parents]  # type: ignore[misc]
        return Materialised(
            inputs=inputs,
            service=service,
            sources=sources,
            contract=contract,
            release_folder=folder,
            parent_folder=next(iter(parents), None),
            missing=tuple(missing),
            grades=dict(sorted(grades.items())),
        )

    def _verified(self, root: str) -> str:
        """The release's folder. Raises: Untrusted: with the files that were altered. NotFound, Unavailable."""
        try:
            return self._releases.verified(root)
        except Untrusted as error:
            if words := _altered(self._releases.folder(root), root):
                raise Untrusted(f"release {short(root)} does not verify: {'; '.join(words)}") from error
            raise

    def _inputs(self, experiment: str, folder: str | None) -> Inputs:
        """Those in the verified release where they are of this experiment, as a service of another name may have
        trained the same one in this home; else from the store of experiments.
        """
        path = None if folder is None else Path(folder) / INPUTS
        beside = msgspec.json.decode(path.read_bytes(), type=Inputs) if path is not None and path.is_file() else None
        try:
            kept = self._experiments.get(experiment)
        except NotFound:
            if beside is None:
                raise
            if beside.name != experiment:
                words = f"the document in its release has the digest {beside.name}"
                raise Untrusted(f"experiment {short(experiment)}: {words}") from None
            return beside
        return beside if beside is not None and beside.name == experiment else kept

    def _sources(self, inputs: Inputs, folder: str | None) -> Sources:
        """Code, contract, baselines and files of tests by their hashes: from the blobs, else from the release."""
        lacking: list[str] = []
        code = {
            file.path: self._file(file.path, file.sha256, folder and f"{folder}/{CODE}/{file.path}", lacking)
            for file in inputs.code.files
        }
        files = {
            (each.role, each.name): self._file(
                each.name, each.digest.removeprefix("sha256:"), _copy(each.role, folder), lacking
            )
            for each in inputs.experiment.data
            if each.role != "train"
        }
        if lacking:
            raise NotFound("; ".join(lacking))
        one = {role: data for (role, _), data in files.items() if role != "baseline"}
        baselines = {name: data for (role, name), data in files.items() if role == "baseline"}
        return Sources(
            code=code,
            contract=one["contract"],
            golden=one.get("golden"),
            off_policy=one.get("off_policy"),
            baselines=baselines,
        )

    def _file(self, path: str, sha256: str, copy: str | None, lacking: list[str]) -> bytes:
        try:
            return self._blobs.get(f"sha256:{sha256}")
        except FlyballError as error:
            if copy is not None and Path(copy).is_file():  # under a root that was verified
                return Path(copy).read_bytes()
            lacking.append(f"{path}: {error}")
            return b""

    def _data(self, inputs: Inputs) -> None:
        root, folder = inputs.snapshot.root, self._snapshots.folder(inputs.snapshot.root)
        if not folder.is_dir():
            raise NotFound(f"snapshot {short(root)} of the training data is not in this home")
        found = manifest_of(folder, without=frozenset())
        if found.root != root:
            words = "; ".join(differences(manifest(inputs.snapshot.files), found))
            raise Untrusted(f"snapshot {short(root)}: {words}")


def _altered(folder: Path, root: str) -> tuple[str, ...]:
    """What is otherwise than the manifest of this root says; nothing where there is no such manifest any more."""
    try:
        listed = manifest(msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest).files)
        return differences(listed, manifest_of(folder, without=BESIDE)) if listed.root == root else ()
    except (OSError, msgspec.MsgspecError, FlyballError):
        return ()


def _copy(role: str, folder: str | None) -> str | None:
    """Where a release keeps a file that its experiment names: of those beside the code, the contract."""
    return f"{folder}/{CONTRACT}" if folder is not None and role == "contract" else None


def _is_of(folder: str, experiments: frozenset[str]) -> None:
    """Whether the document in the signed folder is one that the ledger names for this root."""
    try:
        document = msgspec.json.decode((Path(folder) / EXPERIMENT).read_bytes(), type=identity.Experiment)
    except (OSError, msgspec.MsgspecError) as error:
        raise Untrusted(f"the release's {EXPERIMENT} cannot be read: {error}") from error
    if identity.name(document) not in experiments:
        said = " or ".join(sorted(experiments))
        raise Untrusted(f"the release's {EXPERIMENT} has the digest {identity.name(document)}, the ledger says {said}")


def _service(inputs: Inputs, sources: Sources) -> Service:
    """The declaration on file, where with these sources it makes the document whose digest was asked for."""
    service, document = msgspec.convert(inputs.declaration, Service), inputs.experiment
    view = next(each.view for each in document.data if each.role == "train")
    again = assembled(
        service,
        sources,
        inputs.snapshot,
        environment=inputs.environment,
        columns=() if view is None else view.select,
        parents=document.parents,
        table=inputs.table,
    )
    same = msgspec.structs.replace(again.experiment, evaluation=document.evaluation, runtime=document.runtime)
    if msgspec.structs.replace(again, experiment=same).name != inputs.name:
        raise Untrusted(f"experiment {short(inputs.name)}: the declaration on file gives another digest")
    return service


def _contract(inputs: Inputs, sources: Sources, service: Service) -> DataContract:
    return parse_contract(sources.contract.decode(), file=service.data.contract, table=inputs.table).contract
