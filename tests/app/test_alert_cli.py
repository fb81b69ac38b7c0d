"""`flyball alerts` as it is typed: a real ledger in a home, real destinations, words, documents and exit codes."""

import os
import pwd
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.app.receiver import Receiver, receiving
from tests.app.said import Said, said
from tests.app.test_alert_relay import over, page
from tests.control.world import NAME, first_champion

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring import alert_test
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.core import events as e
from flyball.core.declared.alerts import AlertDestination
from flyball.core.service import Alerts

__all__ = ["said"]  # a fixture of the other file
ME = pwd.getpwuid(os.getuid()).pw_name
Put = Callable[..., Home]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """A service on the ledger of this test's home, with destinations, people, and further facts."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("FLYBALL_HOME", str(home.root))

    def write(
        *facts: e.AnyFact, to: tuple[AlertDestination, ...] = (), people: dict[str, list[str]] | None = None
    ) -> Home:
        declared, *others = first_champion()
        assert isinstance(declared, e.ServiceDeclared)
        mine = {ME: ["operator"]} if people is None else people
        declaration = {
            "metadata": {"name": NAME, "owner": "risk", "people": mine},
            "alerts": msgspec.to_builtins(Alerts(on_call=("ada",), to=to)),
        }
        with ledger_of(home) as ledger:
            ledger.append([replace(declared, declaration=declaration), *others, *facts])
        return home

    return write


def facts_of(home: Home, kind: type[e.Fact]) -> list[Any]:
    with closing(open_ledger(home, told=False)) as ledger:
        return [entry.fact for entry in ledger.read(0) if isinstance(entry.fact, kind)]


def test_the_list_says_what_is_open_held_and_silenced_and_with_all_what_is_over(
    put: Put, said: Said, capfd: pytest.CaptureFixture[str]
) -> None:
    held = e.AlertHeld(service=NAME, cause="trend", name="QualityFalling", by="flapping", why="it flaps", alert="al-3")
    put(page("al-2", "labels", urgency="ticket"), page(), held, page("al-0", "latency"), over("al-0"))
    code, found = said("alerts", "list")
    assert code == 0
    assert [(each["alert"], each["urgency"]) for each in found["alerts"]] == [("al-1", "page"), ("al-2", "ticket")]
    assert found["held"][0]["why"] == "it flaps"
    code, found = said("alerts", "list", "--all")
    assert [(each["alert"], each["over_at"] is not None) for each in found["alerts"]] == [
        ("al-2", False),
        ("al-1", False),
        ("al-0", True),
    ]
    assert run(["alerts", "list"]) == 0
    out = capfd.readouterr().out
    assert out.splitlines()[0].startswith("page      fraud  al-1 ErrorsHigh since ")
    assert "nobody has it" in out
    assert said("alerts", "list", "--service", "nobody")[0] != 0


def test_an_alert_of_a_drill_is_said_to_be_the_drills_also_when_it_is_over(
    put: Put, said: Said, capfd: pytest.CaptureFixture[str]
) -> None:
    put(page(), page("al-2", "fallback", urgency="ticket", name="FallbackAnswers", labels={"drill": "dr-1"}))
    _, found = said("alerts", "list")
    assert [(each["alert"], each.get("drill", "")) for each in found["alerts"]] == [("al-1", ""), ("al-2", "dr-1")]
    _, found = said("status", NAME)
    (told,) = found["services"]
    assert told["alerts"][1].startswith("ticket FallbackAnswers of drill dr-1 (al-2)")
    assert "drill" not in told["alerts"][0]
    assert run(["alerts", "list"]) == 0
    assert "al-2 FallbackAnswers of drill dr-1 since" in capfd.readouterr().out


def test_the_list_names_everybody_who_was_told_with_all_or_without(put: Put, said: Said) -> None:
    up = e.AlertEscalated(service=NAME, alert="al-1", level=1, to=("bob", "ada"), why="nobody took it")
    put(page(), up)
    for options in ((), ("--all",)):
        code, found = said("alerts", "list", *options)
        assert (code, found["alerts"][0]["to"]) == (0, ["ada", "bob"])


def test_who_takes_an_alert_is_on_the_ledger_once(put: Put, said: Said) -> None:
    home = put(page())
    code, told = said("alerts", "ack", "al-1", "--why", "on it")
    assert (code, told["recorded"]) == (0, ["alert.acked"])
    assert said("alerts", "ack", "al-1")[1]["recorded"] == []
    (acked,) = facts_of(home, e.AlertAcked)
    assert (acked.by, acked.proof, acked.why) == (ME, "os_user", "on it")
    code, found = said("alerts", "list")
    assert found["alerts"][0]["acked_by"] == ME


def test_an_alert_that_is_not_open_and_a_person_without_a_role_are_told_so(put: Put, said: Said) -> None:
    home = put(page(), people={"ada": ["operator"]})
    code, told = said("alerts", "ack", "al-9")
    assert code != 0
    assert "al-1" in told["error"]["hint"]
    code, told = said("alerts", "ack", "al-1")
    assert code == 1
    assert "ada" in told["error"]["hint"]
    assert facts_of(home, e.AlertAcked) == []


def test_a_silence_has_a_reason_and_an_end_and_can_be_ended_early(put: Put, said: Said) -> None:
    home = put()
    code, told = said("alerts", "silence", "Errors*", "--for", "2y", "--why", " ")
    assert code == 2
    assert {fault["path"] for fault in told["error"]["faults"]} == {"--for", "--why"}
    code, told = said("alerts", "silence", "Errors*", "--for", "2h", "--why", "we move the database")
    assert (code, told["recorded"]) == (0, ["alerts.silenced"])
    (silence,) = facts_of(home, e.AlertsSilenced)
    assert silence.match == "Errors*"
    code, found = said("alerts", "list")
    assert found["silences"][0]["until"] == silence.until
    assert said("alerts", "unsilence", silence.silence)[1]["recorded"] == ["silence.ended"]
    assert said("alerts", "list")[1]["silences"] == []
    assert said("alerts", "unsilence", silence.silence)[0] != 0


class Hands:
    """A clock that goes on by waiting alone: what the machine needs meanwhile is no part of it."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, _: float) -> None:
        self.at += 20.0


def test_a_test_goes_through_every_destination_and_says_what_each_said(
    put: Put, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands()
    monkeypatch.setattr(alert_test, "time", hands)
    with receiving(Receiver()) as good, receiving(Receiver((403,))) as bad:
        monkeypatch.setenv("PD_KEY", "r0ut1ng")
        home = put(
            to=(
                AlertDestination(format="pagerduty", to=good.url, token="PD_KEY", urgency="page"),
                AlertDestination(format="ticket_file", to="file:tickets", urgency="ticket"),
                AlertDestination(format="webhook", to=bad.url, name="chat"),
            )
        )
        code, found = said("alerts", "test", "fraud", "--within-s", "60")
        assert (code, hands.at) == (1, 60.0)
        heard = {each["destination"]: (each["arrived"], each["said"]) for each in found["destinations"]}
        assert heard["pagerduty"] == (True, "HTTP 200")
        assert heard["ticket_file"][0]
        assert (heard["chat"][0], "HTTP 403" in heard["chat"][1]) == (False, True)
        assert [each.document["event_action"] for each in good.got] == ["trigger", "resolve"]
        code, found = said("alerts", "test", "fraud", "--to", "pagerduty")
        assert (code, [each["destination"] for each in found["destinations"]]) == (0, ["pagerduty"])
        assert hands.at == 60.0, "nobody waits for what has arrived"
    raised = facts_of(home, e.AlertRaised)
    first, second = facts_of(home, e.AlertsTested)
    assert all(each.test for each in raised)
    assert (first.arrived, list(first.missed)) == (("pagerduty", "ticket_file"), ["chat"])
    assert (second.arrived, second.missed, second.by) == (("pagerduty",), {}, ME)


def test_without_a_destination_there_is_nothing_to_test(put: Put, said: Said) -> None:
    put()
    code, told = said("alerts", "test", "fraud")
    assert code == 1
    assert "declares nobody" in told["error"]["message"]
