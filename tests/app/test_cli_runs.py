"""`flyball runs`: what was recorded about trainings, for people and for programs."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, transactions, write_service

from flyball.app.cli.main import run

IN_PROCESS = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run that failed, one that gave a release, and one of another configuration."""
    folder = tmp_path_factory.mktemp("runs")
    raises = MODEL.replace("    return Hist", "    print('well')\n    raise ValueError('no luck')\n    return Hist")
    # not of another seed: these trees draw no dice, and the same model file is the same release
    made = [(raises, IN_PROCESS), (MODEL, IN_PROCESS), (MODEL, IN_PROCESS.replace("max_depth: 4", "max_depth: 3"))]
    for model, text in made:
        file = write_service(folder / "fraud", model=model, service=text, table=transactions(1500))
        run(["train", str(file), "--home", str(folder / "home")])
    return folder / "home"


def asked(capfd: pytest.CaptureFixture[str], home: Path, *words: str) -> Any:
    capfd.readouterr()
    assert run(["runs", *words, "--home", str(home), "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_list_has_the_newest_first_with_what_they_used(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = asked(capfd, home, "list")["runs"]
    assert [one["outcome"] for one in found] == ["trained", "trained", "failed"]
    assert all(one["peak_rss_mb"] > 0 and one["rows"] == 1500 and one["executor"] == "in_process" for one in found)
    assert "no luck" in found[2]["error"]
    assert asked(capfd, home, "list", "other")["runs"] == []


def test_show_has_the_steps_and_what_was_printed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    newest, _, failed = asked(capfd, home, "list")["runs"]
    shown = asked(capfd, home, "show", newest["run"][-12:])
    assert shown["run"] == newest["run"]
    hows = {step["name"]: step["how"] for step in shown["steps"]}
    assert (hows["features"], hows["train"], hows["register"], hows["explain"]) == ("found", "done", "done", "left out")
    assert asked(capfd, home, "show", failed["run"])["log"].startswith("well\nTraceback")
    assert run(["runs", "show", newest["run"], "--home", str(home)]) == 0
    assert "processor seconds" in capfd.readouterr().out


def test_compare_says_whether_inputs_and_release_are_the_same(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    one, two, _ = (each["run"] for each in asked(capfd, home, "list")["runs"])
    both = asked(capfd, home, "compare", one, two)
    assert (both["same_experiment"], both["same_release"]) == (False, False)
    same = asked(capfd, home, "compare", one, one)
    assert (same["same_experiment"], same["same_release"]) == (True, True)
    assert run(["runs", "compare", one, two, "--home", str(home)]) == 0
    assert "features" in capfd.readouterr().out


@pytest.mark.parametrize("words", [["show", "run-nowhere"], ["compare", "run-a", "run-b"]])
def test_a_run_that_is_not_there_is_named(home: Path, capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run(["runs", *words, "--home", str(home)]) == 2
    assert "no run has the id" in capfd.readouterr().err


def test_without_a_ledger_there_are_no_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["runs", "list", "--home", str(tmp_path)]) == 2
    assert "no ledger" in capfd.readouterr().err


def test_a_failed_training_is_seen_in_the_status_until_the_next_one_works(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raises = MODEL.replace("    return Hist", "    raise ValueError('no luck')\n    return Hist")
    for model, signals in ((raises, ["training"]), (MODEL, [])):
        file = write_service(tmp_path / "fraud", model=model, service=IN_PROCESS, table=transactions(1500))
        run(["train", str(file), "--home", str(tmp_path / "home")])
        capfd.readouterr()
        run(["status", "--home", str(tmp_path / "home"), "--json"])
        assert json.loads(capfd.readouterr().out)["services"][0]["signals"] == signals


def test_a_run_is_found_by_both_its_names(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    newest = asked(capfd, home, "list")["runs"][0]["run"]
    uuid = str(UUID(newest.removeprefix("run-")))
    assert asked(capfd, home, "show", uuid)["run"] == newest
    for name in (newest, uuid):
        assert run(["lineage", name, "--home", str(home), "--json"]) == 0
        assert json.loads(capfd.readouterr().out)["subject"]["name"] == uuid
