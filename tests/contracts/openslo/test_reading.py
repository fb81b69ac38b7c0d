"""Files of OpenSLO v1: what is read, every fault at once with its place, and what is refused by name."""

import pytest

from flyball.contracts.openslo.reading import parse
from flyball.core.errors import BadInput

WHOLE = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: churn-quality, displayName: Quality of decisions, labels: {team: [risk, growth]}}
spec:
  service: churn
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    metadata: {name: good-decisions}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'model_decisions_total{model="churn",verdict="ok"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'model_decisions_total{model="churn"}'}}}
  objectives: [{displayName: q, target: 0.97}]
"""


def faults(text: str, *, service: str | None = "churn") -> dict[str, str]:
    """Path -> what was expected."""
    with pytest.raises(BadInput) as caught:
        parse(text, file="slo.yaml", service=service)
    return {fault.path: fault.expected for fault in caught.value.faults}


def test_a_strangers_objective_is_read_and_it_is_said_that_we_cannot_count_it() -> None:
    read = parse(WHOLE, file="slo.yaml", service="churn")
    (objective,) = read.objectives
    assert (objective.name, objective.sli, objective.target, objective.window_s) == ("quality", "query", 0.97, 2419200)
    assert objective.total == 'model_decisions_total{model="churn"}'
    assert "UNKNOWN" in read.notes[0]


def test_our_own_metrics_are_recognised_without_an_annotation() -> None:
    text = WHOLE.replace(
        'model_decisions_total{model="churn",verdict="ok"}', 'flyball_latency_seconds_bucket{service="churn",le="0.25"}'
    )
    text = text.replace('model_decisions_total{model="churn"}', 'flyball_latency_seconds_count{service="churn"}')
    read = parse(text, file="slo.yaml", service="churn")
    assert [(each.sli, each.limit_ms, each.good) for each in read.objectives] == [("latency", 250.0, "")]
    assert read.notes == ()


def test_an_annotation_says_which_of_ours_it_is_and_that_its_queries_are_not_used() -> None:
    text = WHOLE.replace(
        "displayName: Quality of decisions", "annotations: {flyball.sli: quality, flyball.urgency: ticket}"
    )
    read = parse(text, file="slo.yaml", service="churn")
    assert [(each.sli, each.urgency, each.good) for each in read.objectives] == [("quality", "ticket", "")]
    assert "its queries are not used" in read.notes[0]


def test_an_indicator_of_the_same_file_is_followed_and_several_thresholds_are_several_objectives() -> None:
    indicator, rest = WHOLE.split("  indicator:\n")[1].split("  objectives:")
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: good-decisions}\nspec:\n"
    sli += "\n".join(line[4:] for line in indicator.splitlines()[2:]) + "\n"
    slo = WHOLE.split("  indicator:\n")[0] + "  indicatorRef: good-decisions\n"
    slo += "  objectives: [{target: 0.97}, {targetPercent: 99.5}]\n"
    read = parse(f"{slo}---\n{sli}", file="slo.yaml", service="churn")
    assert [(each.name, each.target) for each in read.objectives] == [("quality-0", 0.97), ("quality-1", 0.995)]
    assert rest
    assert faults(slo) == {"spec.indicatorRef": "an SLI of the same file"}


def test_slices_are_read_with_their_length_and_target() -> None:
    text = WHOLE.replace("Occurrences", "Timeslices").replace(
        "target: 0.97", "target: 0.97, timeSliceTarget: 0.9, timeSliceWindow: 5m"
    )
    (objective,) = parse(text, file="slo.yaml", service="churn").objectives
    assert (objective.method, objective.slice_s, objective.slice_target) == ("Timeslices", 300.0, 0.9)
    assert faults(WHOLE.replace("Occurrences", "Timeslices")) == {
        "spec.objectives[0].timeSliceWindow": "the length of a slice, for Timeslices"
    }


def test_objectives_of_other_services_are_left_out_and_a_file_without_ours_is_a_fault() -> None:
    read = parse(WHOLE + "---\n" + WHOLE.replace("churn", "fraud"), file="slo.yaml", service="churn")
    assert len(read.objectives) == 1
    assert "fraud-quality is of service fraud: left out" in read.notes
    assert faults(WHOLE, service="fraud") == {"(whole file)": "an SLO of service fraud"}
    assert len(parse(WHOLE, file="slo.yaml").objectives) == 1


def test_every_fault_of_every_document_is_told_at_once_with_its_line() -> None:
    wrong = (
        WHOLE.replace("28d, isRolling: true", "1M").replace("counter: true", "counter: false").replace("0.97", "97.0")
    )
    other = WHOLE.replace("openslo/v1", "openslo/v2alpha").replace("service: churn", "servise: churn")
    with pytest.raises(BadInput) as caught:
        parse(
            f"{wrong}---\n{other}---\nkind: AlertPolicy\napiVersion: openslo/v1\n---\na: [1\n",
            file="slo.yaml",
            service="churn",
        )
    told = {(fault.where, fault.path): (fault.expected, fault.fix) for fault in caught.value.faults}
    assert ("slo.yaml:15", "spec.objectives[0].target") in told
    assert told["slo.yaml:17", "apiVersion"][0] == "openslo/v1"
    assert told["slo.yaml:21", "spec.servise"][1] == "did you mean service?"
    assert "flyball slo rules" in next(fix for (_, path), (_, fix) in told.items() if path == "kind")
    assert any(expected == "valid YAML" for expected, _ in told.values())


@pytest.mark.parametrize("kind", ["DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service"])
def test_kinds_that_are_not_read_are_refused_by_name(kind: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(f"apiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{}}\n", file="slo.yaml")
    (fault,) = caught.value.faults
    assert (fault.path, fault.expected) == ("kind", "SLO or SLI")
    assert f"kind {kind} is not read" in fault.fix


TITLE = "displayName: Quality of decisions"
TOTAL = "type: Prometheus, spec: {query: 'model_decisions_total{model=\"churn\"}'}"
OSLO = "calendar: {startTime: 2020-01-21 12:30:00, timeZone: Europe/Oslo}"
INDICATOR, WINDOW, FIRST = "spec.indicator.spec", "spec.timeWindow", "spec.objectives[0]"


@pytest.mark.parametrize(
    ("before", "after", "path", "expected"),
    [
        ("timeWindow: [{duration: 28d, isRolling: true}]", "timeWindow: []", WINDOW, "exactly one time window"),
        ("isRolling: true", OSLO, f"{WINDOW}[0]", "a rolling window"),
        ("28d, isR", "1Q, isR", f"{WINDOW}[0].duration", "minutes, hours, days or weeks of a rolling window"),
        ("28d, isR", "30m, isR", WINDOW, "at least an hour"),
        ("target: 0.97", "target: 0.97, targetPercent: 97", f"{FIRST}.target", "target or targetPercent"),
        ("target: 0.97", "target: 0", f"{FIRST}.target", "above 0"),
        ("target: 0.97", "op: lte, value: 3, target: 0.9", f"{FIRST}.op", "no op with a ratioMetric"),
        ("ratioMetric", "thresholdMetric", f"{INDICATOR}.thresholdMetric.metricSource", "a mapping with metricSource"),
        (TOTAL, "type: Datadog, spec: {query: x}", f"{INDICATOR}.ratioMetric.total.metricSource.type", "Prometheus"),
        ("        total:", "        bad:", f"{INDICATOR}.ratioMetric.good", "good or bad"),
        ("Occurrences", "Sometimes", "spec.budgetingMethod", "one of Occurrences, RatioTimeslices, Timeslices"),
        (TITLE, "annotations: {flyball.slo: quality}", "metadata.annotations.flyball.slo", "one of flyball.name"),
        (TITLE, "annotations: {flyball.limit-ms: soon}", "metadata.annotations.flyball.limit-ms", "a number above 0"),
        (TITLE, "annotations: {flyball.sli: freshness}", FIRST, "the age of a row that is just fresh enough"),
    ],
)
def test_each_fault_has_its_place(before: str, after: str, path: str, expected: str) -> None:
    assert before in WHOLE
    found = faults(WHOLE.replace(before, after))
    assert path in found
    assert found[path].startswith(expected)
