"""Do the columns still hang together as they did? One sequence more in the e-detector's family of a service.

The sequences of `monitor.detector` look at one column each; a change of how columns depend on each other leaves them as
they were. This one asks the questions of `stats.joint_features`, and counts as one sequence of the service's promise.
Its alarm is a `shift` at `warn`, named after the question that gained most: it tells that rows are of another kind, not
that the model is worse, and starts no training. As with a single column it stands, without learning, until `CALM`
windows in a row are not apart from the baseline.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from flyball.core.release import Baseline
from flyball.core.service import Detector
from flyball.core.watching import Signal
from flyball.monitor.detector import CALM, LN10
from flyball.monitor.panes import ACCEPTED
from flyball.monitor.windows import Span
from flyball.stats.change.edetector import Level
from flyball.stats.change.joint_evidence import JointEvidence, apart, begin, forget, level, step
from flyball.stats.change.joint_features import Answers, Questions, asked

MOST_ROWS = 20_000  # of a window; further ones are not asked
AT_ONCE = 2000  # rows that wait to be asked together: asking costs per call, not per row


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """The columns of a service taken together."""

    questions: Questions
    reference: Answers
    evidence: JointEvidence
    window: Answers  # since the window began
    waiting: tuple[pl.DataFrame, ...] = ()  # rows of the window that were not asked yet, all of one schema
    now: Level
    alarm: Level | None = None  # while it stands: what the evidence said
    windows: int = 0  # for how many windows it stands
    calm: int = 0  # of these, in a row without a visible change


def opened(baseline: Baseline, declared: Detector, *, unwatched: Collection[str] = ()) -> Joint | None:
    """Before the first window; None: the release keeps no answers, or one of the columns is not watched."""
    kept = baseline.together
    if kept is None or not kept.rows or any(name in unwatched for name in kept.columns):
        return None
    questions = asked(kept, baseline.features)
    if questions is None:
        return None
    reference = Answers(rows=kept.rows, yes=np.array(kept.yes, dtype=np.int64))
    evidence = begin(reference, questions, tolerance=declared.tolerance)
    return Joint(
        questions=questions,
        reference=reference,
        evidence=evidence,
        window=Answers(rows=0, yes=np.zeros_like(reference.yes)),
        now=level(evidence, questions),
    )


def taken(joint: Joint, ours: pl.DataFrame) -> Joint:
    """With the rows of one pane that the contract accepted; only where each column is there."""
    if joint.window.rows >= MOST_ROWS or any(f"x.{name}" not in ours.columns for name in joint.questions.names):
        return joint
    kept = ours["outcome"].is_in(ACCEPTED)
    if "excluded" in ours.columns:
        kept &= ~ours["excluded"]
    rows = (ours if kept.all() else ours.filter(kept)).select(f"x.{name}" for name in joint.questions.names)
    if joint.waiting and joint.waiting[0].schema != rows.schema:
        joint = _asked(joint)
    joint = replace(joint, waiting=(*joint.waiting, rows))
    return _asked(joint) if sum(each.height for each in joint.waiting) >= AT_ONCE else joint


def _asked(joint: Joint) -> Joint:
    if not joint.waiting:
        return joint
    rows = pl.concat(joint.waiting)
    found = joint.questions.ask(lambda name: rows[f"x.{name}"], rows.height)
    return replace(joint, window=joint.window.plus(found), waiting=())


def closed(joint: Joint, declared: Detector, *, beside: int) -> Joint:
    """After a window. Args: beside: the other sequences of the service, count."""
    joint = _asked(joint)
    window = joint.window
    empty = replace(joint, window=Answers(rows=0, yes=np.zeros_like(window.yes)))
    if not window.rows:
        return empty
    if joint.alarm is not None:
        calm = 0 if apart(window, joint.reference, joint.evidence.edge) else joint.calm + 1
        if calm < CALM:
            return replace(empty, windows=joint.windows + 1, calm=calm)
        return replace(empty, alarm=None, windows=0, calm=0)
    evidence = step(joint.evidence, window)
    now = level(evidence, joint.questions)
    if now.log_sum < math.log(declared.arl_windows * (beside + 1)):
        return replace(empty, evidence=evidence, now=now)
    evidence = forget(evidence)
    return replace(empty, evidence=evidence, now=level(evidence, joint.questions), alarm=now, windows=1, calm=0)


def log10_e(joint: Joint) -> float:
    """Log10 of the e-value against "no change so far"; of a standing alarm, what it was then."""
    return round((joint.alarm or joint.now).log_e / LN10, 4)


def signals(joint: Joint | None, declared: Detector, span: Span, *, beside: int) -> tuple[Signal, ...]:
    """A warning while an alarm stands; value and limit are log10 of windows."""
    if joint is None or joint.alarm is None:
        return ()
    evidence = (joint.alarm.log_sum - math.log(beside + 1)) / LN10
    return (
        Signal(
            signal="shift",
            level="warn",
            value=round(evidence, 4),
            limit=round(math.log10(declared.arl_windows), 4),
            release=span.release,
            window=span.index,
            first_row=span.first_row,
            last_row=span.last_row,
            feature=joint.alarm.bet,
            consecutive=joint.windows,
            detail="columns hang together otherwise than in the baseline; chance would show this once in "
            f"10^{evidence:.1f} windows of the service",
        ),
    )
