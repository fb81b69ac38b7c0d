"""The ML-BOM of a release: what it is made of, as CycloneDX 1.7 JSON with a model card in it.

The library of the standard has no class for model cards, so the document is built here and held against the published
schema by the tests. Nothing in it depends on the clock or the dice: one release, one document.

Source: CycloneDX 1.7, `bom-1.7.schema.json` (modelCard, componentData, performanceMetric).
"""

import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from flyball.core.model import Packaged
from flyball.core.record import Record
from flyball.core.release import Attributions, Release, TestResult
from flyball.core.service import Service
from flyball.pipeline.evidence.card import NOT_PROVIDED, TASKS

NAMESPACE = uuid.UUID("6f6c7a1e-3f0e-5f0b-9a5e-2c9b7f1f8a11")  # of the serial numbers, which follow from the root


class Library(Record):
    """One installed distribution."""

    name: str
    version: str
    record: str | None = None  # SHA-256 of its RECORD file, hex


def bill_of_materials(
    service: Service,
    release: Release,
    facts: Packaged,
    *,
    model_sha256: str,
    libraries: Sequence[Library] = (),
    attributions: Attributions | None = None,
    plots: Mapping[str, str] = {},
) -> dict[str, Any]:
    """The document as plain values.

    Args:
        model_sha256: of the model file, hex.
        libraries: what was installed where it was trained.
        plots: file name -> SVG text.
    """
    model = {
        "bom-ref": "model",
        "type": "machine-learning-model",
        "name": service.metadata.name,
        "version": release.root,
        "description": service.metadata.description or NOT_PROVIDED,
        "hashes": [{"alg": "SHA-256", "content": model_sha256}],
        "modelCard": _card(service, release, facts, attributions, plots),
        "properties": _properties(
            {
                "flyball:release": release.root,
                "flyball:experiment": release.experiment,
                "flyball:code": facts.code,
                "flyball:model-file": facts.model,
                "flyball:threshold": str(facts.threshold),
                "flyball:passed": str(release.passed).lower(),
                "flyball:rubber-stamped": str(release.rubber_stamped).lower(),
            }
        ),
    }
    used = [_library(library) for library in libraries]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, release.root)}",
        "version": 1,
        "components": [model, _data(service, release), *used],
        "dependencies": [{"ref": "model", "dependsOn": ["data", *(component["bom-ref"] for component in used)]}],
    }


def _data(service: Service, release: Release) -> dict[str, Any]:
    contents = _properties({"flyball:manifest": release.snapshot, "flyball:rows": str(release.trained_rows)})
    about = {"type": "dataset", "name": f"{service.metadata.name} training rows", "contents": {"properties": contents}}
    return {"bom-ref": "data", "type": "data", "name": f"{service.metadata.name}/train", "data": [about]}


def _library(library: Library) -> dict[str, Any]:
    component: dict[str, Any] = {
        "bom-ref": f"library:{library.name}",
        "type": "library",
        "name": library.name,
        "version": library.version,
    }
    if library.record is not None:  # no hash of the artefact itself, so no `hashes`
        component["properties"] = _properties({"flyball:record-sha256": library.record})
    return component


def _card(
    service: Service,
    release: Release,
    facts: Packaged,
    attributions: Attributions | None,
    plots: Mapping[str, str],
) -> dict[str, Any]:
    scores = ["probability"] if release.task != "regression" else ["number"]
    card: dict[str, Any] = {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": TASKS[release.task],
            "datasets": [{"ref": "data"}],
            "inputs": [{"format": f"{column.name}: {column.kind}"} for column in facts.inputs],
            "outputs": [{"format": f"{facts.label}: {kind}"} for kind in scores],
        },
        "quantitativeAnalysis": {"performanceMetrics": _measures(release)},
        "considerations": _considerations(service, release),
    }
    if plots:
        card["quantitativeAnalysis"]["graphics"] = {
            "collection": [_graphic(name, svg) for name, svg in sorted(plots.items())]
        }
    if attributions is not None:
        told = {f"flyball:attribution:{line.feature}": f"{line.mean_abs:.6g}" for line in attributions.features}
        card["properties"] = _properties({"flyball:attributions": attributions.method} | told)
    return card


def _measures(release: Release) -> list[dict[str, Any]]:
    """Metrics of the whole holdout, then those of its slices."""
    whole = [
        {"type": name, "value": repr(found.value), "confidenceInterval": _interval(found.low, found.high)}
        for name, found in sorted(release.metrics.items())
    ]
    return [*whole, *(_slice(test) for test in release.tests if _is_slice(test))]


def _is_slice(test: TestResult) -> bool:
    return test.name.startswith("slice ") and test.value is not None


def _slice(test: TestResult) -> dict[str, Any]:
    measure: dict[str, Any] = {"type": "slice", "value": repr(test.value), "slice": test.name.removeprefix("slice ")}
    if test.low is not None and test.high is not None:
        measure["confidenceInterval"] = _interval(test.low, test.high)
    return measure


def _considerations(service: Service, release: Release) -> dict[str, Any]:
    limits = [f"{test.name}: {test.reason}" for test in release.tests if test.verdict != "PASS"]
    limits += [f"{gate.name}: {gate.reason}" for gate in release.gates if gate.verdict != "PASS"]
    fair = [test for test in release.tests if test.dimension == "fairness"]
    considerations: dict[str, Any] = {
        "useCases": [service.metadata.description or NOT_PROVIDED],
        "technicalLimitations": limits or [NOT_PROVIDED],
    }
    if fair:
        considerations["fairnessAssessments"] = [
            {"groupAtRisk": test.name, "harms": f"{test.verdict}: {test.reason}", "mitigationStrategy": NOT_PROVIDED}
            for test in fair
        ]
    return considerations


def _graphic(name: str, svg: str) -> dict[str, Any]:
    content = b64encode(svg.encode()).decode()
    return {"name": name, "image": {"contentType": "image/svg+xml", "encoding": "base64", "content": content}}


def _interval(low: float, high: float) -> dict[str, str]:
    return {"lowerBound": repr(low), "upperBound": repr(high)}


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
