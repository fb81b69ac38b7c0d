"""A training as a job: what is named is what runs.

The sources are read once; the digest is taken from those bytes, and the same bytes are exported for the child.
"""

from pathlib import Path

import msgspec

from flyball.adapters.blobs import Blobs
from flyball.adapters.environment import installed
from flyball.app.declared import Declared, read_text
from flyball.app.home import Home
from flyball.app.wiring.releases import ReleaseStore
from flyball.app.wiring.snapshots import SnapshotStore
from flyball.core.events import Reason
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Snapshot
from flyball.core.service import Service
from flyball.pipeline import identity
from flyball.pipeline.manifest import of_bytes
from flyball.pipeline.packing import CODE, CONTRACT
from flyball.registry.releases import Registry


class Sources(Record):
    code: dict[str, bytes]  # path -> content
    contract: bytes


def sources_of(declared: Declared) -> Sources:
    """The code as it was declared, and the contract file.

    Raises: BadInput: the contract file is gone.
    """
    contract = read_text(declared.folder / declared.service.data.contract, where=declared.service.data.contract)
    return Sources(code={path: text.encode() for path, text in declared.code.items()}, contract=contract.encode())


def experiment_of(service: Service, sources: Sources, snapshot: Snapshot) -> identity.Experiment:
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


class Jobs:
    """Writes jobs into draft folders, from what the stores of a home hold."""

    def __init__(self, home: Home, releases: ReleaseStore, snapshots: SnapshotStore) -> None:
        self._home, self._releases, self._snapshots = home, releases, snapshots
        self._blobs = Blobs(home.blobs)

    def write(
        self,
        draft: Path,
        declared: Declared,
        sources: Sources,
        snapshot: Snapshot,
        document: identity.Experiment,
        known: Registry,
        reason: Reason,
    ) -> TrainingJob:
        """The job, its exported sources and its empty output folder.

        Raises: Untrusted: the champion it would be compared with does not verify.
        """
        exported, output = draft / "service", draft / "release"
        self._export(exported, sources)
        output.mkdir()
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
            experiment=identity.name(document),
            code=document.code,
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

    def _export(self, folder: Path, sources: Sources) -> None:
        """Files for the child, and blobs so that the experiment can be repeated later."""
        files = {f"{CODE}/{path}": data for path, data in sources.code.items()} | {CONTRACT: sources.contract}
        for path, data in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            self._blobs.put(data)


def _one_stream(snapshot: Snapshot, theirs: Snapshot | None) -> bool:
    """Whether row positions of the two mean the same rows: two readings of a source file that changed do not."""
    if theirs is None or snapshot.root == theirs.root:
        return True
    return not (snapshot.source == "source" and theirs.source == "source")
