"""The section `slo`: objectives that can be measured, each fault with its place, and defaults that change nothing."""

import json
from typing import Any

import pytest

from flyball.contracts.declaration.service_file import declaration, parse
from flyball.core.declared.objectives import DAYS_28_S, Slo
from flyball.core.errors import BadInput
from flyball.core.promised import objectives_of

SMALL = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: small, owner: somebody}
data: {contract: contract.yaml, source: data.csv, label: label}
experiment: {task: binary, metric: roc_auc}
"""


def faults(*objectives: dict[str, Any], **slo: Any) -> dict[str, str]:
    """Path -> what was expected."""
    with pytest.raises(BadInput) as caught:
        parse(SMALL + "slo: " + json.dumps(slo | {"objectives": list(objectives)}), file="service.yaml")
    return {fault.path: fault.expected for fault in caught.value.faults}


def test_a_service_without_the_section_has_objectives_and_no_policy() -> None:
    service = parse(SMALL)
    assert service.slo is None
    assert [(each.name, each.window_s) for each in objectives_of(service)] == [
        *(("availability", DAYS_28_S), ("latency", DAYS_28_S)),
    ]
    assert parse(SMALL + "slo: {}\n").slo == Slo()
    assert declaration(service)["slo"] is None


def test_an_objective_of_the_section_takes_the_place_of_the_contracts_by_name_or_kind() -> None:
    text = (
        SMALL
        + """slo:
  window_s: 7d
  objectives:
    - {name: up, sli: availability, target: 0.95, window_s: 1d}
    - {name: latency, sli: query, target: 0.9, good: a_total, total: b_total}
"""
    )
    found = [(each.name, each.sli, each.target, each.window_s) for each in objectives_of(parse(text))]
    assert found == [("up", "availability", 0.95, 86_400.0), ("latency", "query", 0.9, 7 * 86_400.0)]


def test_each_fault_is_named_with_its_place() -> None:
    found = faults(
        {"name": "b", "sli": "availability", "target": 0.9, "limit_ms": 5},
        {"name": "b", "sli": "latency", "target": 0.9, "window_s": "10m"},
        {"name": "q", "sli": "query", "target": 0.9, "good": "x", "bad": "y"},
        {"name": "s", "sli": "inputs", "target": 0.9, "method": "Timeslices"},
        {"name": "f", "sli": "freshness", "target": 0.9},
        {"name": "l", "sli": "quality", "target": 0.9},
        window_s="5m",
    )
    assert found == {
        "slo.objectives[0].limit_ms": "no limit_ms with sli availability",
        "slo.objectives[1].name": "each name once",
        "slo.objectives[1].window_s": "at least an hour",
        "slo.objectives[2].total": "PromQL of a counter of all events",
        "slo.objectives[2].good": "a counter of good events, or (`bad`) of bad ones",
        "slo.objectives[3].slice_s": "the length of a slice, for Timeslices",
        "slo.objectives[3].slice_target": "the share of good events of a good slice",
        "slo.objectives[4].max_age_s": "the age of a row that is just fresh enough",
        "slo.objectives[4].sli": "data.timestamp, which says when a row is of",
        "slo.objectives[5].sli": "monitor.live_metric, which says what is good",
        "slo.window_s": "at least an hour",
    }


def test_runbooks_are_published_in_one_place_which_is_not_here() -> None:
    found = faults({"name": "a", "sli": "availability", "target": 0.9}, runbooks_url="https://wiki.example")
    assert found == {"slo.runbooks_url": "nothing: there is one key for it"}


def test_a_target_that_is_none_and_a_kind_that_nobody_measures_are_told_together() -> None:
    found = faults(
        {"name": "a", "sli": "availability", "target": 1.0}, {"name": "w", "sli": "uptime", "target": 0.9}, frieze=True
    )
    assert found == {
        "slo.objectives[0].target": "a number, above 0, below 1",
        "slo.objectives[1].sli": "one of availability, freshness, inputs, latency, quality, query",
        "slo.frieze": "one of window_s, freeze, min_events, low_traffic_errors, objectives, files, runbooks_url, "
        "dashboard_url",
    }
