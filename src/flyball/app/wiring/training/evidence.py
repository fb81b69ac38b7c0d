"""The evidence of a registered release: made by the trainer, signed, put in a folder of its own, told to the ledger.

A crash before the folder has its name leaves a draft that nobody reads; before the fact, a folder that is found again.
In both cases the next `train` of the same experiment does what is missing.
"""

from pathlib import Path
from typing import Protocol

import msgspec

from flyball.adapters.content import signing
from flyball.adapters.content.blobs import publish
from flyball.app.home import Home
from flyball.core.codec import canonical
from flyball.core.errors import TrainingFailed
from flyball.core.events import EvidenceAttached
from flyball.core.ledger import Ledger
from flyball.core.ports import Trainer, TrainingJob
from flyball.core.release import Release
from flyball.pipeline.packing import MANIFEST
from flyball.pipeline.run.data import manifest_of
from flyball.pipeline.run.explaining import MISSING


class Key(Protocol):
    @property
    def path(self) -> Path: ...


class EvidenceStore:
    """`home.evidence`: a folder a release, named by the release's root."""

    def __init__(self, home: Home, ledger: Ledger, key: Key, trainer: Trainer) -> None:
        self._home, self._ledger, self._key, self._trainer = home, ledger, key, trainer

    def folder(self, root: str) -> Path:
        return self._home.evidence / root.removeprefix("sha256:")

    def attach(self, job: TrainingJob, release: Release, folder: str) -> str:
        """Make it where it is not there yet, and write the fact. `folder`: where the release lies, verified.

        What cannot be made is told by the fact, and returned in words: a release without its evidence is one still.
        """
        target = self.folder(release.root)
        if not target.is_dir():
            # it is no run of a training, so it leaves no notes of one
            order = msgspec.structs.replace(job, explain=release, judged_folder=folder, run="", run_folder="")
            try:
                self._trainer.train(order)
            except TrainingFailed as error:
                words = str(error).splitlines()[0]
                self._tell(EvidenceAttached(service=release.service, release=release.root, evidence=None), words)
                return f"the evidence could not be made: {words}"
            self._publish(Path(job.output_folder), target)
        found = manifest_of(target, without=frozenset({MANIFEST, signing.SIGNATURE}))
        self._tell(
            EvidenceAttached(
                service=release.service,
                release=release.root,
                evidence=found.root,
                files=tuple(file.path for file in found.files),
                missing=msgspec.json.decode((target / MISSING).read_bytes(), type=dict[str, str]),
            )
        )
        return ""

    def _publish(self, draft: Path, target: Path) -> None:
        (draft / MANIFEST).write_bytes(canonical(manifest_of(draft, without=frozenset())))
        signing.sign(draft, self._key.path)
        publish(draft, target)

    def _tell(self, fact: EvidenceAttached, why: str = "") -> None:
        if why:
            fact = msgspec.structs.replace(fact, missing={"evidence": why})
        self._ledger.append([fact], ids=[f"evidence:{fact.release}:{fact.evidence}"])
