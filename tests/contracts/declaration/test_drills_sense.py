"""The section `drills`: only what can be drilled, how often by a word of the calendar, all faults at once."""

import pytest

from flyball.app.drills.faults import FAULTS
from flyball.contracts.declaration.service_file import parse
from flyball.core.declared import drills as declared_drills
from flyball.core.errors import BadInput

SMALL = """
apiVersion: flyball/v1
kind: Service
metadata: {name: small, owner: somebody}
data: {contract: contract.yaml, source: data.csv, label: label}
experiment: {task: binary, metric: roc_auc}
"""


def test_a_schedule_is_read_as_it_is_written() -> None:
    found = parse(SMALL + "drills: {fallback: weekly, disaster: quarterly, latency: monthly}", file="service.yaml")
    assert found.drills == {"fallback": "weekly", "disaster": "quarterly", "latency": "monthly"}


def test_what_nobody_can_drill_and_a_period_that_is_none_are_told_with_the_nearest_name() -> None:
    with pytest.raises(BadInput) as refused:
        parse(SMALL + "drills: {fallbck: weekly, disaster: yearly}", file="service.yaml")
    faults = {fault.path: fault for fault in refused.value.faults}
    assert set(faults) == {"drills.fallbck", "drills.disaster"}
    assert "fallback" in faults["drills.fallbck"].fix


def test_a_fallback_that_the_gateway_never_tries_cannot_be_wanted_weekly() -> None:
    with pytest.raises(BadInput, match=r"serving\.exercise\.share is 0"):
        parse(SMALL + "drills: {fallback: weekly}\nserving: {exercise: {share: 0}}", file="service.yaml")


def test_every_fault_that_there_is_can_be_scheduled() -> None:
    assert set(FAULTS) == set(declared_drills.FAULTS)
