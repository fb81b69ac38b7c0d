"""Gates over suites and CEL, their dimensions, and the lights made of them: nothing unknown passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core import expression
from flyball.core.release import Estimate, GateResult, TestResult
from flyball.core.service import Dimension, Gate, Suite
from flyball.pipeline.gates import Evidence, dimension, judge, names, passed, reads, suites
from flyball.pipeline.lights import DIMENSIONS, lights, lines

AUC = Estimate(value=0.85, low=0.80, high=0.90, n=1000)
SMALL = Estimate(value=0.04, low=0.01, high=0.07, n=1000)
DPD = "fairness.demographic_parity_difference.sex"


def made(verdict: str, *, suite: Suite = "data", name: str = "t", hard: bool = True) -> TestResult:
    dimension: Dimension = "data" if suite == "data" else "quality"
    return TestResult(suite=suite, name=name, dimension=dimension, verdict=verdict, reason="why", hard=hard)  # type: ignore[arg-type]


def one(gate: Gate, evidence: Evidence) -> GateResult:
    (result,) = judge((gate,), evidence)
    return result


EVIDENCE = Evidence(
    metrics={"roc_auc": AUC, DPD: SMALL, "latency_p99_ms": Estimate(value=9.0, low=8.0, high=11.0, n=128)},
    champion_metrics={"roc_auc": Estimate(value=0.82, low=0.78, high=0.86, n=1000)},
    tests=(made("PASS"), made("FAIL", name="soft one", hard=False)),
    cost=2.5,
    grade="A",
    rows={"holdout": 1000},
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("metrics.roc_auc.low > 0.75", True),
        ("metrics.roc_auc.value > champion.roc_auc.value && rows.holdout >= 500", True),
        (f'metrics["{DPD}"].high < 0.1', True),
        ('suites.data == "PASS" && tests["t"] == "PASS"', True),
        ('cost < 3.0 && latency.p99_ms < 20.0 && grade == "A"', True),
        ("metrics.all(name, metrics[name].n > 100)", True),
        ("metrics.roc_auc.value > 0.9", False),
        ('tests["soft one"] == "PASS"', False),
    ],
)
def test_an_expression_passes_where_it_is_true_of_the_evidence(text: str, holds: bool) -> None:
    result = one(Gate(expression=text), EVIDENCE)
    assert (result.passed, result.verdict) == (holds, "PASS" if holds else "FAIL")


@pytest.mark.parametrize("text", ["metrics.mae.value < 3.0", "champion.mae.value < 3.0", 'suites.privacy == "PASS"'])
def test_a_missing_key_is_missing_evidence(text: str) -> None:
    result = one(Gate(expression=text), EVIDENCE)
    assert (result.passed, "missing evidence" in result.reason) == (False, True)


@pytest.mark.parametrize("text", ["cost < 3.0", 'grade == "A"', "latency.p99_ms < 20.0"])
def test_a_variable_that_nobody_gave_is_missing_evidence(text: str) -> None:
    result = one(Gate(expression=text), Evidence(metrics={}))
    assert (result.passed, "missing evidence" in result.reason) == (False, True)


@pytest.mark.parametrize("text", ["metrics.roc_auc.value", '"true"', "1", "null", "[true]"])
def test_anything_but_true_fails(text: str) -> None:
    assert not one(Gate(expression=text), EVIDENCE).passed


def test_the_reason_of_an_expression_carries_both_values_and_their_intervals() -> None:
    reason = one(Gate(expression="metrics.roc_auc.value > champion.roc_auc.value"), EVIDENCE).reason
    assert "roc_auc 0.85 (0.8 to 0.9), champion 0.82 (0.78 to 0.86)" in reason


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("metrics.roc_auc.value >", "Syntax error"),
        ("metrix.roc_auc.value > 1.0", "there is no variable metrix"),
        ("abs(metrics.mae.value) < 1.0", "there is no function abs"),
        ("true" + " || true" * 200, "characters"),
        ("metrics.all(a, metrics.all(b, metrics.all(c, true)))", "macros"),
        ("", "Syntax error"),
        ("true", "it reads no evidence"),
        ("1 < 2", "it reads no evidence"),
    ],
)
def test_a_bad_expression_is_told_where_it_is_declared_and_never_passes(text: str, part: str) -> None:
    assert part in (expression.fault(text) or "")
    assert not one(Gate(expression=text), EVIDENCE).passed


def test_what_an_expression_names_is_asked_for() -> None:
    """A latency is a measure of the clock, and a test's verdict needs the suite that makes it."""
    declared = (
        Gate(expression="latency.p99_ms < 20.0"),
        Gate(expression='latency["p50_ms"] < 20.0 && tests["deterministic"] == "PASS"'),
        Gate(expression='tests["slice country=EU"] == "PASS"'),
    )
    assert reads(declared) == {"latency_p99_ms", "latency_p50_ms"}
    assert suites(declared) == {"training", "model"}


@given(st.text(max_size=60))
def test_no_text_at_all_passes_by_accident_or_raises(text: str) -> None:
    told = expression.judged(text, {})
    assert told.reason
    assert not told.passed or text.strip() != ""


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        ((), "FAIL"),
        ((made("FAIL", hard=False),), "FAIL"),  # no hard test ran
        ((made("PASS"), made("FAIL", hard=False)), "PASS"),
        ((made("PASS"), made("INCONCLUSIVE")), "INCONCLUSIVE"),
        ((made("INCONCLUSIVE"), made("FAIL")), "FAIL"),
        ((made("PASS", suite="model"),), "FAIL"),
    ],
)
def test_a_suite_passes_when_every_hard_test_of_it_does(tests: tuple[TestResult, ...], verdict: str) -> None:
    result = one(Gate(suite="data"), Evidence(metrics={}, tests=tests))
    assert (result.verdict, result.passed) == (verdict, verdict == "PASS")


def test_a_failed_hard_test_stops_a_release_whose_gates_all_pass() -> None:
    assert passed((), (made("PASS"), made("FAIL", hard=False)))
    assert not passed((), (made("FAIL"),))


def test_the_light_follows_from_what_a_gate_reads_unless_it_is_declared() -> None:
    found = {
        "fairness": Gate(metric=DPD, max=0.1),
        "latency": Gate(metric="latency_p99_ms", max=20),
        "cost": Gate(metric="model_size_mb", max=20),
        "robustness": Gate(metric="robustness.missing", max=0.1),
        "data": Gate(expression='metrics["leakage.strongest_input"].value < 0.9'),
        "privacy": Gate(suite="privacy"),
        "quality": Gate(expression=f'metrics["{DPD}"].value < metrics.roc_auc.value'),
        "training": Gate(metric="roc_auc", min=0.5, dimension="training"),
    }
    assert {name: dimension(gate) for name, gate in found.items()} == {name: name for name in found}


def test_a_named_gate_keeps_its_condition_in_its_name_so_that_a_change_is_seen() -> None:
    gates = [Gate(metric="roc_auc", min=limit, name="good enough") for limit in (0.8, 0.9)]
    assert names((gates[0],)) == ["good enough: roc_auc >= 0.8"]
    assert names((gates[0],)) != names((gates[1],))
    compared = Gate(metric="roc_auc", versus="champion", not_worse_by=0.1)
    shadowed = Gate(metric="roc_auc", versus="champion", not_worse_by=0.1, inconclusive="shadow")
    assert names((compared,)) != names((shadowed,))


def test_names_do_not_depend_on_the_evidence() -> None:
    gates = (Gate(suite="data"), Gate(expression="metrics.roc_auc.value > 0.5"), Gate(metric="roc_auc", min=0.5))
    assert names(gates) == [result.name for result in judge(gates, EVIDENCE)]
    assert reads(gates) == {"roc_auc"}


def test_lights_show_the_worst_of_each_dimension_and_grey_where_nobody_asked() -> None:
    gates = judge((Gate(metric="roc_auc", min=0.5), Gate(metric=DPD, max=0.01)), EVIDENCE)
    found = lights(gates, (made("PASS"), made("FAIL", name="shift", hard=False)))
    colours = {name: light.colour for name, light in found.items()}
    assert set(found) == set(DIMENSIONS)
    assert (colours["quality"], colours["fairness"], colours["data"], colours["cost"]) == (
        "green",
        "red",
        "amber",
        "grey",
    )
    assert "cost: grey, not provided" in lines(found)
