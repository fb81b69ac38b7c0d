"""`flyball predictions attribute`: releases explain their own answers in the log, the same rows and alike each time."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from tests.app.test_serve import CONTRACT, MODEL, SERVICE

from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.asking.attributing import Attribution, as_table, attribute
from flyball.app.wiring.asking.log_questions import Question
from flyball.core.errors import NotEnoughData, TrainingFailed
from flyball.core.log_tables import LogTables
from flyball.core.prediction import Answer, ArmReply, Failure, PredictionRecord

TABLES = LogTables(
    features={"card": pl.String(), "amount": pl.Float64(), "hour": pl.Float64(), "note": pl.Float64()},
    answer=pl.Int64(),
)


class Product:
    """Answers by amount and hour; a note above `bears` is too much for it."""

    def __init__(self, release: str, bears: float = 100.0) -> None:
        self.release, self._bears = release, bears

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        return ArmReply(answers=tuple(self._answer(row) for row in rows), service_ms=0.0)

    def _answer(self, row: dict[str, Any]) -> Answer | Failure:
        if row["note"] > self._bears:
            return Failure(reason="exception")
        return Answer(prediction=0, score=row["amount"] * (1 + row["hour"]) / 1000.0)


def record(number: int, release: str, dice: Random) -> PredictionRecord:
    return PredictionRecord(
        id=f"fraud.{number:038x}",
        at=1_790_000_000.0 + number,
        unit=f"h:{number}",
        arm="champion",
        release=release,
        answered_by=release,
        epoch=1,
        outcome="answered",
        prediction=0,
        score=0.1,
        features={"card": f"h:{number}"} | {name: dice.uniform(0, 24) for name in ("amount", "hour", "note")},
    )


def write(home: Path, *releases: str) -> Home:
    """400 answers in a sealed pane, by these releases in turn."""
    dice = Random(7)
    log = SegmentLog(home / "telemetry" / "fraud", "fraud", TABLES)
    log.append(0, [record(n, releases[n % len(releases)], dice) for n in range(400)], [])
    log.seal(0, start=0.0, end=400.0, received=400, labels=[])
    return Home(home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return write(tmp_path_factory.mktemp("attributing"), "sha256:aa01", "sha256:bb02")


def asked(home: Home, share: float, *, bears: float = 100.0, **question: Any) -> list[Attribution]:
    return attribute(
        home,
        "fraud",
        Question(**question),
        share=share,
        seed=0,
        advance=lambda _: None,
        loaded=lambda root: Product(root, bears),
    )


def test_what_the_model_uses_moves_the_answer_and_what_it_does_not_moves_nothing(home: Home) -> None:
    found = asked(home, 0.1)
    assert 10 < len(found) < 90
    assert {each.release for each in found} == {"sha256:aa01", "sha256:bb02"}
    for each in found:
        shares = {name: share.value for name, share in each.explained.shares.items()}
        assert set(shares) == {"card", "amount", "hour", "note"}
        assert sum(shares.values()) == pytest.approx(each.explained.answer - each.explained.base, abs=1e-9)
        assert (shares["note"], shares["card"], each.of) == (0.0, 0.0, "score")


def test_the_same_rows_are_explained_alike_and_a_larger_share_holds_them(home: Home) -> None:
    one, more = asked(home, 0.05), asked(home, 0.2)
    assert one == asked(home, 0.05)
    assert [each for each in more if each.id in {own.id for own in one}] == one
    assert as_table(one).height == 4 * len(one)
    mine = asked(home, 0.2, release="bb02")
    assert {each.release for each in mine} == {"sha256:bb02"}


def test_a_sample_without_rows_and_a_model_that_fails_on_mixed_rows_are_no_answer(home: Home) -> None:
    with pytest.raises(NotEnoughData, match="raise --share"):
        asked(home, 1e-9)
    with pytest.raises(NotEnoughData, match="0 answered rows"):
        asked(home, 0.1, until=1.0)
    with pytest.raises(TrainingFailed, match="mixed inputs"):
        asked(home, 0.1, bears=0.0)


@pytest.mark.parametrize("words", [["--share", "0"], ["--share", "2"], ["--since", "soon"]])
def test_a_faulty_command_is_bad_input(home: Home, words: list[str]) -> None:
    assert run(["predictions", "attribute", "fraud", "--home", str(home.root), *words]) == 2


@pytest.mark.slow
def test_a_trained_and_signed_release_explains_its_own_answers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = Random(7)
    lines = [f"c{n % 90},{n % 200}.5,{int(dice.random() < n % 200 / 200)}" for n in range(600)]
    texts = {"service.yaml": SERVICE, "contract.yaml": CONTRACT, "model.py": MODEL}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "orders.csv").write_text("\n".join(["card,amount,fraud", *lines]) + "\n")
    made = tmp_path / "home"
    command = [sys.executable, "-m", "flyball.app.cli", "train", str(tmp_path), "--home", str(made)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    (release,) = (path.name for path in (made / "releases").iterdir() if path.is_dir())
    write(made, f"sha256:{release}")
    file = tmp_path / "attributions.parquet"
    words = ["predictions", "attribute", "fraud", "--home", str(made), "--share", "0.1", "--json"]
    assert run(words) == 0
    answer = json.loads(capfd.readouterr().out)
    for each in answer["attributions"]:
        shares = {name: share["value"] for name, share in each["explained"]["shares"].items()}
        assert (shares["note"], shares["card"]) == (0.0, 0.0)
        assert shares["amount"] == pytest.approx(each["explained"]["answer"] - each["explained"]["base"], abs=1e-6)
    assert run([*words, "--out", str(file)]) == 0
    assert pl.read_parquet(file).height == 4 * len(answer["attributions"])
