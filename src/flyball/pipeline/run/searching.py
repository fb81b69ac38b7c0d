"""Step search: the configuration that scores best on the newest part of the training rows. The holdout is never asked.

The winner and every trial are written to `trials.json`, under the root and without times: the same inputs give the same
winner and the same root. A search that is cut off by `timeout_s` has as many trials as the machine managed.
"""

import math
import time
from collections.abc import Mapping

import msgspec
import polars as pl

from flyball.core.codec import canonical
from flyball.core.errors import FlyballError, TrainingFailed
from flyball.core.model import Code, outputs
from flyball.core.ports import Searcher, Trial
from flyball.core.record import Record
from flyball.core.service import Scalar
from flyball.pipeline.run import fitting
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.seed import seed_of
from flyball.pipeline.split import Rows, Split
from flyball.stats.scoring.metrics import METRICS, score

TRIALS = "trials.json"


class Chosen(Record):
    """The configuration of the fit, and how it was found; without a search there are no trials."""

    config: dict[str, Scalar]
    metric: str = ""
    direction: str = ""
    validation_rows: int = 0
    trials: tuple[Trial, ...] = ()


def search(
    of: Subject, code: Code, made: pl.DataFrame, table: pl.DataFrame, parts: Split, searcher: Searcher
) -> Chosen:
    """Try configurations and choose; ties go to the earlier trial.

    Raises: TrainingFailed: no trial gave a score. Unavailable: the extra is not installed.
    """
    experiment, wanted = of.service.experiment, of.service.experiment.search
    if wanted is None:
        return Chosen(config=dict(experiment.config))
    learn, ask = _validation(parts.train, wanted.validation)
    ends = None if wanted.timeout_s is None else time.monotonic() + wanted.timeout_s
    direction = METRICS[experiment.metric].direction

    def scored(values: dict[str, Scalar]) -> float:
        return _score(of, code, made, table, learn, ask, dict(experiment.config) | values)

    trials = searcher.search(
        wanted.space,
        trials=wanted.trials,
        seed=seed_of(experiment.seed),
        direction=direction,
        score=scored,
        until=lambda: ends is not None and time.monotonic() > ends,
    )
    good = [(trial.score, trial) for trial in trials if trial.score is not None]
    if not good:
        words = trials[0].error if trials else "no trial began before experiment.search.timeout_s"
        raise TrainingFailed(f"none of the {len(trials)} trials of the search gave a score; the first: {words}")
    sign = 1 if direction == "higher" else -1
    best = max(good, key=lambda each: (sign * each[0], -each[1].number))[1]
    return Chosen(
        config=dict(experiment.config) | best.config,
        metric=experiment.metric,
        direction=direction,
        validation_rows=len(ask),
        trials=trials,
    )


def dump(chosen: Chosen) -> Mapping[str, bytes]:
    return {TRIALS: canonical(chosen)}


def load(files: Mapping[str, bytes]) -> Chosen:
    return msgspec.json.decode(files[TRIALS], type=Chosen)


def _validation(train: Rows, share: float) -> tuple[Rows, Rows]:
    """The newest share of the training rows apart, at least one row on each side."""
    held = min(max(round(len(train) * share), 1), len(train) - 1)
    if held < 1:
        raise TrainingFailed(f"a search needs at least 2 training rows, found {len(train)}")
    return train[:-held], train[-held:]


def _score(
    of: Subject, code: Code, made: pl.DataFrame, table: pl.DataFrame, learn: Rows, ask: Rows, config: dict[str, Scalar]
) -> float:
    """The declared metric of a model of this configuration on rows that it did not learn from.

    Raises: TrainingFailed: in words what went wrong; one bad configuration does not end the search.
    """
    try:
        estimator = fitting.fit(of, code, made, table, learn, config)
        known = fitting.facts(of, estimator, table, learn)
        predictions, scores = outputs(estimator, made[ask.tolist()], known)
        metric = of.service.experiment.metric
        needs_score = METRICS[metric].needs == "score"
        truth = table[of.label][ask.tolist()].to_numpy()
        value = score(
            metric,
            truth,
            None if needs_score else predictions,
            scores if needs_score else None,
            classes=list(known.classes) or None,
        )
    except TrainingFailed:
        raise
    except FlyballError as error:
        raise TrainingFailed(str(error)) from error
    except Exception as error:  # the service's own code
        raise TrainingFailed(f"{type(error).__name__}: {error}") from error
    if not math.isfinite(value):
        raise TrainingFailed(f"{of.service.experiment.metric} is not a finite number")
    return float(value)
