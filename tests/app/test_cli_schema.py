"""`flyball schema`: one document for editors."""

import json

import pytest
from jsonschema import Draft202012Validator

from flyball.app.cli.door import encode
from flyball.app.cli.main import run
from flyball.contracts.declaration.json_schema import service_schema


@pytest.mark.parametrize("tokens", [["schema"], ["schema", "--json"]])
def test_it_prints_the_schema_that_editors_load(tokens: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tokens) == 0
    document = json.loads(capfd.readouterr().out)
    assert document == json.loads(encode(service_schema()))
    Draft202012Validator.check_schema(document)
