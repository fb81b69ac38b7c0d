"""From the answers of two arms to a verdict on them: a replay whose canary and soak wait for matured labels."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.app.replay.gauge import CONTRACT, MODEL, SERVICE, replayed, stream

RAILS = "metrics: [{name: accuracy, max_loss: 0.10, labels: required}, {name: conversion, max_loss: 40%}]}\n  steps:"
DECLARED = (
    SERVICE.replace("ceiling: 0.10}}\n  steps:", "ceiling: 0.10}, " + RAILS)
    .replace("    - promote: {}", "    - soak: {holdback: 0.4, min_requests: 100, min_s: 0}\n    - promote: {}")
    .replace("label: alarm}", "label: alarm, key: gauge}")
)


def declared(folder: Path) -> Path:
    """With a key: a row of a replay without one shares its unit with the hundred that come with it."""
    folder.mkdir(parents=True)
    keyed = "      - {name: gauge, logicalType: string, required: true}\n      - {name: heat,"
    texts = {
        "service.yaml": DECLARED,
        "contract.yaml": CONTRACT.replace("      - {name: heat,", keyed),
        "model.py": MODEL,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    table = stream()
    gauges = pl.Series("gauge", [f"g{row:x}" for row in range(table.height)])
    table.insert_column(0, gauges).write_parquet(folder / "stream.parquet")
    return folder


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("soaked")
    replayed(declared(folder / "gauge"), folder / "home")
    found = sqlite3.connect(folder / "home" / "ledger.db").execute("SELECT event FROM ledger ORDER BY seq").fetchall()
    return [json.loads(event) for (event,) in found]


def test_a_release_that_learned_the_turned_rule_is_shown_not_worse_and_soaks_before_it_serves(
    facts: list[dict[str, Any]],
) -> None:
    kinds = [fact["kind"] for fact in facts if fact["type"] == "step.started"]
    assert kinds[:5] == ["shadow", "approval", "canary", "soak", "promote"]
    canary, soak = [fact["verdict"] for fact in facts if fact["type"] == "step.judged" and fact["step"] in (2, 3)][:2]
    assert "accuracy not worse by 0.1" in canary["reason"]
    assert "conversion not worse by 40%" in soak["reason"]
    assert soak["numbers"]["accuracy_units_champion"] > 50  # the holdback went on answering
    assert soak["numbers"]["accuracy_candidate"] > 0.8 > soak["numbers"]["accuracy_champion"]


def test_the_holdback_had_its_share_of_the_units(facts: list[dict[str, Any]]) -> None:
    (started,) = [fact for fact in facts if fact["type"] == "step.started" and fact["kind"] == "soak"]
    assert started["routing"]["weight"] == 6000
    assert started["routing"]["guardrails"]["max_errors"] > 10**9  # statistics alone decide
