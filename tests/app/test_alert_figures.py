"""How it stands now beside how it was when somebody was told: in the list of alerts, and in what is told again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.app.api.asked import declared
from tests.app.api.asked import put as write
from tests.app.receiver import Receiver, receiving
from tests.app.said import Said, said
from tests.app.test_alert_cli import put
from tests.app.test_alert_relay import declare, page
from tests.control.alerts.watch import healthy, sign
from tests.control.world import NAME

from flyball.adapters.clock import SystemClock
from flyball.adapters.health_file import write_report
from flyball.adapters.heartbeat import Beat, write_beat
from flyball.app.home import Home
from flyball.app.wiring.api.desk import LedgerDesk
from flyball.app.wiring.asking.newest_figures import newest_figures
from flyball.app.wiring.ledger_place import open_ledger
from flyball.app.wiring.loop import beats
from flyball.app.wiring.loop.budgets_file import NAME as BUDGETS
from flyball.app.wiring.reminders import Reminders
from flyball.core.budget_standing import BudgetsState, BudgetStanding
from flyball.core.clock import timestamp
from flyball.core.declared.alerts import AlertDestination
from flyball.core.declared.objectives import Objective
from flyball.core.health import Health
from flyball.core.health_report import HealthReport

__all__ = ["put", "said"]  # fixtures of the other files
Put = Callable[..., Home]
NOW = 1_790_000_000.0  # seconds since the epoch
NEW = msgspec.structs.replace(sign("errors"), why="90 of 100 rows failed", as_of="2026-11-27T10:00:00.000000Z")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller that was there a moment ago still is, however long the machine takes to ask."""
    monkeypatch.setattr(beats, "time", SimpleNamespace(time=lambda: NOW))


def kept(home: Home, *signs: Any, ago_s: float = 0.0) -> None:
    """As a controller leaves it that kept the service so long ago, whose figures are of that moment."""
    figures = timestamp(SystemClock().now())
    found = tuple(msgspec.structs.replace(one, as_of=figures) for one in signs)
    write_report(home.health(NAME), HealthReport(service=NAME, health=Health(state="UNHEALTHY", signs=found)))
    objective = Objective(name="availability", sli="availability", target=0.999)
    state = BudgetsState(
        service=NAME,
        as_of=NOW,
        declared=True,
        budgets=(
            BudgetStanding(objective=objective, left=0.25),
            BudgetStanding(objective=objective, unknown="no rows"),
        ),
    )
    (home.telemetry(NAME)).mkdir(parents=True, exist_ok=True)
    (home.telemetry(NAME) / BUDGETS).write_bytes(msgspec.json.encode(state))
    write_beat(home.heartbeat, Beat(owner="c", at=NOW, kept={NAME: NOW - ago_s}))


def test_the_list_says_how_it_stands_now_and_the_api_as_much(tmp_path: Path, said: Said) -> None:
    home = Home(tmp_path / "home")
    write(home, *declared({}), page(), page("al-2", "budget/availability"))
    kept(home, NEW)
    place = ("--home", str(home.root))
    for options in ((), ("--all",)):
        found = said("alerts", "list", *options, *place)[1]
        assert {one["cause"]: one["now"] for one in found["alerts"]} == {
            "errors": "90 of 100 rows failed",
            "budget/availability": "25.0% of the error budget of availability is left",
        }
    desk = LedgerDesk(home)
    try:
        asked = asyncio.run(desk.read(lambda books: books.alerts(NAME)))
    finally:
        desk.close()
    told = said("alerts", "list", *place)[1]
    assert [(one.alert, one.now) for one in asked.alerts] == [(one["alert"], one["now"]) for one in told["alerts"]]


def test_of_what_no_controller_keeps_nobody_says_how_it_stands(put: Put, said: Said) -> None:
    home = put(page())
    assert said("alerts", "list")[1]["alerts"][0]["now"] is None
    kept(home, NEW, ago_s=60.0)
    assert said("alerts", "list")[1]["alerts"][0]["now"] is None
    assert newest_figures(home, NAME, timestamp(SystemClock().now())) == {}


def test_a_page_whose_sign_is_gone_waits_to_be_over_and_says_so(put: Put, said: Said) -> None:
    put(healthy(sign("errors")), page(), healthy())
    assert said("alerts", "list")[1]["alerts"][0]["now"].startswith("no sign of it since ")


def test_what_is_told_again_says_how_it_stands_now(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").made()
    figures = {"errors": "90 of 100 rows failed", "latency": page().summary}
    with receiving(Receiver()) as found:
        ledger = open_ledger(home, clock=SystemClock())
        try:
            declare(ledger, AlertDestination(format="alertmanager", to=found.url))
            ledger.append([page(), page("al-2", "latency"), page("al-3", "drift")])
            assert asyncio.run(Reminders(ledger, {}, SystemClock(), lambda _: figures).round()) == 3
        finally:
            ledger.close()
    told = {each["labels"]["cause"]: each["annotations"]["description"] for got in found.got for each in got.document}
    assert told == {
        "errors": "Now: 90 of 100 rows failed\n\nsince ten",
        "latency": "since ten",  # nothing new
        "drift": "since ten",  # nobody says
    }
