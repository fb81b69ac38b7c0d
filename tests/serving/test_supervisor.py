"""The supervisor when its disk refuses: the candidate is stopped first and written down as soon as that is possible."""

import asyncio
from pathlib import Path

import pytest
from tests.serving.parts import CONTRACT, Told, gateway, routing

from flyball.adapters.clock import SystemClock
from flyball.adapters.gateway_socket import waiting
from flyball.core.errors import BadInput
from flyball.core.routing import Routing, StepCounts, Verdict
from flyball.serving.oip import Signature
from flyball.serving.serve.arms import Arms
from flyball.serving.serve.champion import InProcess
from flyball.serving.serve.served import Served
from flyball.serving.serve.supervisor import Supervisor, Table, read_table


def roll_back(routing: Routing, counts: StepCounts) -> Verdict:
    return Verdict(kind="ROLL_BACK", reason="told so", cause="errors")


class Nowhere:
    """Starts releases without processes: nothing here asks them."""

    async def in_process(self, root: str) -> InProcess:
        return InProcess(Told(root), SystemClock(), stuck_s=1.0)

    async def process(self, root: str) -> object:
        class Quiet:
            release, alive = root, False

            def end_if_hung(self) -> None:
                return

            async def close(self) -> None:
                return

        return Quiet()


def test_a_disk_that_refuses_delays_the_paper_not_the_stop(tmp_path: Path) -> None:
    said: list[str] = []

    async def story() -> None:
        core = gateway()
        signature = Signature(service="shop", task="binary", columns=CONTRACT.columns, label="integer")
        served = Served(core, Arms(Nowhere()), _Log(), _Log(), SystemClock(), signature)  # type: ignore[arg-type]
        folder = tmp_path / "shop"
        supervisor = Supervisor({"shop": served}, {"shop": folder}, roll_back, SystemClock(), said.append)
        await supervisor.apply("half", routing(weight=5000))
        (folder / "spool").write_text("a file where the folder should be")
        assert supervisor.observe("shop").stopped is not None
        assert core.routing is not None
        assert core.routing.weight == 0
        assert "cannot be written" in said[0]
        (folder / "spool").unlink()
        supervisor.observe("shop")
        supervisor.observe("shop")
        assert [fact.rollout for _, fact in waiting(folder / "spool")] == ["ro-1"]
        table = read_table(folder)
        assert isinstance(table, Table)
        assert table.stopped is not None
        assert len(said) == 2
        await served.arms.close()

    asyncio.run(story())


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
