"""Who is turned away, with what word, and when to come back."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, Told, gateway, routing, row

from flyball.adapters.clock import SystemClock
from flyball.core.declared.serving import Overload
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.protocols.plain import status_of
from flyball.serving.resilience.limit import START
from flyball.serving.resilience.overload import Overloads
from flyball.serving.serve.answering.champion import InProcess


def overloads(**declared: object) -> Overloads:
    return Overloads(Overload(**declared), deadline_s=1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("load", "shadow", "canary", "low", "live"),
    [
        (0.2, False, False, None, None),
        (0.6, True, False, None, None),
        (0.8, True, True, None, None),
        (0.9, True, True, "priority", None),
        (1.0, True, True, "overload", "overload"),
    ],
)
def test_first_the_shadow_then_the_canary_then_low_priority_then_live(
    load: float, shadow: bool, canary: bool, low: str | None, live: str | None
) -> None:
    gate = overloads()
    gate.limit(CHAMPION).begin(int(load * START))
    assert gate.refuses_shadow(CHAMPION, 1) == shadow
    assert gate.refuses_canary(CHAMPION, CANDIDATE, 1) == canary
    assert gate.refusal(CHAMPION, "low", 1, 0.0) == low
    assert gate.refusal(CHAMPION, "live", 1, 0.0) == live
    assert list(gate.shed.values()) == [shadow, canary, low is not None, live is not None]


def test_rows_that_hang_in_the_candidate_take_no_room_from_the_champion() -> None:
    gate = overloads()
    gate.limit(CANDIDATE).begin(100_000)
    assert gate.refuses_canary(CHAMPION, CANDIDATE, 1)
    assert gate.refusal(CHAMPION, None, 1, 0.0) is None


def test_the_service_declares_the_priority_of_requests_that_do_not_say() -> None:
    gate = overloads(priority="low")
    gate.limit(CHAMPION).begin(90)
    assert (gate.refusal(CHAMPION, None, 1, 0.0), gate.refusal(CHAMPION, "live", 1, 0.0)) == ("priority", None)


def test_the_more_is_turned_away_the_later_clients_are_asked_to_come_back() -> None:
    gate = overloads()
    assert gate.retry_after_s == 1
    for number in range(100):
        gate.limit(CHAMPION).in_flight = 0 if number % 5 == 0 else 1000
        gate.refusal(CHAMPION, None, 1, 0.0)
    assert gate.retry_after_s == 5
    gate.limit(CHAMPION).in_flight = 0
    for second in range(1, 4):
        gate.refusal(CHAMPION, None, 1, float(second))
    assert gate.retry_after_s == 1


def test_limits_of_releases_that_came_and_went_are_forgotten() -> None:
    gate = overloads()
    for number in range(1000):
        gate.limit(f"sha256:{number}")
    assert len(gate._limits) <= 32


def test_a_champion_that_outlives_many_candidates_keeps_the_limit_that_it_found() -> None:
    gate = overloads()
    limit = gate.limit(CHAMPION)
    for number in range(1000):
        gate.refuses_canary(CHAMPION, f"sha256:{number}", 1)
    assert gate.limit(CHAMPION) is limit


@pytest.mark.parametrize(("refusal", "status"), [("overload", 503), ("priority", 429), ("deadline", 504)])
def test_rows_that_are_turned_away_are_recorded_with_the_reason_and_charged_to_nobody(
    refusal: str, status: int
) -> None:
    core = gateway()
    core.route(routing(weight=5000))
    batch, asks = core.begin([row(card=f"c{i}") for i in range(20)], request_id="r", at=[1.0] * 20, shed=True)
    batch.refusal = refusal
    records = core.finish(batch, ended=0.0)
    assert (asks, core.stand_ins(batch), core.shadow(batch)) == ([], [], None)
    assert {(record.outcome, record.reason, record.error) for record in records} == {("shed", refusal, False)}
    assert status_of(records) == status
    counts = core.observe().counts
    assert counts is not None
    assert counts.champion.requests + counts.candidate.requests == 0


def test_canary_rows_that_are_turned_away_do_not_upset_the_test_of_the_split() -> None:
    core = gateway()
    core.route(routing(weight=5000))
    batch, asks = core.begin([row(card=f"c{i}") for i in range(200)], request_id="r", at=[1.0] * 200)
    (canary,) = [ask for ask in asks if ask.role == "candidate"]
    batch.turned_away, batch.refusal = frozenset(canary.places), "priority"
    for ask in asks:
        if ask is not canary:
            core.take(batch, ask, ArmReply(answers=(Answer(prediction=1),) * len(ask.places), service_ms=1.0))
    assert core.stand_ins(batch) == []
    outcomes = [record.outcome for record in core.finish(batch, ended=0.0)]
    assert {place for place, outcome in enumerate(outcomes) if outcome == "shed"} == set(canary.places)
    counts = core.observe().counts
    assert counts is not None
    assert counts.candidate.units == len(canary.places)  # units are counted where they are assigned
    assert (counts.candidate.requests, counts.candidate.errors) == (0, 0)


class _Counting(Told):
    rows = 0

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        self.rows += len(rows)
        return super().predict(rows)


def test_rows_whose_deadline_passes_in_the_queue_are_not_predicted() -> None:
    async def asked() -> tuple[list[ArmReply | Failure], int]:
        clock, predictor = SystemClock(), _Counting(CHAMPION)
        arm, replies = InProcess(predictor, clock, stuck_s=60.0), asyncio.Queue[ArmReply | Failure]()
        for until in (clock.monotonic() - 1.0, clock.monotonic() + 60.0, clock.monotonic() - 1.0):
            arm.ask([row()], replies.put_nowait, until)
        found = [await replies.get() for _ in range(3)]
        arm.close()
        return found, predictor.rows

    replies, predicted = asyncio.run(asked())
    assert predicted == 1
    assert sorted(isinstance(reply, ArmReply) for reply in replies) == [False, False, True]
    assert {reply.reason for reply in replies if isinstance(reply, Failure)} == {"deadline"}
