"""The bill of materials holds against the published schema, and says nothing that was not measured."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from msgspec.structs import replace
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from tests.pipeline.evidence.release import ATTRIBUTIONS, FACTS, RELEASE, SERVICE

from flyball.pipeline.evidence.bill_of_materials import Library, bill_of_materials
from flyball.pipeline.evidence.card import NOT_PROVIDED

SHA = "d" * 64


@pytest.fixture(scope="module")
def schema(data_folder: Path) -> Draft7Validator:
    """The schema with its neighbours; nothing is fetched."""
    folder = data_folder.parent / "schemas" / "cyclonedx"
    documents = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    registry: Registry[Any] = Registry().with_resources(
        [(document["$id"], Resource.from_contents(document, default_specification=DRAFT7)) for document in documents]
    )
    whole = next(document for document in documents if document["$id"].endswith("bom-1.7.schema.json"))
    return Draft7Validator(whole, registry=registry)


def test_a_full_and_a_bare_document_are_valid(schema: Draft7Validator) -> None:
    full = bill_of_materials(
        SERVICE,
        RELEASE,
        FACTS,
        model_sha256=SHA,
        libraries=[Library(name="polars", version="2.1.0", record="e" * 64), Library(name="numpy", version="2.4")],
        attributions=ATTRIBUTIONS,
        plots={"roc.svg": "<svg/>"},
    )
    bare = bill_of_materials(SERVICE, replace(RELEASE, metrics={}, gates=(), tests=()), FACTS, model_sha256=SHA)
    for document in (full, bare):
        assert [error.message for error in schema.iter_errors(document)] == []


def test_the_schema_would_have_noticed(schema: Draft7Validator) -> None:
    document = bill_of_materials(SERVICE, RELEASE, FACTS, model_sha256=SHA)
    document["components"][0]["modelCard"]["guess"] = 1
    assert list(schema.iter_errors(document))


def test_metrics_slices_intervals_and_fairness_are_in_the_model_card() -> None:
    card = bill_of_materials(SERVICE, RELEASE, FACTS, model_sha256=SHA)["components"][0]["modelCard"]
    measures = card["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "roc_auc", "value": "0.85", "confidenceInterval": {"lowerBound": "0.8", "upperBound": "0.9"}} in (
        measures
    )
    assert [measure["slice"] for measure in measures if "slice" in measure] == ["region=EU"]
    assert card["considerations"]["fairnessAssessments"][0]["groupAtRisk"] == "equalised odds sex"
    assert card["considerations"]["useCases"] == [NOT_PROVIDED]


def test_one_release_has_one_document() -> None:
    one, again = (bill_of_materials(SERVICE, RELEASE, FACTS, model_sha256=SHA) for _ in range(2))
    assert one == again
    other = bill_of_materials(
        SERVICE, replace(RELEASE, root=type(RELEASE.root)("sha256:" + "f" * 64)), FACTS, model_sha256=SHA
    )
    assert other["serialNumber"] != one["serialNumber"]
