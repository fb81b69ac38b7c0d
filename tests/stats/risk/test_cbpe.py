"""A metric without labels: published vectors, laws, and faulty scores."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.risk.cbpe import ESTIMATED, expected, expected_cells, probabilities
from flyball.stats.risk.recalibration import apply, isotonic, recalibrate
from flyball.stats.scoring.metrics import METRICS, score

TOY = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1]
SAID = [1, 1, 1, 0, 0, 0]


def test_the_toy_vector_of_the_reference_page() -> None:
    cells = expected_cells(probabilities(TOY), SAID)
    assert cells.round(12).tolist() == [[2.2, 0.6], [0.8, 2.4]]  # TN, FP; FN, TP
    figures = {name: round(expected(name, probabilities(TOY), SAID), 6) for name in ESTIMATED}
    assert figures["accuracy"] == 0.766667
    assert figures["precision"] == 0.8
    assert figures["recall"] == 0.75
    assert figures["f1"] == 0.774194
    assert figures["roc_auc"] == 0.823661
    assert figures["specificity"] == round(2.2 / 2.8, 6)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=40))
def test_certain_scores_give_the_realised_metric(rows: list[tuple[bool, bool]]) -> None:
    """Probabilities of 0 and 1 are labels: then estimate and truth are one number."""
    truth, said = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    for name in ("accuracy", "precision", "recall", "f1", "balanced_accuracy"):
        try:
            realised = score(name, truth, said, classes=(0, 1))
        except NotEnoughData:
            with pytest.raises(NotEnoughData):
                expected(name, probabilities(truth), said)
            continue
        assert expected(name, probabilities(truth), said) == pytest.approx(realised)


@pytest.mark.parametrize("k", [2, 4])
def test_the_estimate_is_the_mean_of_the_metric_over_labels_drawn_from_the_scores(k: int) -> None:
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(k), size=4000)
    said = p.argmax(axis=1)
    given_scores = p[:, 1] if k == 2 else p
    for name in sorted(set(ESTIMATED) & set(METRICS)):
        drawn = [
            score(name, (p.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1), said, given_scores, classes=range(k))
            for _ in range(20)
        ]
        mistake = abs(expected(name, p, said, given_scores) - np.mean(drawn))
        assert mistake < 4 * np.std(drawn, ddof=1) / np.sqrt(20) + 1e-3, name


@pytest.mark.parametrize(
    ("scores", "fault"),
    [([], NotEnoughData), ([0.2, np.nan], ValueError), ([0.2, 1.2], ValueError), ([[0.0, 0.0]], ValueError)],
)
def test_faulty_scores_are_told(scores: list[float], fault: type[Exception]) -> None:
    with pytest.raises(fault):
        probabilities(scores)


def test_a_metric_that_needs_a_class_that_nobody_expects_is_missing_not_zero() -> None:
    with pytest.raises(NotEnoughData, match="recall"):
        expected("recall", probabilities([0.0, 0.0]), [0, 0])


def test_an_unknown_class_is_a_fault() -> None:
    with pytest.raises(ValueError, match="class number"):
        expected("accuracy", probabilities([0.2]), [-1])


def test_what_needs_labels_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="mae"):
        expected("mae", probabilities(TOY), SAID)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_a_calibration_map_never_falls_and_keeps_the_share_of_the_class(rows: list[tuple[float, bool]]) -> None:
    scores, truth = np.array([s for s, _ in rows]), np.array([y for _, y in rows])
    made = isotonic(scores, truth)
    assert list(made.score) == sorted(set(made.score))
    assert all(a <= b for a, b in zip(made.probability, made.probability[1:], strict=False))
    assert apply((made,), scores)[:, 1].mean() == pytest.approx(truth.mean())


def test_a_map_is_kept_only_where_it_calibrates_better() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(5000)
    assert recalibrate(p, rng.random(5000) < p, rng=rng).maps == ()
    assert len(recalibrate(p, rng.random(5000) < p**2, rng=rng).maps) == 1


def test_few_labels_or_one_class_make_no_map_and_say_why() -> None:
    rng = np.random.default_rng(0)
    assert "no map" in recalibrate(np.linspace(0, 1, 50), np.arange(50) % 2, rng=rng).reason
    assert "rarest class" in recalibrate(np.linspace(0, 1, 500), np.zeros(500), rng=rng).reason


def test_nannyml_car_loan_is_estimated_at_912_calibrated_and_878_raw(data_folder: Path) -> None:
    """Realised .9158. NannyML's own synthetic set is not among the data; this is its published car loan set."""
    folder = data_folder / "nannyml_car_loan"
    known = pl.read_parquet(folder / "reference.parquet")
    after = pl.read_parquet(folder / "monitoring.parquet")[25_000:]
    scores, said = after["y_pred_proba"].to_numpy(), after["y_pred"].to_numpy()
    maps = recalibrate(known["y_pred_proba"], known["repaid"], rng=np.random.default_rng(0)).maps
    assert round(expected("accuracy", apply(maps, scores), said), 3) == 0.912
    assert round(expected("accuracy", apply((), scores), said), 3) == 0.878


def test_nannyml_credit_card_is_estimated_too_rosy(data_folder: Path) -> None:
    """.637 calibrated and .638 raw, where .565 comes true: the concept moved, and no such estimate sees it."""
    folder = data_folder / "nannyml_credit_card"
    known = pl.read_parquet(folder / "reference.parquet")
    after = pl.read_parquet(folder / "monitoring.parquet")[30_000:]
    classes = ["highstreet_card", "prepaid_card", "upmarket_card"]
    columns = [f"y_pred_proba_{name}" for name in classes]
    number = {name: at for at, name in enumerate(classes)}
    truth, said = (
        table[name].replace_strict(number).to_numpy() for table, name in ((known, "y_true"), (after, "y_pred"))
    )
    maps = recalibrate(known[columns].to_numpy(), truth, rng=np.random.default_rng(0)).maps
    assert len(maps) == 3
    assert round(expected("accuracy", apply(maps, after[columns].to_numpy()), said), 3) == 0.637
    assert round(expected("accuracy", apply((), after[columns].to_numpy()), said), 3) == 0.638
    assert round((after["y_pred"] == after["y_true"]).mean(), 3) == 0.565  # type: ignore[arg-type]
