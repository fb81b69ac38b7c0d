"""What the candidate's answers would have been worth where actions were taken by chance, against what was done there.

The guesses that a doubly robust estimate needs come from a forest of the reward on inputs and action, fitted without
the units that it guesses for. It need not be good: with right propensities a bad guess costs width alone.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.margin import margin
from flyball.core.release import Estimate
from flyball.core.service import OffPolicyTest
from flyball.pipeline.suites.found import Found, estimate, named, result
from flyball.pipeline.suites.subject import Subject
from flyball.stats.actions.logged_actions import followed
from flyball.stats.actions.off_policy import OffPolicy, off_policy
from flyball.stats.experiment.cross_fitting import Guess, Rows, cross_fitted
from flyball.stats.scoring.intervals import Interval, rows_needed

NAME = "off-policy value"
MEASURES = ("off_policy.value", "off_policy.gain")
MOST_FITTED = 5000  # rows that one forest learns from
MOST_ACTIONS = 50  # with a column of their own in the guess; rarer ones share one

Floats = npt.NDArray[np.float64]


def off_policy_value(subject: Subject, test: OffPolicyTest, log: pl.DataFrame, rng: np.random.Generator) -> Found:
    """`off_policy.value`, `off_policy.gain`: PASS where the gain is surely above -max_loss, FAIL where surely below.

    Args: log: inputs of the model, and the columns that `test` names.
    """
    predictions, _ = subject.predict(log)
    taken, own = _texts(log[test.action].to_list()), _texts(predictions.tolist())
    if strangers := sorted(set(taken.tolist()) - set(_texts(list(subject.classes)).tolist())):
        known = named(str(one) for one in subject.classes)
        return _unknown(f"logged actions that are no answers of the model ({known}): {named(strangers)}", log.height)
    p, r = (log[name].cast(pl.Float64).to_numpy() for name in (test.propensity, test.reward))
    unit = None if test.unit is None else _texts(log[test.unit].to_list())
    guesses = None
    if test.estimator == "dr":
        groups = np.arange(log.height) if unit is None else unit
        if np.unique(groups).size < 2:
            return _unknown("one unit: nothing can be guessed for it, nor is its spread known", log.height)
        guesses = _guesses(log.select(subject.plain), taken, own, r, groups, rng)
    found = off_policy(p, r, followed(taken, own), unit=unit, guesses=guesses)
    if found.lacks or test.estimator not in found.gains or found.logged is None:
        return _unknown("; ".join(found.lacks), log.height)
    gain, value = found.gains[test.estimator], found.values[test.estimator]
    return _judged(test, found, found.logged, gain, value)


def _judged(test: OffPolicyTest, found: OffPolicy, logged: Interval, gain: Interval, value: Interval) -> Found:
    loss = margin(test.max_loss, logged.value)
    verdict = "PASS" if gain.low > -loss else "FAIL" if gain.high < -loss else "INCONCLUSIVE"
    reason = (
        f"the answers are worth {value.value:.4g} a row of {test.log}, {gain.value:+.4g} ({gain.low:+.4g} to"
        f" {gain.high:+.4g}) beside the {logged.value:.4g} of what was done; tolerated is a loss of {loss:.4g}"
    )
    seen = found.overlap
    assert seen is not None
    reason += (
        f" ({test.estimator}; {seen.followed:.0%} of {seen.rows} rows followed, worth {seen.effective:.0f} of"
        f" {seen.units} units; mean weight {seen.mean_weight:.3f}, largest {seen.largest_weight:.3g})"
    )
    if verdict == "INCONCLUSIVE" and (rows := rows_needed(gain, loss)) is not None:
        reason += f"; about {rows} rows would decide"
    numbers = (estimate(value), estimate(gain))
    told = result("model", NAME, "quality", verdict, reason, found=gain, limit=-loss)  # type: ignore[arg-type]
    metrics: dict[str, Estimate] = dict(zip(MEASURES, numbers, strict=True))
    return Found(tests=(told,), metrics=metrics)


def _unknown(why: str, rows: int) -> Found:
    """No number is handed on: a gate that reads one finds missing evidence."""
    told = result("model", NAME, "quality", "INCONCLUSIVE", why, n=rows)
    return Found(tests=(told,), missing=dict.fromkeys(MEASURES, why))


def _guesses(
    inputs: pl.DataFrame,
    taken: npt.NDArray[np.str_],
    own: npt.NDArray[np.str_],
    reward: Floats,
    unit: npt.ArrayLike,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    from sklearn.ensemble import RandomForestRegressor  # here: it takes seconds to load

    names, counts = np.unique(taken, return_counts=True)
    actions = names[np.argsort(-counts, kind="stable")][:MOST_ACTIONS]
    numbers = _numbers(inputs)
    logged, target = (np.column_stack([numbers, each[:, None] == actions]) for each in (taken, own))

    def fit(rows: Rows) -> Guess:
        chosen = rng.permutation(rows)[:MOST_FITTED]
        # a forest, not boosted trees: theirs is a thread pool that stalls where cores are shared
        forest = RandomForestRegressor(
            n_estimators=30, min_samples_leaf=20, max_features=0.5, random_state=int(rng.integers(2**31))
        )
        forest.fit(logged[chosen], reward[chosen])
        return lambda held: (forest.predict(logged[held]), forest.predict(target[held]))

    return cross_fitted(fit, unit, rng=rng)


def _numbers(inputs: pl.DataFrame) -> Floats:
    """Inputs as numbers: texts by their place in order, times as such; what is missing is NaN, which trees can use."""
    columns = []
    for name in inputs.columns:
        column = inputs[name]
        if column.dtype.is_temporal():
            column = column.to_physical()
        elif not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
            column = column.cast(pl.String).rank("dense")
        columns.append(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    table = np.column_stack(columns) if columns else np.empty((inputs.height, 0))
    return np.clip(table, -1e30, 1e30)


def _texts(values: list[object]) -> npt.NDArray[np.str_]:
    return np.array([str(value) for value in values], dtype=np.str_)
