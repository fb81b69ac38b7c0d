import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate, GateResult
from flyball.core.service import Gate
from flyball.pipeline.gates import Evidence, judge, names, passed
from flyball.stats.scoring.intervals import Interval

AUC = Estimate(value=0.85, low=0.80, high=0.90, n=1000)


def one(gate: Gate, evidence: Evidence) -> GateResult:
    (result,) = judge((gate,), evidence)
    return result


def against(low: float, high: float, *, champion: float = 0.8, metrics: dict[str, Estimate] | None = None) -> Evidence:
    found = Interval(value=(low + high) / 2, low=low, high=high, n=1000, method="normal")
    return Evidence(metrics=metrics or {}, has_champion=True, difference=lambda _: found, champion=lambda _: champion)


def test_a_floor_is_held_against_the_value_and_the_interval_is_shown() -> None:
    result = one(Gate(metric="roc_auc", min=0.82), Evidence(metrics={"roc_auc": AUC}))
    assert (result.verdict, result.passed, result.limit, result.low) == ("PASS", True, 0.82, 0.80)
    assert one(Gate(metric="roc_auc", min=0.86), Evidence(metrics={"roc_auc": AUC})).verdict == "FAIL"


def test_a_ceiling_turns_the_other_way() -> None:
    p99 = Estimate(value=12.0, low=9.0, high=30.0, n=128)
    assert one(Gate(metric="latency_p99_ms", max=20), Evidence(metrics={"latency_p99_ms": p99})).passed
    assert not one(Gate(metric="latency_p99_ms", max=10), Evidence(metrics={"latency_p99_ms": p99})).passed


@pytest.mark.parametrize(
    "gate",
    [
        Gate(metric="roc_auc", min=0.1),
        Gate(metric="roc_auc", max=0.99),
    ],
)
def test_missing_evidence_fails_and_says_why(gate: Gate) -> None:
    result = one(gate, Evidence(metrics={}, missing={"roc_auc": "one class only"}))
    assert (result.verdict, result.passed) == ("FAIL", False)
    assert "one class only" in result.reason


def test_without_a_champion_a_comparison_passes_and_says_so() -> None:
    result = one(Gate(metric="roc_auc", versus="champion", not_worse_by=0.02), Evidence(metrics={}))
    assert (result.passed, result.reason) == (True, "no champion")


@given(st.floats(-0.5, 0.5), st.floats(0.0, 0.5), st.floats(0.0, 0.3), st.booleans())
def test_a_comparison_passes_only_where_the_whole_interval_clears_the_limit(
    low: float, width: float, margin: float, better: bool
) -> None:
    gate = (
        Gate(metric="roc_auc", versus="champion", better_by=margin)
        if better
        else Gate(metric="roc_auc", versus="champion", not_worse_by=margin)
    )
    limit = margin if better else -margin
    result = one(gate, against(low, low + width))
    expected = "PASS" if low > limit else "FAIL" if low + width < limit else "INCONCLUSIVE"
    assert result.verdict == expected
    assert result.passed is (expected == "PASS")


def test_an_undecided_comparison_says_how_many_rows_would_tell() -> None:
    result = one(Gate(metric="roc_auc", versus="champion", not_worse_by=0.005), against(-0.01, 0.01))
    assert result.verdict == "INCONCLUSIVE"
    assert result.rows_needed == 4000
    assert "4000 rows" in result.reason


def test_undecided_goes_on_only_where_the_gate_leaves_it_to_the_shadow() -> None:
    undecided = against(-0.01, 0.01)
    strict = Gate(metric="roc_auc", versus="champion", not_worse_by=0.005)
    lenient = Gate(metric="roc_auc", versus="champion", not_worse_by=0.005, inconclusive="shadow")
    assert not one(strict, undecided).passed
    assert one(lenient, undecided).passed
    assert not one(lenient, against(-0.2, -0.1)).passed


def test_a_percentage_is_of_the_champions_value() -> None:
    gate = Gate(metric="mae", versus="champion", better_by="2%")
    assert one(gate, against(1.1, 1.5, champion=50.0)).verdict == "PASS"
    assert one(gate, against(0.5, 0.9, champion=50.0)).verdict == "FAIL"


def test_a_champion_that_cannot_be_compared_with_is_no_reason_to_pass() -> None:
    gate = Gate(metric="roc_auc", versus="champion", not_worse_by=0.02, inconclusive="shadow")
    result = one(gate, Evidence(metrics={}, has_champion=True, no_comparison="it was fitted on every row"))
    assert (result.verdict, result.passed) == ("INCONCLUSIVE", False)
    assert "fitted on every row" in result.reason


def test_a_comparison_that_has_no_value_does_not_pass() -> None:
    def none(_: str) -> Interval:
        raise NotEnoughData("one class only")

    evidence = Evidence(metrics={}, has_champion=True, difference=none, champion=lambda _: 0.8)
    result = one(Gate(metric="roc_auc", versus="champion"), evidence)
    assert not result.passed
    assert "one class only" in result.reason


def test_all_gates_have_to_pass_and_their_names_are_stable() -> None:
    gates = (Gate(metric="roc_auc", min=0.8), Gate(metric="roc_auc", versus="champion", not_worse_by="2%"))
    results = judge(gates, Evidence(metrics={"roc_auc": AUC}))
    assert passed(results)
    assert [result.name for result in results] == names(gates)
    assert names(gates) == ["roc_auc >= 0.8", "roc_auc not worse than champion by 2%"]
    assert not passed(judge((*gates, Gate(metric="f1", min=0.0)), Evidence(metrics={"roc_auc": AUC})))
