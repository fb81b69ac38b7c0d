"""What a state counts, and where: one row of integers, its parts fixed by the baseline of a release.

    rows | each feature | prediction and score | joint cells

A numeric part has the fine bins of its reference (the plain ones where a release is older than fine bins), then
missing, then how many were -inf and +inf, which the end bins hold as well. A category has its known values, other,
missing. Joint cells count two things at once: predicted class and label, for label shift; predicted class and PSI bin
of a feature, where there are few classes. They are in rows: one a predicted class, other and missing included.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from flyball.core.codec import digest
from flyball.core.ids import Digest
from flyball.core.release import Baseline, Reference

Role = Literal["feature", "prediction", "label", "by_class"]

FEW_CLASSES = 10  # up to so many, features are counted by predicted class as well
LABEL = "prediction and label"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One distribution in a state."""

    role: Role
    name: str
    start: int  # place of its first count
    size: int  # counts
    edges: tuple[float, ...] = ()  # numeric: edges of the bins; by_class: those of PSI
    values: tuple[str, ...] = ()  # category: known values
    rows: int = 1  # joint cells: predicted classes, other and missing included
    numeric: bool = False

    @property
    def place(self) -> slice:
        """Where its counts are."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Frame:
    """The parts of a state. Two states of one frame add and subtract."""

    baseline: Baseline
    without: frozenset[str] = frozenset()  # features that are not counted

    @cached_property
    def parts(self) -> Mapping[tuple[Role, str], Part]:
        """In the order of their counts."""
        made: dict[tuple[Role, str], Part] = {}
        classes = self.classes
        features = {name: ref for name, ref in self.baseline.features.items() if name not in self.without}
        place = 1  # of the rows
        for role, references in (("feature", features), ("prediction", self.baseline.prediction)):
            for name, reference in references.items():
                part = _part("feature" if role == "feature" else "prediction", name, reference, place)
                made[part.role, name] = part
                place += part.size
        if classes:
            width = len(classes) + 2
            made["label", LABEL] = Part(
                role="label", name=LABEL, start=place, size=width**2, values=classes, rows=width
            )
            place += width**2
        for name, reference in features.items() if 0 < len(classes) <= FEW_CLASSES else ():
            width = len(reference.edges if reference.kind == "numeric" else reference.values) + 2
            rows = len(classes) + 2
            made["by_class", name] = Part(
                role="by_class",
                name=name,
                start=place,
                size=rows * width,
                edges=reference.edges,
                values=reference.values,
                rows=rows,
                numeric=reference.kind == "numeric",
            )
            place += rows * width
        return made

    @cached_property
    def size(self) -> int:
        """Counts in a state."""
        return 1 + sum(part.size for part in self.parts.values())

    @cached_property
    def digest(self) -> Digest:
        """Names the reference and what of it is counted: states of two digests have nothing to do with each other."""
        known = {"features": self.baseline.features, "prediction": self.baseline.prediction}
        return digest("flyball/state/v1", {**known, "rows": self.baseline.rows, "without": sorted(self.without)})

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """That the release predicts; none for a regression."""
        answer = self.baseline.prediction.get("prediction")
        return answer.values if answer is not None and answer.kind == "category" else ()


def frame(baseline: Baseline, without: Collection[str] = ()) -> Frame:
    """For the releases of this baseline. `without`: features that are not watched."""
    return Frame(baseline, frozenset(without))


def edges_of(reference: Reference) -> tuple[float, ...]:
    """Of the finest bins that a reference has."""
    return reference.fine or reference.edges


def _part(role: Role, name: str, reference: Reference, start: int) -> Part:
    if reference.kind == "numeric":
        edges = edges_of(reference)
        return Part(role=role, name=name, start=start, size=len(edges) + 4, edges=edges, numeric=True)
    return Part(role=role, name=name, start=start, size=len(reference.values) + 2, values=reference.values)
