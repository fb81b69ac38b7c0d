"""Metric guardrails in service.yaml: every fault at once, each with its place."""

import pytest
from tests.contracts.declaration.test_service_file import WHOLE

from flyball.contracts.declaration.service_file import parse
from flyball.core.declared.guardrails import MetricGuardrail
from flyball.core.errors import BadInput

GUARDED = WHOLE.replace("max_errors: 100}", "max_errors: 100, metrics: METRICS}")
VALUED = GUARDED.replace("monitor: {", "monitor: {value: {right: 1.0, wrong: 0.0, fn: -5.0}, ")


def faults(text: str) -> dict[str, str]:
    with pytest.raises(BadInput) as raised:
        parse(text)
    return {fault.path: f"{fault.expected} / {fault.found}" for fault in raised.value.faults}


def test_the_defaults_are_five_percent_of_a_business_metric_and_a_hundredth_of_a_share() -> None:
    made = parse(GUARDED.replace("METRICS", "[{name: conversion}, {name: accuracy, labels: required}]"))
    conversion, accuracy = made.rollout.guardrails.metrics
    assert (conversion.tolerated, accuracy.tolerated) == ("5%", 0.01)
    assert made.rollout.guardrails.count == 4
    assert accuracy == MetricGuardrail(name="accuracy", labels="required")


def test_a_value_of_weights_needs_no_range() -> None:
    made = parse(VALUED.replace("METRICS", "[{name: value, max_loss: 0.1}]"))
    assert made.monitor.value is not None
    assert made.monitor.value.weights == (-5.0, 1.0)


def test_all_faults_at_once() -> None:
    rails = "[{name: mae}, {name: conversion, range: [0, 1]}, {name: conversion, max_loss: 120%}, {name: value}]"
    found = faults(GUARDED.replace("METRICS", rails))
    at = "rollout.guardrails.metrics"
    assert found == {
        f"{at}[0].name": "a mean over rows of binary: accuracy, conversion, value / mae",
        f"{at}[1].range": "no range: a share lies between 0 and 1 / 0 to 1",
        f"{at}[2].name": "each metric once / conversion again",
        f"{at}[2].max_loss": "a loss above 0 and below 100% / 120%",
        f"{at}[3].name": "monitor.value, which says what an answer is worth / none",
    }


def test_a_share_of_a_mean_that_may_be_nothing_is_no_margin() -> None:
    (found,) = faults(VALUED.replace("METRICS", "[{name: value}]")).values()
    assert found == "a loss in the metric's own unit, because its values go below 0 / 5%"


def test_a_number_of_a_column_needs_bounds() -> None:
    text = GUARDED.replace("monitor: {", "monitor: {value: {column: amount}, ")
    (found,) = faults(text.replace("METRICS", "[{name: value}]")).values()
    assert found == "a range, such as [0, 500] / none"
    assert parse(text.replace("METRICS", "[{name: value, range: [0, 900]}]")).rollout.guardrails.metrics[0].range == (
        0,
        900,
    )


def test_rules_that_place_rows_leave_nothing_to_compare() -> None:
    text = GUARDED.replace("METRICS", "[{name: conversion}]")
    (found,) = faults(text + "routing: {rules: [{column: country, in: [NO], arm: champion}]}\n").values()
    assert found == "no routing rule that places rows by itself / some"
    parse(text + "routing: {rules: [{column: country, in: [NO], arm: split}]}\n")
