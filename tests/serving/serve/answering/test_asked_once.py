"""A model whose answers do something (`serving.idempotent: false`): whatever fails, a row is asked once."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving.counted import FAILS, load
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, Told, gateway, routing, row, service
from tests.serving.serve.answering.test_trial import Paced

from flyball.adapters.clock import SystemClock
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.service import Constant, FallbackLink
from flyball.serving.batch import Batch
from flyball.serving.gateway import Gateway
from flyball.serving.serve.answering.champion import InProcess
from flyball.serving.serve.answering.exercising import exercising
from flyball.serving.serve.answering.joined import Joined
from flyball.serving.serve.answering.trial import tried

CHAIN = ("previous", FallbackLink(constant=Constant(prediction=0, score=0.0)))
REASONS = ("exception", "deadline", "invalid", "dead", "overload", "open")
NOBODY_ASKED = ("overload", "open")  # the arm was full, or behind an open circuit


def core(*, idempotent: bool = False, **changes: Any) -> Gateway:
    made = gateway(service(idempotent=idempotent, fallback=CHAIN))
    made.route(routing(**({"weight": 5000, "shadow": 1.0} | changes)))
    return made


def asked(made: Gateway, rows: Sequence[dict[str, Any]], replies: Callable[[str], Any]) -> tuple[Counter[Any], Batch]:
    """How often each row was worked on by anybody, where releases answer like this."""
    worked: Counter[Any] = Counter()
    batch, asks = made.begin(rows, request_id="r", at=[1.0] * len(rows))
    while asks := asks or made.stand_ins(batch):
        for ask in asks:
            reply = replies(ask.release)
            if not (isinstance(reply, Failure) and reply.reason in NOBODY_ASKED):
                worked.update(ask.places)
            if not isinstance(reply, Failure):
                reply = ArmReply(answers=(Answer(prediction=1, score=0.5),) * len(ask.places), service_ms=1.0)
            made.take(batch, ask, reply)
        asks = []
    return worked, batch


OUTCOMES = st.one_of(st.none(), *(st.just(Failure(reason=reason)) for reason in REASONS))  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from([CHAMPION, CANDIDATE, PREVIOUS]), OUTCOMES), st.integers(0, 40))
def test_nobody_works_twice_for_a_row_whatever_fails(outcomes: dict[str, Any], first: int) -> None:
    rows = [row(card=f"c{first + k}", amount=-1.0 if k == 3 else 1.0) for k in range(6)]  # one for the chain alone
    made = core()
    worked, batch = asked(made, rows, outcomes.get)
    assert max(worked.values(), default=0) <= 1
    records = made.finish(batch, ended=1.0)
    assert all(record.prediction is not None for record in records)  # the constant has the last word
    assert made.shadow(batch) is None


@pytest.mark.parametrize("reason", REASONS)
def test_another_release_is_asked_only_where_the_first_surely_was_not(reason: Any) -> None:
    def outcome(release: str) -> Any:
        return Failure(reason=reason) if release == CHAMPION else None

    _, batch = asked(core(candidate=None, weight=0, shadow=0.0), [row()], outcome)
    assert (batch.fallback[0] == "previous") == (reason in NOBODY_ASKED)
    _, batch = asked(core(candidate=None, weight=0, shadow=0.0, idempotent=True), [row()], outcome)
    assert batch.fallback[0] == "previous"


def test_while_the_arm_may_still_answer_nobody_else_is_asked() -> None:
    made = core(candidate=None, weight=0, shadow=0.0)
    batch, _ = made.begin([row()], request_id="r", at=[1.0])
    assert made.stand_ins(batch) == []  # what is asked at half the deadline
    other = core(candidate=None, weight=0, shadow=0.0, idempotent=True)
    batch, _ = other.begin([row()], request_id="r", at=[1.0])
    assert [ask.release for ask in other.stand_ins(batch)] == [PREVIOUS]


REQUESTS = st.lists(st.lists(st.booleans(), max_size=4), min_size=1, max_size=8)  # a row: whether the model fails on it


@settings(max_examples=30)
@given(REQUESTS)
def test_a_predictor_that_asks_once_is_asked_once_however_many_rows_a_request_has(requests: list[list[bool]]) -> None:
    async def story(folder: Path) -> list[Any]:
        predictor = load(str(folder), release=CHAMPION, once=True)
        arm = InProcess(predictor, SystemClock(), stuck_s=60.0, apart=True)
        arrived: dict[int, asyncio.Future[Any]] = {}
        for number, fails in enumerate(requests):
            arrived[number] = asyncio.get_running_loop().create_future()
            rows = [{"amount": 10.0 * number + k, "items": FAILS if bad else 1} for k, bad in enumerate(fails)]
            arm.ask(rows, arrived[number].set_result, SystemClock().monotonic() + 60.0)
        replies = [await reply for reply in arrived.values()]
        arm.close()
        return replies

    with TemporaryDirectory() as folder:
        replies = asyncio.run(story(Path(folder)))
        notes = Path(folder) / "notes"
        asked = notes.read_text().split() if notes.exists() else []
    assert sorted(map(float, asked)) == [10.0 * n + k for n, fails in enumerate(requests) for k in range(len(fails))]
    for fails, reply in zip(requests, replies, strict=True):
        assert [isinstance(answer, Failure) for answer in reply.answers] == [any(fails)] * len(fails)


@pytest.mark.parametrize(("apart", "times"), [(True, 1), (False, 2)])
def test_requests_are_not_put_together_where_one_that_fails_would_have_the_others_asked_again(
    apart: bool, times: int
) -> None:
    async def story() -> Counter[str]:
        failing = Failing()
        arm, replies = InProcess(failing, SystemClock(), stuck_s=60.0, apart=apart), asyncio.Queue[Any]()
        for number in range(8):
            arm.ask([row(card=f"c{number}")], replies.put_nowait, SystemClock().monotonic() + 60.0)
        failing.free.set()  # the first is being worked on, and all others wait
        for _ in range(8):
            assert isinstance(await replies.get(), ArmReply)
        arm.close()
        return failing.cards

    assert max(asyncio.run(story()).values()) == times


class Failing:
    """Answers nobody before it is free, and then one row in a call; counts what it is asked."""

    release = CHAMPION

    def __init__(self) -> None:
        self.cards: Counter[str] = Counter()
        self.free = Event()

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        self.free.wait()
        self.cards.update(each["card"] for each in rows)
        if len(rows) > 1:
            raise ValueError("one at a time")
        return Told(CHAMPION).predict(rows)


@pytest.mark.parametrize("idempotent", [True, False])
def test_such_a_service_is_neither_joined_nor_tried_nor_exercised(
    idempotent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        start = Paced(0.0001)
        served = start.shop()
        served.core = core(idempotent=idempotent, weight=0, shadow=0.0)
        monkeypatch.setattr(served.arms, "quick", lambda _: True)
        assert Joined(served).open == idempotent
        exercise = exercising(served.core, served.arms, served.overloads, SystemClock())._exercise
        assert ("previous" in exercise.links) == idempotent
        served.recent.append(row())
        served.core._rate.rps = 1.0
        raised = routing(weight=10_000)
        await served.arms.prepare(raised)
        await tried(served, raised)
        assert (start.asked > 0) == idempotent
        await served.arms.close()

    asyncio.run(story())
