"""Realised figures beside scikit-learn's, and what is told where there is too little, or the wrong thing, to tell."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from tests.monitor.realised.books import World, told

from flyball.core.realised import Figure, RealisedGroup
from flyball.core.release import Reference
from flyball.core.service import BusinessValue, Task

N = 400
EXACT = 1e-12


def value(group: RealisedGroup, metric: str) -> float:
    found = group.figure(metric)
    assert found is not None
    assert found.value is not None, found.reason
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    return found.value


def figure(group: RealisedGroup, metric: str) -> Figure:
    found = group.figure(metric)
    assert found is not None
    return found


def binary_rows(rng: np.random.Generator) -> tuple[list[int], list[float], list[int]]:
    truth = rng.integers(0, 2, N)
    score = np.clip(truth * 0.35 + rng.random(N) * 0.65, 0, 1)
    return truth.tolist(), score.tolist(), (score >= 0.5).astype(int).tolist()


def test_binary_figures_are_those_of_scikit_learn() -> None:
    truth, score, answer = binary_rows(np.random.default_rng(1))
    group = World(window_panes=N // 10).predict(answer, score).all_labelled(truth).group()
    assert group.confusion == tuple(map(tuple, sk.confusion_matrix(truth, answer).tolist()))
    tn, fp, fn, tp = sk.confusion_matrix(truth, answer).ravel().tolist()
    assert value(group, "accuracy") == sk.accuracy_score(truth, answer)
    assert value(group, "precision") == sk.precision_score(truth, answer) == tp / (tp + fp)
    assert value(group, "recall") == sk.recall_score(truth, answer) == tp / (tp + fn)
    assert value(group, "f1") == pytest.approx(sk.f1_score(truth, answer), abs=EXACT)
    assert value(group, "balanced_accuracy") == pytest.approx(sk.balanced_accuracy_score(truth, answer), abs=EXACT)
    assert value(group, "specificity") == tn / (tn + fp)
    assert value(group, "false_positive_rate") == fp / (fp + tn)  # not over all positives
    assert value(group, "log_loss") == pytest.approx(sk.log_loss(truth, score), abs=EXACT)
    assert value(group, "brier") == pytest.approx(sk.brier_score_loss(truth, score), abs=EXACT)
    for metric, exact in (
        ("roc_auc", sk.roc_auc_score(truth, score)),
        ("pr_auc", sk.average_precision_score(truth, score)),
    ):
        found = figure(group, metric)
        assert abs(value(group, metric) - exact) <= found.bound + EXACT
        assert found.bound < 0.02


def test_multiclass_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    names = np.array(["a", "b", "c"])
    truth = rng.integers(0, 3, N)
    scores = rng.random((N, 3)) + 1.2 * np.eye(3)[truth]
    scores /= scores.sum(axis=1, keepdims=True)
    answer = names[scores.argmax(axis=1)]
    rows = [dict(zip(names.tolist(), row, strict=True)) for row in scores.tolist()]
    world = World("multiclass", window_panes=N // 10).predict(answer.tolist(), rows)
    group = world.all_labelled(names[truth].tolist()).group()
    labels = names[truth]
    assert value(group, "accuracy") == sk.accuracy_score(labels, answer)
    for metric, exact in (
        ("precision", sk.precision_score(labels, answer, average="macro")),
        ("recall", sk.recall_score(labels, answer, average="macro")),
        ("f1", sk.f1_score(labels, answer, average="macro")),
        ("balanced_accuracy", sk.balanced_accuracy_score(labels, answer)),
        ("log_loss", sk.log_loss(labels, scores, labels=names)),
    ):
        assert value(group, metric) == pytest.approx(exact, abs=EXACT)
    auc = sk.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert abs(value(group, "roc_auc") - auc) <= figure(group, "roc_auc").bound + EXACT
    report = sk.classification_report(labels, answer, output_dict=True)
    for each in group.per_class:
        assert each.support == report[each.label]["support"]
        assert each.recall.value == report[each.label]["recall"]
        assert each.precision.value == report[each.label]["precision"]


def test_regression_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(3, 2, N)
    answer = truth + rng.normal(0.2, 1, N)
    world = World("regression", window_panes=N // 10).predict(answer.tolist())
    group = world.all_labelled(truth.tolist()).group()
    assert value(group, "mae") == pytest.approx(sk.mean_absolute_error(truth, answer), abs=EXACT)
    assert value(group, "rmse") == pytest.approx(sk.root_mean_squared_error(truth, answer), abs=EXACT)
    assert value(group, "mape") == pytest.approx(sk.mean_absolute_percentage_error(truth, answer), rel=1e-9)


def test_arms_are_told_apart_and_slices_share_one_error_budget() -> None:
    truth, score, answer = binary_rows(np.random.default_rng(4))
    amounts = np.linspace(0, 39.9, N).tolist()  # four quarters of the baseline
    arms = ["champion", "candidate"] * (N // 2)
    world = World(window_panes=N // 10, slices=("amount",))
    world.predict(answer, score, amount=amounts, arms=arms).all_labelled(truth)
    (window,) = world.windows()
    whole = [each for each in window.groups if not each.slice]
    assert [each.arm for each in whole] == ["candidate", "champion"]
    assert value(whole[0], "accuracy") == sk.accuracy_score(truth[1::2], answer[1::2])
    parts = [each for each in window.groups if each.slice]
    assert {each.slice for each in parts} == {"amount<10", "10<=amount<20", "20<=amount<30", "amount>=30"}
    assert window.slices == 8
    assert {round(1 - each.confidence, 6) for each in parts} == {0.05 / 8}
    assert sum(each.labelled for each in parts) == N
    assert window.comparisons == sum(f.verdict == "OK" for each in window.groups for f in each.figures)


def test_a_small_slice_is_insufficient_and_says_how_many_rows_it_needs() -> None:
    truth, score, answer = binary_rows(np.random.default_rng(5))
    regions = ["small" if row < 12 else "large" for row in range(N)]
    world = World(window_panes=N // 10, slices=("region",))
    group = world.predict(answer, score, region=regions).all_labelled(truth).group("region=small")
    found = figure(group, "accuracy")
    assert (found.verdict, found.value, found.needed) == ("INSUFFICIENT", None, 30)
    recall = figure(group, "recall")
    assert recall.value is None
    assert recall.needed is not None
    assert recall.needed > 30  # only some of the labels are positive


def test_a_condition_is_a_slice() -> None:
    from flyball.core.service import Slice

    truth, score, answer = binary_rows(np.random.default_rng(6))
    amounts = [float(row) for row in range(N)]
    world = World(window_panes=N // 10, slices=(Slice(name="rich", when="row.amount >= 300.0"),))
    group = world.predict(answer, score, amount=amounts).all_labelled(truth).group("rich")
    assert (group.rows, group.labelled) == (100, 100)
    assert value(group, "accuracy") == sk.accuracy_score(truth[300:], answer[300:])


@pytest.mark.parametrize(
    ("labels", "metric", "verdict", "words"),
    [
        ([1] * N, "roc_auc", "INSUFFICIENT", "0 scored rows without label 1"),
        ([1] * N, "specificity", "INSUFFICIENT", "0 labels 0"),
        ([None] * N, "accuracy", "INSUFFICIENT", "no label has come"),
        ([float("nan")] * N, "accuracy", "INSUFFICIENT", "no label has come"),
        (["yes", "no"] * (N // 2), "accuracy", "INVALID", "none of the classes"),
        ([1, "1", True, "0"] * (N // 4), "accuracy", "INVALID", "100 of 400"),
    ],
)
def test_labels_that_cannot_be_judged_have_a_verdict_with_a_reason(
    labels: list[Any], metric: str, verdict: str, words: str
) -> None:
    _, score, answer = binary_rows(np.random.default_rng(7))
    world = World(window_panes=N // 10).predict(answer, score)
    found = figure(world.all_labelled(labels).group(), metric)
    assert (found.verdict, found.value) == (verdict, None)
    assert words in found.reason


def test_targets_that_are_no_numbers_make_a_regression_invalid() -> None:
    answers = [float(row) for row in range(N)]
    some = [told(row, "n/a" if row % 10 == 0 else 1.0, row) for row in range(N)]
    group = World("regression", window_panes=N // 10).predict(answers).label(some).group()
    assert {each.verdict for each in group.figures} == {"INVALID"}
    assert "40 of 400 labels are no numbers" in figure(group, "mae").reason


def test_a_class_that_the_release_does_not_know_is_a_wrong_answer_and_is_counted() -> None:
    truth: list[Any] = [0, 1] * (N // 2)
    answer = list(truth)
    truth[:20] = [7] * 20
    group = World(window_panes=N // 10).predict(answer, [0.5] * N).all_labelled(truth).group()
    assert group.unknown == 20
    assert group.classes == ("0", "1", "other")
    assert value(group, "accuracy") == (N - 20) / N


def test_value_is_a_column_times_what_the_answer_was_worth() -> None:
    truth, score, answer = binary_rows(np.random.default_rng(8))
    amounts = np.random.default_rng(9).random(N) * 100
    declared = BusinessValue(column="amount", tp=1.0, fp=-0.5, fn=-2.0, tn=0.0)
    world = World(window_panes=N // 10, value=declared).predict(answer, score, amount=amounts.tolist())
    group = world.all_labelled(truth).group()
    weight = {(1, 1): 1.0, (0, 1): -0.5, (1, 0): -2.0, (0, 0): 0.0}
    worth = [weight[t, a] * m for t, a, m in zip(truth, answer, amounts, strict=True)]
    assert value(group, "value") == pytest.approx(np.mean(worth), abs=1e-6)


def test_failing_examples_are_bounded_deterministic_and_without_personal_columns() -> None:
    truth, score, answer = binary_rows(np.random.default_rng(10))
    rows: dict[str, Any] = {"amount": [1.0] * N, "region": ["x"] * N}
    world = World(window_panes=N // 10, examples=5, personal=("region",)).predict(answer, score, **rows)
    group = world.all_labelled(truth).group()
    assert len(group.examples) == 5
    assert all(each.truth != each.prediction for each in group.examples)
    assert all(each.features == {"amount": 1.0} and each.left_out == ("region",) for each in group.examples)
    again = World(window_panes=N // 10, examples=5, personal=("region",)).predict(answer, score, **rows)
    for row in reversed(range(N)):
        again.label([told(row, truth[row], row)])
    assert again.group().examples == group.examples


def test_the_examples_of_a_regression_are_its_largest_errors() -> None:
    truth = [1.0] * N
    answer = [1.0 + row / 10 for row in range(N)]
    group = World("regression", window_panes=N // 10, examples=3).predict(answer).all_labelled(truth).group()
    assert [each.row for each in group.examples] == [N - 1, N - 2, N - 3]


def test_a_joined_table_says_what_rows_are_worth_and_rows_that_it_lacks_have_no_worth() -> None:
    truth, score, answer = binary_rows(np.random.default_rng(11))
    declared = BusinessValue(column="margin", source="values.csv", on="region")
    world = World(window_panes=N // 10, value=declared)
    world.book.worth = {"x": 2.0}
    regions = ["x" if row % 2 else "y" for row in range(N)]
    found = figure(world.predict(answer, score, region=regions).all_labelled(truth).group(), "value")
    assert found.n == N // 2
    assert found.value == pytest.approx(2.0 * sk.accuracy_score(truth[1::2], answer[1::2]))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("answers", [{}, {"prediction": Reference(kind="category", values=(), counts=(0, 9))}])
@pytest.mark.parametrize("scored", [False, True])
def test_a_baseline_without_classes_is_invalid_and_says_why(
    task: Task, answers: dict[str, Reference], scored: bool
) -> None:
    one: Any = 0.7 if task == "binary" else {"a": 0.7, "b": 0.3}
    world = World(task, window_panes=10, answers=answers, value=BusinessValue(right=1.0, wrong=-1.0))
    group = world.predict(["a"] * 100, [one] * 100 if scored else None).all_labelled(["a", "b"] * 50).group()
    assert group.labelled == 100
    for each in group.figures:
        assert (each.verdict, each.value) == ("INVALID", None)
        assert "found none in its baseline" in each.reason
    world.label([told(0, "b", 1.0)])  # a correction takes the first label out again
    assert world.group().labelled == 100
