"""Facts about what is stored: what a person wants kept, and what a sweep has deleted."""

from typing import Literal

from flyball.core.fact import Fact, Proof
from flyball.core.ids import Digest
from flyball.core.record import Record

StoredKind = Literal["release", "evidence", "snapshot", "blob", "step", "experiment", "quarantine", "predictions"]


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
    name: str  # `sha256:<hex>`; of a step, a quarantine file or a part of the prediction log its place in the home
    size: int  # bytes


class StorageCollected(Fact, tag="storage.collected"):
    """The outcome of a sweep. What belongs to no service is told with the first one."""

    sweep: str
    deleted: tuple[Deleted, ...]
    size: int  # bytes of all
    why: str
