"""Drafts from a sample: files that are sound by our own checks and by the published standard."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from jsonschema import Draft201909Validator
from msgspec.structs import replace
from open_data_contract_standard.model import OpenDataContractStandard
from ruamel.yaml import YAML

from flyball.contracts.declaration.fit import misfits
from flyball.contracts.declaration.service_file import parse
from flyball.contracts.draft.from_sample import Draft, draft, task_of
from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.tables.check import check
from flyball.core.errors import BadInput
from flyball.core.frames import conform, schema
from flyball.core.service import Autonomy, Budget, Gate, Retrain
from flyball.pipeline import gates
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.dummy import beside_dummy

SCHEMAS = Path(__file__).resolve().parents[3] / "../shared/schemas/odcs"
ROWS = 400


def table(label: list[Any]) -> pl.DataFrame:
    """Every kind of column, with missing values, names that need quotes, and a column that no contract can hold."""
    start = datetime(2026, 1, 1)
    return pl.DataFrame(
        {
            "no": [["no", "se", "on", "12:30"][i % 4] for i in range(ROWS)],
            "amount": [float("nan") if i % 7 == 0 else float(i) for i in range(ROWS)],
            "count": [None if i % 5 == 0 else i - 3 for i in range(ROWS)],
            "flag": [i % 3 == 0 for i in range(ROWS)],
            "name": [f"n{i}" for i in range(ROWS)],
            "day": [date(2026, 1, 1) + timedelta(days=i) for i in range(ROWS)],
            "at": [start + timedelta(minutes=i) for i in range(ROWS)],
            "empty": pl.Series([None] * ROWS, dtype=pl.String),
            "list": [[i] for i in range(ROWS)],
            "y": label,
        }
    )


LABELS: dict[str, list[Any]] = {
    "binary": [int(i % 2) for i in range(ROWS)],
    "multiclass": ["abc"[i % 3] for i in range(ROWS)],
    "regression": [i / 7 for i in range(ROWS)],
}


def drafted(frame: pl.DataFrame, **named: str) -> Draft:
    return draft(frame, name="s", source="/data/t.parquet", label="y", owner="ann", **named)


@pytest.mark.parametrize("task", LABELS)
def test_a_draft_passes_its_own_checks_on_its_own_sample(task: str) -> None:
    frame = table(LABELS[task])
    made = drafted(frame, timestamp="at", key="no")
    service, reading = parse(made.service), parse_contract(made.contract)
    assert service.experiment.task == made.task == task
    assert misfits(service, reading.contract) == ()
    report = check(frame, reading.contract)
    assert report.passed
    assert report.accepted.all()
    assert report.extra == ("list",)


@pytest.mark.parametrize("task", LABELS)
def test_the_drafted_code_learns_from_what_the_contract_lets_through(task: str) -> None:
    frame = table(LABELS[task])
    made = drafted(frame)
    typed = conform(frame, schema(parse_contract(made.contract).contract))
    code: dict[str, Any] = {}
    exec(compile(made.model, "model.py", "exec"), code)
    seen = code["features"](typed.drop("y"))
    model = code["train"](seen, typed["y"], config={"max_iter": 5}, seed=7)
    assert len(model.predict(seen)) == ROWS
    one_by_one = pl.concat([code["features"](typed.drop("y")[i : i + 1]) for i in range(20)])
    assert one_by_one.equals(seen[:20])


def test_key_and_timestamp_are_no_features_of_a_drafted_model() -> None:
    frame = table(LABELS["binary"])
    made = drafted(frame, timestamp="at", key="no")
    code: dict[str, Any] = {}
    exec(compile(made.model, "model.py", "exec"), code)
    seen = code["features"](conform(frame, schema(parse_contract(made.contract).contract)).drop("y"))
    assert {"no", "at", "day"}.isdisjoint(seen.columns)  # a day that only runs on is time as well
    assert {"name", "amount"} <= set(seen.columns)


def test_what_marks_one_person_is_in_no_drafted_contract_and_no_running_number_in_a_drafted_model() -> None:
    frame = table(LABELS["binary"]).with_columns(
        mail=pl.Series([f"p{i}@firm.org" for i in range(ROWS)]), number=pl.Series(range(ROWS))
    )
    made = drafted(frame)
    assert made.left_out == ("mail",)
    assert "mail" not in made.contract + made.model
    assert 'APART: list[str] = ["day", "at", "number"]' in made.model  # `count` has gaps
    with pytest.raises(BadInput, match="No service can be drafted"):
        drafted(frame.select("mail", "y"))


def test_the_drafted_rollout_is_written_out_and_fits_a_service_with_little_traffic() -> None:
    made = drafted(table(LABELS["binary"]))
    service = parse(made.service)
    assert [step.kind for step in service.rollout.steps] == ["shadow", "approval", "canary", "canary", "promote"]
    requests = [step.canary.min_requests / step.canary.weight for step in service.rollout.steps if step.canary]
    assert sum(requests) <= 1500
    assert {"rollout:", "retrain:", "autonomy:"} <= set(made.service.splitlines())
    bounded = replace(Retrain(), budget=Budget(runs_per_week=3))
    assert (service.retrain, service.autonomy) == (bounded, Autonomy())  # else the defaults, where one can see them


@pytest.mark.parametrize("task", LABELS)
def test_drafts_are_valid_by_the_published_schemas(task: str) -> None:
    contract = YAML(typ="safe").load(drafted(table(LABELS[task])).contract)
    newest = json.loads(OpenDataContractStandard.json_schema())  # type: ignore[no-untyped-call]
    assert list(Draft201909Validator(newest).iter_errors(contract)) == []
    published = SCHEMAS / "odcs-json-schema-v3.1.0.json"
    if not published.exists():
        pytest.skip("published schemas are not there (../shared/schemas)")
    assert list(Draft201909Validator(json.loads(published.read_text())).iter_errors(contract)) == []


def test_a_reader_of_yaml_1_1_sees_the_same_values() -> None:
    made = drafted(table(LABELS["binary"]))
    old = YAML(typ="safe", pure=True)
    old.version = "1.1"
    for text in (made.contract, made.service):
        assert old.load(text) == YAML(typ="safe").load(text)


def test_no_upper_bound_and_no_key_is_guessed() -> None:
    for column in parse_contract(drafted(table(LABELS["binary"])).contract).contract.columns:
        assert column.maximum is None
        assert not column.primary_key
        assert not column.unique


@pytest.mark.parametrize(
    ("label", "task"),
    [
        ([True, False], "binary"),
        (["a", "b"], "binary"),
        ([1.0, 2.0], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([1, 2, 3] * 20, "multiclass"),
        ([1, 2, 3], "regression"),
        ([1.0, 2.0, 3.0] * 20, "regression"),
    ],
)
def test_the_label_says_the_task(label: list[Any], task: str) -> None:
    assert task_of(pl.Series(label)) == task


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pl.DataFrame({"x": range(100)}), "--label: expected one of x, found y"),
        (pl.DataFrame({"x": range(10), "y": [0, 1] * 5}), "(rows): expected at least 50, found 10"),
        (pl.DataFrame({"x": range(100), "y": [0, None] * 50}), "y: expected a label in every row, found 50 missing"),
        (pl.DataFrame({"x": range(100), "y": [1] * 100}), "y: expected at least two values, found 1"),
        (pl.DataFrame({"x": range(100), "y": [f"c{i}" for i in range(100)]}), "y: expected at most 50 classes"),
        (pl.DataFrame({"x": range(100), "y": [[0], [1]] * 50}), "y: expected text, numbers or true/false"),
        (pl.DataFrame({"y": [0, 1] * 50}), "(columns): expected a column to learn from, found none"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_learned_is_refused(frame: pl.DataFrame, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        drafted(frame)
    assert told in str(caught.value)


@pytest.mark.parametrize("task", ["binary", pytest.param("multiclass", marks=pytest.mark.slow), "regression"])
def test_the_drafted_gates_refuse_a_model_that_learned_nothing(task: str) -> None:
    """Its value is on the right side of chance as often as not; the bound is above it in one of forty."""
    passed = {"nothing": 0, "something": 0}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth, classes, nothing, something = answers(task, rng)
        document = YAML(typ="safe").load(drafted(table(LABELS[task])).service)
        gate, metric = msgspec.convert(document["gates"][0], Gate), document["experiment"]["metric"]
        for name, scored in (("nothing", nothing), ("something", something)):
            found = beside_dummy((metric,), scored, truth, classes, rng)
            evidence = gates.Evidence(metrics=found.metrics, missing=found.missing)
            passed[name] += gates.judge((gate,), evidence)[0].passed
    assert (passed["nothing"] <= 4, passed["something"]) == (True, 40)


def answers(task: str, rng: np.random.Generator) -> tuple[Any, tuple[Any, ...], Scored, Scored]:
    """(truth, classes, answers by chance, answers that know something) on 400 rows."""
    if task == "regression":
        truth = rng.normal(size=400)
        blind, seeing = (
            Scored(truth=truth, predictions=p, scores=None) for p in (0.02 * rng.normal(size=400), truth / 2)
        )
        return truth, (), blind, seeing
    names = np.array([0, 1] if task == "binary" else ["a", "b", "c"])
    at = rng.integers(0, names.size, 400)
    pair = []
    for know in (0.0, 0.4):
        wide = rng.dirichlet(np.ones(names.size), 400) * (1 - know) + know * np.eye(names.size)[at]
        scores = wide[:, 1] if task == "binary" else wide
        pair.append(Scored(truth=names[at], predictions=names[wide.argmax(axis=1)], scores=scores))
    return names[at], tuple(names.tolist()), pair[0], pair[1]


def test_a_drafted_service_is_probed_and_drilled_and_what_only_the_owner_knows_waits_as_a_comment() -> None:
    made = drafted(table([0, 1] * (ROWS // 2)))
    service = parse(made.service)
    assert service.serving.probes is not None
    assert service.drills == {"fallback": "weekly", "disaster": "quarterly"}
    assert (service.alerts, service.slo) == (None, None)
    lines = made.service.splitlines()
    begins = next(number for number, line in enumerate(lines) if line.startswith("# alerts:"))
    said = "\n".join(line.removeprefix("# ") if n >= begins else line for n, line in enumerate(lines))
    spoken = parse(said)
    assert spoken.alerts is not None
    assert spoken.slo is not None
    assert [each.name for each in spoken.slo.objectives] == ["answered", "fast"]
