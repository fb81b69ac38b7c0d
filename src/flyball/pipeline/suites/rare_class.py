"""Rare classes: precision-recall area beside a dummy's, precision at a recall and recall at a precision."""

from collections.abc import Iterable

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label
from flyball.core.release import Estimate
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.dummy import beside_dummy
from flyball.pipeline.suites.found import Found, estimate, merged, result, words
from flyball.stats.scoring.intervals import Interval
from flyball.stats.scoring.operating import precision_at_recall, recall_at_precision

USUAL = ("precision_at_recall.80", "recall_at_precision.80")
RARE = 0.2  # share of positives below which accuracy says little


def rare_class(
    scored: Scored,
    train: "np.ndarray[tuple[int], np.dtype[np.generic]]",
    classes: tuple[Label, ...],
    names: Iterable[str],
    rng: np.random.Generator,
) -> Found:
    """The operating points in `names`, and for a rare positive class whether the PR area beats the dummy's.

    Args: train: labels of the training rows, for the dummy. names: measures such as `precision_at_recall.80`.
    """
    metrics: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            metrics[name] = estimate(_point(name, scored, classes, rng))
        except (NotEnoughData, ValueError) as error:
            missing[name] = words(error)
    found = Found(metrics=metrics, missing=missing)
    if scored.scores is None or scored.scores.ndim != 1:
        return found
    share = float(np.mean(scored.truth == classes[1]))
    if share >= RARE:
        return found
    beside = beside_dummy(("pr_auc",), scored, train, classes, rng)
    over = beside.metrics.get("over_dummy.pr_auc")
    if over is None:
        reason = beside.missing.get("over_dummy.pr_auc", "no value")
        told = result("model", "rare class", "quality", "INCONCLUSIVE", reason, n=len(scored.truth))
    else:
        verdict = "PASS" if over.low > 0 else "FAIL" if over.high <= 0 else "INCONCLUSIVE"
        base = beside.metrics["dummy.pr_auc"].value if "dummy.pr_auc" in beside.metrics else share
        reason = f"{share:.1%} are {classes[1]}: PR area better by {over.value:.3f} ({over.low:.3f} to {over.high:.3f})"
        reason += f" than a dummy's {base:.3f}"
        told = result("model", "rare class", "quality", verdict, reason, found=over, limit=0.0)  # type: ignore[arg-type]
    return merged((found, beside, Found(tests=(told,))))


def _point(name: str, scored: Scored, classes: tuple[Label, ...], rng: np.random.Generator) -> Interval:
    kind, _, percent = name.partition(".")
    if scored.scores is None or scored.scores.ndim != 1:
        raise NotEnoughData("it needs two classes and a score")
    positive, at = scored.truth == classes[1], int(percent) / 100
    if kind == "precision_at_recall":
        return precision_at_recall(positive, scored.scores, at, rng=rng)
    return recall_at_precision(positive, scored.scores, at, rng=rng)
