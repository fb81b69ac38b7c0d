"""Ports between the stages: what one needs of another, or of the world, handed in by the wiring."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from flyball.core.contract import DataContract
from flyball.core.ids import Digest
from flyball.core.model import Attribute, Formats, ImportCode, Load, LoadFresh, Render
from flyball.core.prediction import LabelRecord
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot
from flyball.core.routing import Observed, Routing, StepCounts, Verdict
from flyball.core.service import Scalar, Space
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

    def recycle(self, key: str, service: str, epoch: int) -> None:
        """Begin to put fresh processes in the place of those that answer. Idempotent on `key`.

        Raises: StaleEpoch (a newer epoch is in force), Refused (one process answers), NotFound, Unavailable.
        """
        ...


class Segment(Record):
    """A sealed pane with its rows: predictions, shadows and labels as tables (columns: `core.prediction` records)."""

    pane: Pane
    predictions: "pl.DataFrame"
    shadows: "pl.DataFrame"
    labels: "pl.DataFrame"
    came: "pl.DataFrame | None" = None  # the predictions before a backfill changed any of them; None: none did

    @property
    def as_it_came(self) -> "pl.DataFrame":
        """What clients really got: no repair of the inputs makes that good afterwards."""
        return self.predictions if self.came is None else self.came


class Telemetry(Protocol):
    """The controller's view of what the gateway wrote down."""

    def sealed(self, service: str, after: int) -> Iterable[Segment]:
        """Segments with a pane index above `after`, in order; to be gone through once, perhaps read on the way."""
        ...


class Checkpoints(Protocol):
    """Where a controller keeps what it has learned from the log, so that the next one reads on from there."""

    def load(self) -> bytes | None:
        """What was saved last, whole and by this home. None: nothing was, or it cannot be trusted."""
        ...

    def save(self, data: bytes) -> None:
        """Takes the place of the one before, or changes nothing. Raises: Unavailable."""
        ...


class LabelBook(Protocol):
    """Labels by prediction id, idempotent."""

    def put(self, labels: Sequence[LabelRecord]) -> tuple[int, int, int]:
        """Returns how many were new, duplicate (they change nothing: the same value, or an older one), corrected."""
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
    explain: Release | None = None  # nothing is fitted: its evidence is written; it lies in judged_folder
    champion_snapshot: Snapshot | None = None  # given where equal row positions do not mean equal rows
    champion_snapshot_folder: str | None = None
    run: str = ""  # id of the run; not in any digest
    run_folder: str = ""  # the trainer leaves `log` and `use.json` here, also of a run that failed; empty: nowhere
    steps: dict[str, str] = {}  # step -> digest of its inputs; without one nothing is stored
    steps_folder: str = ""  # where outputs of steps are kept
    watched: tuple[str, ...] = ()  # folders that a training must leave alone
    parent: str | None = None  # warm start: root of the release that train() begins from
    parent_folder: str | None = None  # where it is, verified


class Trainer(Protocol):
    """Runs a training to its end and returns the release, gates judged, not yet registered."""

    def train(self, job: TrainingJob) -> Release:
        """What the run printed and used is in `job.run_folder` afterwards, whichever way it ended.

        Raises: TrainingFailed with what the code said. Unavailable: this trainer is not there.
        """
        ...


class StepStore(Protocol):
    """Outputs of steps, each under the digest of its inputs."""

    def get(self, key: str) -> Mapping[str, bytes] | None:
        """The files of an output, every byte verified. None: there is none, or it is damaged, and it is made again."""
        ...

    def put(self, step: str, key: str, files: Mapping[str, bytes]) -> None:
        """Keep an output: all of it or nothing, also where the process is killed meanwhile.

        Raises: Unavailable: the disk does not take it.
        """
        ...


class Trial(Record):
    """One configuration that a search tried."""

    number: int
    config: dict[str, Scalar]
    score: float | None = None  # in the metric's unit; None: it failed
    error: str = ""


class Searcher(Protocol):
    """Proposes configurations until there were enough; the same answers give the same proposals."""

    def search(
        self,
        space: Mapping[str, Space],
        *,
        trials: int,
        seed: int,
        direction: str,
        score: Callable[[dict[str, Scalar]], float],
        until: Callable[[], bool],
    ) -> tuple[Trial, ...]:
        """Every trial, in order. `score` may raise TrainingFailed; no trial begins once `until()` is true.

        Args: direction: `higher` or `lower` is better.

        Raises: Unavailable: the extra is not installed.
        """
        ...


class Meter(Protocol):
    """Graphics memory of processes."""

    def used_mb(self, pids: Sequence[int]) -> float | None:
        """MB of 10**6 bytes that they hold together; None: it cannot be measured."""
        ...

    @property
    def told(self) -> str:
        """Which device is measured, or why none is."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a training needs of the world."""

    import_code: ImportCode
    load: Load
    searcher: Searcher | None = None  # needed where the declaration asks for a search
    formats: Formats | None = None  # None: models stay pickles
    fresh: LoadFresh | None = None  # None: nothing is known of a new interpreter
    attribute: Attribute | None = None  # None: nobody says what answers rest on
    render: Render | None = None  # None: nothing is drawn


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
