"""The table of steps: what a change reaches, and what it leaves as it was."""

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from flyball.core.contract import Column, DataContract
from flyball.core.ids import Digest
from flyball.core.ports import TrainingJob
from flyball.core.release import Snapshot
from flyball.core.service import Data, Experiment, Gate, Limits, Metadata, ModelTests, Objectives, Service, Space, Split
from flyball.core.service import Search as SearchDeclared
from flyball.pipeline import steps

CHILD = [step.name for step in steps.TABLE if step.place == "training"]
Change = Callable[[TrainingJob, Service], tuple[TrainingJob, Service]]


def service() -> Service:
    return Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name="fraud", owner="risk"),
        data=Data(contract="contract.yaml", source="train.parquet", label="y"),
        experiment=Experiment(task="binary", metric="roc_auc", config={"depth": 3}),
    )


def job(of: Service, *, root: str = "sha256:aa") -> TrainingJob:
    return TrainingJob(
        service_folder="here",
        home="home",
        declaration=msgspec.to_builtins(of),
        snapshot=Snapshot(root=Digest(root), files=(), rows=10, source="source"),
        snapshot_folder="there",
        output_folder="out",
        contract=DataContract(id="c", version="1.0.0", table="t", columns=(Column(name="y", kind="boolean"),)),
        code="sha256:cc",
    )


def keys(of: Service, one: TrainingJob, environment: str = "sha256:ee") -> dict[str, str]:
    return steps.keys(steps.parts(one, of, environment=environment))


def experiment(**changed: object) -> Change:
    return lambda one, of: (one, replace(of, experiment=replace(of.experiment, **changed)))


def of_job(**changed: object) -> Change:
    return lambda one, of: (replace(one, **changed), of)


def test_a_step_stands_behind_all_that_it_needs() -> None:
    for at, step in enumerate(steps.TABLE):
        assert set(step.after) <= set(steps.NAMES[:at])
    assert len(set(steps.NAMES)) == len(steps.NAMES)
    named = "validate, split, features, train, evaluate, explain, baseline, package, sign, gate, register"
    assert set(named.split(", ")) | steps.OPTIONAL == set(steps.NAMES)


@pytest.mark.parametrize(
    ("change", "first_reached"),
    [
        (experiment(seed="8"), ["search", "train", "evaluate", "baseline", "refit", "package"]),
        (experiment(config={"depth": 4}), ["search", "train", "evaluate", "baseline", "refit", "package"]),
        (experiment(config={"depth": 3.0}), ["search", "train", "evaluate", "baseline", "refit", "package"]),
        (experiment(tests=ModelTests(slices=("region",))), ["evaluate", "baseline", "refit", "package"]),
        (experiment(search=SearchDeclared(space={"depth": Space(low=1, high=3)})),
         ["search", "train", "evaluate", "baseline", "refit", "package"]),
        (experiment(refit=True), ["refit", "package"]),
        (experiment(executor="ray"), []),
        (experiment(timeout_s=5.0, limits=Limits(memory_mb=100.0, cost=1.0)), []),
        (experiment(limits=Limits(cost_per_hour=2.0)), ["evaluate", "baseline", "refit", "package"]),
        (experiment(threshold=0.4), ["evaluate", "baseline", "refit", "package"]),
        (experiment(warm_start=True), ["search", "train", "evaluate", "baseline", "refit", "package"]),
        (of_job(parent="sha256:22"), ["search", "train", "evaluate", "baseline", "refit", "package"]),
        (lambda one, of: (one, replace(of, gates=(Gate(metric="roc_auc", min=0.9),))),
         ["evaluate", "baseline", "refit", "package"]),
        (of_job(champion="sha256:11"), ["evaluate", "baseline", "refit", "package"]),
        (of_job(code="sha256:dd"), ["features", "search", "train", "evaluate", "baseline", "refit", "package"]),
        (of_job(reason="drift", run="run-1", run_folder="x", output_folder="y", home="z"), []),
    ],
)  # fmt: skip
def test_a_change_reaches_the_steps_that_read_it_and_those_behind_them(
    change: Change, first_reached: list[str]
) -> None:
    of = service()
    one = job(of)
    other, changed = change(one, of)
    before, after = keys(of, one), keys(changed, other)
    assert [name for name in CHILD if before[name] != after[name]] == first_reached


def test_other_rows_or_another_environment_reach_what_they_must() -> None:
    of = service()
    before = keys(of, job(of))
    assert not set(before.values()) & set(keys(of, job(of, root="sha256:bb")).values())
    moved = keys(of, job(of), environment="sha256:ff")
    assert [name for name in CHILD if before[name] == moved[name]] == ["validate", "split"]


# what a field may be instead, and where nothing may follow from it, why
EXPERIMENT: dict[str, object] = {
    "task": "multiclass", "metric": "log_loss", "module": "other.py", "threshold": 0.4, "seed": "8",
    "config": {"depth": 4}, "split": Split(holdout=0.3), "suites": "full", "refit": True, "warm_start": True,
    "export": "pickle", "limits": Limits(cost_per_hour=2.0), "search": SearchDeclared(space={}),
    "tests": ModelTests(slices=("region",)),
    "include": "the files it names are in the digest of the code",
    "timeout_s": "a limit: it decides whether a result comes, not which",
    "executor": "where a training runs is not what it gives",
}  # fmt: skip
DATA: dict[str, object] = {
    "label": "z", "timestamp": "at", "key": "card",
    "contract": "a path; the contract and the digest of its file are in keys",
    "source": "a path; its rows are the snapshot",
    "label_window_s": "no step reads it: labels mature in the monitor, and the experiment's name has it",
    "pin": "where the source's rows came from; the snapshot's grade is what a gate reads",
}  # fmt: skip
OBJECTIVES: dict[str, object] = {
    "availability": 0.9, "latency_p99_ms": 5.0, "latency_p50_ms": 2.0, "throughput_rps": 10.0,
}  # fmt: skip
SNAPSHOT: dict[str, object] = {
    "root": Digest("sha256:bb"), "as_of": "2026-01-01T00:00:00Z", "first_row": 3, "grade": "C",
    "files": "the root names them", "rows": "the root names the files that hold them",
    "source": "how the rows came to be; the rows are in the root",
    "last_row": "a position for people and for signals; no step reads it",
    "origin": "the raw files that the rows were read from; no step reads them",
    "backfills": "which repairs the rows came by, for lineage; the rows are in the root",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "fields", "changed"),
    [
        (Experiment, EXPERIMENT, lambda of, one, new: (replace(of, experiment=replace(of.experiment, **new)), one)),
        (Data, DATA, lambda of, one, new: (replace(of, data=replace(of.data, **new)), one)),
        (Objectives, OBJECTIVES, lambda of, one, new: (
            replace(of, serving=replace(of.serving, objectives=replace(of.serving.objectives, **new))), one)),
        (Snapshot, SNAPSHOT, lambda of, one, new: (of, replace(one, snapshot=replace(one.snapshot, **new)))),
    ],
)  # fmt: skip
def test_every_field_is_in_the_key_of_a_step_or_has_a_reason_not_to_be(
    kind: type[msgspec.Struct],
    fields: dict[str, object],
    changed: Callable[[Service, TrainingJob, dict[str, object]], tuple[Service, TrainingJob]],
) -> None:
    assert set(fields) == set(kind.__struct_fields__)
    of = service()
    before = keys(of, job(of))
    for name, other in fields.items():
        if isinstance(other, str) and " " in other:
            continue  # a reason
        after = keys(*changed(of, job(of), {name: other}))
        assert after != before, name


def test_another_threshold_searches_anew_as_trials_are_scored_by_it() -> None:
    of = replace(service(), experiment=replace(service().experiment, search=SearchDeclared(space={})))
    before = keys(of, job(of))
    after = keys(replace(of, experiment=replace(of.experiment, threshold=0.4)), job(of))
    assert before["features"] == after["features"]
    assert before["search"] != after["search"]


def test_the_files_that_suites_read_as_they_are_reach_the_judgement() -> None:
    of = service()

    def found(**files: str) -> dict[str, str]:
        return steps.keys(steps.parts(job(of), of, environment="sha256:ee", files=files))

    before = found(contract="sha256:11", golden="sha256:22")
    for files in ({"contract": "sha256:33", "golden": "sha256:22"}, {"contract": "sha256:11", "golden": "sha256:33"}):
        after = found(**files)
        assert [name for name in CHILD if before[name] != after[name]] == ["evaluate", "baseline", "refit", "package"]


def test_a_key_that_came_later_changes_no_output_of_who_does_not_use_it() -> None:
    assert "off_policy" not in steps.parts(job(service()), service(), environment="e")["judging"]["tests"]


def test_a_new_version_of_a_step_gives_it_and_all_behind_it_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    of = service()
    before = keys(of, job(of))
    newer = tuple(replace(step, version=step.version + (step.name == "split")) for step in steps.TABLE)
    monkeypatch.setattr(steps, "TABLE", newer)
    after = keys(of, job(of))
    assert [name for name in CHILD if before[name] == after[name]] == ["validate", "features"]


def test_search_and_refit_are_gone_through_only_where_they_are_asked_for() -> None:
    plain, both = service(), experiment(refit=True, search=SearchDeclared(space={}))(job(service()), service())[1]
    assert set(steps.asked(both)) - set(steps.asked(plain)) == {"search", "refit"}
