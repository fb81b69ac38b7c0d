"""Slices and worth name what the contract has, and each fault says where and what was expected."""

import pytest
from msgspec.structs import replace

from flyball.contracts.declaration.judging_fit import judging_misfits
from flyball.contracts.declaration.service_file import parse
from flyball.core.contract import Column, DataContract
from flyball.core.service import BusinessValue, Slice

SERVICE = parse(
    """\
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: o}
data: {contract: contract.yaml, source: t.parquet, label: y, key: card}
experiment: {task: binary, metric: roc_auc}
monitor:
  slices: [region, {name: rich, when: "row.amount > 900.0"}]
  value: {column: amount, tp: 2.0, fn: -5.0}
  cost: {per_second: 0.01}
"""
)
CONTRACT = DataContract(
    id="c",
    version="1",
    table="t",
    columns=(
        Column(name="region", kind="string"),
        Column(name="amount", kind="number"),
        Column(name="card", kind="string", classification="pii"),
        Column(name="y", kind="integer"),
    ),
)


def test_what_the_contract_has_is_no_fault() -> None:
    assert judging_misfits(SERVICE, CONTRACT, "service.yaml") == []


@pytest.mark.parametrize(
    ("slices", "path", "words"),
    [
        (("regoin",), "monitor.slices[0]", "an input column"),
        (("y",), "monitor.slices[0]", "an input column"),
        (("card",), "monitor.slices[0]", "personal"),
        (("region", "region"), "monitor.slices[1]", "each slice once"),
        ((Slice(name="rich", when="row.amount >"),), "monitor.slices[0].when", "a CEL condition"),
    ],
)
def test_a_slice_that_cannot_be_cut_is_a_fault(slices: tuple[str | Slice, ...], path: str, words: str) -> None:
    service = replace(SERVICE, monitor=replace(SERVICE.monitor, slices=slices))
    (fault,) = judging_misfits(service, CONTRACT, "service.yaml")
    assert fault.path == path
    assert words in fault.expected


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (BusinessValue(column="region"), ["monitor.value.column"]),
        (BusinessValue(on="region"), ["monitor.value.on"]),
        (BusinessValue(source="v.csv"), ["monitor.value.column", "monitor.value.on"]),
        (BusinessValue(source="v.csv", column="worth", on="card"), ["monitor.value.on"]),
        (BusinessValue(source="v.csv", column="worth", on="region"), []),
        (BusinessValue(tp=1.0), []),
    ],
)
def test_a_worth_that_cannot_be_read_is_a_fault(value: BusinessValue, paths: list[str]) -> None:
    service = replace(SERVICE, monitor=replace(SERVICE.monitor, value=value))
    assert [fault.path for fault in judging_misfits(service, CONTRACT, "service.yaml")] == paths
