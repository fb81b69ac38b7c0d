"""The JSON Schema for editors: itself valid, complete, and of one mind with the parser."""

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from flyball.contracts.declaration.descriptions import DESCRIPTIONS
from flyball.contracts.declaration.json_schema import service_schema
from flyball.contracts.declaration.service_file import declaration, parse
from flyball.core.service import Service

SMALL: dict[str, Any] = {
    "apiVersion": "flyball/v1",
    "kind": "Service",
    "metadata": {"name": "s", "owner": "o"},
    "data": {"contract": "c.yaml", "source": "t.parquet", "label": "y"},
    "experiment": {"task": "binary", "metric": "roc_auc"},
}


def accepts(document: Any) -> bool:
    return bool(Draft202012Validator(service_schema()).is_valid(document))


def test_it_is_a_valid_schema_and_says_its_dialect() -> None:
    Draft202012Validator.check_schema(service_schema())
    assert service_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_key_has_a_description_and_no_description_lacks_its_key() -> None:
    for name, definition in service_schema()["$defs"].items():
        assert definition["description"]
        properties = definition.get("properties", {})
        assert {key for key, value in properties.items() if value["description"]} == set(DESCRIPTIONS[name])
    assert set(DESCRIPTIONS) == set(service_schema()["$defs"])


@pytest.mark.parametrize("duration", [60, 0.5, "10m", "24h", "7d", "1.5h", "250ms"])
def test_durations_are_numbers_or_text(duration: Any) -> None:
    assert accepts(SMALL | {"retrain": {"cooldown_s": duration}})


@pytest.mark.parametrize("duration", ["soon", "10", "m", -1, None, []])
def test_other_durations_are_refused(duration: Any) -> None:
    assert not accepts(SMALL | {"retrain": {"cooldown_s": duration}})


def test_unknown_keys_are_refused_at_every_depth() -> None:
    assert not accepts(SMALL | {"monitors": {}})
    assert not accepts(SMALL | {"monitor": {"psi": {"wran": 0.1}}})


def test_a_step_has_exactly_one_kind() -> None:
    assert accepts(SMALL | {"rollout": {"steps": [{"promote": {}}]}})
    assert not accepts(SMALL | {"rollout": {"steps": [{"promote": {}, "shadow": {}}]}})
    assert not accepts(SMALL | {"rollout": {"steps": [{"promote": None}]}})


def test_a_declaration_written_out_with_all_defaults_is_itself_valid_but_for_empty_steps() -> None:
    text = msgspec.json.encode(SMALL).decode()
    service = parse(text)  # JSON is YAML
    written: Any = YAML(typ="safe").load(msgspec.json.encode(declaration(service)).decode())
    assert accepts(written)
    assert msgspec.convert(written, Service) == service
