"""What answers of the prediction log rest on: a sample of its rows, explained by the very releases that answered them.

It runs beside the gateway, never in it: a walk asks the model some hundred times, and a row of mixed inputs that a
model cannot bear must not count against a release that serves. The rows are those of the log; inputs that are hashed
there are left as they are, since no model reads them.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import polars as pl

from flyball.adapters.models.predictor import load
from flyball.app.home import Home
from flyball.app.wiring.asking.log_questions import Question, ask
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.errors import NotEnoughData, TrainingFailed
from flyball.core.prediction import Answer, Predictor
from flyball.core.record import Record
from flyball.serving.routing.assign import mirrored
from flyball.stats.shapley import Explained, shapley

INPUT = "x."  # before the name of an input, in the log
WALKS = 32
BACKGROUND_ROWS = 2_000  # of the newest rows that a release answered; the walks begin at some of them
ROWS_EXPLAINED = 200


class Attribution(Record):
    """Of one prediction."""

    id: str
    release: str
    prediction: str | float | int | bool
    of: str  # what the shares explain: `score`, `scores.CLASS` or `prediction`
    explained: Explained


def attribute(
    home: Home,
    service: str,
    question: Question,
    *,
    share: float,
    seed: int,
    advance: Callable[[int], None],
    loaded: Callable[[str], Predictor] | None = None,
    most: int = ROWS_EXPLAINED,
) -> list[Attribution]:
    """Attributions of the newest sampled rows, newest first; the same rows for the same log, as their ids decide.

    Args:
        share: of the answered rows, in 0..1; a prediction that is in a small sample is in every larger one.
        seed: of the walks.
        loaded: the predictor of a release's root; None: the home's, verified.

    Raises: NotEnoughData: no row, or too few to compare with. Untrusted, NotFound: a release. TrainingFailed: a
        model that fails on mixed rows. BadInput: the question.
    """
    rows = ask(home, service, question, advance=advance)
    rows = rows.filter((pl.col("outcome") == "answered") & pl.col("answered_by").is_not_null())
    found = rows.sort("at", descending=True, maintain_order=True)
    ids = found.select("id").collect()["id"].to_list()
    chosen = [name for name in ids if mirrored("attribution", name, share)][:most]
    if not chosen:
        raise NotEnoughData(f"{len(ids)} answered rows, and none of them in a share of {share:g}: raise --share")
    table = found.filter(pl.col("id").is_in(chosen)).collect()
    loaded, attributions = loaded or _of_the_home(home), []
    for root in table["answered_by"].unique(maintain_order=True):
        predictor = loaded(root)
        near = found.filter(pl.col("answered_by") == root).head(BACKGROUND_ROWS).collect()
        if near.height < 2:
            raise NotEnoughData(f"{near.height} rows that release {root} answered: there is nothing to compare with")
        others = _rows(near)
        for one in table.filter(pl.col("answered_by") == root).iter_rows(named=True):
            attributions.append(_one(predictor, one, others, Random(f"{seed}-{one['id']}")))
    place = {name: number for number, name in enumerate(chosen)}
    return sorted(attributions, key=lambda each: place[each.id])


def as_table(attributions: Sequence[Attribution]) -> pl.DataFrame:
    """A row for each prediction and input."""
    return pl.DataFrame(
        [
            {
                "id": each.id,
                "release": each.release,
                "of": each.of,
                "base": each.explained.base,
                "answer": each.explained.answer,
                "input": name,
                "value": share.value,
                "standard_error": share.standard_error,
            }
            for each in attributions
            for name, share in each.explained.shares.items()
        ]
    )


def _of_the_home(home: Home) -> Callable[[str], Predictor]:
    store = ReleaseStore(home)
    return lambda root: load(store.verified(root), release=root)


def _one(predictor: Predictor, record: dict[str, Any], others: list[dict[str, Any]], dice: Random) -> Attribution:
    (row,) = _rows(pl.DataFrame([record]))
    names = sorted(row)
    background = [dice.choice(others) for _ in range(WALKS)]
    orders = [dice.sample(names, len(names)) for _ in range(WALKS)]
    of, number_of = _explains(record)
    explained = shapley(lambda rows: _answers(predictor, rows, number_of), row, background, orders)
    return Attribution(
        id=record["id"], release=predictor.release, prediction=record["prediction"], of=of, explained=explained
    )


def _explains(record: dict[str, Any]) -> tuple[str, Callable[[Answer], float | None]]:
    """The number of an answer that is explained, and how it is called."""
    if record.get("score") is not None:
        return "score", lambda answer: answer.score
    name = str(record["prediction"])
    if record.get("scores") is not None:
        return f"scores.{name}", lambda answer: (answer.scores or {}).get(name)
    return "prediction", lambda answer: float(answer.prediction)


def _answers(predictor: Predictor, rows: Sequence[Any], number_of: Callable[[Answer], float | None]) -> list[float]:
    found = []
    for answer in predictor.predict(rows).answers:
        number = number_of(answer) if isinstance(answer, Answer) else None
        if number is None:
            raise TrainingFailed(f"release {predictor.release} gives no answer to a row of mixed inputs")
        found.append(number)
    return found


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    inputs = [name for name in table.columns if name.startswith(INPUT)]
    return table.select(pl.col(name).alias(name.removeprefix(INPUT)) for name in inputs).to_dicts()
