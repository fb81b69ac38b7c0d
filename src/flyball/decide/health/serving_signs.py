"""How a service answers: availability, errors, latency, fallback, and what it stands on."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flyball.core.clock import timestamp
from flyball.core.declared.serving import Recycling
from flyball.core.duration_words import in_words
from flyball.core.health import Severity
from flyball.core.service import HealthRules
from flyball.core.surroundings import Probed, Surroundings
from flyball.decide.health.reading import RANK, Reading, worst
from flyball.decide.health.vitals import Counted, Vitals
from flyball.stats.scoring.rate_above import surely_above

SLOW = 0.05  # share of the rows that are slower than the p95


def serving_signs(vitals: Vitals, rules: HealthRules, recycle: Recycling) -> Iterator[Reading]:
    """Every reading of them that could be taken."""
    available = [
        *(
            _unanswered(each, vitals.unanswered_now, rules)
            for each in (vitals.unanswered,)
            if each is not None and each.rows
        ),
        *_probes(vitals.around, rules),
    ]
    if available:
        yield max(available, key=lambda each: (RANK[each.severity], RANK[each.holds], each.value))
    if vitals.errors is not None and vitals.errors.rows:
        yield _errors(vitals.errors, vitals.errors_now, vitals.failing, rules)
    if vitals.fallbacks is not None and vitals.fallbacks.rows:
        yield _fallback(vitals.fallbacks, rules)
    if vitals.latency is not None and vitals.latency.beyond.rows:
        yield _latency(vitals, rules)
    yield from _resources(vitals.around, rules, recycle)


def _errors(found: Counted, newest: Counted | None, parts: tuple[Counted, ...], rules: HealthRules) -> Reading:
    lasting = _lasting(parts, rules)
    severity: Severity | None = "critical" if _above(found, rules.errors, rules, newest) else None
    holds: Severity | None = "critical" if found.rate >= rules.exit * rules.errors else None
    if lasting:
        severity = "failed"
    if lasting or found.rate >= rules.exit * rules.failed_errors:
        holds = "failed"
    limit = rules.failed_errors if lasting else rules.errors
    long = in_words(rules.failed_s)
    return Reading(
        kind="errors",
        severity=severity,
        holds=worst((severity, holds)),
        value=found.rate,
        limit=limit,
        why=f"{_told(found)} of the champion failed in {_span(rules)}" + (f", {long} long" if lasting else ""),
        clears=f"fewer than {rules.exit * rules.errors:.2%} of its rows fail for {in_words(rules.clear_s)}",
        worse=f"more than {rules.errors:.2%} of its rows fail ({found.rate:.2%} do), "
        f"FAILED at more than {rules.failed_errors:.0%} for {long}",
    )


def _lasting(parts: tuple[Counted, ...], rules: HealthRules) -> bool:
    """Whether it was as bad in every part of the time, and surely over all of it."""
    whole = Counted(events=sum(part.events for part in parts), rows=sum(part.rows for part in parts))
    each = bool(parts) and all(part.rows and part.rate > rules.failed_errors for part in parts)
    return each and _above(whole, rules.failed_errors, rules)


def _unanswered(found: Counted, newest: Counted | None, rules: HealthRules) -> Reading:
    severity: Severity | None = "critical" if _above(found, rules.unanswered, rules, newest) else None
    holds: Severity | None = "critical" if found.rate >= rules.exit * rules.unanswered else None
    return Reading(
        kind="availability",
        severity=severity,
        holds=worst((severity, holds)),
        value=found.rate,
        limit=rules.unanswered,
        why=f"{_told(found)} got no answer in {_span(rules)}",
        clears=f"fewer than {rules.exit * rules.unanswered:.2%} get no answer for {in_words(rules.clear_s)}",
        worse=f"more than {rules.unanswered:.2%} of the rows get no answer ({found.rate:.2%} do)",
    )


def _probes(around: Surroundings, rules: HealthRules) -> Iterator[Reading]:
    """Of each endpoint; the worst one is told."""
    by_endpoint: dict[str, list[Probed]] = {}
    for probe in around.probes:
        by_endpoint.setdefault(probe.endpoint, []).append(probe)
    for endpoint, probes in sorted(by_endpoint.items()):
        bad = sum(not probe.ok for probe in probes)
        newest = probes[-rules.probe_failures :]
        in_a_row = len(newest) == rules.probe_failures and not any(probe.ok for probe in newest)
        often = len(probes) > rules.probe_failures and bad >= rules.probe_share * len(probes)
        severity: Severity | None = "critical" if in_a_row or often else None
        holds: Severity | None = "critical" if severity or not all(probe.ok for probe in newest) else None
        since = around.failing_since.get(endpoint)
        lasting = in_a_row and since is not None and newest[-1].at - since >= rules.failed_s
        if lasting:
            severity = holds = "failed"
        long = in_words(rules.failed_s)
        run = since if in_a_row and since is not None else next((probe.at for probe in probes if not probe.ok), None)
        said = next((probe.said for probe in reversed(probes) if not probe.ok), "")
        yield Reading(
            kind="availability",
            severity=severity,
            holds=holds,
            value=bad / len(probes),
            limit=rules.probe_share,
            why=f"{bad} of the last {len(probes)} probes of {endpoint} failed"
            + (f", all of {long}" if lasting else "")
            + (f": {said}" if said else ""),
            clears=f"{rules.probe_failures} probes of {endpoint} in a row are answered",
            worse=f"{rules.probe_failures} probes of {endpoint} in a row fail ({bad} of the last {len(probes)} did), "
            f"FAILED when all do for {long}",
            began="" if severity is None or run is None else timestamp(datetime.fromtimestamp(run, UTC)),
        )


def _fallback(found: Counted, rules: HealthRules) -> Reading:
    severity: Severity | None = "warning" if _above(found, rules.fallback, rules) else None
    holds: Severity | None = "warning" if found.rate >= rules.exit * rules.fallback else None
    return Reading(
        kind="fallback",
        severity=severity,
        holds=worst((severity, holds)),
        value=found.rate,
        limit=rules.fallback,
        why=f"{_told(found)} were answered by the fallback chain in {_span(rules)}",
        clears=f"it answers fewer than {rules.exit * rules.fallback:.1%} of the rows for {in_words(rules.clear_s)}",
        worse=f"the fallback chain answers more than {rules.fallback:.1%} of the rows ({found.rate:.2%} now)",
    )


def _latency(vitals: Vitals, rules: HealthRules) -> Reading:
    """A p95 above a limit is more than 5 % of rows above it, which can be counted and tested."""
    found = vitals.latency
    assert found is not None
    limit_ms = latency_limit_ms(found.baseline_ms, rules)
    severity: Severity | None = "warning" if _above(found.beyond, SLOW, rules) else None
    holds: Severity | None = "warning" if found.beyond.rate >= rules.exit * SLOW else None
    beside = f"{found.baseline_ms:.3g} ms with the champion's first rows"
    return Reading(
        kind="latency",
        severity=severity,
        holds=worst((severity, holds)),
        value=found.p95_ms,
        limit=limit_ms,
        why=f"p95 is {found.p95_ms:.3g} ms in {_span(rules)} ({beside})",
        clears=f"fewer than {rules.exit * SLOW:.0%} of the rows take over {limit_ms:.3g} ms",
        worse=f"p95 passes {limit_ms:.3g} ms ({found.p95_ms:.3g} ms now)",
    )


def latency_limit_ms(baseline_ms: float, rules: HealthRules) -> float:
    """The p95 that is too slow, from that of the champion's first rows.

    >>> latency_limit_ms(20.0, HealthRules()), latency_limit_ms(0.3, HealthRules())
    (40.0, 5.0)
    """
    return max(rules.latency_ratio * baseline_ms, rules.latency_floor_ms)


def _resources(around: Surroundings, rules: HealthRules, recycle: Recycling) -> Iterator[Reading]:
    if around.workers and recycle.memory_mb is not None:
        largest = max(around.workers, key=lambda worker: worker.memory_mb)
        limit = rules.memory * recycle.memory_mb
        what = f"process {largest.pid} holds {largest.memory_mb:.0f} MB"
        yield _used("memory", largest.memory_mb, limit, what, f"{limit:.0f} MB", rules)
    if around.memory_used is not None:
        used = around.memory_used
        yield _used(
            "machine", used, rules.machine_memory, f"{used:.0%} of the memory is in use",
            f"{rules.machine_memory:.0%}", rules,
        )  # fmt: skip
    if around.disk_free is not None:
        yield _disk(around.disk_free, rules)


def _used(feature: str, value: float, limit: float, what: str, said: str, rules: HealthRules) -> Reading:
    severity: Severity | None = "warning" if value > limit else None
    holds: Severity | None = "warning" if value > limit or value >= _leave(limit, rules) else None
    return Reading(
        kind="resources",
        feature=feature,
        severity=severity,
        holds=holds,
        value=value,
        limit=limit,
        why=f"{what}, the limit is {said}",
        clears=f"{feature}: it is well below {said} again",
        worse=f"{feature} passes {said} ({what})",
    )


def _leave(limit: float, rules: HealthRules) -> float:
    """Memory is not given back as errors end: half way between the limit and the exit of a rate."""
    return limit * (1 + rules.exit) / 2


def _disk(free: float, rules: HealthRules) -> Reading:
    def beyond(factor: float) -> Severity | None:
        if free < rules.disk_full * factor:
            return "critical"
        return "warning" if free < rules.disk_free * factor else None

    severity = beyond(1.0)
    limit = rules.disk_full if severity == "critical" else rules.disk_free
    return Reading(
        kind="resources",
        feature="disk",
        severity=severity,
        holds=beyond(1 / rules.exit),
        value=free,
        limit=limit,
        why=f"{free:.1%} of the home's disk is free",
        clears=f"more than {rules.disk_free / rules.exit:.1%} of the disk is free",
        worse=f"less than {rules.disk_free:.0%} of the disk is free ({free:.1%} is; critical: {rules.disk_full:.0%})",
    )


def _above(found: Counted, limit: float, rules: HealthRules, newest: Counted | None = None) -> bool:
    """Over the whole span, or over its newest part alone."""
    each = (found,) if newest is None else (found, newest)
    return any(surely_above(one.events, one.rows, limit, alpha=rules.alpha) for one in each)


def _told(found: Counted) -> str:
    return f"{found.events} of {found.rows} rows ({found.rate:.2%})"


def _span(rules: HealthRules) -> str:
    return in_words(rules.span_s)
