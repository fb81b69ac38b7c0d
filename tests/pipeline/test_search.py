"""A search: on training rows alone, written down under the root, the same each time."""

from pathlib import Path

import msgspec
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import BadInput, TrainingFailed, Unavailable
from flyball.pipeline.run.searching import TRIALS, Chosen

SEARCH = "  search: {trials: 4, validation: 0.25, space: {max_depth: {low: 2, high: 5}, "
SEARCH += "learning_rate: {low: 0.01, high: 0.5, log: true}}}\n"
SEARCHING = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n" + SEARCH, 1)
ROWS = transactions(1500)


def write(folder: Path, text: str = SEARCHING, model: str = MODEL) -> Path:
    return write_service(folder, service=text, model=model, table=ROWS)


def test_the_same_inputs_give_the_same_winner_and_the_same_root(tmp_path: Path, trainer: ForkServerTrainer) -> None:
    pytest.importorskip("optuna", reason="optuna is not there")
    roots, chosen = [], []
    for name in ("one", "two"):
        with opened(tmp_path / name, trainer) as pipeline:
            release = trained(pipeline, write(tmp_path / "fraud")).release
            folder = Path(pipeline.releases.verified(release.root))
            manifest = (folder / "manifest.json").read_text()
        assert f'"path":"{TRIALS}"' in manifest
        roots.append(release.root)
        chosen.append(msgspec.json.decode((folder / TRIALS).read_bytes(), type=Chosen))
    assert roots[0] == roots[1]
    assert chosen[0] == chosen[1]
    best = max(trial.score for trial in chosen[0].trials if trial.score is not None)
    winner = next(trial for trial in chosen[0].trials if trial.score == best)
    assert chosen[0].config == {"max_depth": 4} | winner.config
    assert chosen[0].validation_rows == 300  # a quarter of the 1200 training rows


def test_trials_never_see_the_holdout_and_the_fit_gets_the_winner(tmp_path: Path, pipeline: Pipeline) -> None:
    pytest.importorskip("optuna", reason="optuna is not there")
    says = MODEL.replace("    return Hist", "    print(features.height, sorted(config), flush=True)\n    return Hist")
    trained(pipeline, write(tmp_path / "fraud", model=says))
    (log,) = (tmp_path / "home" / "runs").glob("*/log")
    keys = "['learning_rate', 'max_depth']"
    assert log.read_text().splitlines() == [f"900 {keys}"] * 4 + [f"1200 {keys}"]


def test_a_search_without_one_good_trial_says_what_the_first_one_said(tmp_path: Path, pipeline: Pipeline) -> None:
    pytest.importorskip("optuna", reason="optuna is not there")
    raises = MODEL.replace("    return Hist", "    raise ValueError('never')\n    return Hist")
    with pytest.raises(TrainingFailed, match=r"none of the 4 trials of the search gave a score; .* ValueError: never"):
        trained(pipeline, write(tmp_path / "fraud", model=raises))


def test_without_the_extra_nothing_begins(tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(Unavailable) as caught:
        trained(pipeline, write(tmp_path / "fraud"))
    assert "pip install flyball[search]" in caught.value.hint
    assert pipeline.book("fraud").runs == {}


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("{}", "at least one key of config"),
        ("{a: {}}", "low and high, or choices"),
        ("{a: {low: 1}}", "low and high, or choices"),
        ("{a: {low: 3, high: 3}}", "low below high"),
        ("{a: {low: 3, high: 1}}", "low below high"),
        ("{a: {low: 0.0, high: 1.0, log: true}}", "more than 0 with log"),
        ("{a: {low: 1, high: 2, choices: [1, 2]}}", "choices, or low and high"),
        ("{a: {choices: [1, 1]}}", "each choice once"),
    ],
)
def test_an_empty_or_crossed_space_is_a_fault_of_the_declaration(tmp_path: Path, space: str, said: str) -> None:
    from flyball.app.declared import load

    text = SERVICE.replace("  metric: roc_auc\n", f"  metric: roc_auc\n  search: {{space: {space}}}\n", 1)
    with pytest.raises(BadInput) as caught:
        load(write(tmp_path / "fraud", text))
    assert said in str(caught.value)
    assert "experiment.search.space" in str(caught.value)
