"""A scenario file is read whole, and all that is wrong with it is told at once, each with its place."""

import pytest

from flyball.app.rehearse.faults import POINTS, FaultAt
from flyball.app.rehearse.scenario import Candidate, Drift, Scenario, parse
from flyball.core.errors import BadInput, Fault

WHOLE = """
service: loans
days: 2
traffic_rps: 5
label_delay_s: 10m
candidates: [{at: 6h, error_ratio: 10, slow_ratio: 2, metric_change: -0.1}]
drift: [{at: 1d, feature: amount, shift: 1.5}]
faults: [{at: 3600, point: clock, kind: back}]
"""


def test_everything_that_a_file_may_say() -> None:
    assert parse(WHOLE) == Scenario(
        service="loans",
        days=2,
        traffic_rps=5,
        label_delay_s=600,
        candidates=(Candidate(at=21_600, error_ratio=10, slow_ratio=2, metric_change=-0.1),),
        drift=(Drift(at=86_400, feature="amount", shift=1.5),),
        faults=(FaultAt(at=3600, point="clock", kind="back"),),
    )


def test_what_is_not_said_is_a_week_at_one_request_a_second() -> None:
    assert parse("candidates: []") == Scenario(service="service.yaml", days=7, traffic_rps=1)


def test_all_faults_of_a_file_are_told_at_once_with_their_lines() -> None:
    text = """servce: x
days: 2
traffic_rps: 0
candidates:
  - {at: soon}
  - {at: 3d}
faults:
  - {at: 1h, point: clok, kind: back}
  - {at: 1h, point: clock, kind: bak}
"""
    with pytest.raises(BadInput) as refused:
        parse(text, file="s.yaml")
    told = [(fault.where, fault.path) for fault in refused.value.faults]
    assert told == [
        ("s.yaml:1", "servce"),
        ("s.yaml:3", "traffic_rps"),
        ("s.yaml:5", "candidates[0].at"),
        ("s.yaml:6", "candidates[1].at"),
        ("s.yaml:8", "faults[0].point"),
        ("s.yaml:9", "faults[1].kind"),
    ]


def test_a_number_in_the_place_of_a_list_is_a_fault_as_any_other() -> None:
    with pytest.raises(BadInput) as refused:
        parse("faults: 3\ndrift: {at: 1h}\ndays: -1", file="s.yaml")
    assert [fault.path for fault in refused.value.faults] == ["faults", "drift", "days"]


def test_a_feature_that_the_service_does_not_have_is_a_fault_beside_the_others() -> None:
    text = "days: 0\ndrift:\n  - {at: 0, feature: amonut, shift: 1}"
    with pytest.raises(BadInput) as refused:
        parse(text, features=lambda _: ("amount", "age"))
    assert [fault.path for fault in refused.value.faults] == ["days", "drift[0].feature"]
    assert "amount" in refused.value.faults[1].fix


def test_what_is_wrong_with_the_service_is_told_as_well() -> None:
    def broken(service: str) -> tuple[str, ...]:
        fault = Fault(where=service, path="rollout", expected="steps", found="nothing")
        raise BadInput("no", (fault,))

    with pytest.raises(BadInput) as refused:
        parse("service: loans\ndays: -1", features=broken)
    assert {fault.path for fault in refused.value.faults} == {"days", "rollout"}


@pytest.mark.parametrize("point", POINTS)
def test_every_kind_of_every_point_may_be_declared(point: str) -> None:
    for kind in POINTS[point]:
        declared = parse(f"faults: [{{at: 1h, point: {point}, kind: {kind}}}]").faults
        assert declared == (FaultAt(at=3600, point=point, kind=kind),)
