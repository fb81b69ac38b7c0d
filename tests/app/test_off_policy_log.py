"""A declared off-policy log: what is wrong with it is told at once, before anything is trained."""

from pathlib import Path

import polars as pl
import pytest
from tests.pipeline.fraud import SERVICE, write_service
from tests.pipeline.replayed import log, service

from flyball.app.declared import load
from flyball.core.errors import BadInput


def faults(folder: Path) -> list[str]:
    with pytest.raises(BadInput) as refused:
        load(folder / "service.yaml")
    return [f"{fault.where} {fault.path} {fault.expected} {fault.found}" for fault in refused.value.faults]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    write_service(tmp_path / "s", service=service("parquet"))
    wrong = (
        log(20)
        .drop("amount", "card_id")
        .with_columns(chance=pl.Series([0.0, 1.5, None, *[0.5] * 17]), saved=pl.Series([float("nan"), *[1.0] * 19]))
    )
    wrong.write_parquet(tmp_path / "s" / "log.parquet")
    told = faults(tmp_path / "s")
    for words in (
        "off_policy.unit a column of log.parquet",
        "log.parquet amount an input of the model",
        "log.parquet chance a probability above 0, at most 1 0.0 in row 0, and 3 such rows",
        "log.parquet saved a finite number nan in row 0, and 1 such rows",
    ):
        assert any(words in each for each in told), (words, told)
    assert len(told) == 4


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    write_service(tmp_path / "s", service=service())
    assert any("log.csv" in each for each in faults(tmp_path / "s"))


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("{log: ../log.csv, action: a, propensity: p, reward: r}", "off_policy.log"),
        ("{log: log.json, action: a, propensity: p, reward: r}", "off_policy.log"),
        ("{log: log.csv, action: a, propensity: a, reward: r}", "a column of its own"),
        ("{log: log.csv, action: a, propensity: p, reward: r, max_loss: -1}", "off_policy.max_loss"),
        ("{log: log.csv, action: a, propensity: p, reward: r, max_loss: .inf}", "off_policy.max_loss"),
        ("{log: log.csv, action: a, propensity: p, reward: r, max_loss: some}", "max_loss"),
    ],
)
def test_a_declaration_that_makes_no_sense(test: str, words: str, tmp_path: Path) -> None:
    write_service(tmp_path / "s", service=service(test=test))
    assert any(words in each for each in faults(tmp_path / "s"))


def test_a_regression_has_no_actions_and_a_gate_needs_the_log(tmp_path: Path) -> None:
    write_service(tmp_path / "s", service=service().replace("task: binary", "task: regression"))
    assert any("whose answers are actions" in each for each in faults(tmp_path / "s"))
    write_service(tmp_path / "t", service=SERVICE + "  - {metric: off_policy.gain, min: 0}\n")
    assert any("off_policy.gain without a log" in each for each in faults(tmp_path / "t"))
