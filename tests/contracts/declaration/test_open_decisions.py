"""What a declaration leaves open is named, and a key that is written is a decision whatever it says."""

import json

import polars as pl
import pytest
from tests.contracts.declaration.test_reference import PAGE

from flyball.contracts.declaration.open_decisions import _DECISIONS, OpenDecision, _Decision, open_decisions
from flyball.contracts.declaration.service_file import declaration, parse
from flyball.contracts.draft.from_sample import draft
from flyball.contracts.yaml_text import read

BARE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: o}
data: {contract: contract.yaml, source: t.parquet, label: y}
experiment: {task: binary, metric: roc_auc}
"""


def _open(text: str) -> tuple[OpenDecision, ...]:
    return open_decisions(text, parse(text))


def test_a_bare_declaration_leaves_every_decision_open_with_the_default_that_holds() -> None:
    found = _open(BARE)
    assert [each.name for each in found] == [each.name for each in _DECISIONS]
    by_key = {each.key: each.holds for each in found}
    assert by_key["rollout.steps"] == "steps shadow > approval > canary > canary > canary > promote"
    assert by_key["serving.log.retention_s"] == "rows of clients are kept for ever"
    assert by_key["metadata.people"].startswith("o; whoever reaches the home")


@pytest.mark.parametrize("decision", _DECISIONS, ids=lambda each: each.keys[0])
def test_writing_the_default_takes_the_decision_and_no_other(decision: _Decision) -> None:
    written, default = read(BARE, file="service.yaml").data, declaration(parse(BARE))
    *sections, last = decision.keys[0].split(".")
    into = written
    for section in sections:
        into, default = into.setdefault(section, {}), default[section]
    into[last] = default[last]
    left = {each.name for each in _open(json.dumps(written))}
    assert left == {each.name for each in _DECISIONS} - {decision.name}


def test_every_key_that_is_proposed_stands_on_the_page() -> None:
    page = PAGE.read_text()
    for each in _DECISIONS:
        assert f"| `{each.keys[0].split('.')[-1]}` |" in page, each.keys


def test_a_draft_takes_all_but_what_only_its_owner_knows() -> None:
    table = pl.DataFrame({"x": [i % 7 for i in range(200)], "card": [i % 9 for i in range(200)],
                          "y": [i % 2 for i in range(200)]})  # fmt: skip
    made = draft(table, name="cards", source="cards.csv", label="y", owner="o", key="card")
    owners = {"data.label_window_s", "monitor.slices", "alerts", "slo"}
    assert {each.key for each in _open(made.service)} == owners
