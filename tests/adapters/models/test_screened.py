"""Safety filters that are functions of the release's own code: what they see, what they say, and what fails closed."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.models.predictor import CODE, RELEASE
from flyball.adapters.models.screened import Screened, screened
from flyball.core.declared.serving import Filter
from flyball.core.errors import Untrusted
from flyball.core.model import Input, Packaged
from flyball.core.prediction import Answer, ArmReply, Failure

DTYPES = {"amount": pl.Float64(), "age": pl.Int64()}
MODULE = """
def train(features, label, *, config, seed): ...
def large(rows):
    return rows["amount"] > 100
"""


class Model:
    """Score = amount / 1000; remembers what it was asked."""

    release = "sha256:aa01"

    def __init__(self) -> None:
        self.seen: list[float] = []

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        self.seen += [row["amount"] for row in rows]
        answers = tuple(Answer(prediction=1, score=row["amount"] / 1000.0) for row in rows)
        return ArmReply(answers=answers, service_ms=1.0)


def of(on: Any, verdict: Any, name: str = "f", **more: Any) -> Filter:
    return Filter(name=name, on=on, verdict=verdict, function=name, **more)


def asked(
    amounts: Sequence[float], *filters: tuple[Filter, Callable[..., Any]]
) -> tuple[Model, list[Answer | Failure]]:
    model = Model()
    rows = [{"amount": amount, "age": 30} for amount in amounts]
    return model, list(Screened(model, filters, DTYPES).predict(rows).answers)


def test_where_a_row_is_asked_once_all_rows_of_a_call_fail_with_one_that_a_filter_fails_on() -> None:
    def touchy(rows: pl.DataFrame, _: pl.DataFrame) -> pl.Series:
        if (rows["amount"] > 5.0).any():
            raise ValueError("above five")
        return rows["amount"] > 100

    for once in (True, False):
        model = Model()
        behind = Screened(model, [(of("answer", "fall_back"), touchy)], DTYPES, once=once)
        reply = behind.predict([{"amount": amount, "age": 30} for amount in (1.0, 9.0, 2.0)])
        assert [isinstance(answer, Failure) for answer in reply.answers] == [once, True, once]
        assert model.seen == [1.0, 9.0, 2.0] * (1 if once else 2)


def large(rows: pl.DataFrame) -> pl.Series:
    return rows["amount"] > 100


def sure(rows: pl.DataFrame, answers: pl.DataFrame) -> pl.Series:
    assert rows.height == answers.height
    return answers["score"] > 0.05


@pytest.mark.parametrize(("verdict", "kept"), [("reject", True), ("fall_back", True), ("review", False)])
def test_a_row_that_must_not_go_in_does_not(verdict: str, kept: bool) -> None:
    model, found = asked([1.0, 200.0, 2.0], (of("row", verdict), large))
    assert model.seen == ([1.0, 2.0] if kept else [1.0, 200.0, 2.0])
    one, other, last = found
    assert isinstance(one, Answer)
    assert isinstance(other, Answer)
    assert isinstance(last, Answer)
    assert (one.fired, other.fired, last.fired) == ((), ("f",), ())
    assert (one.withheld, other.withheld) == (False, kept)
    assert last.score == 0.002  # answers are in the order of their rows


def test_a_number_is_moved_before_the_model_sees_it() -> None:
    model, found = asked([1.0, 200.0], (of("row", "clamp", column="amount"), lambda rows: rows["amount"].clip(0, 100)))
    assert model.seen == [1.0, 100.0]
    assert [each.fired for each in found if isinstance(each, Answer)] == [(), ("f",)]


def test_an_answer_is_marked_or_moved() -> None:
    _, found = asked([10.0, 100.0], (of("answer", "review", "sure"), sure))
    assert [each.fired for each in found if isinstance(each, Answer)] == [(), ("sure",)]
    _, found = asked([10.0, 100.0], (of("answer", "clamp", "cap"), lambda _, answers: answers["score"].clip(0, 0.05)))
    assert [(each.score, each.fired) for each in found if isinstance(each, Answer)] == [(0.01, ()), (0.05, ("cap",))]


def test_an_answer_filter_is_told_of_rows_that_have_an_answer_only() -> None:
    told: list[int] = []

    def count(rows: pl.DataFrame, answers: pl.DataFrame) -> pl.Series:
        told.append(answers.height)
        return answers["score"] > 9

    asked([1.0, 200.0], (of("row", "reject"), large), (of("answer", "review", "count"), count))
    assert told == [1]


def odd(rows: pl.DataFrame) -> bool:
    return bool((rows["amount"] > 100).any())


def raising(rows: pl.DataFrame) -> pl.Series:
    if odd(rows):
        raise ZeroDivisionError("of the author")
    return rows["amount"] < 0


@pytest.mark.parametrize(
    "wrong",
    [
        raising,
        lambda rows: pl.Series([None] * rows.height, dtype=pl.Boolean) if odd(rows) else rows["age"] < 0,
        lambda rows: rows["amount"] if odd(rows) else rows["age"] < 0,
        lambda rows: pl.Series([True] * (rows.height + 1)) if odd(rows) else rows["age"] < 0,
        lambda rows: True if odd(rows) else rows["age"] < 0,
    ],
)
def test_a_row_that_a_filter_cannot_judge_fails_and_its_neighbours_do_not(wrong: Callable[..., Any]) -> None:
    model, found = asked([1.0, 200.0, 2.0], (of("row", "review"), wrong))
    assert [type(each) for each in found] == [Answer, Failure, Answer]
    assert isinstance(found[1], Failure)
    assert found[1].reason == "exception"
    assert 200.0 not in model.seen  # nobody has said that it may


def test_an_answer_that_a_filter_cannot_judge_is_none() -> None:
    def wrong(rows: pl.DataFrame, answers: pl.DataFrame) -> pl.Series:
        raise KeyError("no")

    _, found = asked([1.0], (of("answer", "review"), wrong))
    assert isinstance(found[0], Failure)


@given(st.lists(st.floats(0, 1000), max_size=12), st.sampled_from(["reject", "fall_back", "review"]))
def test_a_batch_says_what_its_rows_say_alone(amounts: list[float], verdict: str) -> None:
    filters = ((of("row", verdict), large), (of("answer", "review", "sure"), sure))
    together = asked(amounts, *filters)[1]
    alone = [asked([amount], *filters)[1][0] for amount in amounts]
    assert together == alone


def release(folder: Path, module: str = MODULE) -> str:
    (folder / CODE).mkdir(parents=True)
    (folder / CODE / "model.py").write_text(module)
    facts = Packaged(
        service="shop",
        task="binary",
        threshold=0.5,
        label="fraud",
        classes=(0, 1),
        inputs=(Input(name="amount", kind="number"), Input(name="age", kind="integer")),
        plain=("amount",),
        module="model.py",
        code=f"sha256:{sha256(str(folder).encode()).hexdigest()}",
    )
    (folder / RELEASE).write_bytes(msgspec.json.encode(facts))
    return str(folder)


def test_the_functions_are_those_of_the_releases_own_code(tmp_path: Path) -> None:
    two = release(tmp_path / "two", MODULE.replace("> 100", "> 5"))
    for folder, kept in ((release(tmp_path / "one"), [10.0, 3.0]), (two, [3.0])):
        model = Model()
        one = screened(folder, model, [of("row", "reject", "large")])
        one.predict([{"amount": 10.0}, {"amount": 3.0}])
        assert model.seen == kept


def test_a_release_without_the_function_is_not_served_and_one_without_filters_is_as_it_was(tmp_path: Path) -> None:
    folder, model = release(tmp_path / "one"), Model()
    assert screened(folder, model, [Filter(name="x", on="row", verdict="review", when="row.amount > 1")]) is model
    with pytest.raises(Untrusted, match=r"no function absent \(filter absent\) in model.py"):
        screened(folder, model, [of("row", "reject", "absent")])
