"""What a service's code may do, and what becomes of it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.models.predictor import load
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.declared import load as declare
from flyball.app.wiring.training.pipeline import Pipeline, Trained
from flyball.core import events
from flyball.core.errors import Refused, TrainingFailed, Untrusted
from flyball.core.release import Baseline

TRAIN = "def train(features, label, *, config, seed):\n"
BODY = "    return HistGradientBoostingClassifier(random_state=seed, max_iter=5).fit(features, label)\n"
HEAD = "import os, sys, signal\nimport polars as pl\nfrom sklearn.ensemble import HistGradientBoostingClassifier\n"
NUMBERS = "def features(frame):\n    return frame.select('amount', 'hour', 'distance_km')\n"

Train = Callable[..., Trained]


@pytest.fixture
def train(tmp_path: Path, pipeline: Pipeline) -> Train:
    """Write a service and train it."""

    def run(model: str = MODEL, service: str = SERVICE, table: pl.DataFrame | None = None) -> Trained:
        return trained(pipeline, write_service(tmp_path / "fraud", service=service, model=model, table=table))

    return run


def test_the_first_release_passes_and_is_champion(train: Train, pipeline: Pipeline) -> None:
    found = train()
    assert found.release.passed
    assert found.release.rubber_stamped
    assert pipeline.registry("fraud").champion == found.release.root
    assert [gate.reason for gate in found.release.gates if "champion" in gate.name] == ["no champion"]


def test_two_homes_and_two_servers_give_one_root(
    tmp_path: Path, service_file: Path, trainer: ForkServerTrainer
) -> None:
    other = ForkServerTrainer()
    try:
        with opened(tmp_path / "one", trainer) as first, opened(tmp_path / "two", other) as second:
            a, b = trained(first, service_file), trained(second, service_file)
    finally:
        other.close()
    assert not b.cached
    assert (a.experiment, a.release.root) == (b.experiment, b.release.root)


def test_the_same_inputs_are_not_trained_twice(train: Train, pipeline: Pipeline) -> None:
    first, second = train(), train()
    assert second.cached
    assert second.release == first.release
    started = [entry for entry in pipeline._ledger.read() if isinstance(entry.fact, events.TrainingStarted)]
    assert len(started) == 1


@pytest.mark.parametrize("what", ["seed", "line", "row"])
def test_one_changed_seed_line_or_row_is_another_experiment(train: Train, what: str) -> None:
    before = train()
    table = transactions()
    after = {
        "seed": lambda: train(service=SERVICE.replace('seed: "7"', 'seed: "8"')),
        "line": lambda: train(model=MODEL + "# one more line\n"),
        "row": lambda: train(table=table.with_columns(pl.col("amount") + (pl.col("at") == table["at"][17]))),
    }[what]()
    assert after.experiment != before.experiment
    assert not after.cached


def test_two_services_of_one_home_with_the_same_inputs_have_a_champion_each(tmp_path: Path, pipeline: Pipeline) -> None:
    one = trained(pipeline, write_service(tmp_path / "one"))
    other = trained(pipeline, write_service(tmp_path / "two", service=SERVICE.replace("name: fraud", "name: other")))
    assert one.experiment == other.experiment
    assert pipeline.registry("fraud").champion == one.release.root
    assert pipeline.registry("other").champion == other.release.root


def test_gates_that_were_changed_are_judged_again_without_training(train: Train, pipeline: Pipeline) -> None:
    train()
    deep = SERVICE.replace("max_depth: 4", "max_depth: 3")
    refused = train(service=deep.replace("min: 0.70", "min: 0.99"))
    assert not refused.release.passed
    again = train(service=deep.replace("min: 0.70", "min: 0.60"))
    assert again.cached
    assert again.release.passed
    assert again.release.root == refused.release.root
    assert pipeline.registry("fraud").releases[again.release.root].stage == "qualified"


def test_a_stricter_gate_on_the_champion_is_said_not_to_be_judged(train: Train, pipeline: Pipeline) -> None:
    champion = train()
    assert champion.note == ""
    again = train(service=SERVICE.replace("min: 0.70", "min: 0.99"))
    assert (again.cached, again.note) == (True, "the gates have changed, not judged again: it serves already")
    assert pipeline.registry("fraud").champion == again.release.root == champion.release.root
    assert [gate.name for gate in again.release.gates] == [gate.name for gate in champion.release.gates]


def test_a_second_training_is_compared_on_rows_that_neither_was_fitted_on(train: Train) -> None:
    """The estimator remembers each row that it was fitted on and refuses to answer it."""
    tattling = (
        HEAD
        + (
            "import numpy as np\n"
            "class Tattling:\n"
            "    def fit(self, features, label, depth):\n"
            "        self.seen = set(features['amount'].to_list())\n"
            "        self.inner = HistGradientBoostingClassifier(max_iter=5, max_depth=depth)\n"
            "        self.inner.fit(features, label)\n"
            "        self.classes_ = self.inner.classes_\n"
            "        return self\n"
            "    def predict_proba(self, features):\n"
            "        if self.seen & set(features['amount'].to_list()):\n"
            "            raise ValueError('I know this row')\n"
            "        return self.inner.predict_proba(features)\n"
            "def features(frame):\n    return frame.select('amount', 'distance_km')\n"
        )
        + TRAIN
        + "    return Tattling().fit(features, label, config['max_depth'])\n"
    )
    first = train(tattling, SERVICE.replace("min: 0.70", "min: 0.4"))
    same = train(tattling, SERVICE.replace("max_depth: 4", "max_depth: 3").replace("min: 0.70", "min: 0.4"))
    assert "1000 shared rows" in same.release.gates[1].reason
    # the source lost rows at one end: equal positions now mean other rows, so rows are known by their values
    for depth, table, shared in ((2, transactions()[2000:], 600), (1, transactions()[:4500], 500)):
        service = SERVICE.replace("max_depth: 4", f"max_depth: {depth}").replace("min: 0.70", "min: 0.4")
        assert f"{shared} shared rows" in train(tattling, service, table).release.gates[1].reason
    assert first.release.trained_last_row == 4000


def test_rows_the_champion_was_fitted_on_leave_nothing_to_compare(train: Train) -> None:
    refit = SERVICE.replace("metric: roc_auc\n", "metric: roc_auc\n  refit: true\n", 1)
    first = train(service=refit)
    assert first.release.refitted
    assert (first.release.trained_rows, first.release.trained_last_row) == (5000, 5000)
    second = train(service=refit.replace("max_depth: 4", "max_depth: 3"))
    assert not second.release.passed
    assert "fitted on every row of the holdout" in second.release.gates[1].reason


def test_a_refit_learns_from_all_rows_and_keeps_the_metrics_of_the_first_fit(train: Train, pipeline: Pipeline) -> None:
    plain = train()
    refit = train(service=SERVICE.replace("metric: roc_auc\n", "metric: roc_auc\n  refit: true\n", 1))
    assert refit.release.metrics == plain.release.metrics
    assert refit.release.root != plain.release.root
    one, two = (Path(pipeline.releases.verified(found.release.root)) / "model.onnx" for found in (plain, refit))
    assert one.read_bytes() != two.read_bytes()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    raise ValueError('no luck today')\n", "no luck today"),
        ("    sys.exit(3)\n", r"sys\.exit\(3\)"),
        ("    os._exit(4)\n", "exit code 4"),
        ("    os.kill(os.getpid(), signal.SIGSEGV)\n", "SIGSEGV"),
        ("    return 42\n", "must return an estimator with predict_proba, found int"),
        ("    class Local(HistGradientBoostingClassifier): pass\n    return Local(max_iter=2).fit(features, label)\n",
         "cannot be pickled"),
        ("    raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    ],
)  # fmt: skip
def test_a_training_that_fails_says_how_and_the_next_one_works(
    train: Train, pipeline: Pipeline, body: str, said: str
) -> None:
    with pytest.raises(TrainingFailed, match=said):
        train(HEAD + NUMBERS + TRAIN + body)
    failures = [entry.fact for entry in pipeline._ledger.read() if isinstance(entry.fact, events.TrainingFailed)]
    assert len(failures) == 1
    assert pipeline.registry("fraud").champion is None
    assert train().release.passed


def test_the_traceback_begins_in_the_services_own_file(train: Train) -> None:
    helper = HEAD + NUMBERS + "def inner(label):\n    return label.no_such_thing\n" + TRAIN + "    inner(label)\n"
    with pytest.raises(TrainingFailed) as caught:
        train(helper)
    text = str(caught.value)
    assert 'File "model.py", line 9, in train' in text
    assert "AttributeError" in text
    assert "flyball/pipeline" not in text


def test_a_training_that_hangs_is_stopped_with_all_it_started(train: Train, tmp_path: Path) -> None:
    hangs = (
        HEAD
        + NUMBERS
        + TRAIN
        + (
            "    import subprocess, threading\n"
            "    child = subprocess.Popen(['sleep', '1000'])\n"
            "    print(os.getpid(), child.pid, flush=True)\n"
            "    threading.Event().wait()\n"
        )
    )
    pids: list[str] = []
    for seconds in (1, 5, 60):  # on a slow machine it has not begun after one
        with pytest.raises(TrainingFailed, match=rf"longer than experiment\.timeout_s = {seconds} s"):
            train(hangs, SERVICE.replace("metric: roc_auc\n", f"metric: roc_auc\n  timeout_s: {seconds}\n", 1))
        logs = (tmp_path / "home" / "runs").glob("*/log")
        if len(pids := [pid for log in logs for pid in log.read_text().split()]) == 2:
            break
    assert len(pids) == 2
    for pid in pids:
        assert not _runs(int(pid))


def test_what_the_code_prints_cannot_reach_the_protocol(train: Train) -> None:
    chatty = (
        HEAD
        + "print('{}')\nos.write(1, b'{\"type\": \"outcome\"}\\n')\n"
        + NUMBERS
        + TRAIN
        + ('    print(\'{"type":"outcome","error":"forged"}\', flush=True)\n    os.system(\'echo from a shell\')\n')
        + BODY
    )
    assert train(chatty, SERVICE.replace("min: 0.70", "min: 0.5")).release.passed


def test_features_that_look_at_other_rows_are_refused_before_anything_is_fitted(train: Train) -> None:
    ranks = (
        HEAD
        + "def features(frame):\n    return frame.select(pl.col('amount').rank(), 'hour')\n"
        + TRAIN
        + ("    raise AssertionError('not reached')\n")
    )
    with pytest.raises(TrainingFailed, match="not row-wise: column 'amount'"):
        train(ranks)


def test_without_a_features_function_all_columns_but_label_key_and_time_are_features(train: Train) -> None:
    names = HEAD + TRAIN + "    raise ValueError(features.columns)\n"
    with pytest.raises(TrainingFailed, match=r"\['amount', 'hour', 'country', 'distance_km'\]"):
        train(names)


def test_modules_beside_the_entry_are_found_and_shared_by_training_and_serving(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    file = write_service(
        tmp_path / "fraud",
        model=HEAD + "import numeric\nfrom numeric import Model\nfeatures = numeric.features\n" + TRAIN
        + "    return Model(max_iter=5).fit(features, label)\n",
        service=SERVICE.replace("min: 0.70", "min: 0.5"),
    )  # fmt: skip
    (file.parent / "numeric.py").write_text(HEAD + NUMBERS + "class Model(HistGradientBoostingClassifier): pass\n")
    release = trained(pipeline, file).release
    predictor = load(pipeline.releases.verified(release.root), release=release.root)
    assert type(predictor.model.estimator).__module__.startswith("flyball_code_")
    assert predictor.predict(transactions(3).drop("is_fraud").to_dicts()).answers


def test_codes_that_depend_on_what_a_process_has_seen_are_found_when_the_release_is_loaded(
    train: Train, pipeline: Pipeline
) -> None:
    codes = (
        HEAD
        + (
            "_seen = {}\n"
            "def features(frame):\n"
            "    codes = [_seen.setdefault(card, len(_seen)) for card in frame['card_id'].to_list()]\n"
            "    return frame.select('amount').with_columns(card=pl.Series(codes))\n"
        )
        + TRAIN
        + BODY
    )
    table = transactions().with_columns(is_fraud=pl.col("card_id").str.slice(5).cast(pl.Int64) < 100)
    release = train(codes, SERVICE.replace("min: 0.70", "min: 0.5"), table).release
    folder = pipeline.releases.verified(release.root)
    with pytest.raises(Untrusted, match="probe rows"):
        load(folder, release=release.root)


def test_rows_without_a_label_are_not_learned_from(train: Train) -> None:
    table = transactions().with_columns(
        is_fraud=pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise(pl.col("is_fraud"))
    )
    release = train(table=table).release
    assert (release.trained_rows, release.holdout_rows) == (3200, 800)


def test_one_class_alone_is_nothing_to_learn_from(train: Train) -> None:
    with pytest.raises(Refused, match=r"is_fraud\.classes"):
        train(table=transactions().with_columns(is_fraud=pl.lit(False)))


def test_the_baseline_counts_each_input_once_for_each_row_learned_from(train: Train, pipeline: Pipeline) -> None:
    release = train().release
    path = Path(pipeline.releases.verified(release.root)) / "baseline.json"
    normal = msgspec.json.decode(path.read_bytes(), type=Baseline)
    assert set(normal.features) == {"amount", "hour", "country", "distance_km"}
    assert all(sum(one.counts) == release.trained_rows for one in normal.features.values())
    assert all(sum(one.counts) == release.holdout_rows for one in normal.prediction.values())


def test_latency_is_measured_where_a_gate_reads_it_and_never_part_of_the_root(train: Train, pipeline: Pipeline) -> None:
    plain = train().release
    gated = train(
        model=MODEL + "\n", service=SERVICE.replace("gates:\n", "gates:\n  - {metric: latency_p99_ms, max: 10000}\n")
    ).release
    assert "latency_p99_ms" not in plain.metrics
    assert gated.metrics["latency_p99_ms"].value > 0
    folder = Path(pipeline.releases.verified(gated.root))
    assert "latency" not in (folder / "metrics.json").read_text()


def test_the_environment_that_code_sees_is_pinned(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_SHELL", "hunter2")
    shows = (
        HEAD
        + TRAIN
        + (
            "    names = ('PYTHONHASHSEED', 'OMP_NUM_THREADS', 'POLARS_MAX_THREADS', 'A_SECRET_OF_THE_SHELL')\n"
            "    raise ValueError([os.environ.get(name) for name in names])\n"
        )
    )
    with pytest.raises(TrainingFailed, match=r"\['0', '1', '1', None\]"):
        train(shows)


def test_a_declaration_is_written_down_once_until_it_changes(pipeline: Pipeline, service_file: Path) -> None:
    pipeline.declare(declare(service_file))
    pipeline.declare(declare(service_file))
    service_file.write_text(SERVICE.replace("min: 0.70", "min: 0.71"))
    pipeline.declare(declare(service_file))
    policies = [
        entry.fact.policy for entry in pipeline._ledger.read() if isinstance(entry.fact, events.ServiceDeclared)
    ]
    assert len(policies) == len(set(policies)) == 2


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIG_DFL)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
