"""Ports between the stages: what one needs of another, or of the world, handed in by the wiring."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from flyball.core.contract import DataContract
from flyball.core.ids import Digest
from flyball.core.prediction import LabelRecord
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot
from flyball.core.routing import Observed, Routing, StepCounts, Verdict
from flyball.core.watching import Pane

if TYPE_CHECKING:
    import polars as pl


class Judge(Protocol):
    """What a gateway asks about a running rollout: may it go on? Pure; it may be asked at any time."""

    def __call__(self, routing: Routing, counts: StepCounts) -> Verdict: ...


class Gateways(Protocol):
    """The controller's door to the gateway."""

    def apply(self, key: str, routing: Routing) -> None:
        """Idempotent on `key`. The releases named are loaded and verified before weight moves.

        Raises: StaleEpoch (a newer epoch is in force), Untrusted (a release does not verify), Unavailable (no gateway).
        """
        ...

    def observe(self, service: str) -> Observed: ...


class Segment(Record):
    """A sealed pane with its rows: predictions, shadows and labels as tables (columns: `core.prediction` records)."""

    pane: Pane
    predictions: "pl.DataFrame"
    shadows: "pl.DataFrame"
    labels: "pl.DataFrame"


class Telemetry(Protocol):
    """The controller's view of what the gateway wrote down."""

    def sealed(self, service: str, after: int) -> Iterable[Segment]:
        """Segments with a pane index above `after`, in order; to be gone through once, perhaps read on the way."""
        ...


class LabelBook(Protocol):
    """Labels by prediction id, idempotent."""

    def put(self, labels: Sequence[LabelRecord]) -> tuple[int, int, int]:
        """Returns how many were new, duplicate (same value), corrected (another value)."""
        ...


class TrainingJob(Record):
    """All that a training needs, as paths and values; it runs in a process of its own."""

    service_folder: str
    home: str
    declaration: dict[str, Any]
    snapshot: Snapshot
    snapshot_folder: str
    output_folder: str
    champion_folder: str | None = None
    champion_last_row: int = 0  # rows up to here are no holdout for the champion
    reason: str = "first"
    contract: DataContract | None = None  # the data contract in executable form
    experiment: str = ""  # digest of the inputs, already computed
    code: str = ""  # digest of the code tree in service_folder
    champion: str | None = None  # release root of the champion
    judge_only: Release | None = None  # nothing is fitted: the gates, which changed, are judged again for this release
    judged_folder: str | None = None  # where it is, verified
    champion_snapshot: Snapshot | None = None  # given where equal row positions do not mean equal rows
    champion_snapshot_folder: str | None = None


class Trainer(Protocol):
    """Runs a training to its end and returns the release, gates judged, not yet registered."""

    def train(self, job: TrainingJob) -> Release:
        """Raises: TrainingFailed with what the code said."""
        ...


class Releases(Protocol):
    """The store of releases; every path out of it has been verified."""

    def verified(self, root: str) -> str:
        """Folder of the release. Raises: NotFound, Untrusted."""
        ...


class Blob(Record):
    """One blob as a store lists it."""

    name: Digest
    size: int  # bytes
    at: float  # when it was last put, seconds since 1970, by the store's clock


class BlobStore(Protocol):
    """Bytes named by their SHA-256; each is there whole or not at all, and is hashed again when it is read.

    Links are the only names that are given: `releases/<hex>` leads to the blob that lists a release's files. Whoever
    follows one verifies what it finds.
    """

    def put(self, data: bytes) -> Digest:
        """Store; a blob that is there already is only marked as used now. Raises: Unavailable."""
        ...

    def put_file(self, path: str) -> Digest:
        """As `put`, for a file of any size, in constant memory. Raises: Unavailable."""
        ...

    def get(self, name: str) -> bytes:
        """Raises: NotFound. Untrusted: the bytes are not what their name says. Unavailable."""
        ...

    def fetch(self, name: str, target: str) -> None:
        """As `get`, into a file that is there whole or not at all, in constant memory."""
        ...

    def has(self, name: str) -> bool:
        """Raises: Unavailable: nobody can say."""
        ...

    def list(self) -> Iterator[Blob]: ...

    def delete(self, name: str) -> bool:
        """Whether there was anything to delete. Raises: Unavailable."""
        ...

    def link(self, name: str, to: Digest) -> None:
        """Let `name` lead to this blob, which is there; replaces what it led to, at once. Raises: Unavailable."""
        ...

    def linked(self, name: str) -> Digest | None: ...
