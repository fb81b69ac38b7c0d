"""Gates: may this release go on? Each condition gives PASS, FAIL or INCONCLUSIVE, with the numbers behind it.

A floor or a ceiling is held against the point estimate; its interval stands beside it. A comparison with the champion
is held against the interval of the paired difference, as the two models answered the same rows, none of which either
was fitted on: PASS when the lower bound clears the limit, FAIL when the upper bound stays below it. A suite passes when
every hard test of it does, an expression when it is true. Missing evidence never passes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from msgspec.structs import replace

from flyball.core import expression
from flyball.core.errors import NotEnoughData
from flyball.core.margin import margin
from flyball.core.measures import dimension_of, dimension_of_suite
from flyball.core.record import Record
from flyball.core.release import Estimate, GateResult, Grade, TestResult
from flyball.core.service import Dimension, Gate, Suite
from flyball.stats.scoring.intervals import Interval, rows_needed

_WORST = ("PASS", "INCONCLUSIVE", "FAIL")


class Evidence(Record):
    """What the gates may read."""

    metrics: Mapping[str, Estimate]  # the candidate's, on its whole holdout, and what suites and clock measured
    missing: Mapping[str, str] = {}  # metric -> why there is no value
    has_champion: bool = False
    no_comparison: str = ""  # why the champion cannot be compared with at all
    difference: Callable[[str], Interval] | None = None  # candidate better by, on shared rows
    champion: Callable[[str], float] | None = None  # the champion's value on shared rows
    champion_metrics: Mapping[str, Estimate] = {}  # the champion's on shared rows, for expressions
    tests: tuple[TestResult, ...] = ()  # of the suites that ran
    cost: float | None = None  # of the training, in the unit of cost_per_hour
    grade: Grade | None = None  # of the snapshot
    rows: Mapping[str, int] = {}  # trained, holdout, shared


def judge(gates: tuple[Gate, ...], evidence: Evidence) -> tuple[GateResult, ...]:
    """One result for each condition, in the order of the declaration.

    >>> gate = Gate(metric="mae", max=3.0)
    >>> judge((gate,), Evidence(metrics={"mae": Estimate(value=2.0, low=1.5, high=2.5, n=90)}))[0].verdict
    'PASS'
    >>> judge((gate,), Evidence(metrics={}))[0].passed
    False
    """
    return tuple(_finished(gate, result) for gate in gates for result in _results(gate, evidence))


def names(gates: tuple[Gate, ...]) -> list[str]:
    """The names that the results of these gates carry: two sets of gates with equal names ask the same.

    >>> names((Gate(metric="mae", max=3.0), Gate(metric="mae", versus="champion", better_by="2%")))
    ['mae <= 3.0', 'mae better than champion by 2%']
    >>> names((Gate(suite="privacy", name="no leaks"),))
    ['no leaks: suite privacy']
    """
    return [result.name for result in judge(gates, Evidence(metrics={}))]


def passed(results: tuple[GateResult, ...], tests: tuple[TestResult, ...] = ()) -> bool:
    """Every gate, and no hard test failed."""
    return all(result.passed for result in results) and not failed(tests)


def failed(tests: tuple[TestResult, ...]) -> tuple[TestResult, ...]:
    """Hard tests that say no: with one of them a release goes nowhere, whatever its gates say."""
    return tuple(test for test in tests if test.hard and test.verdict == "FAIL")


def reads(gates: tuple[Gate, ...]) -> frozenset[str]:
    """Metrics and measures that the gates need.

    >>> sorted(reads((Gate(metric="mae", max=3.0), Gate(expression="metrics.ece.value < 0.1"))))
    ['ece', 'mae']
    """
    named = {gate.metric for gate in gates if gate.metric is not None}
    return frozenset(named).union(*(expression.reads(gate.expression) for gate in gates if gate.expression is not None))


def suites(gates: tuple[Gate, ...]) -> frozenset[str]:
    """Suites that the gates need whole."""
    named = {str(gate.suite) for gate in gates if gate.suite is not None}
    return frozenset(named).union(*(expression.suites(g.expression) for g in gates if g.expression is not None))


def dimension(gate: Gate) -> Dimension:
    """The light to which a gate belongs: as declared, else by what it reads.

    >>> dimension(Gate(metric="latency_p99_ms", max=20)), dimension(Gate(suite="privacy"))
    ('latency', 'privacy')
    """
    if gate.dimension is not None:
        return gate.dimension
    if gate.suite is not None:
        return dimension_of_suite(gate.suite)
    if gate.metric is not None:
        return dimension_of(gate.metric)
    found = {dimension_of(name) for name in expression.reads(gate.expression or "")}
    return next(iter(found)) if len(found) == 1 else "quality"


def _finished(gate: Gate, result: GateResult) -> GateResult:
    """With the owner's name in front of the condition, which stays: a changed condition is a changed name."""
    name = result.name if gate.name is None else f"{gate.name}: {result.name}"
    if gate.inconclusive == "shadow" and gate.versus is not None:
        name += ", or by shadow"
    return replace(result, name=name, dimension=dimension(gate))


def _results(gate: Gate, evidence: Evidence) -> Iterator[GateResult]:
    if gate.suite is not None:
        yield _suite(gate.suite, evidence)
    if gate.expression is not None:
        yield _expression(gate.expression, evidence)
    if gate.metric is None:
        return
    if gate.min is not None:
        yield _bound(gate.metric, ">=", gate.min, evidence)
    if gate.max is not None:
        yield _bound(gate.metric, "<=", gate.max, evidence)
    if gate.versus is not None:
        yield _versus(gate, gate.metric, evidence)


def _suite(suite: Suite, evidence: Evidence) -> GateResult:
    """Every hard test of the suite passes; a suite of which none ran is missing evidence."""
    name, metric = f"suite {suite}", f"suite:{suite}"
    ran = [test for test in evidence.tests if test.suite == suite and test.hard]
    if not ran:
        return _fail(name, metric, f"missing evidence: no hard test of the suite {suite} ran")
    verdict = _suite_verdict(ran)
    bad = [test for test in ran if test.verdict != "PASS"]
    reason = "; ".join(f"{test.name}: {test.reason}" for test in bad) or f"{len(ran)} hard tests passed"
    return GateResult(
        name=name,
        metric=metric,
        passed=verdict == "PASS",
        verdict=verdict,
        reason=reason,
        value=float(len(ran) - len(bad)),
        limit=float(len(ran)),
    )


def _suite_verdict(tests: list[TestResult]) -> Literal["PASS", "FAIL", "INCONCLUSIVE"]:
    found = {test.verdict for test in tests}
    return "FAIL" if "FAIL" in found else "INCONCLUSIVE" if "INCONCLUSIVE" in found else "PASS"


def _expression(text: str, evidence: Evidence) -> GateResult:
    """True passes; what it read stands in the reason."""
    read = sorted(expression.reads(text))
    told = expression.judged(text, variables(evidence))
    shown = [_shown(name, evidence) for name in read]
    return GateResult(
        name=text,
        metric=", ".join(read),
        passed=told.passed,
        verdict="PASS" if told.passed else "FAIL",
        reason="; ".join([told.reason, *shown]),
    )


def _shown(name: str, evidence: Evidence) -> str:
    """A value with its interval, and the champion's beside it."""
    found, theirs = evidence.metrics.get(name), evidence.champion_metrics.get(name)
    if found is None:
        return f"{name}: {evidence.missing.get(name, 'not measured')}"
    words = f"{name} {found.value:.4g} ({found.low:.4g} to {found.high:.4g})"
    return words if theirs is None else f"{words}, champion {theirs.value:.4g} ({theirs.low:.4g} to {theirs.high:.4g})"


def variables(evidence: Evidence) -> dict[str, Any]:
    """What an expression sees; what is not known is not there.

    >>> variables(Evidence(metrics={}, rows={"holdout": 90}))["rows"]
    {'holdout': 90}
    """
    tests: dict[str, str] = {}
    for test in evidence.tests:
        tests[test.name] = max(tests.get(test.name, "PASS"), test.verdict, key=_WORST.index)
    ran = {test.suite for test in evidence.tests if test.hard}
    latency = {
        name.removeprefix("latency_"): found.value
        for name, found in evidence.metrics.items()
        if name.startswith("latency_")
    }
    seen: dict[str, Any] = {
        "metrics": {name: _plain(found) for name, found in evidence.metrics.items()},
        "champion": {name: _plain(found) for name, found in evidence.champion_metrics.items()},
        "tests": tests,
        "suites": {s: _suite_verdict([t for t in evidence.tests if t.suite == s and t.hard]) for s in sorted(ran)},
        "rows": dict(evidence.rows),
    }
    seen |= {"latency": latency} if latency else {}
    seen |= {"cost": evidence.cost} if evidence.cost is not None else {}
    return seen | ({"grade": evidence.grade} if evidence.grade is not None else {})


def _plain(found: Estimate) -> dict[str, float | int]:
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


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
