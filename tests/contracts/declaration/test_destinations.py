"""The section `events`: destinations that can be told apart and reached, and no secret in the file."""

import json

import pytest

from flyball.contracts.declaration.service_file import parse
from flyball.core.errors import BadInput

SMALL = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: small, owner: somebody}
data: {contract: contract.yaml, source: data.csv, label: label}
experiment: {task: binary, metric: roc_auc}
events:
"""


def faults(*events: dict[str, str]) -> dict[str, str]:
    """Path -> what was expected."""
    lines = "".join(f"  - {json.dumps(event)}\n" for event in events)
    with pytest.raises(BadInput) as caught:
        parse(SMALL + lines, file="service.yaml")
    return {fault.path: fault.expected for fault in caught.value.faults}


def test_a_service_may_tell_several_and_names_fall_back_to_the_format() -> None:
    text = SMALL + '  - {format: cdevents, to: "https://x.example/in"}\n  - {format: cdevents, to: "file:a", name: b}\n'
    assert [each.called for each in parse(text, file="service.yaml").events] == ["cdevents", "b"]


def test_each_fault_of_a_destination_is_named_with_its_place() -> None:
    found = faults(
        {"format": "cdevents", "to": "https://x.example/"},
        {"format": "cdevents", "to": "ftp://x.example/"},
        {"format": "openlineage", "to": "https://ann:pw@x.example/"},
        {"format": "mlflow", "to": "file:mlruns", "token": "T"},
        {"format": "openlineage", "to": "file:x", "name": "f", "secret": "S"},
    )
    assert set(found) == {
        "events[1].name",
        "events[1].to",
        "events[2].to",
        "events[3].to",
        "events[3].token",
        "events[4].secret",
    }
    assert found["events[2].to"] == "an address without a password"


def test_a_secret_is_the_name_of_a_variable_and_nothing_else() -> None:
    assert "events[0].secret" in faults(
        {"format": "cdevents", "to": "https://x.example/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw="}
    )
