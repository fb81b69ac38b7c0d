"""Material for the diagnosis, window by window: where a change sits, what it should cost, and what it did cost.

All of it is read from counts: those of the window, those of the baseline, and the outcomes of the holdout that lie
beside the baseline. `decide` judges; nothing here is a verdict.
"""

from collections.abc import Collection, Sequence

import numpy as np

from flyball.core.causes import BinChange, ClassShift, Expected, FeatureChange
from flyball.core.errors import NotEnoughData
from flyball.core.release import Baseline, Outcomes, Reference, View
from flyball.core.service import LiveMetric, Task
from flyball.core.watching import PaneGroup, Signal
from flyball.monitor import answers as of_answers
from flyball.monitor.labels import Place
from flyball.monitor.risk import WARN_SHARE, margin
from flyball.stats.binning.reference_bins import bin_names
from flyball.stats.risk.expected_loss import Split, least_gap, split
from flyball.stats.risk.outcomes import outcomes, sums
from flyball.stats.scoring.row_losses import STANDS_FOR
from flyball.stats.two_sample.attribution import psi_parts, weighted_shares
from flyball.stats.two_sample.label_shift import LabelShift, bbse, mlls, residual

SMOOTHING = 0.5  # as in `drift`
TOLD_BINS = 5  # of a feature, at most
OWN_LIMIT = 0.10  # of the loss before: a gap that matters where the live metric is no mean over rows
_DIRECT = ("accuracy", "brier", "log_loss", "mae", "mape")  # worse by a margin = a loss larger by it


def changes(group: PaneGroup, baseline: Baseline, signals: Collection[Signal]) -> tuple[FeatureChange, ...]:
    """What each feature and answer with a signal contributes, and which of its bins; largest share first."""
    moved = {signal.feature: signal.value for signal in signals if signal.signal == "psi" and signal.feature}
    shares = weighted_shares(moved)
    known = baseline.sensitivity
    inputs = {name: value for name, value in moved.items() if name in baseline.features}
    weighted = weighted_shares(inputs, known) if known else {}
    found = []
    for name in sorted(moved, key=lambda each: -moved[each]):
        reference = baseline.features.get(name) or baseline.prediction[name]
        counts = group.features.get(name) or group.prediction[name]
        found.append(
            FeatureChange(
                feature=name,
                psi=moved[name],
                share=shares[name],
                sensitivity=known.get(name),
                weighted=weighted.get(name),
                bins=_bins(reference, counts),
            )
        )
    return tuple(found)


def _bins(reference: Reference, counts: Sequence[int]) -> tuple[BinChange, ...]:
    parts = psi_parts(reference.counts, counts, smoothing=SMOOTHING)
    names, n, m = bin_names(reference), max(sum(reference.counts), 1), max(sum(counts), 1)
    order = np.argsort(-np.abs(parts), kind="stable")[:TOLD_BINS]
    return tuple(
        BinChange(bin=names[at], before=reference.counts[at] / n, now=counts[at] / m, part=float(parts[at]))
        for at in order
        if counts[at] or reference.counts[at]
    )


def expected(group: PaneGroup, baseline: Baseline, live: LiveMetric | None) -> tuple[Expected, ...]:
    """Losses to expect of the window's rows without their labels, by what the release says of them."""
    then = baseline.outcomes
    view = next((name for name in ("score", "top_score", "prediction") if then and name in then.answers), None)
    if then is None or view is None or not sum(group.prediction.get(view, ())):
        return ()
    found = []
    for loss in _losses(then, view, live):
        known = sums(then.answers[view], loss)
        if known is not None:
            found.append(_told(loss, view, split(known, group.prediction[view]), None))
    return tuple(found)


def labelled(places: Sequence[Place], found: of_answers.Answers, baseline: Baseline, task: Task) -> Outcomes:
    """Outcomes of rows whose labels have come."""
    return outcomes(
        of_answers.features(places, found).to_dict(as_series=True),
        baseline,
        task=task,
        truth=found.truth,
        prediction=found.prediction,
        score=found.score,
    )


def realised(
    now: Outcomes, baseline: Baseline, live: LiveMetric, promised: float | None, watched: Collection[str]
) -> tuple[Expected, ...]:
    """What labelled rows lost beside what the holdout lets expect of such rows; of the views, what explains most.

    Args: promised: the live metric on the holdout. watched: features whose bins may explain something.
    """
    then = baseline.outcomes
    if then is None:
        return ()
    found = []
    for loss in _losses(then, None, live):
        views = _splits(then, now, loss, watched)
        if not views:
            continue
        view = least_gap(views)
        limit = None
        if loss == STANDS_FOR.get(live.name):
            direct = live.name in _DIRECT and promised is not None
            limit = WARN_SHARE * margin(live.max_loss, promised or 0.0) if direct else OWN_LIMIT * views[view].before
        found.append(_told(loss, view, views[view], limit, label_part=_label_part(then, now, loss)))
    return tuple(found)


def _losses(then: Outcomes, view: str | None, live: LiveMetric | None) -> list[str]:
    """Losses that are known, that of the live metric first."""
    some = then.answers.get(view or "", None) or next(iter(then.answers.values()), None)
    known = list(some.losses) if some is not None else []
    first = STANDS_FOR.get(live.name) if live is not None else None
    return sorted(known, key=lambda loss: (loss != first, loss))


def _splits(then: Outcomes, now: Outcomes, loss: str, watched: Collection[str]) -> dict[str, Split]:
    pairs = {name: (view, now.answers.get(name)) for name, view in then.answers.items()}
    pairs |= {name: (view, now.features.get(name)) for name, view in then.features.items() if name in watched}
    found = {}
    for name, (before, after) in pairs.items():
        known, fresh = sums(before, loss), sums(after, loss) if after is not None else None
        if known is not None and fresh is not None:
            found[name] = split(known, fresh.rows, fresh)
    return found


def _label_part(then: Outcomes, now: Outcomes, loss: str) -> float | None:
    """Of the change of a loss: what the new shares of the classes explain, each class losing what it lost."""
    if then.label is None or now.label is None or (known := sums(then.label, loss)) is None:
        return None
    found = split(known, now.label.rows)
    return found.expected - found.before


def _told(loss: str, view: str, found: Split, limit: float | None, *, label_part: float | None = None) -> Expected:
    return Expected(
        loss=loss,
        view=view,
        n=found.n,
        before=found.before,
        expected=found.expected,
        now=found.now,
        covariate_variance=found.covariate_variance,
        gap_variance=found.gap_variance,
        shared_variance=found.shared_variance,
        now_variance=found.now_variance,
        before_variance=found.before_variance,
        limit=limit,
        label_part=label_part,
    )


def class_shift(group: PaneGroup, baseline: Baseline) -> ClassShift | None:
    """Shares of the classes from the answers of a window, and how much of the change they explain."""
    then = baseline.outcomes
    if then is None or not then.classes:
        return None
    found = _solved(then, group)
    if found is None:
        return None
    name, solved = found
    likeliest = _likeliest(then.answers[name], group.prediction[name], solved) if solved.moved else ()
    before, left = {}, {}
    tables = {name: (view, group.prediction.get(name)) for name, view in then.answers.items()}
    tables |= {name: (view, group.features.get(name)) for name, view in then.features.items()}
    for name, (view, counts) in tables.items():
        if counts and sum(counts) and sum(view.rows):
            rest = residual(view.by_class, counts, solved.weights)
            before[name], left[name] = rest.before, rest.left
    return ClassShift(
        classes=then.classes,
        before=solved.before,
        now=solved.priors,
        weights=solved.weights,
        low=solved.low,
        high=solved.high,
        condition=solved.condition,
        clipped=solved.clipped,
        unweighted=before,
        left=left,
        likeliest=likeliest,
    )


def _likeliest(view: View, counts: Sequence[int], solved: LabelShift) -> tuple[float, ...]:
    """Shares of the classes by maximum likelihood: how often each class was in a bin is the chance of a row there."""
    shares = np.asarray(solved.before)
    rows = np.asarray(view.by_class, dtype=np.float64) + shares  # a row more of each bin, so that none is sure
    return mlls(rows / rows.sum(axis=1, keepdims=True), shares, rows=counts).priors


def _solved(then: Outcomes, group: PaneGroup) -> tuple[str, LabelShift] | None:
    """By the bins of the score where it has enough, else by the predicted class; None: classes look alike."""
    for name in ("score", "top_score", "prediction"):
        view, counts = then.answers.get(name), group.prediction.get(name)
        if view is None or not counts or len(counts) < len(then.classes):
            continue
        try:
            return name, bbse(view.by_class, counts)
        except NotEnoughData:
            continue  # the next view may tell them apart; if none does, there is no answer
    return None


def told_shares(told: Outcomes) -> tuple[float, ...]:
    """Shares of the classes by matured labels; empty for a regression."""
    if told.label is None or not told.rows:
        return ()
    return tuple(rows / told.rows for rows in told.label.rows)
