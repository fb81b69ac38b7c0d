"""Gates: may this release go on? Each condition gives PASS, FAIL or INCONCLUSIVE, with the numbers behind it.

A floor or a ceiling is held against the point estimate; its interval stands beside it. A comparison with the champion
is held against the interval of the paired difference, as the two models answered the same rows, none of which either
was fitted on: PASS when the lower bound clears the limit, FAIL when the upper bound stays below it. Missing evidence
never passes.
"""

from collections.abc import Callable, Iterator, Mapping

from flyball.core.errors import NotEnoughData
from flyball.core.margin import margin
from flyball.core.record import Record
from flyball.core.release import Estimate, GateResult
from flyball.core.service import Gate
from flyball.stats.intervals import Interval, rows_needed


class Evidence(Record):
    """What the gates may read."""

    metrics: Mapping[str, Estimate]  # the candidate's, on its whole holdout
    missing: Mapping[str, str] = {}  # metric -> why there is no value
    has_champion: bool = False
    no_comparison: str = ""  # why the champion cannot be compared with at all
    difference: Callable[[str], Interval] | None = None  # candidate better by, on shared rows
    champion: Callable[[str], float] | None = None  # the champion's value on shared rows


def judge(gates: tuple[Gate, ...], evidence: Evidence) -> tuple[GateResult, ...]:
    """One result for each condition, in the order of the declaration.

    >>> gate = Gate(metric="mae", max=3.0)
    >>> judge((gate,), Evidence(metrics={"mae": Estimate(value=2.0, low=1.5, high=2.5, n=90)}))[0].verdict
    'PASS'
    >>> judge((gate,), Evidence(metrics={}))[0].passed
    False
    """
    return tuple(result for gate in gates for result in _results(gate, evidence))


def names(gates: tuple[Gate, ...]) -> list[str]:
    """The names that the results of these gates carry: two sets of gates with equal names ask the same.

    >>> names((Gate(metric="mae", max=3.0), Gate(metric="mae", versus="champion", better_by="2%")))
    ['mae <= 3.0', 'mae better than champion by 2%']
    """
    return [result.name for result in judge(gates, Evidence(metrics={}))]


def passed(results: tuple[GateResult, ...]) -> bool:
    return all(result.passed for result in results)


def _results(gate: Gate, evidence: Evidence) -> Iterator[GateResult]:
    if gate.metric is None:
        return
    if gate.min is not None:
        yield _bound(gate.metric, ">=", gate.min, evidence)
    if gate.max is not None:
        yield _bound(gate.metric, "<=", gate.max, evidence)
    if gate.versus is not None:
        yield _versus(gate, gate.metric, evidence)


def _bound(metric: str, sign: str, limit: float, evidence: Evidence) -> GateResult:
    name = f"{metric} {sign} {limit!r}"
    found = evidence.metrics.get(metric)
    if found is None:
        why = evidence.missing.get(metric, "it was not measured")
        return _fail(name, metric, f"missing evidence: {why}", limit=limit)
    good = found.value >= limit if sign == ">=" else found.value <= limit
    return GateResult(
        name=name,
        metric=metric,
        passed=good,
        verdict="PASS" if good else "FAIL",
        reason=f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g}, {found.n} rows)",
        value=found.value,
        low=found.low,
        high=found.high,
        limit=limit,
    )


def _versus(gate: Gate, metric: str, evidence: Evidence) -> GateResult:
    better = gate.better_by is not None
    written = gate.better_by if gate.better_by is not None else (gate.not_worse_by or 0.0)
    words = "better than champion by" if better else "not worse than champion by"
    name = f"{metric} {words} {written}"
    if not evidence.has_champion:
        return GateResult(name=name, metric=metric, passed=True, verdict="PASS", reason="no champion")
    if evidence.difference is None or evidence.champion is None:
        return _undecided(metric, name, f"missing evidence: {evidence.no_comparison}")
    try:
        theirs = evidence.champion(metric)
        found = evidence.difference(metric)
    except (NotEnoughData, ValueError, KeyError) as error:
        return _undecided(metric, name, f"missing evidence: {error.args[0] if error.args else error}")
    size = margin(written, theirs)
    return _compared(gate, metric, name, found, size if better else -size, theirs)


def _compared(gate: Gate, metric: str, name: str, found: Interval, limit: float, champion: float) -> GateResult:
    """`limit`: by how much better the candidate has to be, negative where it may be worse."""
    by = f"better by {found.value:.4g} ({found.low:.4g} to {found.high:.4g}) on {found.n} shared rows"
    needed = None
    if found.low > limit:
        verdict, ok, reason = "PASS", True, by
    elif found.high < limit:
        verdict, ok, reason = "FAIL", False, by
    else:
        needed = rows_needed(found, -limit)
        more = f"about {needed} rows would tell" if needed is not None else "no number of rows is sure to tell"
        verdict, ok, reason = "INCONCLUSIVE", gate.inconclusive == "shadow", f"{by}; {more}"
        reason += "; labelled shadow pairs decide" if ok else ""
    return GateResult(
        name=name,
        metric=metric,
        passed=ok,
        verdict=verdict,  # type: ignore[arg-type]
        reason=reason,
        value=found.value,
        low=found.low,
        high=found.high,
        limit=limit,
        champion=champion,
        rows_needed=needed,
    )


def _fail(name: str, metric: str, reason: str, *, limit: float | None = None) -> GateResult:
    return GateResult(name=name, metric=metric, passed=False, verdict="FAIL", reason=reason, limit=limit)


def _undecided(metric: str, name: str, reason: str) -> GateResult:
    """A comparison that could not be made: nothing is known against the candidate, and nothing for it."""
    return GateResult(name=name, metric=metric, passed=False, verdict="INCONCLUSIVE", reason=reason)
