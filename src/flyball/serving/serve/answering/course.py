"""A batch on its way through this process: whom to ask, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass

from flyball.serving.batch import Ask, Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """A batch that is under way in this process."""

    batch: Batch
    asks: Sequence[Ask]  # of its arms
    deadline: float  # monotonic seconds

    def part(self, places: Sequence[int]) -> "Course":
        """Some of its rows, whose arms have been asked."""
        return Course(batch=self.batch.part(places), asks=(), deadline=self.deadline)
