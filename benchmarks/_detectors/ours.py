"""Flyball's e-detector on a stream: the reference's rows are its baseline, panes of rows feed it.

After an alarm it takes the next rows as its new baseline, as a promotion would; until then it says nothing. Its promise
is one false alarm in `ARL_ROWS` rows of the stream, all columns together.
"""

import math

import numpy as np
import numpy.typing as npt
from benchmarks._detectors.streams import REFERENCE, Stream

from flyball.stats.binning.bins import NumericBins, fit_numeric
from flyball.stats.change.bets import Bets, Kind, bets
from flyball.stats.change.edetector import Evidence, begin, level, step

ARL_ROWS = 100_000
Floats = npt.NDArray[np.float64]
Part = tuple[NumericBins, Bets, Evidence]


def alarms(stream: Stream, *, kind: Kind, pane: int, tolerance: float) -> list[int]:
    """Rows of the alarms, counted from the end of the reference. Args: pane: rows that are counted together."""
    values, found = stream.values, []
    bound = math.log(ARL_ROWS / pane * values.shape[1])
    parts, at = _learn(values[:REFERENCE], kind, tolerance), REFERENCE
    while at + pane <= len(values):
        alarm = False
        for column, (bins, all_bets, state) in enumerate(parts):
            state = step(state, _count(values[at : at + pane, column], bins, kind), all_bets)
            parts[column] = (bins, all_bets, state)
            alarm |= level(state, all_bets).log_sum >= bound
        at += pane
        if alarm:
            found.append(at - 1 - REFERENCE)
            if at + REFERENCE > len(values):
                break
            parts, at = _learn(values[at : at + REFERENCE], kind, tolerance), at + REFERENCE
    return found


def _learn(rows: Floats, kind: Kind, tolerance: float) -> list[Part]:
    parts: list[Part] = []
    for column in rows.T:
        bins = NumericBins(edges=(0.5,)) if kind == "rate" else fit_numeric(column)
        counts = _count(column, bins, kind)
        all_bets = bets(counts, kind, tolerance=tolerance)
        parts.append((bins, all_bets, begin(counts, all_bets)))
    return parts


def _count(column: Floats, bins: NumericBins, kind: Kind) -> npt.NDArray[np.int64]:
    counts = bins.count(column)
    return counts[:2] if kind == "rate" else counts
