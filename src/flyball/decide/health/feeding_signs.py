"""What a service is fed: whether anything comes, whether it is whole, like what was learned, and followed by labels."""

from collections.abc import Iterator

from flyball.core.duration_words import in_words
from flyball.core.health import Severity
from flyball.core.service import HealthRules, Psi
from flyball.core.watching import Signal
from flyball.decide.health.reading import Reading
from flyball.decide.health.vitals import Late, Unlabelled, Vitals
from flyball.stats.scoring.rate_above import surely_above


def feeding_signs(vitals: Vitals, rules: HealthRules, psi: Psi) -> Iterator[Reading]:
    """Every reading of them that could be taken."""
    if vitals.silent_s is not None and rules.silent_s is not None:
        yield _silence(vitals.silent_s, rules.silent_s)
    yield from (_late(each, rules) for each in vitals.late)
    if vitals.windows or vitals.incident is not None:
        yield _supply(vitals, rules)
    for signal in vitals.signals:
        if signal.signal == "psi":
            yield _drift(signal, psi)
    if vitals.unlabelled is not None:
        yield _labels(vitals.unlabelled, rules)


def _silence(silent_s: float, limit_s: float) -> Reading:
    """One row ends it, so there is nothing between entering and leaving."""
    severity: Severity | None = "warning" if silent_s > limit_s else None
    return Reading(
        kind="freshness",
        severity=severity,
        holds=severity,
        value=silent_s,
        limit=limit_s,
        why=f"no row has come for {silent_s / 60:.0f} min",
        clears="a row comes",
        worse=f"no row comes for {in_words(limit_s)}",
    )


def _late(found: Late, rules: HealthRules) -> Reading:
    severity: Severity | None = "warning" if found.late_s > found.limit_s else None
    holds: Severity | None = "warning" if found.late_s > rules.exit * found.limit_s else None
    return Reading(
        kind="freshness",
        feature=found.column,
        severity=severity,
        holds=holds,
        value=found.late_s,
        limit=found.limit_s,
        why=f"the freshest {found.column} is {found.late_s:.0f} s old, the data contract promises {found.limit_s:g} s",
        clears=f"rows come with a {found.column} that is at most {rules.exit * found.limit_s:.0f} s old",
        worse=f"the freshest {found.column} is older than {found.limit_s:g} s ({found.late_s:.0f} s now)",
    )


def _supply(vitals: Vitals, rules: HealthRules) -> Reading:
    """An incident is critical; a finding that opens none, or did not yet, a warning. Clients feel it where the contract
    surely keeps more of the rows from the model than the chain may answer, whichever of its rules they break."""
    findings = [signal for signal in vitals.signals if signal.signal == "quality"]
    severity: Severity | None = "critical" if vitals.incident is not None else "warning" if findings else None
    told = "; ".join(dict.fromkeys(signal.detail or f"quality of {signal.feature}" for signal in findings))
    kept, felt = vitals.refused, False
    why = vitals.incident or told or "the newest window keeps the data contract"
    if severity is not None and kept is not None and kept.rows:
        felt = surely_above(kept.events, kept.rows, rules.fallback, alpha=rules.alpha)
    if felt and kept is not None:
        rows = f"{kept.events} of {kept.rows} rows ({kept.rate:.1%}; limit {rules.fallback:.1%})"
        why += f"; {rows} were rejected, or answered by the fallback chain, in {in_words(rules.span_s)}"
    return Reading(
        kind="data_quality",
        severity=severity,
        holds=severity,
        value=float(len(findings)),
        limit=0.0,
        why=why,
        felt=felt,
        clears="the supply is repaired, or has settled as the new normal, or a person accepts it"
        if vitals.incident is not None
        else "a window without findings",
        worse="a window with findings",
    )


def _drift(signal: Signal, psi: Psi) -> Reading:
    """Begins as the drift trigger does, and lasts until PSI is below `warn` again."""
    lasts = signal.level == "act" and signal.consecutive >= psi.consecutive
    severity: Severity | None = "warning" if lasts else None
    return Reading(
        kind="drift",
        feature=signal.feature,
        severity=severity,
        holds="warning",
        value=signal.value,
        limit=psi.act,
        why=f"PSI of {signal.feature or 'the prediction'} is {signal.value:.3g}",
        clears=f"PSI of {signal.feature or 'the prediction'} falls below {psi.warn:g}",
        worse=f"PSI of {signal.feature or 'the prediction'} stays above {psi.act:g} for {psi.consecutive} windows",
    )


def _labels(found: Unlabelled, rules: HealthRules) -> Reading:
    limit = found.limit_s(rules)
    severity: Severity | None = "warning" if found.missed(rules) else None
    return Reading(
        kind="labels",
        severity=severity,
        holds=severity,
        value=found.waited_s,
        limit=limit,
        why=f"rows wait for a label for {found.waited_s / 60:.0f} min, {found.usual_s / 60:.3g} min at most were usual",
        clears="a label comes",
        worse=f"no label comes for {limit / 60:.3g} min",
    )
