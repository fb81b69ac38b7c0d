"""Destinations as a service declares them, each sent to a real receiver through the whole wiring."""

import asyncio
import base64
import random
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from tests.adapters.messages.alerts.test_mail import Box, certificate, serving
from tests.adapters.messages.alerts.trackers import Jira, tracking
from tests.app.clocked import clock, home, ledger
from tests.app.receiver import Receiver, receiving
from tests.app.test_alert_relay import declare, flushed, log, over, page

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import OpenLedger
from flyball.app.wiring.receivers import Directory, receiver_of
from flyball.app.wiring.relay import Relay, relay_of
from flyball.core.declared.alerts import AlertDestination
from flyball.registry.telling.patience import rest_s

__all__ = ["clock", "home", "ledger"]  # fixtures of the other file


def test_teams_gets_its_card_at_an_address_that_is_a_secret(home: Home, ledger: OpenLedger) -> None:
    with receiving(Receiver((202,))) as found:
        declare(ledger, AlertDestination(format="teams", to="env:TEAMS_URL"))
        ledger.append([page()])
        flushed(home, ledger, {"TEAMS_URL": found.url})
    (got,) = found.got
    (card,) = got.document["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "errors are 5 %" in got.body.decode()
    assert log(ledger, "fraud/teams") == [("delivered", "HTTP 202")]


def test_a_mail_is_sent_over_tls_by_the_declared_sender_user_and_password(
    home: Home, ledger: OpenLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    said: list[LoginPassword] = []

    def authenticated(_: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        said.append(data)
        return AuthResult(success=True)

    kept = Box()
    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticated}
    with serving(kept, **options) as server:
        declare(
            ledger,
            AlertDestination(
                format="email",
                to="ops@example.org",
                server=server,
                sender="flyball@example.org",
                user="flyball",
                token="MAIL_PASSWORD",
            ),
        )
        ledger.append([page(), over()])
        flushed(home, ledger, {"MAIL_PASSWORD": "hunter2"})
    raised, resolved = kept.mails
    assert (raised["To"], raised["From"]) == ("ops@example.org", "flyball@example.org")
    assert raised["Subject"].startswith("ErrorsHigh of fraud")
    assert resolved["In-Reply-To"] == raised["Message-ID"]
    assert {(each.login, each.password) for each in said} == {(b"flyball", b"hunter2")}
    assert log(ledger, "fraud/email") == [("delivered", "accepted for ops@example.org")] * 2


def test_jira_opens_an_issue_in_the_declared_project_as_the_declared_user(home: Home, ledger: OpenLedger) -> None:
    with tracking(Jira()) as found:
        declare(
            ledger, AlertDestination(format="jira", to=found.url, project="OPS", user="ada@example.org", token="TOKEN")
        )
        ledger.append([page(), over()])
        flushed(home, ledger, {"TOKEN": "s3cr3t"})
    (issue,) = found.issues
    assert (issue["fields"]["project"], issue["status"]) == ({"key": "OPS"}, "Done")
    said = base64.b64encode(b"ada@example.org:s3cr3t").decode()
    assert {each["authorization"] for each in found.headers} == {f"Basic {said}"}
    assert [outcome for outcome, _ in log(ledger, "fraud/jira")] == ["delivered", "delivered"]


def rests_between(ledger: OpenLedger, clock: SimulatedClock, low_s: float, high_s: float) -> bool:
    """Whether the message that failed just now is not due after `low_s`, and is after `high_s`."""
    clock.advance(low_s)
    early = ledger.next_due("fraud/webhook")
    clock.advance(high_s - low_s)
    return early is None and ledger.next_due("fraud/webhook") is not None


@pytest.mark.parametrize(("draw", "low_s", "high_s"), [(0.0, 0.49, 0.51), (0.5, 0.74, 0.76), (1.0, 0.99, 1.01)])
def test_a_message_that_failed_rests_as_long_as_the_draw_says(
    home: Home, ledger: OpenLedger, clock: SimulatedClock, draw: float, low_s: float, high_s: float
) -> None:
    with receiving(Receiver((500,))) as found:
        declare(ledger, AlertDestination(format="webhook", to=found.url))
        ledger.append([page()])
        make = Relay(
            ledger,
            Directory(ledger).declared,
            lambda address, to: receiver_of(address, to, home, {}),
            owner="test",
            draw=lambda: draw,
        )
        asyncio.run(make.flush())
    assert rests_between(ledger, clock, low_s, high_s)


def test_the_relay_of_a_home_draws_by_chance(home: Home, ledger: OpenLedger, clock: SimulatedClock) -> None:
    with receiving(Receiver((500,))) as found:
        declare(ledger, AlertDestination(format="webhook", to=found.url))
        ledger.append([page()])
        random.seed(5)
        asyncio.run(relay_of(home, ledger, owner="test").flush())
    drawn_s = rest_s(1, random.Random(5).random())
    assert drawn_s > 0.6, "another one than without chance"
    assert rests_between(ledger, clock, drawn_s - 0.01, drawn_s + 0.01)
