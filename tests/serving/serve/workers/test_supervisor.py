"""The supervisor when its disk refuses: the candidate is stopped first and written down as soon as that is possible."""

import asyncio
from pathlib import Path

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, CONTRACT, PREVIOUS, Told, gateway, routing
from tests.serving.stage import PATIENCE_S

from flyball.adapters.clock import SystemClock
from flyball.adapters.messages.gateway_socket import waiting
from flyball.core.declared.serving import Breaking
from flyball.core.errors import BadInput, Unavailable, Untrusted
from flyball.core.ids import Epoch, ReleaseRoot
from flyball.core.routing import Routing, StepCounts, Verdict
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.resilience.circuits import Circuits
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.answering.champion import InProcess
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.workers import body
from flyball.serving.serve.workers.body import OneProcess
from flyball.serving.serve.workers.supervisor import Supervisor
from flyball.serving.serve.workers.table import Table, read_table

OTHER = ReleaseRoot("sha256:dd04")


def roll_back(routing: Routing, counts: StepCounts) -> Verdict:
    return Verdict(kind="ROLL_BACK", reason="told so", cause="errors")


class Nowhere:
    """Starts releases without processes: nothing here asks them."""

    async def in_process(self, root: str) -> InProcess:
        return InProcess(Told(root), SystemClock(), stuck_s=1.0)

    async def process(self, root: str, *, patient: bool) -> object:
        class Quiet:
            release, alive, loaded = root, False, not patient

            def end_if_hung(self) -> None:
                return

            async def drained(self) -> None:
                return

            async def close(self) -> None:
                return

        return Quiet()


def shop(start: object | None = None) -> Served:
    signature = Signature(service="shop", task="binary", columns=CONTRACT.columns, label="integer")
    arms = Arms(start or Nowhere(), SystemClock(), Circuits(Breaking(), deadline_s=1.0))  # type: ignore[arg-type]
    return Served(gateway(), arms, _Log(), _Log(), SystemClock(), signature)  # type: ignore[arg-type]


def test_a_disk_that_refuses_delays_the_paper_not_the_stop(tmp_path: Path) -> None:
    said: list[str] = []

    async def story() -> None:
        served = shop()
        core = served.core
        folder = tmp_path / "shop"
        supervisor = Supervisor({"shop": OneProcess(served)}, {"shop": folder}, roll_back, SystemClock(), said.append)
        await supervisor.apply("half", routing(weight=5000))
        (folder / "spool").write_text("a file where the folder should be")
        assert supervisor.observe("shop").stopped is not None
        assert core.routing is not None
        assert core.routing.weight == 0
        paper = supervisor._paper("shop")
        await paper.settled(PATIENCE_S)
        assert "cannot be written" in said[0]
        (folder / "spool").unlink()
        paper.catch_up()
        await paper.settled(PATIENCE_S)
        assert [fact.rollout for _, fact in waiting(folder / "spool")] == ["ro-1"]
        table = read_table(folder)
        assert isinstance(table, Table)
        assert table.stopped is not None
        assert len(said) == 2
        await served.arms.close()

    asyncio.run(story())


def test_a_judge_that_fails_once_is_asked_again(tmp_path: Path) -> None:
    said: list[str] = []
    asked: list[int] = []

    def stumbling(routing: Routing, counts: StepCounts) -> Verdict:
        asked.append(1)
        if len(asked) < 3:
            raise ZeroDivisionError("of the judge")
        return roll_back(routing, counts)

    async def story() -> None:
        served = shop()
        supervisor = Supervisor(
            {"shop": OneProcess(served)}, {"shop": tmp_path / "shop"}, stumbling, SystemClock(), said.append
        )
        await supervisor.start(lambda _: routing(weight=5000))
        async with asyncio.timeout(PATIENCE_S):
            while served.core.stopped is None:
                await asyncio.sleep(0.01)
        await supervisor.stop()
        await served.arms.close()
        assert served.core.routing is not None
        assert served.core.routing.weight == 0

    asyncio.run(story())
    assert len([message for message in said if "of the judge" in message]) == 1
    assert [fact.rollout for _, fact in waiting(tmp_path / "shop" / "spool")] == ["ro-1"]


class Choosy(Nowhere):
    """Refuses what it is told to refuse; keeps what it has given."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.given: list[InProcess] = []

    async def in_process(self, root: str) -> InProcess:
        self.given.append(await super().in_process(root))
        return self.given[-1]

    async def process(self, root: str, *, patient: bool) -> object:
        if root in self.refused:
            raise Untrusted(f"{root} was altered")
        return await super().process(root, patient=patient)


def test_an_order_that_cannot_be_obeyed_leaves_every_arm_where_it_was(tmp_path: Path) -> None:
    async def story() -> None:
        start = Choosy()
        served = shop(start)
        supervisor = Supervisor(
            {"shop": OneProcess(served)}, {"shop": tmp_path / "shop"}, roll_back, SystemClock(), print
        )
        mirror = routing(previous=None, weight=0, shadow=1.0, guardrails=None)
        await supervisor.apply("shadow", mirror)
        shadow = served.arms.process(CANDIDATE, shadow=True)
        assert shadow is not None
        start.refused.add(PREVIOUS)
        live = routing(weight=100, epoch=Epoch(2), champion=OTHER, guardrails=None)
        with pytest.raises(Untrusted):
            await supervisor.apply("live", live)
        assert served.core.routing == mirror
        assert served.arms.process(CANDIDATE, shadow=True) is shadow
        assert served.arms.releases == (CHAMPION,)
        start.refused.clear()
        await supervisor.apply("live", live)
        assert served.arms.process(CANDIDATE) is shadow
        assert served.arms.releases[0] == OTHER
        left = [one for one in start.given if not one._closed]
        assert [one.release for one in left] == [OTHER]  # neither the old champion nor the one that came in vain
        await served.arms.close()

    asyncio.run(story())


def test_a_release_that_was_loaded_for_an_order_that_fails_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_slow(*_: object) -> None:
        raise Unavailable("it answers too few rows")

    async def story() -> None:
        start = Choosy()
        served = shop(start)
        supervisor = Supervisor(
            {"shop": OneProcess(served)}, {"shop": tmp_path / "shop"}, roll_back, SystemClock(), print
        )
        await supervisor.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None))
        monkeypatch.setattr(body, "tried", too_slow)
        with pytest.raises(Unavailable, match="too few"):
            await supervisor.apply("live", routing(weight=100, epoch=Epoch(2), champion=OTHER, guardrails=None))
        assert [one.release for one in start.given if not one._closed] == [CHAMPION]
        assert served.arms.prepared(OTHER, routing(champion=OTHER)) is None
        assert served.arms.prepared(CANDIDATE, routing()) is None
        await served.arms.close()

    asyncio.run(story())


def test_a_full_disk_does_not_keep_the_table_on_it_from_being_served(tmp_path: Path) -> None:
    folder = tmp_path / "shop"

    async def started() -> str:
        served = shop()
        supervisor = Supervisor({"shop": OneProcess(served)}, {"shop": folder}, roll_back, SystemClock(), print)
        await supervisor.start(lambda _: routing(previous=None, candidate=None, rollout=None, guardrails=None))
        await supervisor.stop()
        await served.arms.close()
        return served.refused

    assert asyncio.run(started()) == ""
    (folder / ".routing.json.draft").mkdir()  # nothing can be written beside it any more
    assert asyncio.run(started()) == ""


def test_a_table_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    assert read_table(tmp_path) is None
    (tmp_path / "routing.json").write_text('{"routing": 1}')
    with pytest.raises(BadInput) as caught:
        read_table(tmp_path)
    assert caught.value.faults[0].fix == "remove the file"


class _Log:
    """Takes what it is given."""

    def offer_shadows(self, shadows: object) -> None:
        return
