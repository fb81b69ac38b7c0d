"""The controller's door when nobody is behind it, and the spool. With a gateway behind it: tests/serving."""

from pathlib import Path

import msgspec
import pytest

from flyball.adapters.messages.gateway_socket import SocketGateways, done, waiting
from flyball.core.errors import Unavailable
from flyball.core.ids import RolloutId, ServiceName
from flyball.core.routing import StepCounts, Stopped, Verdict
from flyball.serving.serve.workers.spool import put

STOPPED = Stopped(
    rollout=RolloutId("ro-1"),
    epoch=3,
    verdict=Verdict(kind="ROLL_BACK", reason="errors", cause="errors"),
    counts=StepCounts(service=ServiceName("shop"), epoch=3, rollout=RolloutId("ro-1"), step=1),
    at="2026-01-01T00:00:00.000000Z",
)


@pytest.mark.parametrize("there", [False, True])
def test_without_a_gateway_it_is_unavailable(tmp_path: Path, there: bool) -> None:
    path = tmp_path / ("folder" if there else "") / "control.sock"
    path.parent.mkdir(exist_ok=True)
    if there:
        path.touch()  # a file, where a socket should be
    with pytest.raises(Unavailable, match="no gateway answers"):
        SocketGateways(path).observe("shop")


def test_a_home_that_was_never_made_is_unavailable_too(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SocketGateways(tmp_path / "nowhere" / "control.sock").observe("shop")


def test_a_fact_waits_until_the_ledger_has_it(tmp_path: Path) -> None:
    assert list(waiting(tmp_path / "spool")) == []
    put(tmp_path / "spool", "shop", STOPPED)
    put(tmp_path / "spool", "shop", STOPPED)
    put(tmp_path / "spool", "shop", msgspec.structs.replace(STOPPED, epoch=4))
    found = list(waiting(tmp_path / "spool"))
    assert [fact.epoch for _, fact in found] == [3, 4]
    assert found[0][0] == "stopped-shop-ro-1-3"
    done(tmp_path / "spool", found[0][0])
    done(tmp_path / "spool", found[0][0])
    assert [fact.epoch for _, fact in waiting(tmp_path / "spool")] == [4]
