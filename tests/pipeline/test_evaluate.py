import numpy as np
import pytest

from flyball.core.errors import NotEnoughData
from flyball.core.service import Data, Experiment, Gate, LiveMetric, Metadata, Monitor, Service
from flyball.pipeline.evaluate import Scored, aligned, difference, evaluate, latency, wanted

RNG = np.random.default_rng


def scored(truth: list[int], scores: list[float]) -> Scored:
    shares = np.array(scores)
    return Scored(truth=np.array(truth), predictions=(shares >= 0.5).astype(int), scores=shares)


def test_only_what_somebody_reads_is_computed_and_latency_is_not_computed_from_labels() -> None:
    service = Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name="s", owner="o"),
        data=Data(contract="c", source="s", label="y"),
        experiment=Experiment(task="binary", metric="roc_auc"),
        gates=(Gate(metric="recall", min=0.1), Gate(metric="latency_p99_ms", max=5)),
        monitor=Monitor(live_metric=LiveMetric(name="accuracy", max_loss=0.05)),
    )
    assert wanted(service) == ("accuracy", "recall", "roc_auc")


def test_a_metric_that_has_no_value_is_missing_with_its_reason() -> None:
    found = evaluate(["roc_auc", "accuracy", "nonsense"], scored([0] * 9, [0.1] * 9), classes=(0, 1), rng=RNG(0))
    assert set(found.metrics) == {"accuracy"}
    assert set(found.missing) == {"roc_auc", "nonsense"}
    assert all(found.missing.values())


def test_the_interval_holds_the_value() -> None:
    rng = RNG(5)
    truth = rng.integers(0, 2, 500)
    one = scored(truth.tolist(), np.clip(truth * 0.3 + rng.random(500) * 0.7, 0, 1).tolist())
    for name, found in evaluate(
        ["roc_auc", "accuracy", "f1", "log_loss"], one, classes=(0, 1), rng=RNG(0)
    ).metrics.items():
        assert found.low < found.value < found.high, name
        assert found.n == 500


def test_a_model_is_no_better_than_itself() -> None:
    rng = RNG(5)
    one = scored(rng.integers(0, 2, 200).tolist(), rng.random(200).tolist())
    assert difference("roc_auc", one, one, classes=(0, 1), rng=RNG(0)).value == 0.0


def test_the_99th_percentile_lies_within_its_bounds() -> None:
    times = RNG(2).exponential(1.0, 500).tolist()
    found = latency(times)
    assert found.low <= found.value <= found.high <= max(times)
    with pytest.raises(NotEnoughData):
        latency([])


def test_a_class_that_one_model_does_not_know_does_not_stop_the_comparison() -> None:
    truth = np.array(["a", "b", "c"] * 20)
    knows = Scored(truth=truth, predictions=truth, scores=np.tile(np.eye(3) * 0.8 + 0.2 / 3, (20, 1)))
    old = Scored(
        truth=truth,
        predictions=np.array(["a", "b", "a"] * 20),
        scores=np.tile([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]], (20, 1)),
    )
    wide = aligned(old, ("a", "b"), ("a", "b", "c"))
    for name in ("accuracy", "log_loss"):
        assert difference(name, wide, knows, classes=("a", "b", "c"), rng=RNG(0)).value > 0
