"""Facts about what is stored: what a person wants kept, and what a sweep has deleted."""

from typing import Literal

from flyball.core.fact import Fact, Proof
from flyball.core.ids import Digest
from flyball.core.record import Record

StoredKind = Literal[
    "release",
    "evidence",
    "snapshot",
    "blob",
    "step",
    "experiment",
    "quarantine",
    "predictions",  # this and the next ones are deleted by the retention of the prediction log
    "examples",
    "repair",
]
EXAMPLES = "examples.parquet"


class HoldPlaced(Fact, tag="hold.placed"):
    """Nothing that this digest names, or needs, is deleted while the hold stands: a dispute, an audit, a keepsake."""

    digest: Digest
    by: str
    proof: Proof
    why: str


class HoldLifted(Fact, tag="hold.lifted"):
    digest: Digest
    by: str
    proof: Proof
    why: str


class Deleted(Record):
    """One thing that a sweep deleted."""

    kind: StoredKind
    name: str  # `sha256:<hex>`; of the others, such as a step or a part of the prediction log, the place in the home
    size: int  # bytes


class StorageCollected(Fact, tag="storage.collected"):
    """The outcome of a sweep. What belongs to no service is told with the first one."""

    sweep: str
    deleted: tuple[Deleted, ...]
    size: int  # bytes of all
    why: str


def examples_place(incident: str) -> str:
    """Place in the home of the example rows of an incident.

    >>> examples_place("in-errors-41")
    'incidents/in-errors-41/examples.parquet'
    """
    return f"incidents/{incident}/{EXAMPLES}"


def repair_place(service: str, backfill: str) -> str:
    """Place in the home of the rows of a backfill, by its digest.

    >>> repair_place("fraud", "sha256:0a1b")
    'telemetry/fraud/repairs/0a1b'
    """
    return f"telemetry/{service}/repairs/{backfill.rpartition(':')[2]}"
