"""How right a service is: the loss beside its holdout, and whether it grows."""

from collections.abc import Iterator

from flyball.core.health import Severity
from flyball.core.service import HealthRules
from flyball.decide.health.margin import projected, surely_falling, surely_lost, tolerated
from flyball.decide.health.reading import Reading, worst
from flyball.decide.health.vitals import Loss, Trend, Vitals


def quality_signs(vitals: Vitals, rules: HealthRules) -> Iterator[Reading]:
    """Every reading of them that could be taken."""
    if vitals.loss is not None:
        yield _loss(vitals.loss, rules)
    if vitals.trend is not None and vitals.trend.told.slope is not None:
        yield _trend(vitals.trend, rules)


def _loss(found: Loss, rules: HealthRules) -> Reading:
    """What is estimated without labels has an interval that holds at all times; windows of labels are asked again and
    again, so they have to be surer than theirs (`margin.surely_lost`)."""
    limit, lost = tolerated(rules.quality, found.base), found.estimate
    sure = lost.low > limit if found.estimated else surely_lost(lost, found.before, limit, rules)
    severity: Severity | None = "critical" if sure else None
    holds: Severity | None = "critical" if lost.value >= rules.exit * limit else None
    how = "estimated without labels" if found.estimated else f"on {lost.n} labelled rows"
    return Reading(
        kind="quality",
        severity=severity,
        holds=worst((severity, holds)),
        value=lost.value,
        limit=limit,
        why=f"{found.metric} is {lost.value:.3g} worse than on the holdout ({lost.low:.3g} to {lost.high:.3g}, {how})",
        clears=f"{found.metric} is less than {rules.exit * limit:.3g} worse than on the holdout",
        worse=f"{found.metric} is surely {limit:.3g} worse than on the holdout ({lost.value:.3g} now)"
        + ("" if found.estimated else f", beyond doubt or in {rules.quality_windows} windows in a row"),
    )


def _trend(found: Trend, rules: HealthRules) -> Reading:
    """A slope counts only where the monitor calls it a trend, and begins a sign with the lower end of its interval."""
    lost = projected(found.told, rules)
    warn, retrain = tolerated(rules.trend_warn, found.base), tolerated(rules.trend_retrain, found.base)
    drifts = found.told.verdict == "DRIFT"
    severity: Severity | None = "warning" if surely_falling(found.told, warn, rules) else None
    holds: Severity | None = "warning" if severity or (drifts and lost >= rules.exit * warn) else None
    days = f"{rules.trend_days:g} days"
    asks = ", which asks for a retraining where the trigger trend is declared" if severity and lost >= retrain else ""
    return Reading(
        kind="trend",
        severity=severity,
        holds=holds,
        value=lost,
        limit=warn,
        why=f"the live metric loses {lost:.3g} in {days}: {found.told.reason}{asks}",
        clears=f"it loses less than {rules.exit * warn:.3g} in {days}",
        worse=f"it loses more than {warn:.3g} in {days} ({lost:.3g} now)",
    )
