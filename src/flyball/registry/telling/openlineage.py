"""Trainings as OpenLineage run events (spec 2-0-2): START, then exactly one of COMPLETE, FAIL and ABORT.

The run is the training, its job `<service>.train`, its input the snapshot, its output the model. A run whose process
was killed never said so: it is aborted when somebody else says it, or when the same experiment begins anew. Each event
carries the inputs that the run had and no others, so that nobody has to guess which belongs to which output.
"""

from collections.abc import Iterator
from typing import Any

from flyball.core.events import ReleaseRegistered, TrainingFailed, TrainingStarted
from flyball.core.ledger import Entry
from flyball.core.release import GateResult, Release, Snapshot, TestResult
from flyball.registry.open_runs import Run, begun, lost
from flyball.registry.telling.known import Known
from flyball.registry.telling.plainly import outside

PRODUCER = "urn:flyball:producer:v1"
_SPEC = "https://openlineage.io/spec"
EXPERIMENT_FACET = "urn:flyball:facets:1-0-0:FlyballExperimentRunFacet.json#/$defs/FlyballExperimentRunFacet"


def events(state: Known, entry: Entry, namespace: str) -> Iterator[dict[str, Any]]:
    """Run events about this entry, in order. `state`: the service before it."""
    if (gone := lost(state.open_runs, entry)) is not None:
        yield _event("ABORT", state, entry, gone, namespace) | {"outputs": []}
    if (run := begun(entry)) is not None:
        yield _event("START", state, entry, run, namespace)
    match entry.fact:
        case TrainingFailed(experiment=experiment, error=error):
            if (run_ := state.open_runs.get(experiment)) is not None:
                event = _event("FAIL", state, entry, run_, namespace)
                event["run"]["facets"]["errorMessage"] = _facet(
                    "1-0-1/ErrorMessageRunFacet", message=outside(error), programmingLanguage="python"
                )
                yield event
        case ReleaseRegistered(release=release):
            if (run_ := state.open_runs.get(release.experiment)) is not None:
                yield _complete(state, entry, run_, release, namespace)
        case _:
            return


def _complete(state: Known, entry: Entry, run: Run, release: Release, namespace: str) -> dict[str, Any]:
    event = _event("COMPLETE", state, entry, run, namespace)
    tests = [*map(_gate, release.gates), *map(_test, release.tests)]
    event["run"]["facets"]["test"] = _facet("1-0-1/TestRunFacet", tests=tests)
    facets = {
        "version": _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=release.root),
        "datasetType": _facet("1-0-1/DatasetTypeDatasetFacet", datasetType="MODEL", subType=release.task.upper()),
    }
    event["outputs"] = [{"namespace": namespace, "name": f"{release.service}.model", "facets": facets}]
    return event


def _event(kind: str, state: Known, entry: Entry, run: Run, namespace: str) -> dict[str, Any]:
    service, fact = run.fact.service, run.fact
    parameters = [{"key": "reason", "value": fact.reason}]
    parameters += [{"key": "ticket", "value": fact.ticket}] if fact.ticket else []
    facets = {
        "flyball_experiment": {
            "_producer": PRODUCER,
            "_schemaURL": EXPERIMENT_FACET,
            "digest": fact.experiment,
            "snapshot": fact.snapshot,
            "code": fact.code,
            "contract": fact.contract,
            "environment": fact.environment,
            "parent": fact.parent,
        },
        "executionParameters": _facet("1-0-0/ExecutionParametersRunFacet", parameters=parameters),
    }
    job_type = _facet("2-0-4/JobTypeJobFacet", processingType="BATCH", integration="FLYBALL", jobType="TRAINING")
    return {
        "eventType": kind,
        "eventTime": entry.at,
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run.id, "facets": facets},
        "job": {"namespace": namespace, "name": f"{service}.train", "facets": {"jobType": job_type}},
        "inputs": [_input(fact, state.snapshots.get(fact.snapshot), namespace)],
        "outputs": [],
    }


def _input(fact: TrainingStarted, snapshot: Snapshot | None, namespace: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "namespace": namespace,
        "name": f"{fact.service}.data",
        "facets": {"version": _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=fact.snapshot)},
    }
    if snapshot is not None:
        statistics = _facet(
            "1-0-0/InputStatisticsInputDatasetFacet",
            rowCount=snapshot.rows,
            size=sum(file.size for file in snapshot.files),
            fileCount=len(snapshot.files),
        )
        found["inputFacets"] = {"inputStatistics": statistics}
    return found


def _gate(gate: GateResult) -> dict[str, Any]:
    """The values are text by schema, and left out where nothing was measured."""
    return _filled(
        name=gate.name,
        status="pass" if gate.passed else "fail",
        severity="error",
        type="gate",
        description=gate.reason,
        expected=_text(gate.limit),
        actual=_text(gate.value),
    )


def _test(test: TestResult) -> dict[str, Any]:
    return _filled(
        name=f"{test.suite}: {test.name}",
        status={"PASS": "pass", "FAIL": "fail", "INCONCLUSIVE": "skip"}[test.verdict],
        severity="error" if test.hard else "warn",
        type=test.suite,
        description=test.reason,
        expected=_text(test.limit),
        actual=_text(test.value),
    )


def _text(value: float | None) -> str | None:
    return None if value is None else repr(value)


def _filled(**values: str | None) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _facet(schema: str, **values: Any) -> dict[str, Any]:
    name = schema.rsplit("/", 1)[-1]
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{schema}.json#/$defs/{name}", **values}
