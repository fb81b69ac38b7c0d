"""One answer of a real service, walked to the very bytes that its model learned from, and back."""

import hashlib
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML
from tests.app.receiver import Receiver, receiving
from tests.app.test_up import predict, services, up
from tests.registry.published import check_cloudevent, check_openlineage

from flyball.app import tables
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.training.pipeline import pipeline_of
from flyball.pipeline.split import ROW

__all__ = ["services"]  # a fixture of the other file


def lineage(subject: str, home: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert run(["lineage", subject, "--home", str(home), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def of_kind(walk: Any, kind: str) -> list[Any]:
    return [node for node in walk["nodes"] if node["kind"] == kind]


def with_events(file: Path, *events: dict[str, str]) -> None:
    yaml = YAML()
    document = yaml.load(file.read_text())
    document["events"] = list(events)
    with file.open("w") as out:
        yaml.dump(document, out)


def test_an_answer_leads_to_its_training_bytes_and_they_lead_back_while_receivers_are_told(
    services: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, file = tmp_path / "home", services[0]
    with receiving(Receiver(answers=(503, 200))) as jobs, receiving(Receiver()) as events:
        with_events(file, {"format": "openlineage", "to": jobs.url}, {"format": "cdevents", "to": events.url})
        trained = train(file, home)
        with up([file], home) as running:
            answers = [predict(running["url"], "shop", x) for x in (0.1, 2.0, 3.0)]
            while not (home / "run" / "relay.pid").exists():  # `up` answers before its relay is there
                Event().wait(0.05)
            with closing(open_ledger(Home(home), told=False)) as ledger:
                while ledger.waiting():  # the first attempt failed: the relay of `up` goes on
                    Event().wait(0.05)
    answer = answers[1]
    found = lineage(answer["id"], home, capsys)

    assert found["subject"]["facts"]["outcome"] == "answered"
    assert found["subject"]["facts"]["prediction"] == str(answer["prediction"])
    ends = {edge["relation"]: edge["target"] for edge in found["origins"]["edges"][:2]}
    assert ends == dict.fromkeys(("answered_by", "assigned_to"), f"release/{trained['release']}")
    (release,), (run_,) = of_kind(found["origins"], "release"), of_kind(found["origins"], "run")
    assert release["name"] == answer["release"] == trained["release"]
    assert of_kind(found["origins"], "experiment")[0]["name"] == trained["experiment"]
    document = json.loads((home / "releases" / trained["release"][7:] / "experiment.json").read_bytes())
    assert of_kind(found["origins"], "code")[0]["name"] == document["code"]["digest"]
    assert of_kind(found["origins"], "environment")[0]["name"] == document["env"]["digest"]
    (contract,) = [each["digest"] for each in document["data"] if each["role"] == "contract"]
    assert of_kind(found["origins"], "contract")[0]["name"] == contract

    (snapshot,) = of_kind(found["origins"], "snapshot")
    (held,) = [
        e["target"] for e in found["origins"]["edges"] if (e["source"], e["relation"]) == (snapshot["id"], "holds")
    ]
    (data,) = [node for node in of_kind(found["origins"], "file") if node["id"] == held]
    assert snapshot["name"] == trained["snapshot"]
    assert (snapshot["facts"]["first_row"], snapshot["facts"]["last_row"]) == (1, 3000)
    bytes_ = (home / "snapshots" / snapshot["name"][7:] / data["facts"]["path"]).read_bytes()
    assert data["name"] == f"sha256:{hashlib.sha256(bytes_).hexdigest()}"
    assert data["facts"]["bytes"] == len(bytes_)

    for start in (data["name"][:20], snapshot["name"], document["code"]["digest"]):
        back = lineage(start, home, capsys)
        assert [node["name"] for node in of_kind(back["results"], "release")] == [trained["release"]]
        assert sum(line["predictions"] for line in back["predictions"]) == len(answers)
        assert back["predictions"][0]["release"] == trained["release"]

    assert [got.document["eventType"] for got in jobs.got[-2:]] == ["START", "COMPLETE"]
    assert jobs.got[-1].document["run"]["runId"] == run_["name"]
    for got in jobs.got:
        check_openlineage(got.document)
    for got in events.got:
        check_cloudevent(got.document)
    told = [got.document["type"].split(".")[2:4] for got in events.got]
    assert told[0] == ["pipelinerun", "started"]
    assert ["artifact", "signed"] in told
    assert told[-1] == ["service", "deployed"]

    captured = freeze_captured(file, home, rows=range(3001, 3003))  # the first two of the three answers
    for place, held_by in enumerate(([captured], [captured], [])):
        after = lineage(answers[place]["id"], home, capsys)
        assert [node["name"] for node in of_kind(after["results"], "snapshot")] == held_by

    assert run(["lineage", answer["id"][:30], "--home", str(home)]) == 0
    text = capsys.readouterr().out
    assert data["name"] in text
    assert "answered by release" in text
    assert run(["events", "list", "--home", str(home), "--json"]) == 0
    assert {queue["waiting"] for queue in json.loads(capsys.readouterr().out)["queues"]} == {0}


@pytest.mark.slow
def test_a_raw_source_and_its_files_are_subjects_by_their_plain_hash(
    services: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    trained = train(services[0], home)
    found = lineage(trained["release"], home, capsys)
    (origin,) = of_kind(found["origins"], "origin")
    (held,) = [edge["target"] for edge in found["origins"]["edges"] if edge["source"] == origin["id"]]
    (raw,) = [node for node in of_kind(found["origins"], "file") if node["id"] == held]
    assert origin["facts"]["files"] == 1
    source = load(services[0]).source
    assert raw["name"] == f"sha256:{hashlib.sha256(source.read_bytes()).hexdigest()}"
    for start in (raw["name"], origin["name"]):
        back = lineage(start, home, capsys)
        assert [node["name"] for node in of_kind(back["results"], "release")] == [trained["release"]]


def freeze_captured(file: Path, home: Path, rows: range) -> str:
    """What a retraining does with rows of the prediction log whose labels have come."""
    declared = load(file)
    table = tables.read(declared.source).head(len(rows)).with_columns(pl.Series(ROW, rows))
    with pipeline_of(Home(home)) as pipeline:
        return pipeline.snapshot_frame(declared, table, as_of="2026-11-26T00:00:00Z").root


def train(file: Path, home: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "flyball.app.cli", "train", str(file), "--home", str(home), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_unknown_name_is_bad_input_and_says_what_to_give(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lineage", "fraud.0123456789abcdef", "--home", str(tmp_path)]) == 2
    assert "no ledger" in capsys.readouterr().err
