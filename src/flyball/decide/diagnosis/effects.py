"""What each cause does to each loss, with an interval; where nothing can be said, that is said."""

from collections.abc import Sequence
from math import sqrt

from flyball.core.causes import Cause, Effect, Expected
from flyball.core.watching import WindowReport
from flyball.decide.diagnosis.loss import as_split
from flyball.stats.risk.expected_loss import Split, pooled

Z90 = 1.6448536269514722  # two-sided 90 %


def told_effects(found: Sequence[WindowReport], *, label_shift: bool) -> tuple[Effect, ...]:
    """By matured labels: the whole change of each loss and its parts, the live metric's first.

    Args: found: windows with labels, newest first, of rows after the change.
    """
    by_loss: dict[str, list[Expected]] = {}
    for report in found:
        for one in report.split:
            by_loss.setdefault(one.loss, []).append(one)
    made: list[Effect] = []
    for loss, windows in by_loss.items():
        together = pooled([as_split(one) for one in windows])
        gap = together.gap or 0.0
        whole = together.now_variance + together.before_variance
        made.append(_effect(loss, "all", together.covariate + gap, whole, together.n))
        if label_shift:
            made += _by_class(loss, windows, together)
            continue
        made.append(_effect(loss, "covariate", together.covariate, together.covariate_variance, together.n))
        made.append(_effect(loss, "concept", gap, together.gap_variance + together.shared_variance, together.n))
    return tuple(made)


def estimated_effects(now: WindowReport) -> tuple[Effect, ...]:
    """Without labels: what the answers of the window let expect. Of the concept they say nothing."""
    made: list[Effect] = []
    for one in now.expected:
        value, half = one.expected - one.before, Z90 * sqrt(one.covariate_variance)
        made.append(
            Effect(
                metric=one.loss,
                cause="covariate",
                basis="estimate",
                value=value,
                low=value - half,
                high=value + half,
                n=one.n,
                reason=f"by the bins of {one.view}, if the same kind of row meets the same answer as before",
            )
        )
        why = "not estimable: only labels of these rows tell whether the same kind of row meets the same answer"
        made.append(Effect(metric=one.loss, cause="concept", basis="estimate", reason=why))
    return tuple(made)


def _by_class(loss: str, windows: Sequence[Expected], together: Split) -> list[Effect]:
    """The part of the new shares of the classes, and what is beyond it."""
    parts = [(one.label_part, one.n) for one in windows if one.label_part is not None]
    if not parts:
        return [Effect(metric=loss, cause="label", basis="labels", reason="not estimable: a release without classes")]
    n = sum(rows for _, rows in parts)
    value = sum(part * rows for part, rows in parts) / n
    beyond = together.covariate + (together.gap or 0.0) - value
    whole = together.now_variance + together.before_variance
    return [_effect(loss, "label", value, together.before_variance, n), _effect(loss, "concept", beyond, whole, n)]


def _effect(loss: str, cause: Cause, value: float, variance: float, n: int) -> Effect:
    half = Z90 * sqrt(variance)
    return Effect(metric=loss, cause=cause, basis="labels", value=value, low=value - half, high=value + half, n=n)
