"""Safety filters: what must not reach a model, and what a model must not say.

A filter on the row fires after the contract has accepted it and before anybody is assigned: *reject* is an error in the
row's place, *fall_back* an answer of the chain, *clamp* moves a number into its range (the model sees, and the log
keeps, the moved one), *review* only marks. A filter on the answer fires on what a release said, never on a rule or a
constant: *reject* withholds it, *fall_back* takes the next link that asks nobody and is no old answer, *clamp* moves
the number, *review* marks. Nothing of it is an error event: the release did answer. The mark, `filter: NAME`, is the
reason in the log.

A filter that is a function of the release's own code is asked where the release runs (`adapters/models/screened.py`).
Its word comes with the answer and is obeyed here, also about the row: by then the row is assigned.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.contract import Checked
from flyball.core.declared.serving import Filter
from flyball.core.prediction import Answer
from flyball.core.row_condition import holds, typed
from flyball.serving.batch import Batch
from flyball.serving.resilience.class_share import ClassShare
from flyball.serving.resilience.last_links import CACHED, Link, last_answer

Verdicts = Sequence[Checked | None]
Marks = dict[int, str]


class Filters:
    """Of one service in one worker."""

    def __init__(
        self,
        declared: Sequence[Filter],
        kinds: Mapping[str, str],
        links: Sequence[Link],
        shares: Mapping[str, ClassShare] | None = None,
    ) -> None:
        """`kinds` of the columns. `links`: of the fallback chain, those that ask nobody. `shares`: of the filters by
        rate, where all workers share them."""
        self._rows = [one for one in declared if one.on == "row" and one.function is None]
        # what a function of the release says comes with its answer, also what it says of the row
        self._answers = [one for one in declared if one.on == "answer" or one.function is not None]
        own = {one.name: ClassShare(one.rate) for one in declared if one.rate is not None}
        self._rates = own | dict(shares or {})
        self._kinds, self._links = kinds, [link for link in links if link[0] != CACHED]
        self.fired: Counter[str] = Counter()  # rows, by name of the filter

    def before(
        self, rows: Sequence[dict[str, Any]], verdicts: Verdicts
    ) -> tuple[Sequence[dict[str, Any]], Verdicts, Marks]:
        """Rows (some moved), verdicts (some new) and marks."""
        marks: Marks = {}
        if not self._rows:
            return rows, verdicts, marks
        seen, said = list(rows), list(verdicts)
        for place in range(len(rows)):
            for one in self._rows:
                if said[place] is None and self._fires(one, seen[place], None):
                    self._apply(one, place, seen, said)
                    marks.setdefault(place, _mark(one))
        return seen, said, marks

    def after(self, batch: Batch) -> None:
        """Look at what releases said; some of it becomes another answer or none."""
        for place, answer in enumerate(batch.final):
            if answer is None:
                continue
            for one in self._answers:
                said = batch.final[place]
                if said is None or not self._fires(one, batch.rows[place], said, batch):
                    continue
                self.fired[one.name] += 1
                batch.marks.setdefault(place, _mark(one))
                match one.verdict:
                    case "clamp" if one.function is None:
                        batch.final[place] = _clamped(one, said)
                    case "fall_back" | "reject":
                        batch.marks[place] = _mark(one)  # it decides, whatever was marked before
                        found = last_answer(self._links, batch, place) if one.verdict == "fall_back" else None
                        batch.final[place], batch.fallback[place] = found or (None, None)
                        batch.withheld |= set() if found else {place}
                        break

    def _apply(self, one: Filter, place: int, rows: list[dict[str, Any]], verdicts: list[Checked | None]) -> None:
        self.fired[one.name] += 1
        if one.verdict == "clamp" and one.column is not None:
            rows[place] = rows[place] | {one.column: _within(one, rows[place][one.column])}
        elif one.verdict in ("reject", "fall_back"):
            verdicts[place] = Checked(
                verdict="reject" if one.verdict == "reject" else "quarantine",
                column=one.name,
                reason="filter",
                message=f"{one.name}: this filter does not let the row pass",
            )

    def _fires(self, one: Filter, row: Mapping[str, Any], answer: Answer | None, batch: Batch | None = None) -> bool:
        if one.function is not None:
            return answer is not None and one.name in answer.fired
        if answer is not None and answer.withheld:
            return False  # there is no answer to look at
        if one.when is not None:
            said = {} if answer is None else {"prediction": answer.prediction}
            said |= {"score": answer.score} if answer is not None and answer.score is not None else {}
            return holds(one.when, {"row": typed(row, self._kinds)} | said)
        if one.rate is not None:
            counted = batch is not None and batch.pinned is None and not batch.excluded
            return answer is not None and self._rates[one.name].beyond(answer.prediction, counted=counted)
        if one.allow or one.deny:
            value = row.get(one.column) if one.column is not None else answer.prediction if answer else None
            return value is not None and (value in one.deny or (bool(one.allow) and value not in one.allow))
        value = row.get(one.column) if one.column is not None else _number(answer)
        return _is_number(value) and _within(one, value) != value


def _mark(one: Filter) -> str:
    return f"filter: {one.name}"


def _number(answer: Answer | None) -> Any:
    """The score of a binary task, else the prediction."""
    return None if answer is None else answer.prediction if answer.score is None else answer.score


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _within(one: Filter, value: Any) -> Any:
    if one.min is not None and value < one.min:
        return one.min
    return one.max if one.max is not None and value > one.max else value


def _clamped(one: Filter, answer: Answer) -> Answer:
    if answer.score is not None:
        return msgspec.structs.replace(answer, score=float(_within(one, answer.score)))
    return msgspec.structs.replace(answer, prediction=_within(one, answer.prediction))
