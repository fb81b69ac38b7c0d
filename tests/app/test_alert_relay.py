"""Alerts leave through the outbox: at least once, in order, to whom they are for, and no secret with them."""

import asyncio
import json
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web
from tests.app.clocked import clock, home, ledger
from tests.app.receiver import SECRET, Receiver, receiving

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.messages.alerts.poster import AlertPoster
from flyball.adapters.messages.receiver_http import HttpReceiver
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import OpenLedger
from flyball.app.wiring.receivers import Directory, receiver_of
from flyball.app.wiring.relay import Relay
from flyball.core import events as e
from flyball.core.declared.alerts import AlertDestination
from flyball.core.ids import Digest, ServiceName
from flyball.core.service import Alerts

__all__ = ["clock", "home", "ledger"]  # fixtures of the other file
NAME = ServiceName("fraud")


def declare(ledger: OpenLedger, *to: AlertDestination) -> None:
    alerts = Alerts(to=to, runbooks_url="https://runbooks.example/")
    declaration = {"alerts": msgspec.to_builtins(alerts)}
    ledger.append([e.ServiceDeclared(service=NAME, policy=Digest("sha256:0"), declaration=declaration, folder="fraud")])


def page(alert: str = "al-1", cause: str = "errors", **changed: Any) -> e.AlertRaised:
    values: dict[str, Any] = {
        "service": NAME,
        "alert": alert,
        "cause": cause,
        "name": "ErrorsHigh",
        "urgency": "page",
        "summary": "errors are 5 %",
        "detail": "since ten",
        "runbook": "bad-rollout",
        "owner": "risk",
        "to": ("ada",),
    }
    return e.AlertRaised(**(values | changed))


def over(alert: str = "al-1") -> e.AlertResolved:
    return e.AlertResolved(service=NAME, alert=alert, why="errors is over")


def flushed(home: Home, ledger: OpenLedger, environment: dict[str, str] | None = None, *, hung: str = "") -> None:
    """`hung`: the address that is given up soon; whoever answers may take what a busy machine takes."""

    def make(address: str, destination: Any) -> Any:
        receiver = receiver_of(address, destination, home, environment or {})
        if isinstance(receiver, HttpReceiver | AlertPoster):
            receiver.client.deadline_s = 0.5 if address == hung else 60.0
        return receiver

    made = Relay(ledger, Directory(ledger).declared, make, owner="test", draw=lambda: 0.0)
    asyncio.run(made.flush())


def log(ledger: OpenLedger, destination: str) -> list[tuple[str, str]]:
    return [(each.outcome, each.status) for each in reversed(ledger.deliveries(destination=destination))]


def test_a_webhook_gets_the_whole_notice_signed_with_the_link_to_its_runbook(home: Home, ledger: OpenLedger) -> None:
    with receiving(Receiver()) as found:
        declare(ledger, AlertDestination(format="webhook", to=found.url, secret="SECRET"))
        ledger.append([page(), e.AlertAcked(service=NAME, alert="al-1", by="eve", proof="os_user"), over()])
        flushed(home, ledger, {"SECRET": SECRET})
    raised, acked, resolved = (got.document for got in found.got)
    assert [each["event"] for each in (raised, acked, resolved)] == ["raised", "acked", "resolved"]
    assert raised["runbook_url"] == "https://runbooks.example/bad-rollout.md"
    assert {each["alert"] for each in (raised, acked, resolved)} == {"al-1"}
    assert (acked["by"], resolved["why"], resolved["cause"]) == ("eve", "errors is over", "errors")
    got = found.got[0]
    assert got.headers["Webhook-Signature"] == got.signature


def test_whoever_was_told_hears_that_it_is_taken_and_that_it_is_over(home: Home, ledger: OpenLedger) -> None:
    up = e.AlertEscalated(service=NAME, alert="al-1", level=1, to=("bob", "ada"), why="nobody took it")
    with receiving(Receiver()) as found:
        declare(ledger, AlertDestination(format="webhook", to=found.url))
        ledger.append([page(), up, e.AlertAcked(service=NAME, alert="al-1", by="bob", proof="os_user"), over()])
        flushed(home, ledger)
    told = [(got.document["event"], got.document["to"]) for got in found.got]
    assert told == [
        ("raised", ["ada"]),
        ("escalated", ["bob", "ada"]),  # who is told now
        ("acked", ["ada", "bob"]),
        ("resolved", ["ada", "bob"]),
    ]


def test_pages_and_tickets_go_where_they_are_wanted_and_what_was_held_goes_nowhere(
    home: Home, ledger: OpenLedger
) -> None:
    declare(
        ledger,
        AlertDestination(format="ticket_file", to="file:pages", name="pages", urgency="page"),
        AlertDestination(format="ticket_file", to="file:tickets", name="tickets", urgency="ticket"),
        AlertDestination(format="ticket_file", to="file:both", name="both"),
    )
    held = e.AlertHeld(service=NAME, cause="trend", name="QualityFalling", by="flapping", why="it flaps", alert="al-3")
    ledger.append([page(), page("al-2", "labels", urgency="ticket"), held, over(), over("al-2"), over("al-3")])
    flushed(home, ledger)
    written = {each.name: sorted(path.name for path in each.iterdir()) for each in home.root.glob("[pbt]*s")}
    written |= {"both": sorted(path.name for path in (home.root / "both").iterdir())}
    assert written["pages"] == ["fraud-al-1.md"]
    assert written["tickets"] == ["fraud-al-2.md"]
    assert written["both"] == ["fraud-al-1.md", "fraud-al-2.md"]
    assert "errors is over" in (home.root / "pages" / "fraud-al-1.md").read_text()


def test_a_hung_receiver_and_one_that_fails_get_it_again_and_hold_up_nobody(
    home: Home, ledger: OpenLedger, clock: SimulatedClock
) -> None:
    with receiving(Receiver(("hang",))) as hung, receiving(Receiver((500, 500, 202))) as failing:
        declare(
            ledger,
            AlertDestination(format="pagerduty", to=hung.url, token="KEY"),
            AlertDestination(format="alertmanager", to=failing.url),
            AlertDestination(format="ticket_file", to="file:tickets"),
        )
        ledger.append([page()])
        for given_up in ("fraud/pagerduty", "", ""):
            flushed(home, ledger, {"KEY": "r0ut1ng-k3y"}, hung=given_up)
            hung.answers = (202,)
            clock.advance(600.0)
    assert log(ledger, "fraud/pagerduty") == [("failed", "no answer within 0.5 s"), ("delivered", "HTTP 202")]
    assert [outcome for outcome, _ in log(ledger, "fraud/alertmanager")] == ["failed", "failed", "delivered"]
    assert [outcome for outcome, _ in log(ledger, "fraud/ticket_file")] == ["delivered"]
    assert len({got.body for got in failing.got}) == 1  # the same bytes in each attempt
    assert hung.got[-1].document["dedup_key"] == "flyball/fraud/errors"


class Busy(Receiver):
    """Says 429 once, and when to come back."""

    after = "1200"

    async def handle(self, request: web.Request) -> web.Response:
        answer = await super().handle(request)
        if answer.status == 429:
            answer.headers["retry-after"] = self.after
        return answer


@pytest.mark.parametrize("as_date", [False, True])
def test_a_receiver_that_says_when_to_come_back_is_left_alone_for_so_long(
    home: Home, ledger: OpenLedger, clock: SimulatedClock, as_date: bool
) -> None:
    with receiving(Busy((429, 200))) as found:
        if as_date:
            from datetime import UTC, datetime, timedelta

            found.after = format_datetime(datetime.now(UTC) + timedelta(seconds=1201), usegmt=True)  # type: ignore[attr-defined]
        declare(ledger, AlertDestination(format="slack", to="env:HOOK"))
        ledger.append([page()])
        environment = {"HOOK": found.url}
        flushed(home, ledger, environment)
        clock.advance(1000.0)  # of the date the machine may have used up some while
        flushed(home, ledger, environment)
        assert len(found.got) == 1
        clock.advance(250.0)
        flushed(home, ledger, environment)
    assert [outcome for outcome, _ in log(ledger, "fraud/slack")] == ["failed", "delivered"]


def test_a_redelivery_is_the_same_message_and_opens_nothing_new(home: Home, ledger: OpenLedger) -> None:
    with receiving(Receiver()) as found:
        declare(
            ledger,
            AlertDestination(format="pagerduty", to=found.url, token="KEY"),
            AlertDestination(format="ticket_file", to="file:tickets"),
        )
        ledger.append([page()])
        flushed(home, ledger, {"KEY": "k"})
        for name in ("fraud/pagerduty", "fraud/ticket_file"):
            assert ledger.redeliver(destination=name) == 1
        flushed(home, ledger, {"KEY": "k"})
    first, second = found.got
    assert first.body == second.body
    assert len(list((home.root / "tickets").iterdir())) == 1


def test_secrets_stand_in_no_message_no_log_and_no_fact(home: Home, ledger: OpenLedger) -> None:
    secrets = {"KEY": "r0ut1ng-k3y", "HOOK": "http://127.0.0.1:1/services/T0PS3CRET/B0XX", "TOKEN": "t0k3n-t0k3n"}
    secrets["BAD"] = "hooks.example/services/T0PS3CRET"  # no address at all: the error names it
    with receiving(Receiver((403,))) as found:
        declare(
            ledger,
            AlertDestination(format="webhook", to="env:BAD", name="bad"),
            AlertDestination(format="pagerduty", to=found.url, token="KEY"),
            AlertDestination(format="slack", to="env:HOOK"),
            AlertDestination(format="webhook", to=found.url, token="TOKEN"),
        )
        ledger.append([page()])
        flushed(home, ledger, secrets)
    said = json.dumps(
        [msgspec.to_builtins(each) for each in (*ledger.read(0), *ledger.deliveries())]
        + [msgspec.to_builtins(each) for each in ledger.pending(100)]
    )
    assert len(log(ledger, "fraud/slack")) == len(log(ledger, "fraud/bad")) == 1
    for secret in (*secrets.values(), "T0PS3CRET"):
        assert secret not in said


def test_an_address_that_no_variable_holds_is_a_failure_that_names_it(home: Home, ledger: OpenLedger) -> None:
    declare(ledger, AlertDestination(format="teams", to="env:TEAMS_HOOK"))
    ledger.append([page()])
    flushed(home, ledger)
    assert log(ledger, "fraud/teams") == [("failed", "fraud/teams: the environment variable TEAMS_HOOK is not set")]


def test_apprise_reaches_whatever_it_knows_by_a_url(home: Home, ledger: OpenLedger) -> None:
    pytest.importorskip("apprise")
    with receiving(Receiver()) as found:
        declare(ledger, AlertDestination(format="apprise", to="env:ANYWHERE"))
        ledger.append([page(), over()])
        flushed(home, ledger, {"ANYWHERE": found.url.replace("http://", "json://")})
    first, last = (got.document for got in found.got)
    assert first["title"].startswith("ErrorsHigh of fraud")
    assert (first["type"], last["type"]) == ("failure", "success")


def test_what_is_no_address_for_apprise_is_said_and_not_shown(home: Home, ledger: OpenLedger) -> None:
    pytest.importorskip("apprise")
    declare(ledger, AlertDestination(format="apprise", to="env:ANYWHERE"))
    ledger.append([page()])
    flushed(home, ledger, {"ANYWHERE": "nonsense-s3cret"})
    ((outcome, status),) = log(ledger, "fraud/apprise")
    assert (outcome, status) == ("failed", "Apprise knows no service by this URL")


def test_a_test_for_one_destination_goes_to_it_alone(home: Home, ledger: OpenLedger) -> None:
    declare(
        ledger,
        AlertDestination(format="ticket_file", to="file:one", name="one", urgency="ticket"),
        AlertDestination(format="ticket_file", to="file:two", name="two"),
    )
    ledger.append([page("al-t", "test", test=True, labels={"only": "one"}), over("al-t")])
    flushed(home, ledger)
    assert (home.root / "one" / "fraud-al-t.md").read_text().startswith("# [TEST] ErrorsHigh")
    assert not (home.root / "two").exists()
