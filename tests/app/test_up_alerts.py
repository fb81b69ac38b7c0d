"""`flyball up` with nothing but `alerts.to` declared: what happens to a service reaches a person, and their word it."""

import shutil
from pathlib import Path

import pytest
from tests.app.command import run
from tests.app.test_up import services, until, up

from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.core import events as e
from flyball.core.ids import ServiceName

__all__ = ["services"]


@pytest.mark.slow
def test_a_ticket_is_filed_taken_and_over_while_up_runs(services: list[Path], tmp_path: Path) -> None:
    folder, home = tmp_path / "shop", Home(tmp_path / "home")
    shutil.copytree(services[0].parent, folder)
    file = folder / "service.yaml"
    file.write_text(file.read_text() + '\nalerts:\n  to:\n    - {format: ticket_file, to: "file:tickets"}\n')
    name, key = ServiceName("shop"), "train/ti-1"
    with up([file], home.root):
        with ledger_of(home) as ledger:
            ledger.append([e.CommandGivenUp(service=name, key=key, kind="train", attempts=5, error="no disk")])
        tickets = home.root / "tickets"
        until(lambda: tickets.is_dir() and any("OrderGivenUp" in path.read_text() for path in tickets.glob("*.md")))
        (listed,) = run("alerts", "list", "--home", home.root)["alerts"]
        assert (listed["cause"], listed["urgency"]) == ("command/train", "ticket")
        assert run("alerts", "ack", listed["alert"], "--home", home.root)["recorded"] == ["alert.acked"]
        (path,) = tickets.glob("*.md")
        until(lambda: "Taken by" in path.read_text())
        assert run("alerts", "test", "shop", "--home", home.root)["destinations"][0]["arrived"]
    state = states_of(open_ledger(home))["shop"]
    assert state.alerts.open["command/train"].acked is not None
    assert state.alerts.tested is not None
    assert state.alerts.tested.arrived == ("ticket_file",)
