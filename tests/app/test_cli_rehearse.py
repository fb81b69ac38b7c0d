"""The verb: a document, its exit codes, and every fault of a scenario at once."""

import json
from pathlib import Path

import pytest
from tests.examples.streams import EXAMPLES

from flyball.app.cli.main import run

SHORT = "service: {service}\ndays: 0.1\ncandidates:\n  - {{at: 10m, error_ratio: 10}}\n"


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "scenario.yaml"
    file.write_text(SHORT.format(service=EXAMPLES / "car_price"))
    return file


def test_seeds_give_one_document_and_the_same_digest_again(scenario: Path, capfd: pytest.CaptureFixture[str]) -> None:
    documents = []
    for _ in range(2):
        assert run(["rehearse", str(scenario), "--seeds", "1..2", "--json"]) == 0
        documents.append(json.loads(capfd.readouterr().out))
    assert documents[0] == documents[1]
    assert (documents[0]["seeds"], documents[0]["days"], documents[0]["violations"]) == (2, 0.2, [])


def test_a_broken_promise_is_told_with_its_seed_and_ends_with_1(
    scenario: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "flyball.control.reconcile.checking.broken_rules", lambda *_, **__: ("a rule that holds for nobody",)
    )
    assert run(["rehearse", str(scenario.parent), "--seed", "4", "--json"]) == 1
    violations = json.loads(capfd.readouterr().out)["violations"]
    assert violations[0]["seed"] == 4
    assert violations[0]["invariant"] == "controller"
    assert run(["rehearse", str(scenario), "--seed", "4"]) == 1
    assert "seed 4, at 0 s: controller" in capfd.readouterr().out


def test_one_seed_tells_its_story_and_what_nobody_could_say(scenario: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scenario.write_text(scenario.read_text() + "words:\n  - {at: 20m, say: freeze}\n  - {at: 30m, say: confirm}\n")
    assert run(["rehearse", str(scenario), "--seed", "4"]) == 0
    *story, figures, unsaid, promise, _ = capfd.readouterr().out.splitlines()
    assert [line.split(" s: ")[0] for line in story] == sorted(line.split(" s: ")[0] for line in story)
    for part in ("opened (manual)", "was rolled back to", "closed as rolled_back", "froze"):
        assert sum(part in line for line in story) == 1, part
    assert "1 rollback," in figures
    assert figures.endswith("1 word said")
    assert unsaid == "seed 4: nobody could say confirm at 1800 s: no exception waits"
    assert promise == "no promise was broken"


def test_a_word_of_somebody_whom_nobody_knows_is_a_fault(scenario: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scenario.write_text(scenario.read_text() + "words:\n  - {at: 20m, say: freeze, by: bob}\n")
    assert run(["rehearse", str(scenario), "--json"]) == 2
    (fault,) = json.loads(capfd.readouterr().out)["error"]["faults"]
    assert (fault["path"], fault["found"]) == ("words[0].by", "bob")


def test_all_faults_of_a_file_are_told_with_their_places(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        f"service: {EXAMPLES / 'car_price'}\ndays: 1\ndrift: [{{at: 0, feature: colour, shift: 1}}]\n"
        "faults:\n  - {at: 1h, point: nowhere, kind: crash}\nspeed: 3\n"
    )
    assert run(["rehearse", str(file), "--json"]) == 2
    faults = json.loads(capfd.readouterr().out)["error"]["faults"]
    assert [(each["where"], each["path"]) for each in faults] == [
        ("scenario.yaml:3", "drift[0].feature"),
        ("scenario.yaml:5", "faults[0].point"),
        ("scenario.yaml:6", "speed"),
    ]


@pytest.mark.parametrize(
    "options", [["--seeds", "3"], ["--seeds", "3..1"], ["--seed", "1", "--seeds", "1..2"], ["--seed", "-1"]]
)
def test_options_that_mean_nothing_are_refused(scenario: Path, options: list[str]) -> None:
    assert run(["rehearse", str(scenario), *options]) == 2


def test_a_scenario_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    assert run(["rehearse", str(tmp_path / "none.yaml")]) == 2
