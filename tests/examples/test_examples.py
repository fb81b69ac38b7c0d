"""Each example is a service that a stranger could check, and its stream tells the story that its README promises.

In a normal run the streams with a change at a known row are cut short around it; `slow` runs them whole.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from tests.examples.streams import EXAMPLES, STREAMS, files, part, replayed

from flyball.app.cli.main import run
from flyball.app.declared import load

# stream row, counted from 0, of the first row of the new state
CHANGES = {"credit_card": 90_000, "car_loan": 75_000, "car_price": 90_000}
WINDOW = 1000
ELECTRICITY_STARTS = (5000, 6000, 7000, 8000, 9000)
LEAKS = ("y_pred", "proba", "prediction", "predicted", "nsw_price", "date_code", "timestamp", "id", "year")

every_example = pytest.mark.parametrize("example", sorted(STREAMS))


def test_no_example_is_left_out() -> None:
    assert {folder.parent.name for folder in EXAMPLES.glob("*/service.yaml")} == set(STREAMS)


@every_example
def test_it_passes_its_own_check_on_its_own_data(
    example: str, data_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for file in files(data_folder, example):
        assert run(["check", str(EXAMPLES / example), str(file), "--json"]) == 0, capfd.readouterr().out


@every_example
def test_its_contract_is_odcs_as_published(example: str, data_folder: Path) -> None:
    contract = YAML(typ="safe").load((EXAMPLES / example / "contract.yaml").read_text(encoding="utf-8"))
    schemas = data_folder.parent / "schemas" / "odcs"
    if not schemas.is_dir():
        pytest.skip("the published schemas are not there")
    schema = json.loads((schemas / f"odcs-json-schema-{contract['apiVersion']}.json").read_text(encoding="utf-8"))
    jsonschema.Draft201909Validator(schema).validate(contract)


@every_example
def test_no_input_knows_the_answer(example: str) -> None:
    declared = load(EXAMPLES / example)
    names = [column.name for column in declared.contract.columns if column.name != declared.service.data.label]
    assert names
    leaking = [name for name in names for leak in LEAKS if name == leak or (len(leak) > 4 and leak in name)]
    assert leaking == []


@every_example
def test_it_says_in_a_few_lines_what_it_shows(example: str) -> None:
    text = (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
    assert f"flyball replay examples/{example}" in text
    assert len(text.splitlines()) <= 40


@pytest.fixture
def around(data_folder: Path, tmp_path: Path) -> Any:
    """Replays a cut of a stream: `known` rows to learn from, `before` quiet ones, the change, `after` more."""

    def cut(example: str, *, known: int, before: int, after: int) -> tuple[Any, int]:
        start = CHANGES[example] - before - known
        stream = part(data_folder, example, start, CHANGES[example] + after, tmp_path)
        return replayed(example, stream, tmp_path, "--train-rows", str(known)), known + before

    return cut


def outcomes(report: Any) -> list[str]:
    return [line["outcome"] for line in report["rollouts"]]


def retrainings(report: Any) -> list[int]:
    return [line["row"] for line in report["trainings"] if line["reason"] != "first"]


def first(report: Any, signal: str) -> int:
    """The row at which a kind of signal is on the ledger for the first time."""
    rows: list[int] = [line["row"] for line in report["signals"] if line["signal"] == signal]
    return min(rows)


def sound(report: Any) -> None:
    """What holds for every story."""
    assert report["ledger"]["verified"]
    assert report["unanswered"] == 0
    seen = {line["signal"] for line in report["signals"]} - {"latency"}  # real models on a machine that may be busy
    assert seen <= {"psi", "risk", "quality"}


def card_story(report: Any, change: int) -> None:
    """Drift and loss within three windows, none before; better than the frozen release; no thrashing."""
    sound(report)
    assert change <= first(report, "psi") < change + 3 * WINDOW
    assert change <= first(report, "risk") < change + 3 * WINDOW + 100  # counted from the first label, 100 rows late
    assert 1 <= len(retrainings(report)) <= 3
    assert min(retrainings(report)) >= change
    assert "rolled_back" not in outcomes(report)
    assert report["governed"] > report["frozen"]


def loan_story(report: Any, change: int) -> None:
    """The inputs move, the retraining wins back what can be won."""
    sound(report)
    assert change <= first(report, "psi") < change + 3 * WINDOW
    moved = {line["feature"] for line in report["signals"] if line["row"] < change + WINDOW}
    assert {"car_value", "loan_length", "repaid_loan_on_prev_car", "salary_range"} <= moved
    assert 1 <= len(retrainings(report)) <= 3
    assert min(retrainings(report)) >= change
    assert outcomes(report)[0] == "promoted"
    assert "rolled_back" not in outcomes(report)
    assert report["governed"] > report["frozen"] + 0.004


def price_story(report: Any, change: int) -> None:
    """The inputs move and the error falls: drift is said, no loss is claimed, nothing is taken back."""
    sound(report)
    assert change <= first(report, "psi") < change + 3 * WINDOW
    assert all(line["level"] == "warn" for line in report["signals"] if line["signal"] == "risk")
    assert all(line["reason"] == "drift" for line in report["trainings"] if line["reason"] != "first")
    assert all(line["diagnosis"] == "harmless" for line in report["trainings"] if line["reason"] != "first")
    assert "rolled_back" not in outcomes(report)
    assert report["governed"] < report["frozen"] * 1.01


@pytest.mark.slow
def test_credit_card_a_loss_is_seen_and_partly_won_back(around: Any) -> None:
    card_story(*around("credit_card", known=8000, before=3000, after=12_000))


@pytest.mark.slow
def test_car_loan_a_retraining_wins_back_what_the_new_applicants_cost(around: Any) -> None:
    loan_story(*around("car_loan", known=10_000, before=3000, after=12_000))


@pytest.mark.slow
def test_car_price_a_shift_that_does_no_harm_takes_nothing_back(around: Any) -> None:
    price_story(*around("car_price", known=8000, before=3000, after=10_000))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "story"), [("credit_card", card_story), ("car_loan", loan_story), ("car_price", price_story)]
)
def test_the_whole_stream_tells_the_same(example: str, story: Any, data_folder: Path, tmp_path: Path) -> None:
    story(replayed(example, files(data_folder, example), tmp_path), CHANGES[example])


def test_electricity_a_market_that_never_stands_still_is_followed(data_folder: Path, tmp_path: Path) -> None:
    report = replayed("electricity", part(data_folder, "electricity", 0, 16_000, tmp_path), tmp_path)
    sound(report)
    assert report["governed"] > report["frozen"] + 0.03


@pytest.mark.slow
def test_electricity_governed_beats_frozen_by_three_points_and_is_not_below_a_schedule(
    data_folder: Path, tmp_path: Path
) -> None:
    reports = []
    for start in ELECTRICITY_STARTS:
        folder = tmp_path / str(start)
        folder.mkdir()
        stream = files(data_folder, "electricity")
        reports.append(replayed("electricity", stream, folder, "--train-rows", str(start)))
    for report in reports:
        sound(report)
        incidents = [line["row"] for line in report["incidents"]]
        assert any(17_424 <= row < 17_424 + 3 * 336 + 100 for row in incidents), incidents
    governed, frozen, scheduled = (
        sum(report[regime] for report in reports) / len(reports) for regime in ("governed", "frozen", "scheduled")
    )
    assert governed >= frozen + 0.03
    assert governed >= scheduled


@pytest.mark.slow
def test_employment_a_world_that_hardly_changes_is_left_alone(data_folder: Path, tmp_path: Path) -> None:
    report = replayed("employment", files(data_folder, "employment"), tmp_path)
    sound(report)
    assert len(retrainings(report)) + outcomes(report).count("rolled_back") <= 1
    assert report["governed"] >= report["frozen"] - 0.001
