import io
from typing import Any

from msgspec.structs import replace
from ruamel.yaml import YAML
from tests.pipeline.evidence.release import ATTRIBUTIONS, FACTS, RELEASE, SERVICE

from flyball.pipeline.evidence.card import NOT_PROVIDED, card


def front_matter(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(io.StringIO(text.split("---\n")[1]))
    return found


def test_the_card_names_release_experiment_snapshot_metrics_and_gates() -> None:
    text = card(SERVICE, RELEASE, FACTS, missing={})
    for words in (RELEASE.root, RELEASE.experiment, RELEASE.snapshot, "0.8 to 0.9", "roc_auc >= 0.8", "RUBBER_STAMPED"):
        assert words in text
    assert text.startswith("---\n")


def test_its_front_matter_is_what_a_model_hub_reads() -> None:
    found = front_matter(card(SERVICE, RELEASE, FACTS, missing={}))
    assert found["pipeline_tag"] == "tabular-classification"
    result = found["model-index"][0]["results"][0]
    assert result["task"]["type"] == "tabular-classification"
    assert result["metrics"] == [{"type": "roc_auc", "name": "roc_auc", "value": 0.85}]
    assert set(result["dataset"]) >= {"type", "name"}
    assert found["owner"] == SERVICE.metadata.owner


def test_what_nobody_declared_is_not_provided() -> None:
    bare = card(SERVICE, replace(RELEASE, gates=(), tests=()), FACTS, missing={"f1": "one class only"})
    assert f"Purpose: {NOT_PROVIDED}" in bare
    assert f"Gates: {NOT_PROVIDED}" in bare
    assert f"| f1 | {NOT_PROVIDED} | one class only | |" in bare
    assert f"Attributions: {NOT_PROVIDED}" in bare
    assert f"Plots: {NOT_PROVIDED}" in bare
    for suite in ("data", "training", "model", "deployment", "privacy"):
        assert f"- {suite}: {NOT_PROVIDED}" in bare


def test_the_card_holds_no_folder_of_the_data() -> None:
    assert "FLYBALL_DATA" not in card(SERVICE, RELEASE, FACTS, missing={})


def test_tests_attributions_and_plots_are_told_and_no_text_can_break_a_table() -> None:
    text = card(SERVICE, RELEASE, FACTS, missing={}, attributions=ATTRIBUTIONS, plots=("roc.svg",))
    assert "| model | slice region=EU | PASS | 0.84 on 300 rows |" in text
    assert "Known failure cases: equalised odds sex" in text
    assert "| amount/x | 1.5 |" in text
    assert "![roc](roc.svg)" in text
