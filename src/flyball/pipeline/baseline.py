"""What normal looks like: reference bins and counts for each input and for the prediction.

Inputs are counted over the rows the model learned from. Predictions and scores are counted over the *holdout*: on rows
it has seen a model is too sure of itself, so its training scores would look like drift against the first live window.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.model import Loaded, Packaged, Predictions, Scores
from flyball.core.record import Record
from flyball.core.release import Baseline, Outcomes, Reference, Together
from flyball.stats.binning.bins import CategoryBins, NumericBins, fit_categories, fit_numeric
from flyball.stats.binning.fine_bins import fit_fine
from flyball.stats.binning.reference_bins import bin_of
from flyball.stats.change.joint_features import SEED, questions
from flyball.stats.risk.outcomes import outcomes
from flyball.stats.sensitivity import permutation_sensitivity
from flyball.stats.two_sample.stretches import stretches


class Held(Record):
    """The rows held out, with their labels; the same rows in both."""

    frame: pl.DataFrame
    truth: Any  # labels, shape [n]


def baseline(
    train: pl.DataFrame,
    inputs: Sequence[str],
    facts: Packaged,
    predictions: Predictions,
    scores: Scores,
    *,
    held: Held | None = None,
) -> Baseline:
    """References of the inputs over `train`, of prediction and score over the holdout; outcomes of the holdout."""
    features = {name: in_order(train[name]) for name in inputs}
    normal = Baseline(
        rows=train.height,
        features=features,
        prediction=_of_prediction(facts, predictions, scores),
        together=together(train, features),
    )
    return normal if held is None else replace(normal, outcomes=_outcomes(normal, facts, predictions, scores, held))


def together(train: pl.DataFrame, features: Mapping[str, Reference]) -> Together | None:
    """How the columns hang together in up to `JOINT_ROWS` rows; times move by nature and are left out."""
    rows = train.gather_every(max(1, -(-train.height // JOINT_ROWS)))
    asked = questions({name: each for name, each in features.items() if not train[name].dtype.is_temporal()})
    if asked is None:
        return None
    found = asked.ask(rows.get_column, rows.height)
    return Together(columns=asked.names, rows=found.rows, yes=tuple(found.yes.tolist()), seed=SEED)


JOINT_ROWS = 100_000
ASKED_ROWS = 256  # for the sensitivity: one answer an input and row


def sensitivity(
    loaded: Loaded, rows: pl.DataFrame, inputs: Sequence[str], rng: np.random.Generator
) -> dict[str, float]:
    """How much the packaged model cares for each input, on rows that it has not seen; see `stats.sensitivity`."""

    def answers(table: pl.DataFrame) -> Any:
        predictions, scores = loaded.predict_frame(table)
        return predictions if scores is None else scores

    return permutation_sensitivity(answers, rows, inputs, rng=rng)


def _outcomes(normal: Baseline, facts: Packaged, predictions: Predictions, scores: Scores, held: Held) -> Outcomes:
    """Losses and classes of the rows held out, on the bins of the baseline; a class the model never saw is left out."""
    if facts.task == "regression":
        truth, answers = (np.asarray(column, dtype=np.float64) for column in (held.truth, predictions))
        kept = np.isfinite(truth) & np.isfinite(answers)
    else:
        place = {str(label): at for at, label in enumerate(facts.classes)}
        truth, answers = (
            np.array([place.get(str(each), -1) for each in np.asarray(column).tolist()], dtype=np.float64)
            for column in (held.truth, predictions)
        )
        kept = (truth >= 0) & (answers >= 0)
    return outcomes(
        held.frame.filter(pl.Series(kept)).to_dict(as_series=True),
        normal,
        task=facts.task,
        truth=truth[kept],
        prediction=answers[kept],
        score=None if scores is None else scores[kept],
    )


def reference(column: pl.Series, *, parted: bool = False) -> Reference:
    """Numbers, dates and times in bins of equal mass; text and flags by value.

    Args: parted: each bin has rows of the column; else a value which a column of few never had is told apart. Times are
        always parted: they move on by nature.

    >>> reference(pl.Series([True, False, True, None])).values
    ('True', 'False')
    """
    if column.dtype.is_temporal():
        column, parted = column.cast(pl.Datetime("us")).dt.epoch("us") / 1e6, True
    if column.dtype.is_numeric():
        values = column.cast(pl.Float64).to_numpy()
        bins: NumericBins = fit_numeric(values, parted=parted)
        fine = fit_fine(values, bins.edges)
        return Reference(
            kind="numeric",
            edges=bins.edges,
            counts=tuple(bins.count(values).tolist()),
            fine=fine.edges,
            fine_counts=tuple(fine.count(values).tolist()),
        )
    texts = column.to_list()  # by Python text, `True`: as the monitor sees values
    known: CategoryBins = fit_categories(texts)
    return Reference(kind="category", values=known.values, counts=tuple(known.count(texts).tolist()))


def in_order(column: pl.Series) -> Reference:
    """The same with its stretches, of rows in the order of time."""
    found = reference(column)
    return replace(found, stretches=stretches(bin_of(column, found), len(found.counts)))


def _of_prediction(facts: Packaged, predictions: Predictions, scores: Scores) -> dict[str, Reference]:
    if facts.task == "regression":
        return {"prediction": reference(pl.Series(predictions), parted=True)}
    assert scores is not None
    labels = {"prediction": _of_classes(facts, predictions)}
    if scores.ndim == 1:
        return labels | {"score": reference(pl.Series(scores), parted=True)}
    return labels | {"top_score": reference(pl.Series(scores.max(axis=1)), parted=True)}


def _of_classes(facts: Packaged, predictions: Predictions) -> Reference:
    """Every class has a bin, also one that was never predicted on the holdout."""
    bins = CategoryBins(values=tuple(str(label) for label in facts.classes))
    return Reference(
        kind="category", values=bins.values, counts=tuple(bins.count([str(p) for p in predictions.tolist()]).tolist())
    )
