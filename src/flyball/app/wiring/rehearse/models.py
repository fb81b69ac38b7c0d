"""The store of simulated releases: what each is like, what it promised when it was made, and how it answers."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from flyball.app.rehearse.faults import SICK
from flyball.app.rehearse.models import Labels, Made
from flyball.app.rehearse.rows import LATENT, RowLaw
from flyball.core.contract import DataContract
from flyball.core.errors import NotFound
from flyball.core.frames import schema, series
from flyball.core.model import Input, Packaged
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.service import Service
from flyball.monitor.watch import Promise
from flyball.pipeline.baseline import baseline
from flyball.pipeline.evaluate import Scored, evaluate, wanted

BASE_ERROR, BASE_SLOW = 0.002, 0.005  # of the first release, shares of the rows
LEARNED_ROWS, HELD_ROWS = 2_000, 2_000
USUAL, SLOW = 0.2, 1.5  # service time, of the objective


class Weather:
    """What the world does to every model alike."""

    def __init__(self) -> None:
        self.shifts: dict[str, float] = {}  # of the features, as they are drawn now
        self.errors = 1.0  # times the usual rate
        self.sick: str | None = None  # the release that fails by itself


class Models:
    """All releases of one service. One that was registered can be loaded: the store is not what is rehearsed."""

    def __init__(self, service: Service, contract: DataContract, law: RowLaw, labels: Labels) -> None:
        self._service, self._law, self._labels = service, law, labels
        self._limit_ms = service.serving.objectives.latency_p99_ms
        self._dtypes = schema(contract, without=(service.data.label,))
        inputs = tuple(Input(name=each.name, kind=each.kind) for each in contract.columns if each.name in law.names)
        self._facts = Packaged(
            service=service.metadata.name,
            task=labels.task,
            threshold=labels.threshold,
            label=service.data.label,
            classes=labels.classes,
            inputs=inputs,
            plain=tuple(each.name for each in inputs),
            module="simulated",
            code="simulated",
        )
        self.made: dict[str, Made] = {}
        self._promised = cache(self._promise)

    def promise(self, root: str) -> Promise:
        """What it said of itself when it was made: the features as they were then, and its metrics on them."""
        made = self.made[root]
        return self._promised(tuple(sorted(made.learned.items())), made.blur(made.learned))

    def loaded(self, root: str, now: Weather, rng: np.random.Generator) -> "Loaded":
        """Raises: NotFound: it was never registered."""
        if root not in self.made:
            raise NotFound(f"there is no release {root}")
        return Loaded(self.made[root], self._labels, now, rng, self._limit_ms)

    def _promise(self, learned: tuple[tuple[str, float], ...], blur: float) -> Promise:
        """Equal for equal releases, whatever the seed of the rehearsal."""
        rng = np.random.default_rng([1, round(1e6 * blur)])
        train = self._frame(self._law.columns(rng, LEARNED_ROWS, dict(learned)))
        rows = self._law.rows(rng, HELD_ROWS, dict(learned))
        answers = [self._labels.answer(row[LATENT], blur) for row in rows]
        scored = Scored(
            truth=np.array([self._labels.truth(row[LATENT]) for row in rows]),
            predictions=np.array([each.prediction for each in answers]),
            scores=_scores(answers, self._labels),
        )
        found = evaluate(wanted(self._service), scored, classes=self._labels.classes, rng=rng)
        watched = [name for name in self._facts.plain if name != self._service.data.key]
        return Promise(
            baseline=baseline(train, watched, self._facts, scored.predictions, scored.scores), metrics=found.metrics
        )

    def _frame(self, columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
        return pl.DataFrame([series(name, values, self._dtypes[name]) for name, values in columns.items()])


class Loaded:
    """`core.prediction.Predictor` in a gateway's memory."""

    def __init__(self, made: Made, labels: Labels, now: Weather, rng: np.random.Generator, limit_ms: float) -> None:
        self._made, self._labels, self._now, self._rng, self._limit_ms = made, labels, now, rng, limit_ms

    @property
    def release(self) -> str:
        return self._made.root

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        """Errors and slow answers as declared; a slow answer is one row's, so only a row that came alone has one."""
        made, labels, blur = self._made, self._labels, self._made.blur(self._now.shifts)
        error = BASE_ERROR * made.error_ratio * self._now.errors * (SICK if self._now.sick == made.root else 1.0)
        slow = BASE_SLOW * made.slow_ratio if len(rows) == 1 else 0.0
        dice = self._rng.random(2 * len(rows)).tolist()
        answers: list[Answer | Failure] = [
            Failure(reason="exception", message="simulated") if lot < error else labels.answer(row[LATENT], blur)
            for row, lot in zip(rows, dice[::2], strict=True)
        ]
        spent = sum(SLOW if lot < slow else USUAL for lot in dice[1::2])
        return ArmReply(answers=tuple(answers), service_ms=self._limit_ms * spent)


def _scores(answers: Sequence[Answer], labels: Labels) -> Any:
    if labels.task == "regression":
        return None
    if labels.task == "binary":
        return np.array([each.score for each in answers])
    return np.array([[(each.scores or {})[str(name)] for name in labels.classes] for each in answers])
