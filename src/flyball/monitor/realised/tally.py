"""Sufficient statistics of labelled answers: what every figure is computed from, and nothing else.

A tally is made of integers only. So tallies add in any order to the same, bit for bit; a label that is corrected is
taken out and put in again; and what a label costs does not grow with what was counted before.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flyball.core.service import Task
from flyball.stats.exact_sum import units, units_of_each
from flyball.stats.scoring.score_counts import BINS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SCORE_BITS = 40  # of summed scores: exact in int64 for 2**22 rows a bin


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a release's tallies count. Tallies of one form add."""

    task: Task
    classes: tuple[str, ...] = ()  # of the release; a label that is none of them is `other`, number k
    ranked: tuple[int, ...] = ()  # classes whose scores are counted against the rest
    sums: tuple[tuple[str, int], ...] = ()  # what is summed over rows, and in units of 2**-bits

    @property
    def k(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Labelled rows of one form, as codes: what each of them adds."""

    n: int
    known: npt.NDArray[np.bool_]  # the label says something, shape [n]
    wrong: Floats | None = None  # of classes: 1 for a wrong answer, 0 for a right one, shape [n]
    cell: Ints | None = None  # label * (k + 1) + answer, shape [n]; of an unusable label 0
    score: Ints | None = None  # (ranked class * 2 + is of the class) * BINS + bin, shape [ranked, n]; -1: no score
    said: Floats | None = None  # the scores themselves, shape [ranked, n]
    terms: dict[str, Floats] = field(default_factory=dict)  # of each sum, shape [n]; nan: the row has no such term

    def taken(self, rows: Ints) -> "Batch":
        """Only these rows."""
        return Batch(
            n=rows.size,
            known=self.known[rows],
            cell=None if self.cell is None else self.cell[rows],
            score=None if self.score is None else self.score[:, rows],
            said=None if self.said is None else self.said[:, rows],
            terms={name: values[rows] for name, values in self.terms.items()},
        )


@dataclass(kw_only=True, eq=False)
class Tally:
    """Counts of one group of rows."""

    form: Form
    labelled: int = 0
    unusable: int = 0
    cells: Ints = field(init=False)  # rows with label i and answer j, the last of each is `other`, shape [k+1, k+1]
    scores: Ints = field(init=False)  # rows by ranked class, is of the class, bin, shape [ranked, 2, BINS]
    said: Ints = field(init=False)  # summed scores in units of 2**-SCORE_BITS, shape [ranked, 2, BINS]
    sums: dict[str, int] = field(init=False)  # in the units of the form
    terms: dict[str, int] = field(init=False)  # rows that have such a term

    def __post_init__(self) -> None:
        k, ranked = self.form.k, len(self.form.ranked)
        self.cells = np.zeros((0, 0) if self.form.task == "regression" else (k + 1, k + 1), dtype=np.int64)
        self.scores = np.zeros((ranked, 2, BINS), dtype=np.int64)
        self.said = np.zeros((ranked, 2, BINS), dtype=np.int64)
        self.sums = {name: 0 for name, _ in self.form.sums}
        self.terms = {name: 0 for name, _ in self.form.sums}

    def count(self, batch: Batch, sign: int = 1) -> None:
        """Put these rows in, or with -1 take them out again."""
        self.labelled += sign * batch.n
        known = int(np.count_nonzero(batch.known))
        self.unusable += sign * (batch.n - known)
        if not known:
            return
        if known < batch.n:
            batch = batch.taken(np.flatnonzero(batch.known))
        if batch.cell is not None:
            self.cells += sign * np.bincount(batch.cell, minlength=self.cells.size).reshape(self.cells.shape)
        if batch.score is not None and batch.said is not None:
            there = batch.score >= 0
            places, said = batch.score[there], np.rint(np.ldexp(batch.said[there], SCORE_BITS))
            self.scores += sign * np.bincount(places, minlength=self.scores.size).reshape(self.scores.shape)
            # whole numbers below 2**53, so the float weights of bincount are exact for the 8,192 rows of a batch
            summed = np.bincount(places, said, self.said.size).astype(np.int64)
            self.said += sign * summed.reshape(self.said.shape)
        if self.form.sums:
            self._sum(batch, sign)

    def _sum(self, batch: Batch, sign: int) -> None:
        names, bits = zip(*self.form.sums, strict=True)
        values = np.array([batch.terms[name] for name in names])
        there = ~np.isnan(values)
        if there.all():
            found, rows = units_of_each(values, bits), [batch.n] * len(names)
        else:
            found = [units(row[mask], each) for row, mask, each in zip(values, there, bits, strict=True)]
            rows = there.sum(axis=1).tolist()
        for name, total, count in zip(names, found, rows, strict=True):
            self.sums[name] += sign * total
            self.terms[name] += sign * count

    def plus(self, other: "Tally") -> "Tally":
        """Both together. Raises: ValueError: they are of two forms."""
        if self.form != other.form:
            raise ValueError(f"expected tallies of one form, found {self.form} and {other.form}")
        both = Tally(form=self.form, labelled=self.labelled + other.labelled, unusable=self.unusable + other.unusable)
        both.cells = self.cells + other.cells
        both.scores, both.said = self.scores + other.scores, self.said + other.said
        both.sums = {name: total + other.sums[name] for name, total in self.sums.items()}
        both.terms = {name: rows + other.terms[name] for name, rows in self.terms.items()}
        return both

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tally):
            return NotImplemented
        numbers = (self.form, self.labelled, self.unusable, self.sums, self.terms)
        return numbers == (other.form, other.labelled, other.unusable, other.sums, other.terms) and all(
            np.array_equal(one, two)
            for one, two in ((self.cells, other.cells), (self.scores, other.scores), (self.said, other.said))
        )

    __hash__ = None  # type: ignore[assignment]
