"""Training tests: the silent pitfalls fail beside a dummy, an honest model passes."""

import numpy as np
import polars as pl
import pytest
from tests.pipeline.suites.models import Trees, honest, subject, table, trees

from flyball.core.model import Predictions, Scores
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.dummy import beside_dummy, best_constant, better_than_dummy
from flyball.pipeline.suites.rare_class import rare_class
from flyball.pipeline.suites.subject import Fitted, Learn
from flyball.pipeline.suites.training import beats_shuffled, deterministic, finite, learns_by_heart

RNG = np.random.default_rng


def rare(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    truth = (RNG(1).random(rows) < 0.02).astype(int)
    return truth, RNG(2).normal(size=rows) + 2.0 * truth


def test_always_no_on_a_rare_class_has_a_fine_accuracy_and_fails_beside_the_dummy() -> None:
    truth, _ = rare()
    no = Scored(truth=truth, predictions=np.zeros_like(truth), scores=np.full(truth.size, 0.02))
    assert np.mean(no.predictions == truth) > 0.97
    assert better_than_dummy("accuracy", no, truth, (0, 1), RNG(0)).verdict == "FAIL"
    told = rare_class(no, truth, (0, 1), (), RNG(0)).tests[0]
    assert (told.verdict, told.hard) == ("FAIL", True)


def test_a_model_that_ranks_a_rare_class_passes_beside_the_dummy() -> None:
    truth, signal = rare()
    score = 1 / (1 + np.exp(4 - signal))
    good = Scored(truth=truth, predictions=(score > 0.5).astype(int), scores=score)
    assert better_than_dummy("pr_auc", good, truth, (0, 1), RNG(0)).verdict == "PASS"
    found = rare_class(good, truth, (0, 1), ("precision_at_recall.50", "recall_at_precision.50"), RNG(0))
    assert found.tests[0].verdict == "PASS"
    assert found.metrics["dummy.pr_auc"].value == pytest.approx(truth.mean(), rel=0.1)
    at = found.metrics["precision_at_recall.50"]
    assert at.low < at.value < at.high


def test_always_yes_gets_every_recall_and_no_pass() -> None:
    truth, _ = rare()
    yes = Scored(truth=truth, predictions=np.ones_like(truth), scores=np.full(truth.size, 0.9))
    assert better_than_dummy("recall", yes, truth, (0, 1), RNG(0)).verdict == "FAIL"


def test_swapped_labels_are_worse_than_a_dummy() -> None:
    swapped = subject(lambda frame: 1 - honest(frame))
    train = swapped.train["y"].to_numpy()
    for metric in ("accuracy", "roc_auc", "log_loss"):
        assert better_than_dummy(metric, swapped.scored, train, (0, 1), RNG(0)).verdict == "FAIL"


def test_the_dummy_is_the_best_constant_for_the_metric() -> None:
    numbers = np.array([0.0, 0.0, 0.0, 8.0])
    assert best_constant("mae", numbers, ()).prediction == 0.0
    assert best_constant("rmse", numbers, ()).prediction == 2.0
    assert best_constant("f1", np.array([0, 0, 0, 1]), (0, 1)).prediction == 1
    one = subject(honest)
    found = beside_dummy(("accuracy",), one.scored, one.train["y"].to_numpy(), (0, 1), RNG(0)).metrics
    assert found["over_dummy.accuracy"].value == pytest.approx(
        np.mean(one.scored.predictions == one.scored.truth) - found["dummy.accuracy"].value
    )


def shuffled(learn: Learn) -> str:
    one, made = table(3000), table(3000).select("x", "z")
    fitted = learn(made[:2000], one["y"][:2000])
    predictions, scores = fitted.predict(made[2000:])
    scored = Scored(truth=one["y"][2000:].to_numpy(), predictions=predictions, scores=scores)
    found = beats_shuffled(learn, "roc_auc", (made[:2000], made[2000:]), one["y"][:2000], scored, (0, 1), RNG(0))
    return found.verdict


def test_a_model_that_learns_beats_its_own_code_on_shuffled_labels() -> None:
    assert shuffled(trees()) == "PASS"


def test_a_model_that_ignores_the_label_does_not() -> None:
    def from_memory(made: pl.DataFrame, label: pl.Series) -> Fitted:
        return trees()(made, pl.Series((made["x"] > 0).cast(pl.Int64)))  # knows the answer, whatever it is taught

    assert shuffled(from_memory) != "PASS"


def test_training_twice_gives_the_same_bits_or_fails() -> None:
    one = table(500)
    made, label = one.select("x", "z"), one["y"]
    assert deterministic(trees(), made, label, RNG(0)).verdict == "PASS"
    dice = RNG()

    class Moody(Trees):
        def predict(self, made: pl.DataFrame) -> tuple[Predictions, Scores]:
            predictions, scores = super().predict(made)
            assert scores is not None
            return predictions, scores * (1 - 1e-12 * dice.random())

    found = deterministic(lambda made, label: Moody(trees()(made, label).estimator), made, label, RNG(0))  # type: ignore[attr-defined]
    assert found.verdict == "FAIL"


def test_a_handful_of_rows_is_learned_by_heart_unless_labels_and_features_are_torn_apart() -> None:
    one = table(500)
    made, label = one.select("x", "z"), one["y"]
    assert learns_by_heart(trees(), "binary", made, label, RNG(0)).verdict == "PASS"

    def torn(made: pl.DataFrame, label: pl.Series) -> Fitted:
        return trees()(made, label.sample(fraction=1.0, shuffle=True, seed=1))

    assert learns_by_heart(torn, "binary", made, label, RNG(0)).verdict == "FAIL"


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        (np.array([0.1, 0.9]), "PASS"),
        (np.array([0.1, np.nan]), "FAIL"),
        (np.array([0.1, 1.2]), "FAIL"),
        (np.array([[0.5, 0.5], [0.7, 0.7]]), "FAIL"),
    ],
)
def test_answers_are_probabilities(scores: np.ndarray, verdict: str) -> None:
    assert finite("binary", np.array([0, 1]), scores).verdict == verdict
