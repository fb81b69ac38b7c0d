"""What a service's code must not do, through the real server: a clear error, a failed run, nothing half-registered."""

import os
import signal
from pathlib import Path

import pytest
from tests.pipeline.fraud import SERVICE, opened, trained, transactions, write_service

from flyball.adapters.training import confine
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.people import states_of
from flyball.app.wiring.training.executors import in_process
from flyball.app.wiring.training.pipeline import Pipeline, Trained
from flyball.core import events as e
from flyball.core.errors import TrainingFailed

ROWS = transactions(1500)
HEAD = "import os, sys, signal, subprocess, threading\nimport numpy as np\nimport polars as pl\n"
HEAD += "from sklearn.ensemble import HistGradientBoostingClassifier\n"
HEAD += "def features(frame):\n    return frame.select('amount', 'hour', 'distance_km')\n"
TRAIN = "def train(features, label, *, config, seed):\n"
FIT = "    return HistGradientBoostingClassifier(random_state=seed, max_iter=5).fit(features, label)\n"
SILENT = """
class Silent(HistGradientBoostingClassifier):
    def predict_proba(self, features):
        return super().predict_proba(features) * np.nan
def train(features, label, *, config, seed):
    return Silent(max_iter=2).fit(features, label)
"""
EASY = SERVICE.replace("min: 0.70", "min: 0.4")


def limited(more: str) -> str:
    return EASY.replace("  metric: roc_auc\n", f"  metric: roc_auc\n  {more}\n", 1)


def train(pipeline: Pipeline, folder: Path, body: str, text: str = EASY, head: str = HEAD + TRAIN) -> Trained:
    return trained(pipeline, write_service(folder, service=text, model=head + body, table=ROWS))


@pytest.mark.parametrize(
    ("body", "more", "said"),
    [
        ("    raise ValueError('no luck today')\n", "", "ValueError: no luck today"),
        ("    threading.Event().wait()\n", "timeout_s: 1.0", "longer than experiment.timeout_s = 1 s"),
        ("    held = np.ones(90_000_000)\n    threading.Event().wait(held.size)\n", "limits: {memory_mb: 450}",
         "MB of resident memory, more than experiment.limits.memory_mb = 450"),
        ("    threading.Event().wait()\n", "limits: {cost: 0.001, cost_per_hour: 3.6}",
         "experiment.limits.cost allows"),
        ("    os.kill(os.getpid(), signal.SIGKILL)\n", "", "killed by SIGKILL, perhaps by the kernel for its memory"),
        ("    sys.exit(3)\n", "", "sys.exit(3)"),
        ("    return 42\n", "", "must return an estimator with predict_proba, found int"),
        (SILENT.strip() + "\n", "", "score is not a finite number for 300 of 300 holdout rows"),
    ],
    ids=["raises", "hangs", "memory", "cost", "killed", "exits", "no estimator", "NaN"],
)  # fmt: skip
def test_a_training_that_does_not_come_to_a_release(
    tmp_path: Path, pipeline: Pipeline, body: str, more: str, said: str
) -> None:
    head = HEAD if "class Silent" in body else HEAD + TRAIN
    with pytest.raises(TrainingFailed) as caught:
        train(pipeline, tmp_path / "fraud", body, limited(more) if more else EASY, head)
    assert said in str(caught.value)
    (run,) = pipeline.book("fraud").runs.values()
    assert (run.outcome, run.release) == ("failed", None)
    assert said in run.error
    nothing_is_left(pipeline, tmp_path / "home")
    state = states_of(pipeline._ledger)["fraud"]
    assert list(state.signals) == ["training"]
    train(pipeline, tmp_path / "fraud", FIT)
    assert states_of(pipeline._ledger)["fraud"].signals == {}


def test_each_failure_in_a_row_makes_the_signal_larger(tmp_path: Path, pipeline: Pipeline) -> None:
    for _ in range(2):
        with pytest.raises(TrainingFailed):
            train(pipeline, tmp_path / "fraud", "    raise ValueError\n")
    raised = [fact.signal.value for fact in facts(pipeline) if isinstance(fact, e.SignalRaised)]
    assert raised == [1.0, 2.0]


def test_a_write_outside_of_its_folder_is_impossible_or_found(tmp_path: Path, pipeline: Pipeline) -> None:
    target = tmp_path / "fraud" / "train.parquet"
    before = (tmp_path / "fraud").exists()
    assert not before
    body = f"    open({str(target)!r}, 'ab').write(b'x')\n" + FIT
    with pytest.raises(TrainingFailed, match=r"PermissionError|outside the training's own folder") as caught:
        train(pipeline, tmp_path / "fraud", body)
    assert "train.parquet" in str(caught.value)
    if confine.available():
        assert target.stat().st_size == written_size(tmp_path)
    nothing_is_left(pipeline, tmp_path / "home")


@pytest.mark.parametrize("place", ["releases", "snapshots", "keys"])
def test_what_the_home_keeps_is_out_of_reach(tmp_path: Path, pipeline: Pipeline, place: str) -> None:
    target = tmp_path / "home" / place
    target.mkdir(parents=True, exist_ok=True)
    body = f"    open({str(target / 'mine')!r}, 'w').write('x')\n" + FIT
    with pytest.raises(TrainingFailed, match=r"PermissionError|outside the training's own folder"):
        train(pipeline, tmp_path / "fraud", body)


def test_without_landlock_a_change_is_found_afterwards(
    tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the kernel would have held the write: a name beside the folder stands in for a file that was changed."""
    monkeypatch.setattr(confine, "available", lambda: 0)
    listings = iter([{"fraud/train.parquet": (1, 1)}, {"fraud/train.parquet": (2, 2)}])
    monkeypatch.setattr(confine, "listing", lambda folders: next(listings))
    with pytest.raises(TrainingFailed, match=r"outside the training's own folder were changed: fraud/train\.parquet"):
        train(pipeline, tmp_path / "fraud", FIT)


def test_temporary_files_and_its_own_folder_are_free(tmp_path: Path, pipeline: Pipeline) -> None:
    body = "    import tempfile\n    open('mine', 'w').write('x')\n    tempfile.NamedTemporaryFile().write(b'x')\n"
    train(pipeline, tmp_path / "fraud", body + FIT)


def test_a_child_that_would_outlive_the_training_is_ended_with_it(tmp_path: Path, pipeline: Pipeline) -> None:
    """It has left the session and its parent has ended: the server is its reaper all the same."""
    body = (
        "    told, tells = os.pipe()\n"
        "    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        "            print(os.getpid(), flush=True)\n            os.write(tells, b'x')\n            signal.pause()\n"
        "        os._exit(0)\n"
        "    os.wait()\n    os.read(told, 1)\n"
    )
    train(pipeline, tmp_path / "fraud", body + FIT)
    (run,) = pipeline.book("fraud").runs.values()
    assert (run.outcome, run.use.ended) == ("trained", 1)
    pid = int((tmp_path / "home" / "runs" / run.run / "log").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_garbage_on_standard_output_stays_in_a_bounded_log(tmp_path: Path, pipeline: Pipeline) -> None:
    body = "    os.write(1, b'\\xff\\x00{}\\n' * 1000)\n    print('x' * 3_000_000)\n    print('the end')\n"
    train(pipeline, tmp_path / "fraud", body + FIT)
    (log,) = (tmp_path / "home" / "runs").glob("*/log")
    assert log.read_bytes().startswith(b"\xff\x00{}\n")
    assert log.read_bytes().endswith(b"the end\n")
    assert b"bytes left out" in log.read_bytes()
    assert log.stat().st_size < 1_100_000


def test_a_run_that_would_exceed_what_is_declared_is_refused_before_it_starts(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    train(pipeline, tmp_path / "fraud", FIT)
    with pytest.raises(TrainingFailed, match="refused before it started") as caught:
        train(pipeline, tmp_path / "fraud", FIT + "\n", limited("limits: {memory_mb: 20}"))
    assert "estimated from one earlier run, this one has 1500 rows" in str(caught.value)
    newest = list(pipeline.book("fraud").runs.values())[-1]
    assert newest.outcome == "refused"
    assert newest.use.steps == ()
    assert list(states_of(pipeline._ledger)["fraud"].signals) == ["training"]


def test_a_price_gives_a_cost(tmp_path: Path, trainer: ForkServerTrainer) -> None:
    with opened(tmp_path / "home", trainer) as pipeline:
        train(pipeline, tmp_path / "fraud", FIT, limited("limits: {cost_per_hour: 36}"))
        (run,) = pipeline.book("fraud").runs.values()
    assert run.cost == pytest.approx(run.use.seconds / 100)


def test_a_gate_reads_the_cost_of_all_steps_so_far_found_ones_included(tmp_path: Path) -> None:
    home = tmp_path / "home"
    asks = "autonomy: {first: approval}\ngates:\n  - {metric: cost, max: 1000}\n  - {expression: 'cost > 0.0'}\n"
    with opened(home, in_process()) as pipeline:
        text = limited("executor: in_process\n  limits: {cost_per_hour: 36}").replace("gates:\n", asks)
        first = train(pipeline, tmp_path / "fraud", FIT, text).release
        again = train(
            pipeline, tmp_path / "fraud", FIT, text.replace("  config:", "  tests: {slices: [country]}\n  config:")
        ).release
        dearer = train(pipeline, tmp_path / "fraud", FIT, text.replace("max: 1000", "max: 0.000001")).release
        *_, run = (run for run in pipeline.book("fraud").runs.values() if run.outcome == "trained")
    assert next(step.how for step in run.use.steps if step.name == "train") == "found"
    assert [gate.verdict for gate in first.gates if "cost" in gate.name] == ["PASS", "PASS"]
    fit_s = {step.name: step.seconds for step in run.use.steps}["train"]
    assert again.metrics["cost"].value > fit_s / 100  # what the fit took when it was done, not what finding it takes
    assert [gate.verdict for gate in dearer.gates if "cost <=" in gate.name] == ["FAIL"]


def test_without_a_price_the_cost_is_missing_evidence(tmp_path: Path, pipeline: Pipeline) -> None:
    text = limited("timeout_s: 600").replace("gates:\n", "gates:\n  - {metric: cost, max: 1000}\n")
    (gate, *_) = train(pipeline, tmp_path / "fraud", FIT, text).release.gates
    assert not gate.passed
    assert gate.reason.startswith("missing evidence: no price is declared")


def nothing_is_left(pipeline: Pipeline, home: Path) -> None:
    known = pipeline.registry("fraud")
    assert (known.releases, known.champion) == ({}, None)
    assert list((home / "work").iterdir()) == []
    assert not (home / "releases").exists() or list((home / "releases").iterdir()) == []


def facts(pipeline: Pipeline) -> list[e.AnyFact]:
    return [entry.fact for entry in pipeline._ledger.read()]


def written_size(folder: Path) -> int:
    ROWS.write_parquet(folder / "again.parquet")
    return (folder / "again.parquet").stat().st_size
