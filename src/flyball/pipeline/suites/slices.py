"""Slices: the metric within each group of the declared columns, and the worst of them with a bound for all at once.

A group with fewer rows than `min_support` is not judged: it is named, and it never passes. A slice that is not judged,
or not told from a constant, is INCONCLUSIVE: it stops nothing by itself, and no gate `suite: model` passes with it.
The worst slice is a measure and no test: a limit for it is the owner's, in a gate. With k groups each interval has
confidence 1 - 0.05/k, so that all hold together with 95 % (Bonferroni); the worst group is picked afterwards.
"""

from collections.abc import Iterator

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate, TestResult
from flyball.pipeline.evaluate import Scored, difference
from flyball.pipeline.suites.dummy import best_constant, widened
from flyball.pipeline.suites.found import Found, Verdict, named, result, words
from flyball.pipeline.suites.subject import Subject, groups, taken
from flyball.stats.scoring.intervals import Interval, interval
from flyball.stats.scoring.metrics import METRICS

CONFIDENCE = 0.95  # of all intervals together


def slices(subject: Subject, columns: tuple[str, ...], metric: str, rng: np.random.Generator) -> Found:
    """`slice.worst.<metric>`; a slice that is surely worse than a constant fails.

    Args: columns: whose groups are judged, of the holdout table.
    """
    measure = f"slice.worst.{metric}"
    parts = list(_parts(subject, columns))
    judged = [(name, part) for name, part in parts if len(part.truth) >= subject.tests.min_support]
    small = [f"{name} ({len(part.truth)} rows)" for name, part in parts if len(part.truth) < subject.tests.min_support]
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(judged))
    found: dict[str, Interval] = {}
    silent: list[str] = []
    for name, part in judged:
        try:
            found[name] = _interval(metric, part, subject, confidence, rng)
        except (NotEnoughData, ValueError, KeyError) as error:
            silent.append(f"{name}: {words(error)}")
    if not found:
        why = "no slice has enough rows" if not silent else silent[0]
        why += f": {named(small)}; min_support is {subject.tests.min_support}" if small else ""
        return Found(
            tests=(result("model", "slices", "quality", "FAIL", f"missing evidence: {why}", n=0),),
            missing={measure: why},
        )
    worst = min(found, key=lambda name: METRICS[metric].better_by(0.0, found[name].value))
    at = found[worst]
    told = [_below_dummy(subject, metric, name, part, confidence, rng) for name, part in judged if name in found]
    if small or silent:
        reason = f"not judged: {named([*small, *silent])}; min_support is {subject.tests.min_support}"
        told.append(result("model", "slices without support", "quality", "INCONCLUSIVE", reason))
    value = Estimate(value=at.value, low=at.low, high=at.high, n=at.n, confidence=confidence)
    return Found(tests=tuple(told), metrics={measure: value})


def _below_dummy(
    subject: Subject, metric: str, name: str, part: Scored, confidence: float, rng: np.random.Generator
) -> TestResult:
    """Not worse than a constant on its own rows."""
    train = np.array(subject.train[subject.label].to_list())
    predictions, scores = best_constant(metric, train, subject.classes).answers(len(part.truth))
    dummy = Scored(truth=part.truth, predictions=predictions, scores=scores)
    try:
        usual = difference(metric, dummy, part, classes=subject.classes, rng=rng)
    except (NotEnoughData, ValueError, KeyError) as error:
        return result("model", f"slice {name}", "quality", "INCONCLUSIVE", words(error), n=len(part.truth))
    found = widened(usual, confidence)
    verdict: Verdict = "FAIL" if found.high < 0 else "PASS" if found.low > 0 else "INCONCLUSIVE"
    reason = f"{metric} better than the best constant by {found.value:.4g} ({found.low:.4g} to {found.high:.4g})"
    return result(
        "model",
        f"slice {name}",
        "quality",
        verdict,
        reason,
        found=found,
        limit=0.0,
    )


def _parts(subject: Subject, columns: tuple[str, ...]) -> Iterator[tuple[str, Scored]]:
    for column in columns:
        names, at = groups(subject.holdout[column])
        for number, name in enumerate(names):
            rows = at == number
            if rows.any():
                yield f"{column}={name}", taken(subject.scored, rows)


def _interval(metric: str, part: Scored, subject: Subject, confidence: float, rng: np.random.Generator) -> Interval:
    score_only = METRICS[metric].needs == "score"
    return interval(
        metric,
        part.truth,
        None if score_only else part.predictions,
        part.scores if score_only else None,
        confidence=confidence,
        rng=rng,
        classes=list(subject.classes) or None,
    )
