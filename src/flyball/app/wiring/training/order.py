"""What one training is made of, and what came of it."""

from dataclasses import dataclass

from flyball.app.declared import Declared
from flyball.app.wiring.training.jobs import Sources
from flyball.core.ids import ExperimentDigest
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot
from flyball.pipeline.environment import Environment
from flyball.pipeline.inputs import Inputs

STANDS = {
    "candidate": "it is in a rollout",
    "champion": "it serves already",
    "retired": "it has served",
    "withdrawn": "it was withdrawn",
}


class Trained(Record):
    experiment: ExperimentDigest
    release: Release
    cached: bool  # the experiment was known: nothing was trained
    environment: Environment | None = None  # what it ran in, with its assurance grade
    note: str = ""  # what was asked for and not done


@dataclass(frozen=True, kw_only=True)
class Order:
    """What one training is made of."""

    declared: Declared
    sources: Sources
    snapshot: Snapshot
    inputs: Inputs
    by: str = ""  # the person who asks for it
