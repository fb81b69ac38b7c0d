"""Rows as wholes: what no single column shows, and columns of vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flyball.app.cli.main import run

ROWS = 800


def compared(
    capfd: pytest.CaptureFixture[str], folder: Path, before: dict[str, Any], now: dict[str, Any]
) -> dict[str, Any]:
    pl.DataFrame(before).write_parquet(folder / "before.parquet")
    pl.DataFrame(now).write_parquet(folder / "now.parquet")
    page = folder / "page.html"
    words = ["drift", str(folder / "before.parquet"), str(folder / "now.parquet"), "--together", "--html", str(page)]
    capfd.readouterr()
    assert run([*words, "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capfd.readouterr().out)["features"]}
    assert len(found) == page.read_text().count("<article")
    return found


def test_a_correlation_that_turns_is_seen_by_rows_and_by_no_column(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = np.random.default_rng(3)
    x, noise = dice.normal(size=(2, ROWS)), dice.normal(size=(2, ROWS)) * 0.3
    before = {"a": x[0], "b": x[0] + noise[0]}
    found = compared(capfd, tmp_path, before, {"a": x[1], "b": -x[1] + noise[1]})
    verdicts = {name: each["verdict"] for name, each in found.items()}
    assert verdicts == {"(numbers together)": "DRIFT", "a": "OK", "b": "OK"}
    assert found["(numbers together)"]["measures"]["domain_classifier"]["value"] > 0.8
    again = compared(capfd, tmp_path, before, {"a": x[1], "b": x[1] + noise[1]})
    assert again["(numbers together)"]["verdict"] == "OK"


def test_vectors_are_compared_and_odd_ones_have_a_verdict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dice = np.random.default_rng(4)
    near, far = dice.normal(size=(ROWS, 4)), dice.normal(size=(ROWS, 4)) + 0.8
    found = compared(
        capfd,
        tmp_path,
        {"moved": near.tolist(), "shorter": near.tolist(), "none": [[1.0]] * 10 + [None] * (ROWS - 10)},
        {"moved": far.tolist(), "shorter": near[:, :3].tolist(), "none": [None] * (ROWS - 1) + [[1.0]]},
    )
    assert {name: each["verdict"] for name, each in found.items()} == {
        "moved": "DRIFT",
        "shorter": "INVALID",
        "none": "INSUFFICIENT",
    }
