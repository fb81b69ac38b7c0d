"""Which rows whose labels came fare worse than the rest? Asked only where the loss is beyond what was expected."""

from collections.abc import Collection, Sequence

import numpy as np

from flyball.core.causes import Expected, Segment
from flyball.core.release import Baseline, Reference
from flyball.core.service import Task
from flyball.monitor import answers as of_answers
from flyball.monitor.labels import Place
from flyball.stats.binning.reference_bins import bin_names, bin_of
from flyball.stats.change.segments import scan
from flyball.stats.risk.outcomes import answer_bins, sums
from flyball.stats.scoring.row_losses import row_losses


def segments(
    places: Sequence[Place],
    found: of_answers.Answers,
    baseline: Baseline,
    task: Task,
    split: Sequence[Expected],
    watched: Collection[str],
) -> tuple[Segment, ...]:
    """Bins and pairs of bins that stand out, surest first; none where the loss is about as expected.

    Args: split: of these rows, the live metric's first; its view tells what was expected of each row.
    """
    told = split[0] if split else None
    if told is None or told.now is None or told.limit is None or told.now - told.expected <= told.limit:
        return ()
    then = baseline.outcomes
    assert then is not None  # there is no split without it
    table = of_answers.features(places, found)
    views = {name: bin_of(table[name], baseline.features[name]) for name in table.columns if name in watched}
    known = sums((then.answers | then.features)[told.view], told.loss)
    at = views.get(told.view)
    if at is None:
        at = answer_bins(told.view, baseline, task, found.prediction, found.score)
    if known is None or at is None:
        return ()
    lost = row_losses(task, found.truth, found.prediction, found.score)[told.loss] - known.by_bin()[0][at]
    kept = np.isfinite(lost)
    stand_out = scan(lost[kept], {name: bins[kept] for name, bins in views.items()})
    return tuple(
        Segment(
            where=tuple(condition(name, baseline.features[name], cell) for name, cell in one.where),
            rows=one.rows,
            loss=one.mean,
            e_value=one.e_value,
            share=one.share,
        )
        for one in stand_out
    )


def condition(name: str, reference: Reference, cell: int) -> str:
    """One bin of a feature, for people.

    >>> condition("age", Reference(kind="numeric", edges=(60.0,), counts=(1, 1, 0)), 1)
    'age >= 60'
    >>> condition("sex", Reference(kind="category", values=("m",), counts=(1, 0, 0)), 0)
    'sex = m'
    """
    said = bin_names(reference)[cell]
    if said.startswith(("<", ">", "=", "(")):
        return f"{name} {said}"
    return f"{name} in {said}" if reference.kind == "numeric" else f"{name} = {said}"
