"""A release behind the safety filters that are functions of its own code (`serving.filters[].function`).

They run where the release runs, before and after its model, under the same deadline: one that hangs is an arm that
hangs, one that raises an arm that raises, so both end in the fallback chain and are error events of the release that
brought them. The code is the release's own, so what a filter does is under its root; what follows from its word is said
by `service.yaml`, as for every other filter.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.adapters.models.code import functions_of
from flyball.adapters.models.predictor import CODE, RELEASE
from flyball.core.declared.serving import Filter
from flyball.core.errors import Untrusted
from flyball.core.frames import DTYPES, frame, series
from flyball.core.ids import short
from flyball.core.model import Packaged
from flyball.core.prediction import Answer, ArmReply, Failure, Predictor

KEPT_BACK = False  # in the place of the prediction that a row kept from the model does not have


def screened(folder: str, predictor: Predictor, declared: Sequence[Filter], *, once: bool = False) -> Predictor:
    """The predictor behind those of the filters that are functions; itself where none is. `once`: see `Screened`.

    Raises: Untrusted: the release has no such function; it was made before the filter was declared.
    """
    mine = [one for one in declared if one.function is not None]
    if not mine:
        return predictor
    path = Path(folder)
    facts = msgspec.json.decode((path / RELEASE).read_bytes(), type=Packaged)
    found = functions_of(str(path / CODE), facts.code, facts.module)
    if missing := [one for one in mine if not callable(found.get(one.function or ""))]:
        names = ", ".join(f"{one.function} (filter {one.name})" for one in missing)
        raise Untrusted(
            f"release {short(predictor.release)} has no function {names} in {facts.module}",
            hint="train a release with the filter, or take the filter out of service.yaml",
        )
    dtypes = {column.name: DTYPES[column.kind] for column in facts.inputs}
    return Screened(predictor, [(one, found[one.function or ""]) for one in mine], dtypes, once=once)


class Screened:
    """`core.prediction.Predictor` around another one."""

    bounded = False  # it runs code of its author

    def __init__(
        self,
        inner: Predictor,
        filters: Sequence[tuple[Filter, Callable[..., Any]]],
        dtypes: Mapping[str, pl.DataType],
        *,
        once: bool = False,
    ) -> None:
        """`filters`: in their declared order, with their functions. `dtypes`: of the inputs. `once`: a row is asked
        once, so that all fail where a filter did (`serving.idempotent: false`)."""
        self._inner, self._dtypes, self._once = inner, dict(dtypes), once
        self._rows = [(one, ask) for one, ask in filters if one.on == "row"]
        self._answers = [(one, ask) for one, ask in filters if one.on == "answer"]

    @property
    def release(self) -> str:
        return self._inner.release

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        """One answer a row, in order. Where a filter fails on the batch, each row is asked alone; all fail where a row
        is asked once."""
        started = time.perf_counter()
        found = self._together(rows)
        if isinstance(found, Failure):
            alone = len(rows) > 1 and not self._once
            found = [self._alone(row) for row in rows] if alone else [found] * len(rows)
        return ArmReply(answers=tuple(found), service_ms=(time.perf_counter() - started) * 1e3)

    def _alone(self, row: dict[str, Any]) -> Answer | Failure:
        found = self._together([row])
        return found if isinstance(found, Failure) else found[0]

    def _together(self, rows: Sequence[dict[str, Any]]) -> list[Answer | Failure] | Failure:
        if not rows:
            return []
        fired: list[list[str]] = [[] for _ in rows]
        try:
            seen, kept = self._before(rows, fired)
        except Exception as error:  # whatever the author's code raises, nothing has been judged
            return _failed(error)
        open_rows = [place for place in range(len(rows)) if place not in kept]
        said: list[Answer | Failure] = [Answer(prediction=KEPT_BACK, withheld=True)] * len(rows)
        if open_rows:
            reply = self._inner.predict([seen[place] for place in open_rows])
            for place, answer in zip(open_rows, reply.answers, strict=True):
                said[place] = answer
        try:
            self._after(seen, said, fired)
        except Exception as error:
            return _failed(error)
        return [
            replace(answer, fired=tuple(names)) if names and isinstance(answer, Answer) else answer
            for answer, names in zip(said, fired, strict=True)
        ]

    def _before(self, rows: Sequence[dict[str, Any]], fired: list[list[str]]) -> tuple[list[dict[str, Any]], set[int]]:
        """The rows, some moved, and the places of those that the model must not see."""
        seen, kept, table = list(rows), set[int](), frame(rows, self._dtypes)
        for one, ask in self._rows:
            if one.verdict == "clamp" and one.column is not None:
                old = table[one.column]
                moved = series(one.column, _column(one, ask(table), len(rows)).to_list(), old.dtype)
                hits = (moved.ne_missing(old)).to_list()
                table = table.with_columns(moved)
                for place in _places(hits, kept):
                    seen[place] = seen[place] | {one.column: moved[place]}
                    fired[place].append(one.name)
                continue
            hits = _bools(one, ask(table), len(rows))
            for place in _places(hits, kept):
                fired[place].append(one.name)
                if one.verdict in ("reject", "fall_back"):
                    kept.add(place)
        return seen, kept

    def _after(self, rows: Sequence[dict[str, Any]], said: list[Answer | Failure], fired: list[list[str]]) -> None:
        """Names of filters that fired on answers; a clamp moves them."""
        places = [place for place, each in enumerate(said) if isinstance(each, Answer) and not each.withheld]
        if not places or not self._answers:
            return
        table = frame([rows[place] for place in places], self._dtypes)
        for one, ask in self._answers:
            answers = [each for place in places if isinstance(each := said[place], Answer)]
            told = ask(table, _table(answers))
            moves = one.verdict == "clamp"
            hits = _column(one, told, len(places)).to_list() if moves else _bools(one, told, len(places))
            for place, answer, hit in zip(places, answers, hits, strict=True):
                if not moves:
                    fired[place] += [one.name] if hit else []
                elif (moved := _moved(answer, hit)) != answer:
                    said[place] = moved
                    fired[place].append(one.name)


def _table(answers: Sequence[Answer]) -> pl.DataFrame:
    """What an answer filter sees: `prediction`, and `score` where there is one."""
    columns = [pl.Series("prediction", [each.prediction for each in answers], strict=False)]
    if any(each.score is not None for each in answers):
        columns.append(pl.Series("score", [each.score for each in answers], dtype=pl.Float64()))
    return pl.DataFrame(columns)


def _moved(answer: Answer, value: float) -> Answer:
    return replace(answer, prediction=value) if answer.score is None else replace(answer, score=float(value))


def _bools(one: Filter, told: Any, rows: int) -> list[bool]:
    """Raises: TypeError, ValueError: no true or false for each row."""
    column = _column(one, told, rows)
    if column.dtype != pl.Boolean():
        raise TypeError(f"filter {one.name}: {one.function} must say true or false a row, found {column.dtype}")
    return column.to_list()


def _column(one: Filter, told: Any, rows: int) -> pl.Series:
    """Raises: TypeError, ValueError: not one value a row, or one is missing or not finite."""
    if not isinstance(told, (pl.Series, np.ndarray, list)):
        raise TypeError(f"filter {one.name}: {one.function} must say a series, found {type(told).__name__}")
    column = told if isinstance(told, pl.Series) else pl.Series(told)
    if len(column) != rows:
        found = f"{rows} rows, {len(column)} values"
        raise ValueError(f"filter {one.name}: {one.function} must say one value a row: {found}")
    unknown = column.null_count() or (column.dtype.is_float() and not column.is_finite().all())
    if unknown:
        raise ValueError(f"filter {one.name}: {one.function} said nothing, or no finite number, about some row")
    return column


def _places(hits: Sequence[bool], kept: set[int]) -> list[int]:
    return [place for place, hit in enumerate(hits) if hit and place not in kept]


def _failed(error: Exception) -> Failure:
    return Failure(reason="exception", message=f"{type(error).__name__}: {error}")
