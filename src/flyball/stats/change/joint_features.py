"""Yes-or-no questions about several columns of a row at once; how many rows say yes is all that is kept of a sample.

Theory of operation. Counts of single columns are blind to a change of how columns hang together (a rotation). Two
kinds of questions see it. A *pair*: are both columns on the same side of their medians? Its share is
1/2 + asin(rho)/pi for normals with correlation rho (Sheppard 1899). A *wave*: is cos(w z + phase) above 0, for one
random direction w over all columns? The mean of cos(w z) is a random Fourier feature, so shares of waves differ
wherever the kernel of these directions sees a difference; its sign is enough (Raginsky and Lazebnik 2009). Answers are
integers: samples merge by addition and leave a sliding window by subtraction, exactly.

Columns are standardised by the reference's own bins: a number is the normal score of its bin, so no outlier weighs more
than another; a category is its most frequent value or not; missing is the median.

Sources: Rahimi and Recht 2007 for random features; Raginsky and Lazebnik 2009, section 2, for their signs.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from flyball.core.release import Reference, Together
from flyball.stats.binning.reference_bins import bin_of
from flyball.stats.change.bets import JEFFREYS, normal_scores

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

MOST_COLUMNS = 64  # 2,016 pairs
WAVES = 128
LEAST_SHARE = 0.02  # of the rarer side of a split: columns with less say nothing about pairs
SEED = "flyball joint features 1"
AT_ONCE = 20_000  # rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """How many rows of a sample say yes to each question: integers, so two samples together are the sum of both."""

    rows: int
    yes: Counts  # shape [pairs + waves]

    def plus(self, other: "Answers") -> "Answers":
        """Both samples together."""
        return Answers(rows=self.rows + other.rows, yes=self.yes + other.yes)

    def minus(self, other: "Answers") -> "Answers":
        """Without a sample that is part of this one."""
        return Answers(rows=self.rows - other.rows, yes=self.yes - other.yes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Questions:
    """What is asked of a row; made from the references and a seed, the same wherever it is made."""

    references: tuple[Reference, ...]  # of the d columns
    names: tuple[str, ...]  # of the d columns
    upper: tuple[npt.NDArray[np.bool_], ...]  # for each column: which bins are on the upper side
    scores: tuple[Floats, ...]  # for each column: normal score of each bin
    waves: Floats  # shape [WAVES, d + 1]; the last is the phase

    def ask(self, column: Callable[[str], pl.Series], rows: int) -> Answers:
        """Args: column: a column of the sample by name, of `rows` values."""
        found = Answers(rows=0, yes=np.zeros(len(self.texts()), dtype=np.int64))
        for first in range(0, rows, AT_ONCE):
            places = [
                bin_of(column(name).slice(first, AT_ONCE), reference)
                for name, reference in zip(self.names, self.references, strict=True)
            ]
            found = found.plus(self._count(places))
        return found

    def texts(self) -> tuple[str, ...]:
        """Each question, for people."""
        d = len(self.names)
        pairs = (f"{self.names[i]} with {self.names[j]}" for i in range(d) for j in range(i + 1, d))
        return (*pairs, *(f"all columns, wave {at}" for at in range(len(self.waves))))

    def _count(self, places: list[Counts]) -> Answers:
        rows, d = places[0].size, len(places)
        side = np.array(
            [np.where(upper[at], 1.0, -1.0) for upper, at in zip(self.upper, places, strict=True)], dtype=np.float32
        )  # sums of up to AT_ONCE ones are exact in float32
        agree = ((rows + side @ side.T) / 2)[np.triu_indices(d, 1)]
        z = np.array([score[at] for score, at in zip(self.scores, places, strict=True)])
        beyond = np.cos(self.waves[:, :-1] @ z + self.waves[:, -1:]) > 0
        return Answers(rows=rows, yes=np.concatenate([np.rint(agree).astype(np.int64), beyond.sum(axis=1)]))


def questions(references: dict[str, Reference], seed: str = SEED) -> Questions | None:
    """The questions about these columns, the first `MOST_COLUMNS` that have two sides; None: fewer than two have.

    >>> normal = Reference(kind="numeric", edges=(-1.0, 0.0, 1.0), counts=(16, 34, 34, 16, 0))
    >>> asked = questions({"a": normal, "b": normal})
    >>> asked.ask({"a": pl.Series([-2.0, 2.0]), "b": pl.Series([-2.0, -2.0])}.__getitem__, 2).yes[0], asked.texts()[0]
    (np.int64(1), 'a with b')
    """
    kept: dict[str, tuple[Reference, npt.NDArray[np.bool_], Floats]] = {}
    for name, reference in references.items():
        upper = _upper(reference)
        if upper is not None and len(kept) < MOST_COLUMNS:
            kept[name] = (reference, upper, _scores(reference, upper))
    if len(kept) < 2:
        return None
    return Questions(
        references=tuple(reference for reference, _, _ in kept.values()),
        names=tuple(kept),
        upper=tuple(upper for _, upper, _ in kept.values()),
        scores=tuple(scores for _, _, scores in kept.values()),
        waves=_waves(seed, len(kept)),
    )


def asked(record: Together, references: dict[str, Reference]) -> Questions | None:
    """The questions whose answers a baseline keeps; None: its references do not fit them."""
    found = questions({name: references[name] for name in record.columns if name in references}, record.seed)
    fits = found is not None and found.names == record.columns and len(found.texts()) == len(record.yes)
    return found if fits else None


def _upper(reference: Reference) -> npt.NDArray[np.bool_] | None:
    """The split of the known rows that is nearest to half; missing is on the side of the median."""
    counts = np.asarray(reference.counts, dtype=np.float64)
    known = counts[:-1]
    if known.size < 2 or known.sum() <= 0:
        return None
    if reference.kind == "category":
        share = known / known.sum()
        at = int(np.argmin(np.abs(share - 0.5)))
        upper = np.arange(counts.size) == at
        rare = min(share[at], 1 - share[at])
    else:
        above = 1 - np.cumsum(known)[:-1] / known.sum()  # share from each edge on
        at = int(np.argmin(np.abs(above - 0.5)))
        upper = (np.arange(counts.size) > at) & (np.arange(counts.size) < counts.size - 1)
        rare = min(above[at], 1 - above[at])
    return upper if rare >= LEAST_SHARE else None


def _scores(reference: Reference, upper: npt.NDArray[np.bool_]) -> Floats:
    if reference.kind == "category":
        return np.where(upper, 1.0, -1.0)
    known = np.asarray(reference.counts[:-1], dtype=np.float64) + JEFFREYS
    return np.append(normal_scores(known / known.sum())[0], 0.0)


def _waves(seed: str, columns: int) -> Floats:
    """Directions from a normal of width 1/sqrt(d), and a phase: bytes of a hash, the same on every machine."""
    size = WAVES * (columns + 1)
    drawn = np.frombuffer(hashlib.shake_256(seed.encode()).digest(8 * size), dtype="<u8")
    uniform = ((drawn >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    waves = uniform.reshape(WAVES, columns + 1)
    directions = special.ndtri(waves[:, :-1]) / math.sqrt(columns)
    return np.hstack([directions, 2 * math.pi * waves[:, -1:]])
