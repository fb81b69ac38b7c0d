"""Which kind of change is it? Asked before any remedy, because each kind needs another one.

Order, and why: a broken supply looks like every other kind, so data quality comes first. Then who moved: the answers
alone (label shift), the inputs (covariate shift), or nobody while the metric fell (concept drift). Inputs that moved
while the labels show no loss are harmless: drift opens the question, risk moves the actuators. Where the labels of the
moved rows have not come yet, nothing is known, and the answer says so.

A shift of inputs and of concept at once shows as the first with a loss; without labels they cannot be told apart, and
with labels both call for the same remedy.
"""

from collections.abc import Collection, Sequence

from flyball.core.record import Record
from flyball.core.service import Psi
from flyball.core.watching import Diagnosis, Signal, WindowReport

ANSWERS = ("prediction", "score", "top_score")


class Loss(Record):
    """What the matured labels say about the rows since the change; the metric's unit, worse by."""

    value: float
    low: float  # cautious: the mean of the windows' lower bounds, since they share one holdout
    n: int


def diagnose(
    reports: Sequence[WindowReport],
    limits: Psi,
    *,
    settled: Collection[str] = (),
    labels_expected: bool = True,
) -> Diagnosis:
    """The newest window in the light of those before it.

    Args:
        reports: of the present champion, in order.
        settled: features whose quality findings were accepted as the new normal.
        labels_expected: False where the service watches no live metric, so that waiting for labels is no answer.
    """
    if not reports:
        return Diagnosis(kind="unknown", reason="no window is complete yet")
    now = reports[-1]
    if broken := [finding for finding in now.quality if finding.feature is None or finding.feature not in settled]:
        features = tuple(dict.fromkeys(finding.feature for finding in broken if finding.feature is not None))
        reason = "the supply is broken: " + "; ".join(finding.detail for finding in broken)
        numbers = {f"{finding.kind}/{finding.feature or 'rows'}": finding.value for finding in broken}
        return Diagnosis(kind="data_quality", reason=reason, features=features, numbers=numbers, remedy="repair")
    moved = [signal for signal in now.signals if signal.signal == "psi"]
    loss = _loss(reports, moved, limits.consecutive)
    inputs = {signal.feature: signal.value for signal in moved if signal.feature not in ANSWERS and signal.feature}
    answers = {signal.feature: signal.value for signal in moved if signal.feature in ANSWERS and signal.level == "act"}
    numbers = {f"psi/{name}": value for name, value in (inputs | answers).items() if name}
    if loss is not None:
        numbers |= {"loss": loss.value, "loss_low": loss.low, "loss_rows": float(loss.n)}
    if not inputs and not answers:
        return _without_drift(loss, numbers)
    if inputs:
        return _moved("covariate_shift", inputs, limits, loss, numbers, labels_expected)
    named = {name: value for name, value in answers.items() if name}
    return _moved("label_shift", named, limits, loss, numbers, labels_expected)


def _moved(
    kind: str,
    moved: dict[str, float],
    limits: Psi,
    loss: Loss | None,
    numbers: dict[str, float],
    labels_expected: bool,
) -> Diagnosis:
    """Inputs or answers have moved: what do the labels say of it?"""
    ranked = sorted(moved, key=lambda name: -moved[name])
    total = sum(moved.values())
    told = ", ".join(f"{name} {moved[name]:.2f} ({moved[name] / total:.0%})" for name in ranked[:5])
    what = f"PSI above {limits.warn:g} in {told}"
    numbers = numbers | {f"share/{name}": moved[name] / total for name in ranked}
    if loss is None and labels_expected:
        reason = f"{what}; the labels of these rows have not come yet"
        return Diagnosis(
            kind="unknown", reason=reason, features=tuple(ranked), numbers=numbers, remedy="wait_for_labels"
        )
    if loss is not None and loss.low <= 0:
        reason = (
            f"{what}, but over {loss.n} labels the model is not worse ({loss.value:+.4g}, at least {loss.low:+.4g})"
        )
        return Diagnosis(kind="harmless", reason=reason, features=tuple(ranked), numbers=numbers, remedy="none")
    seen = f"over {loss.n} labels worse by {loss.value:.4g}" if loss is not None else "no live metric is watched"
    where = "inputs stayed, the answers moved: " if kind == "label_shift" else ""
    return Diagnosis(
        kind="label_shift" if kind == "label_shift" else "covariate_shift",
        reason=f"{where}{what}; {seen}",
        features=tuple(ranked),
        numbers=numbers,
        remedy="retrain",
    )


def _without_drift(loss: Loss | None, numbers: dict[str, float]) -> Diagnosis:
    if loss is not None and loss.low > 0:
        reason = f"inputs and answers stayed, yet over {loss.n} labels the model is worse by {loss.value:.4g}"
        return Diagnosis(kind="concept_drift", reason=reason, numbers=numbers, remedy="retrain")
    return Diagnosis(kind="harmless", reason="nothing is beyond its limit", numbers=numbers, remedy="none")


def _loss(reports: Sequence[WindowReport], moved: Sequence[Signal], most: int) -> Loss | None:
    """Loss over the newest metric windows that lie mostly after the change began; without a change, the newest one.

    At most as many as a trigger asks for: a model that bore a shift for a year may still break today.
    """
    windows = max((signal.consecutive for signal in moved), default=0)
    since = reports[-min(windows, len(reports))].first_row if windows else None
    found = []
    for report in reversed(reports):
        if report.loss is None or report.metric_rows is None:
            continue
        if since is not None and sum(report.metric_rows) / 2 < since:
            break
        found.append(report.loss)
        if since is None or len(found) >= most:
            break
    if not found:
        return None
    n = sum(loss.n for loss in found)
    return Loss(
        value=sum(loss.value * loss.n for loss in found) / n,
        low=sum(loss.low * loss.n for loss in found) / n,
        n=n,
    )
