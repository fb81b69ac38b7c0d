"""Has a feature or the answer changed since the release serves? The e-detector of a service, window by window.

It stands beside the simple rule of `monitor.drift` and answers another question. The rule says how far a window is from
the baseline; the detector says whether chance can explain what all windows since the promotion have shown, with a
promise: over all sequences of the service together, whatever their dependence, at most one false alarm in
`arl_windows` windows, of which the control charts of the answers have half where there are any (`shared`). Small
changes show after several windows, and a reference of a thousand rows is not taken for the truth.

A sequence that has alarmed is *standing*: its evidence starts from nothing and its windows are not learned, until
`CALM` windows in a row are no farther from the baseline than tolerance and chance allow. A promotion starts everything
anew, because the release brings its own baseline.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec import structs

from flyball.core.release import Baseline, Reference
from flyball.core.service import Detector
from flyball.core.watching import PaneGroup, Signal
from flyball.monitor.windows import Span
from flyball.stats.change.bets import Bets, bets
from flyball.stats.change.edetector import Evidence, Level, begin, e_bh, forget, level, step
from flyball.stats.two_sample.divergences import psi

CALM = 3  # windows without a visible change after which a standing alarm ends
SMOOTHING = 0.5
LN10 = math.log(10)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sequence:
    """One feature, or one of the answer's series."""

    bets: Bets
    state: Evidence
    now: Level
    alarm: Level | None = None  # while it stands: what the evidence said
    windows: int = 0  # for how many windows it stands
    calm: int = 0  # of these, in a row without a visible change


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifts:
    """All sequences of a service, and the names that e-BH gives."""

    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    beside: int = 0  # sequences that share the promise and are kept elsewhere

    def evidence(self) -> dict[str, float]:
        """Log10 of the e-value of each sequence; of a standing one, that of its alarm."""
        return {name: round(_log_e(each) / LN10, 4) for name, each in self.sequences.items()}


def shared(declared: Detector, watchers: int) -> Detector:
    """What each of several watchers is made for so that together they keep the promise: expected numbers add up.

    >>> shared(Detector(arl_windows=1000.0), 2).arl_windows
    2000.0
    """
    return structs.replace(declared, arl_windows=declared.arl_windows * watchers)


def observe(shifts: Shifts, group: PaneGroup, baseline: Baseline, declared: Detector, *, beside: int = 0) -> Shifts:
    """After one window: counts of the champion, on the bins of its baseline. Args: beside: as in `Shifts`."""
    references = baseline.features | baseline.prediction
    seen = {
        name: counts
        for name, counts in (group.features | group.prediction).items()
        if name in references and sum(references[name].counts) > 0 and len(counts) == len(references[name].counts) > 1
    }
    watched = len(shifts.sequences.keys() | seen.keys()) + beside
    bound = math.log(declared.arl_windows * max(watched, 1))
    sequences = dict(shifts.sequences)
    for name, counts in seen.items():
        before = sequences.get(name) or _opened(references[name], declared)
        sequences[name] = _after(before, counts, references[name], bound, declared.tolerance)
    names = list(sequences)
    named = e_bh([_log_e(sequences[name]) for name in names], alpha=declared.fdr) if names else ()
    return Shifts(sequences=sequences, changed=tuple(names[at] for at in named), beside=beside)


def signals(shifts: Shifts, declared: Detector, span: Span) -> tuple[Signal, ...]:
    """One signal for each standing alarm; value and limit are log10 of windows."""
    watched = max(len(shifts.sequences) + shifts.beside, 1)
    return tuple(
        Signal(
            signal="shift",
            level="act",
            value=round((each.alarm.log_sum - math.log(watched)) / LN10, 4),
            limit=round(math.log10(declared.arl_windows), 4),
            release=span.release,
            window=span.index,
            first_row=span.first_row,
            last_row=span.last_row,
            feature=name,
            consecutive=each.windows,
            detail="chance would show this once in "
            f"10^{(each.alarm.log_sum - math.log(watched)) / LN10:.1f} windows of the service; "
            f"the bet that gained most: {each.alarm.bet}",
        )
        for name, each in shifts.sequences.items()
        if each.alarm is not None
    )


def _opened(reference: Reference, declared: Detector) -> Sequence:
    found = bets(reference.counts, reference.kind, tolerance=declared.tolerance)
    state = begin(reference.counts, found)
    return Sequence(bets=found, state=state, now=level(state, found))


def _after(before: Sequence, counts: tuple[int, ...], reference: Reference, bound: float, tolerance: float) -> Sequence:
    if not sum(counts):
        return before
    if before.alarm is not None:
        calm = 0 if _visible(reference.counts, counts, tolerance) else before.calm + 1
        if calm < CALM:
            return replace(before, windows=before.windows + 1, calm=calm)
        return replace(before, alarm=None, windows=0, calm=0)
    state = step(before.state, counts, before.bets)
    now = level(state, before.bets)
    if now.log_sum < bound:
        return replace(before, state=state, now=now)
    state = forget(state)
    return replace(before, state=state, now=level(state, before.bets), alarm=now, windows=1, calm=0)


def _visible(reference: tuple[int, ...], counts: tuple[int, ...], tolerance: float) -> bool:
    """Whether this window alone is beyond the tolerance by more than two standard deviations of chance."""
    scale, df = 1 / sum(reference) + 1 / sum(counts), int(np.count_nonzero(np.add(reference, counts))) - 1
    chance = (df + 2 * math.sqrt(2 * max(df, 0))) * scale
    return psi(reference, counts, smoothing=SMOOTHING) > tolerance + chance


def _log_e(sequence: Sequence) -> float:
    return sequence.alarm.log_e if sequence.alarm is not None else sequence.now.log_e
