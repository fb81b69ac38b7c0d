"""Requests that come together are one call and share nothing else: order, failures, arms, waiting stay their own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from tests.serving.leaps import Leaping
from tests.serving.parts import CANDIDATE, CHAMPION, CONTRACT, Told, gateway, routing, row, service
from tests.serving.stage import PATIENCE_S

from flyball.contracts.rows.reader import body_reader
from flyball.core.declared.serving import Breaking
from flyball.core.errors import Unavailable
from flyball.core.prediction import ArmReply, PredictionRecord, ShadowRecord
from flyball.serving.protocols import oip_stats
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.terms import Terms
from flyball.serving.resilience.circuits import Circuits
from flyball.serving.resilience.limit import START
from flyball.serving.serve.answering.arm_process import DEAD
from flyball.serving.serve.answering.arms import Arms, Deliver
from flyball.serving.serve.answering.champion import InProcess
from flyball.serving.serve.answering.course import Course
from flyball.serving.serve.answering.joined import Joined
from flyball.serving.serve.answering.served import Served

DEADLINE_S = 600.0  # leapt over where it is to pass


class Counting(Told):
    """Remembers how many rows each call had."""

    def __init__(self, release: str) -> None:
        super().__init__(release)
        self.calls: list[int] = []

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        self.calls.append(len(rows))
        return super().predict(rows)


class Silent:
    """A process that takes questions and never answers; at its end each of them is told that it is dead."""

    alive = loaded = True

    def __init__(self) -> None:
        self._open: list[Deliver] = []

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        self._open.append(deliver)

    def end_if_hung(self) -> None:
        return

    async def close(self) -> None:
        for deliver in self._open:
            deliver(DEAD)


class Start:
    def __init__(self, predictor: Told, clock: Leaping, *, bounded: bool) -> None:
        self._predictor, self._clock, self._bounded = predictor, clock, bounded

    async def in_process(self, root: str) -> InProcess:
        return InProcess(self._predictor, self._clock, stuck_s=DEADLINE_S, bounded=self._bounded)

    async def process(self, root: str, *, patient: bool) -> Silent:
        return Silent()


class Log:
    """Keeps what it is offered."""

    settles = False

    def __init__(self) -> None:
        self.records: list[PredictionRecord] = []
        self.shadows: list[ShadowRecord] = []

    def offer(self, records: Sequence[PredictionRecord]) -> None:
        self.records += records

    def offer_shadows(self, shadows: Sequence[ShadowRecord]) -> None:
        self.shadows += shadows

    def stop(self) -> None:
        return

    def settled(self) -> None:
        return


def on_stage(
    story: Callable[[Served, Joined, Log], Awaitable[None]], predictor: Told, *, bounded: bool = True, **table: Any
) -> None:
    """The story, told to a service whose champion has answered once; every other release is silent."""

    async def told() -> None:
        log, table_in_force, clock = Log(), routing(**table), Leaping()
        circuits = Circuits(Breaking(open_s=DEADLINE_S), deadline_s=DEADLINE_S)
        arms = Arms(Start(predictor, clock, bounded=bounded), clock, circuits)  # type: ignore[arg-type]
        signature = Signature(service="shop", task="binary", columns=CONTRACT.columns, label="integer")
        reader = body_reader(CONTRACT, label="fraud")
        core = gateway(service(deadline_ms=1000.0 * DEADLINE_S))
        served = Served(core, arms, log, log, clock, signature, None, reader)  # type: ignore[arg-type]
        await arms.prepare(table_in_force)
        served.core.route(table_in_force)
        arms.switch(table_in_force)
        joined = Joined(served)
        assert not joined.open, "nobody knows yet how fast it is"
        await served.predict([row(card="first", amount=0.0)], request_id="r")
        assert joined.open
        await story(served, joined, log)
        await arms.close()

    asyncio.run(told())


async def late(served: Served, share: float = 1.0) -> None:
    """So much of the deadline passes: first the half after which stand-ins are asked."""
    assert isinstance(served.clock, Leaping)
    for _ in range(2):
        await served.clock.leap(share * DEADLINE_S / 2)


def test_requests_that_come_together_are_one_call_and_each_gets_its_own_answer() -> None:
    predictor = Counting(CHAMPION)

    async def story(served: Served, joined: Joined, log: Log) -> None:
        asked = [joined.predict(row(card=f"c{i}", amount=float(i)), f"r{i}") for i in range(50)]
        told = await asyncio.gather(*asked)
        assert predictor.calls == [1, 50]
        assert [record.score for _, _, record in told] == [i / 1000.0 for i in range(50)]
        assert [record.unit for _, _, record in told] == [f"c{i}" for i in range(50)]
        assert [record.id for _, _, record in told] == [record.id for record in log.records[1:]]
        assert [batch.rows[place]["amount"] for batch, place, _ in told] == [float(i) for i in range(50)]
        (stats,) = oip_stats.told("shop", [CHAMPION], served.statistics.releases)
        assert (stats["inference_count"], stats["execution_count"]) == (51, 51)

    for bounded in (True, False):  # in the event loop, and behind the thread
        predictor.calls.clear()
        on_stage(story, predictor, bounded=bounded, previous=None, candidate=None)


def test_only_the_row_that_failed_waits_for_its_stand_in() -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        bad = asyncio.ensure_future(joined.predict(row(card="bad", items=13), "bad"))
        good = await asyncio.gather(*(joined.predict(row(card=f"c{i}"), f"r{i}") for i in range(9)))
        assert {record.outcome for _, _, record in good} == {"answered"}
        assert not bad.done(), "its stand-in is silent"
        await late(served)
        _, place, record = await asyncio.wait_for(bad, PATIENCE_S)
        assert (place, record.outcome, record.fallback, record.error) == (0, "fallback", "constant", True)
        assert len(log.records) == 11
        counts = served.core.observe().counts
        assert counts is not None
        assert (counts.champion.requests, counts.champion.units, counts.champion.errors) == (11, 11, 1)

    on_stage(story, Counting(CHAMPION), candidate=None)


def test_a_silent_candidate_holds_up_no_row_of_the_champion() -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        names = [f"c{i}" for i in range(40)]
        arms = served.core.arms_of([row(card=name) for name in names], names)
        assert set(arms) == {"champion", "candidate"}
        asked = [asyncio.ensure_future(joined.predict(row(card=name), name)) for name in names]
        champions = [a for a, arm in zip(asked, arms, strict=True) if arm == "champion"]
        done, _ = await asyncio.wait(champions, timeout=PATIENCE_S)
        assert len(done) == arms.count("champion")
        assert not any(a.done() for a, arm in zip(asked, arms, strict=True) if arm == "candidate")
        await late(served)
        told = await asyncio.wait_for(asyncio.gather(*asked), PATIENCE_S)
        assert [record.arm for _, _, record in told] == arms
        stood_in = {record.answered_by for _, _, record in told if record.arm == "candidate"}
        assert stood_in == {CHAMPION}, "asked at half the deadline"

    on_stage(story, Counting(CHAMPION), previous=None, candidate=CANDIDATE, weight=5000)


def test_a_failing_champion_s_rows_are_all_told_and_all_counted() -> None:
    class Broken(Counting):
        def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
            if len(self.calls) >= 1:
                raise RuntimeError("all at once")
            return super().predict(rows)

    async def story(served: Served, joined: Joined, log: Log) -> None:
        told = await asyncio.gather(*(joined.predict(row(card=f"c{i}"), f"r{i}") for i in range(5)))
        assert {(record.outcome, record.reason) for _, _, record in told} == {("fallback", "exception")}
        assert len(log.records) == 6

    on_stage(story, Broken(CHAMPION), previous=None, candidate=None)


def test_an_idle_champion_that_answers_at_once_turns_nobody_away() -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        many = int(3 * START)
        told = await asyncio.gather(*(served.predict([row(card=f"c{i}")], request_id=f"r{i}") for i in range(many)))
        assert {records[0].outcome for _, records in told} == {"answered"}
        assert served.overloads.limit(CHAMPION).in_flight == 0

    on_stage(story, Counting(CHAMPION), previous=None, candidate=None)


@pytest.mark.parametrize("broken", ["look", "arms_of"])
def test_what_fails_before_a_batch_begins_is_told_to_everybody_who_waits(broken: str) -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        def fails(*_: object) -> None:
            raise RuntimeError("no table")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(served if broken == "look" else served.core, broken, fails)
            asked = [asyncio.ensure_future(joined.predict(row(card=f"c{i}"), f"r{i}")) for i in range(3)]
            done, _ = await asyncio.wait(asked, timeout=PATIENCE_S)
        assert [str(one.exception()) for one in done] == ["no table"] * 3
        _, _, record = await joined.predict(row(), "later")
        assert record.outcome == "answered"

    on_stage(story, Counting(CHAMPION), previous=None, candidate=None)


@pytest.mark.parametrize(("deadline_ms", "all_err"), [(1000.0 * DEADLINE_S / 30, False), (None, True)])
def test_a_client_s_own_short_deadline_is_no_error_event_of_a_silent_arm(
    deadline_ms: float | None, all_err: bool
) -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        names = [f"c{i}" for i in range(40)]
        arms = served.core.arms_of([row(card=name) for name in names], names)
        rows = [row(card=name) for name, arm in zip(names, arms, strict=True) if arm == "candidate"]
        errors = len(rows) if all_err else 0
        assert log.records[0].arm == "champion"
        asked = asyncio.ensure_future(served.predict(rows, request_id="r", terms=Terms(deadline_ms=deadline_ms)))
        await asyncio.sleep(0)
        await late(served, 1.0 if deadline_ms is None else 1 / 30)
        _, records = await asyncio.wait_for(asked, PATIENCE_S)
        assert {(record.outcome, record.reason) for record in records} == {("fallback", "deadline")}
        assert sum(record.error for record in records) == errors == served.tally.errors["candidate"]
        counts = served.core.observe().counts
        assert counts is not None
        assert (counts.candidate.requests, counts.candidate.errors) == (errors, errors), "nor an exposure"
        assert counts.candidate.units == len(rows), "the split is counted where it was made"

    on_stage(story, Counting(CHAMPION), previous=None, candidate=CANDIDATE, weight=5000)


def test_a_hang_that_only_hasty_clients_see_is_found_by_its_circuit() -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        names = [f"c{i}" for i in range(80)]
        arms = served.core.arms_of([row(card=name) for name in names], names)
        mine = [name for name, arm in zip(names, arms, strict=True) if arm == "candidate"]
        hasty = Terms(deadline_ms=0.9 * served.core.service.serving.deadline_ms)
        asked = [asyncio.ensure_future(served.predict([row(card=n)], request_id=n, terms=hasty)) for n in mine]
        await asyncio.sleep(0)
        await late(served, 0.9)
        await asyncio.wait_for(asyncio.gather(*asked), PATIENCE_S)
        assert served.tally.errors["candidate"] == 0
        asked_last = served.predict([row(card=mine[0])], request_id="r", terms=hasty)
        _, (record,) = await asyncio.wait_for(asked_last, PATIENCE_S)
        assert (record.reason, record.error) == ("open", True)

    on_stage(story, Counting(CHAMPION), previous=None, candidate=CANDIDATE, weight=5000)


@pytest.mark.parametrize("together", [False, True])
def test_a_row_whose_client_heard_that_the_disk_did_not_answer_counts_as_failed(together: bool) -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(log, "settles", True)
            patched.setattr(log, "settled", asyncio.get_running_loop().create_future)
            asked = joined.predict(row(), "r") if together else served.predict([row()], request_id="r")
            told = asyncio.ensure_future(asked)
            while not served._settling and not told.done():
                await asyncio.sleep(0)
            await late(served)
            with pytest.raises(Unavailable):
                await asyncio.wait_for(told, PATIENCE_S)
        assert +served.tally.outcomes == {("champion", "answered"): 1, ("champion", "failed"): 1}  # without zeros
        assert log.records[1].outcome == "answered", "the record on its way cannot know"
        (stats,) = oip_stats.told("shop", [CHAMPION], served.statistics.releases)
        assert stats["inference_stats"]["fail"]["count"] == 1

    on_stage(story, Counting(CHAMPION), previous=None, candidate=None)


class Clumsy:
    """An asker that cannot take its answer, and perhaps not even the word that it has none."""

    def __init__(self, *, deaf: bool) -> None:
        self._deaf, self.heard = deaf, list[str]()

    def answered(self, *_: object) -> None:
        raise RuntimeError("its wire is gone")

    def failed(self, error: BaseException) -> None:
        self.heard.append(str(error))
        if self._deaf:
            raise KeyError("4929-1111")


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("bounded", [True, False])
def test_an_answer_that_cannot_be_told_is_the_trouble_of_its_own_asker(bounded: bool, deaf: bool) -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        mirrored, noted = list[int](), list[str]()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: noted.append(context["message"]))
        clumsy = Clumsy(deaf=deaf)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(served.shadow, "offer", lambda batch: mirrored.append(len(batch)))
            asyncio.get_running_loop().call_soon(joined.add, row(card="clumsy"), "clumsy", clumsy)
            asked = [asyncio.ensure_future(joined.predict(row(card=f"c{i}"), f"r{i}")) for i in range(3)]
            done, _ = await asyncio.wait(asked, timeout=PATIENCE_S)
            told = [one.result() for one in done]
            await asyncio.sleep(0)  # it is shown behind the answers
        assert {record.outcome for _, _, record in told} == {"answered"}
        assert (clumsy.heard, mirrored, len(log.records)) == (["its wire is gone"], [4], 5)
        assert [("KeyError" in words, "4929" in words) for words in noted] == [(True, False)] * deaf

    on_stage(story, Counting(CHAMPION), bounded=bounded, previous=None, candidate=None)


def test_a_question_to_the_shadow_that_is_under_way_at_the_end_is_no_error_of_the_candidate() -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        await served.predict([row(card="c")], request_id="r")
        batch, asks = served.core.begin([row(card="c")], request_id="r", at=[1.0])
        for ask in asks:
            served.core.take(batch, ask, Told(CHAMPION).predict(ask.rows))
        served.core.finish(batch, ended=0.0)
        served.shadow.offer(batch)
        while not served.shadow.calls:
            await asyncio.sleep(0.001)
        await served.close()
        await asyncio.sleep(0)
        assert (served.shadow.calls, served.shadow.dropped, log.shadows) == (0, 1, [])

    on_stage(story, Counting(CHAMPION), previous=None, weight=0, shadow=1.0)


@pytest.mark.parametrize("bounded", [True, False])
def test_what_becomes_of_the_rest_is_not_told_to_a_row_that_was_parted(bounded: bool) -> None:
    async def story(served: Served, joined: Joined, log: Log) -> None:
        end = served.end
        log.settles = True

        async def fails_once(course: Course) -> list[PredictionRecord]:
            served.end = end  # type: ignore[method-assign]
            raise Unavailable("the log did not reach the disk")

        served.end = fails_once  # type: ignore[method-assign]
        bad = asyncio.ensure_future(joined.predict(row(card="bad", items=13), "bad"))
        good = await asyncio.gather(
            *(joined.predict(row(card=f"c{i}"), f"r{i}") for i in range(3)), return_exceptions=True
        )
        assert {type(told) for told in good} == {Unavailable}
        await late(served)
        _, _, record = await asyncio.wait_for(bad, PATIENCE_S)
        assert (record.outcome, record.fallback) == ("fallback", "constant")

    on_stage(story, Counting(CHAMPION), bounded=bounded, candidate=None)
