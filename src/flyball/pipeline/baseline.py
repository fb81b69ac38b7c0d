"""What normal looks like: reference bins and counts for each input and for the prediction.

Inputs are counted over the rows the model learned from. Predictions and scores are counted over the *holdout*: on rows
it has seen a model is too sure of itself, so its training scores would look like drift against the first live window.
"""

from collections.abc import Sequence

import polars as pl

from flyball.core.model import Packaged, Predictions, Scores
from flyball.core.release import Baseline, Reference
from flyball.stats.bins import CategoryBins, NumericBins, fit_categories, fit_numeric


def baseline(
    train: pl.DataFrame, inputs: Sequence[str], facts: Packaged, predictions: Predictions, scores: Scores
) -> Baseline:
    """References of the inputs over `train`, of prediction and score over the holdout."""
    return Baseline(
        rows=train.height,
        features={name: reference(train[name]) for name in inputs},
        prediction=_of_prediction(facts, predictions, scores),
    )


def reference(column: pl.Series) -> Reference:
    """Numbers, dates and times in bins of equal mass; text and flags by value.

    >>> reference(pl.Series([True, False, True, None])).values
    ('True', 'False')
    """
    if column.dtype.is_temporal():
        column = column.cast(pl.Datetime("us")).dt.epoch("us") / 1e6
    if column.dtype.is_numeric():
        values = column.cast(pl.Float64).to_numpy()
        bins: NumericBins = fit_numeric(values)
        return Reference(kind="numeric", edges=bins.edges, counts=tuple(bins.count(values).tolist()))
    texts = column.to_list()  # by Python text, `True`: as the monitor sees values
    known: CategoryBins = fit_categories(texts)
    return Reference(kind="category", values=known.values, counts=tuple(known.count(texts).tolist()))


def _of_prediction(facts: Packaged, predictions: Predictions, scores: Scores) -> dict[str, Reference]:
    if facts.task == "regression":
        return {"prediction": reference(pl.Series(predictions))}
    assert scores is not None
    labels = {"prediction": _of_classes(facts, predictions)}
    if scores.ndim == 1:
        return labels | {"score": reference(pl.Series(scores))}
    return labels | {"top_score": reference(pl.Series(scores.max(axis=1)))}


def _of_classes(facts: Packaged, predictions: Predictions) -> Reference:
    """Every class has a bin, also one that was never predicted on the holdout."""
    bins = CategoryBins(values=tuple(str(label) for label in facts.classes))
    return Reference(
        kind="category", values=bins.values, counts=tuple(bins.count([str(p) for p in predictions.tolist()]).tolist())
    )
