"""Which model file a training writes, what it says about it, and what the deployment tests find."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, trained, transactions, write_service

from flyball.adapters.models.predictor import load
from flyball.app.wiring.training.pipeline import Pipeline, Trained
from flyball.core.errors import TrainingFailed
from flyball.core.model import Packaged
from flyball.core.release import TestResult

HEAD = "import polars as pl\n"
NUMBERS = (
    "def features(frame):\n"
    "    return frame.select('amount', 'hour', pl.col('distance_km').fill_null(-1.0))\n"
    "def train(features, label, *, config, seed):\n"
)
ISOTONIC = (
    HEAD
    + "from sklearn.calibration import CalibratedClassifierCV\nfrom sklearn.linear_model import LogisticRegression\n"
    + NUMBERS
    + "    return CalibratedClassifierCV(LogisticRegression(max_iter=500), method='isotonic').fit(features, label)\n"
)
LAZY = (
    HEAD
    + NUMBERS
    + "    from sklearn.ensemble import HistGradientBoostingClassifier\n"
    + "    return HistGradientBoostingClassifier(max_iter=20).fit(features, label)\n"
)
BOOSTER = (
    HEAD
    + NUMBERS
    + "    import lightgbm\n"
    + "    return lightgbm.LGBMClassifier(\n"
    + "        n_estimators=20, n_jobs=1, deterministic=True, force_row_wise=True, random_state=seed, verbose=-1\n"
    + "    ).fit(features.to_numpy(), label.to_numpy())\n"
)
Train = Callable[..., Trained]


@pytest.fixture
def train(pipeline: Pipeline, tmp_path: Path) -> Train:
    def one(model: str = MODEL, *, service: str = SERVICE, **experiment: str) -> Trained:
        keys = "".join(f"  {key}: {value}\n" for key, value in experiment.items())
        text = service.replace("min: 0.70", "min: 0.4").replace("  task: binary\n", "  task: binary\n" + keys)
        return trained(pipeline, write_service(tmp_path / "fraud", service=text, model=model))

    return one


def model_file(found: Trained) -> TestResult:
    (test,) = (test for test in found.release.tests if test.name == "model file")
    return test


def folder(pipeline: Pipeline, found: Trained) -> Path:
    return Path(pipeline.releases.verified(found.release.root))


def test_a_model_that_converts_is_packaged_as_onnx_and_served_from_it(train: Train, pipeline: Pipeline) -> None:
    found = train()
    path = folder(pipeline, found)
    assert not (path / "model.pkl").exists()
    assert msgspec.json.decode((path / "release.json").read_bytes(), type=Packaged).model == "model.onnx"
    assert model_file(found).reason.startswith("model.onnx agrees with the original within 1e-09 on 1000 rows")
    assert "model.onnx agrees with the original" in (path / "card.md").read_text()
    same = load(str(path), release=found.release.root).predict(transactions(5).drop("is_fraud").to_dicts())
    assert all(hasattr(answer, "score") for answer in same.answers)


def test_the_known_silent_error_of_isotonic_calibration_is_caught(train: Train, pipeline: Pipeline) -> None:
    """With `auto` it stays a pickle and says why; with `onnx` the training fails and names the worst row."""
    found = train(ISOTONIC)
    assert (folder(pipeline, found) / "model.pkl").is_file()
    said = model_file(found).reason
    assert said.startswith("kept as pickle because model.onnx does not agree with the original")
    assert "worst" in said
    assert "kept as pickle because" in (folder(pipeline, found) / "card.md").read_text()
    with pytest.raises(TrainingFailed, match=r"does not agree with the original.*worst.*amount="):
        train(ISOTONIC, export="onnx")


def test_pickle_is_kept_where_it_is_asked_for_or_needed(train: Train, pipeline: Pipeline) -> None:
    plain = train(export="pickle")
    assert (folder(pipeline, plain) / "model.pkl").is_file()
    assert model_file(plain).reason == "kept as pickle because experiment.export says so"
    own = MODEL.replace("def train", "class Own(HistGradientBoostingClassifier): pass\n\n\ndef train")
    kept = train(own.replace("return HistGradientBoostingClassifier(", "return Own("))
    assert model_file(kept).reason == "kept as pickle because Own is not among the estimators that are exported"


def test_lightgbm_is_packaged_as_text_that_another_experiment_writes_alike(train: Train, pipeline: Pipeline) -> None:
    pytest.importorskip("lightgbm")
    one = train(BOOSTER)
    assert (folder(pipeline, one) / "model.txt").is_file()
    assert "model.txt agrees with the original within 0" in model_file(one).reason
    two = train(BOOSTER, timeout_s="1000")
    assert two.experiment == one.experiment
    three = train(BOOSTER + "# the same code with another digest\n")
    assert three.experiment != one.experiment
    text = [(folder(pipeline, each) / "model.txt").read_bytes() for each in (one, three)]
    assert text[0] == text[1]


def test_the_deployment_suite_measures_and_a_gate_can_read_each_figure(train: Train, pipeline: Pipeline) -> None:
    names = ("latency_p50_ms", "latency_p99_ms", "latency_p99_ms_batch32", "model_size_mb", "model_memory_mb")
    gates = "".join(f"  - {{metric: {name}, max: 100000}}\n" for name in names)
    found = train(LAZY, service=SERVICE.replace("gates:\n", "gates:\n" + gates), suites="full")
    results = {gate.metric: gate for gate in found.release.gates}
    assert all(results[name].passed and results[name].value for name in names)
    tests = {test.name: test for test in found.release.tests}
    assert {f"{what} in a clean process" for what in ("loads", "same features", "same answers")} <= set(tests)
    assert all(test.verdict == "PASS" for test in tests.values() if test.hard)
    said = tests["loads in a clean process"].reason
    assert "onnxruntime" in said
    assert "sklearn" not in said  # train() imports it, and serving does not
    assert tests["latency_p99_ms"].limit == 100.0


def test_features_that_depend_on_their_process_are_found_in_a_clean_one(train: Train) -> None:
    codes = (
        HEAD
        + "_seen = {}\n"
        + "def features(frame):\n"
        + "    codes = [_seen.setdefault(card, len(_seen)) for card in frame['card_id'].to_list()]\n"
        + "    return frame.select('amount').with_columns(card=pl.Series(codes))\n"
        + "def train(features, label, *, config, seed):\n"
        + "    from sklearn.ensemble import HistGradientBoostingClassifier\n"
        + "    return HistGradientBoostingClassifier(max_iter=5).fit(features, label)\n"
    )
    found = train(codes, suites="full")
    (test,) = (test for test in found.release.tests if test.name == "same features in a clean process")
    assert (test.verdict, test.hard) == ("FAIL", True)
    assert "column 'card'" in test.reason


def stateful(body: str) -> str:
    """A module whose train() leaves something in the module, where no other process will find it."""
    return (
        HEAD
        + "_state = {}\n"
        + "def features(frame):\n    return frame.select('amount')\n"
        + "class Own:\n"
        + "    classes_ = [False, True]\n"
        + "    def predict_proba(self, X):\n"
        + "        import numpy as np\n"
        + f"        p = {body} / (1.0 + np.exp(-np.asarray(X, dtype=float)[:, 0] / 50.0))\n"
        + "        return np.column_stack([1.0 - p, p])\n"
        + "def train(features, label, *, config, seed):\n"
        + "    _state['share'] = 0.25\n    return Own()\n"
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("_state['share']", "KeyError: 'share'"),
        ("_state.get('share', 0.5)", "does not answer its probe rows"),
    ],
)
def test_a_model_that_lives_in_its_process_does_not_pass(train: Train, body: str, words: str) -> None:
    """Nobody else can ask it, or it answers otherwise; the probe is there when the other process loads it."""
    found = train(stateful(body), suites="full")
    (test,) = (test for test in found.release.tests if test.name == "loads in a clean process")
    assert (test.verdict, test.hard, found.release.passed) == ("FAIL", True, False)
    assert words in test.reason
    alike = [test for test in found.release.tests if test.name == "same answers in a clean process"]
    assert [test.verdict for test in alike] == (["FAIL"] if "get(" in body else [])
