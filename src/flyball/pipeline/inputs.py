"""All that is known of an experiment's inputs: the document that is hashed, and what its digests stand for."""

from typing import Any

from flyball.core.ids import ExperimentDigest
from flyball.core.record import Record
from flyball.core.release import Snapshot
from flyball.pipeline import identity
from flyball.pipeline.environment import Environment
from flyball.pipeline.identity import Experiment
from flyball.pipeline.manifest import Manifest


class Vcs(Record):
    """Observed, not hashed: two commits with the same files are one experiment."""

    commit: str
    dirty: bool  # something in the folder was not committed


class Inputs(Record):
    """One experiment, whole enough to be told from another in words, and to be run again."""

    experiment: Experiment
    environment: Environment
    code: Manifest  # the files behind `experiment.code`; their bytes are blobs
    snapshot: Snapshot
    declaration: dict[str, Any]  # the service section by section, defaults written out
    table: str  # name of the source without ending: which table of the data contract is meant
    vcs: Vcs | None = None
    schema: str = "inputs/v1"

    @property
    def name(self) -> ExperimentDigest:
        """Computed from the document each time: a record cannot claim another name than its content has."""
        return identity.name(self.experiment)
