"""What a fitted estimator's answers rest on: SHAP values where it is a tree ensemble or linear, else permutation.

SHAP (extra `explain`) explains exactly what the estimator computes, in its own unit (log-odds for boosted trees). A
pipeline is explained at its last step, with the names that its transformers give. Where SHAP does not know the
estimator, or is not installed, each input is permuted in turn and the mean absolute change of the answer is reported:
the question is the same, the unit is the answer's.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.adapters.models.xgboost_model import BoosterEstimator
from flyball.core.release import Attribution, Attributions

ROWS = 500  # explained; the mean over them is what is reported
Floats = npt.NDArray[np.float64]


def attributions(
    estimator: Any, table: pl.DataFrame, answer: Callable[[pl.DataFrame], Floats], *, output: str, seed: int
) -> Attributions:
    """Mean absolute attribution of each feature over some rows of `table`, largest first.

    Args:
        estimator: fitted, scikit-learn interface; None: nobody has it, so inputs are permuted.
        table: features as the estimator gets them; without one, inputs of the packaged model.
        answer: the output that is explained, one number a row, shape [n]; what permutation asks.
        output: what that number is, in words.
    """
    rows = table.sample(min(ROWS, table.height), seed=seed)
    explained = None if estimator is None else _shap(estimator, rows)
    if explained is not None:
        method, names, values = explained
        unit = "raw output of the model"
        return _sorted(method, unit, rows.height, names, np.abs(values).mean(axis=0))
    moved = _permuted(rows, answer, np.random.default_rng(seed))
    return _sorted("permutation", output, rows.height, rows.columns, moved)


def _shap(estimator: Any, rows: pl.DataFrame) -> tuple[Literal["shap tree", "shap linear"], list[str], Floats] | None:
    try:
        import shap
    except ImportError:
        return None
    last, inputs, names = _last_step(estimator, rows)
    explainers: tuple[tuple[Literal["shap tree", "shap linear"], Callable[[], Any]], ...] = (
        ("shap tree", lambda: shap.TreeExplainer(last)),
        ("shap linear", lambda: shap.LinearExplainer(last, inputs)),
    )
    for method, make in explainers:
        try:
            values = np.asarray(make().shap_values(inputs), dtype=np.float64)
        except Exception:  # shap refuses what it does not know by many kinds of exception; permutation knows everything
            continue
        if values.ndim == 3:  # one column a class: the mean over classes of what moves
            values = np.abs(values).mean(axis=2)
        if values.shape == (rows.height, len(names)) and np.isfinite(values).all():
            return method, names, values
    return None


def _last_step(estimator: Any, rows: pl.DataFrame) -> tuple[Any, Any, list[str]]:
    """The step that predicts, what it gets, and the names of that."""
    steps = getattr(estimator, "steps", None)
    if not steps or len(steps) < 2:
        inputs = rows.to_numpy() if all(dtype.is_numeric() for dtype in rows.dtypes) else rows
        last = steps[-1][1] if steps else estimator
        return (last.booster if isinstance(last, BoosterEstimator) else last), inputs, rows.columns
    before = estimator[:-1]
    inputs = before.transform(rows)
    inputs = inputs.toarray() if hasattr(inputs, "toarray") else np.asarray(inputs)
    try:
        names = [str(name) for name in before.get_feature_names_out()]
    except (AttributeError, ValueError, TypeError):  # a transformer that has no names for what it makes
        names = [f"feature {at}" for at in range(inputs.shape[1])]
    return steps[-1][1], inputs, names


def _permuted(rows: pl.DataFrame, answer: Callable[[pl.DataFrame], Floats], dice: np.random.Generator) -> Floats:
    before = answer(rows)
    order = dice.permutation(rows.height)
    moved = [np.abs(answer(rows.with_columns(rows[name].gather(order))) - before).mean() for name in rows.columns]
    return np.array(moved, dtype=np.float64)


def _sorted(
    method: Literal["shap tree", "shap linear", "permutation"],
    output: str,
    rows: int,
    names: list[str],
    values: Floats,
) -> Attributions:
    lines = [Attribution(feature=name, mean_abs=float(value)) for name, value in zip(names, values, strict=True)]
    lines.sort(key=lambda line: (-line.mean_abs, line.feature))
    return Attributions(method=method, output=output, rows=rows, features=tuple(lines))
