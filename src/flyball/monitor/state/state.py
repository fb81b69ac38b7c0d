"""A state: what some rows look like to a reference, as integers. States of one frame are a group under addition.

Integers, so that the sum is the same in whatever order shards, panes and late labels are added, to the last bit; and a
group, so that a window moves on by adding the newest pane and subtracting the oldest, at a cost that does not depend on
how many panes or rows it holds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.monitor.state.frame import Frame, Part, Role
from flyball.stats.binning.fine_bins import coarsened

Counts = npt.NDArray[np.int64]


class FrameMismatch(ValueError):
    """States that count by different references have no sum."""


@dataclass(frozen=True, eq=False)
class State:
    """Counts of some rows."""

    frame: Frame
    counts: Counts  # shape [frame.size]; not to be written to

    def __post_init__(self) -> None:
        if self.counts.shape != (self.frame.size,) or self.counts.dtype != np.int64:
            expected = f"int64 of shape ({self.frame.size},)"
            raise ValueError(f"expected {expected}, found {self.counts.dtype} of {self.counts.shape}")
        self.counts.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return self.frame.digest == other.frame.digest and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.frame.digest, self.counts.tobytes()))

    def __add__(self, other: "State") -> "State":
        """Rows of both. Raises: FrameMismatch."""
        return State(self.frame, self.counts + self._of_one_frame(other).counts)

    def __sub__(self, other: "State") -> "State":
        """Without the rows of the other. Raises: FrameMismatch."""
        return State(self.frame, self.counts - self._of_one_frame(other).counts)

    def __neg__(self) -> "State":
        return State(self.frame, -self.counts)

    @property
    def rows(self) -> int:
        """Rows counted, whatever became of them."""
        return int(self.counts[0])

    def part(self, role: Role, name: str) -> Counts:
        """All counts of one part; joint cells in shape [classes + 2, bins]. Raises: KeyError: it is not counted."""
        part = self.frame.parts[role, name]
        found = self.counts[part.place]
        return found.reshape(part.rows, -1) if part.rows > 1 else found

    def bins(self, role: Role, name: str) -> Counts:
        """Rows in each bin, the last is missing: what measures compare."""
        part = self.frame.parts[role, name]
        return self.counts[part.start : part.start + len(part.edges) + 2] if part.numeric else self.part(role, name)

    def psi_bins(self, role: Role, name: str) -> Counts:
        """The same on the plain bins of the reference, the last is missing."""
        part = self.frame.parts[role, name]
        if not part.numeric:
            return self.bins(role, name)
        references = self.frame.baseline.features if role == "feature" else self.frame.baseline.prediction
        return coarsened(self.bins(role, name), part.edges, references[name].edges)

    def infinite(self, role: Role, name: str) -> tuple[int, int]:
        """How many were -inf and +inf; they are in the end bins as well."""
        part = self.frame.parts[role, name]
        if not part.numeric:
            return 0, 0
        low, high = self.counts[part.start + part.size - 2 : part.start + part.size].tolist()
        return low, high

    def _of_one_frame(self, other: "State") -> "State":
        if other.frame is not self.frame and other.frame.digest != self.frame.digest:
            raise FrameMismatch(
                f"expected counts on the reference {self.frame.digest}, found counts on {other.frame.digest}: "
                "states of two releases are compared, not added"
            )
        return other


def empty(frame: Frame) -> State:
    """Of no rows: the zero of the group."""
    return State(frame, np.zeros(frame.size, dtype=np.int64))


def reference_state(frame: Frame) -> State:
    """What the reference itself looks like; joint cells and infinities are not known of it and stay 0."""
    counts = np.zeros(frame.size, dtype=np.int64)
    counts[0] = frame.baseline.rows
    for part in frame.parts.values():
        if part.role in ("feature", "prediction"):
            _put(part, frame, counts)
    return State(frame, counts)


def _put(part: Part, frame: Frame, counts: Counts) -> None:
    references = frame.baseline.features if part.role == "feature" else frame.baseline.prediction
    reference = references[part.name]
    found = reference.fine_counts if part.numeric and reference.fine else reference.counts
    counts[part.start : part.start + len(found)] = found
