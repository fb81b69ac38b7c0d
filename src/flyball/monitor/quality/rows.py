"""Rows that come twice, and values beyond any range that was seen: against what is usual for this release.

Discrete data repeat by nature and heavy tails reach far by nature, so both shares are compared with those of the
windows before, of which there must be some: what is found is the onset, and a state that stays becomes usual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.release import Reference
from flyball.core.watching import QualityFinding

KNOWN_WINDOWS = 3  # before which nothing is usual
MOST_WINDOWS = 50  # that are remembered
FENCE = 5.0  # ranges of the baseline beyond its end
ENOUGH_ROWS = 100


def duplicated(share: float, usual: Sequence[float], *, limit: float) -> QualityFinding | None:
    """Rows that equal an earlier row of the window, beyond the most that the windows before had.

    >>> duplicated(0.30, [0.0, 0.01, 0.02], limit=0.1).kind, duplicated(0.30, [0.28, 0.31, 0.25], limit=0.1)
    ('duplicates', None)
    """
    if len(usual) < KNOWN_WINDOWS or share - max(usual) <= limit:
        return None
    most = max(usual)
    return QualityFinding(
        kind="duplicates",
        value=share,
        limit=most + limit,
        detail=f"{share:.1%} of the rows repeat an earlier row of the window, at most {most:.1%} before",
    )


def out_of_range(name: str, share: float, usual: Sequence[float], *, limit: float) -> QualityFinding | None:
    """Values that lie FENCE ranges of the baseline beyond its end, beyond the most that the windows before had."""
    if len(usual) < KNOWN_WINDOWS or share - max(usual) <= limit:
        return None
    most = max(usual)
    return QualityFinding(
        kind="out_of_range",
        feature=name,
        value=share,
        limit=most + limit,
        detail=f"{share:.1%} of {name} lies {FENCE:g} ranges of the baseline beyond its end, at most {most:.1%} before",
    )


def beyond(values: npt.NDArray[np.float64], reference: Reference) -> float:
    """Share of the values that are there which lie outside the fence, infinities included; 0 where there is none.

    The range is from the least to the largest value of the baseline where it keeps them (its fine bins). The ends of
    its deciles, all that an older one keeps, lie far within the range of a heavy tail: a price with peaks would be
    out of range whenever its peaks come.
    """
    ends = reference.fine or reference.edges
    width = ends[-1] - ends[0] if len(ends) > 1 else 0.0
    known = values[~np.isnan(values)]
    if width <= 0 or not known.size:
        return 0.0
    low, high = ends[0] - FENCE * width, ends[-1] + FENCE * width
    return float(np.count_nonzero((known < low) | (known > high))) / known.size


@dataclass(kw_only=True)
class RowSigns:
    """What a release's windows had so far, and the hashes of the rows of the running one."""

    repeats: list[float] = field(default_factory=list)  # a window: share of repeated rows
    fenced: dict[str, list[float]] = field(default_factory=dict)  # feature -> a window: share outside the fence
    hashes: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    def take(self, rows: pl.DataFrame) -> None:
        """Rows of the running window, features only."""
        if rows.width:
            self.hashes.append(rows.hash_rows(seed=1).to_numpy())

    def close(
        self,
        columns: Mapping[str, npt.NDArray[np.float64]],
        references: Mapping[str, Reference],
        *,
        max_duplicates: float,
        max_out_of_range: float,
    ) -> tuple[QualityFinding, ...]:
        """The findings of the window, which then is part of what is usual."""
        found: list[QualityFinding | None] = []
        seen = np.concatenate(self.hashes) if self.hashes else np.empty(0, dtype=np.uint64)
        self.hashes = []
        if seen.size >= ENOUGH_ROWS:
            share = 1 - np.unique(seen).size / seen.size
            found.append(_kept(duplicated(share, self.repeats, limit=max_duplicates), self.repeats, share))
        for name, values in columns.items():
            if values.size >= ENOUGH_ROWS:
                usual, share = self.fenced.setdefault(name, []), beyond(values, references[name])
                found.append(_kept(out_of_range(name, share, usual, limit=max_out_of_range), usual, share))
        return tuple(finding for finding in found if finding is not None)


def _kept(finding: QualityFinding | None, usual: list[float], share: float) -> QualityFinding | None:
    usual.append(share)
    del usual[:-MOST_WINDOWS]
    return finding
