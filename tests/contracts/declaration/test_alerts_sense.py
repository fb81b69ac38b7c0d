"""A declaration of alerts that would reach nobody, or shows a secret, says so before anything happens: all at once."""

from typing import Any, get_args

import pytest

from flyball.contracts.declaration.alerts_sense import NEEDS
from flyball.contracts.declaration.service_file import parse
from flyball.core.declared.alerts import AlertFormat, Alerts
from flyball.core.errors import BadInput
from flyball.core.policy import policy_digest

BASE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: small, owner: somebody}
data: {contract: contract.yaml, source: data.csv, label: label}
experiment: {task: binary, metric: roc_auc}
"""
GOOD: dict[str, dict[str, Any]] = {
    "alertmanager": {"to": "http://127.0.0.1:9093"},
    "pagerduty": {"to": "https://events.pagerduty.com", "token": "KEY"},
    "slack": {"to": "env:HOOK"},
    "teams": {"to": "env:HOOK"},
    "apprise": {"to": "env:ANY"},
    "webhook": {"to": "https://hooks.example/x", "secret": "SECRET", "token": "TOKEN"},
    "email": {"to": "ops@example.org", "server": "mail.example:587", "sender": "flyball@example.org"},
    "ticket_file": {"to": "file:tickets"},
    "github": {"to": "risk/alerts", "token": "TOKEN"},
    "jira": {"to": "https://firm.example", "project": "OPS", "token": "TOKEN", "user": "ada@example.org"},
}


def alerts(text: str) -> Alerts:
    found = parse(BASE + text).alerts
    assert found is not None
    return found


def faults(*destinations: dict[str, Any], more: str = "") -> list[tuple[str, str]]:
    text = BASE + "alerts:\n  to: " + str([dict(each) for each in destinations]).replace("None", "null") + more
    with pytest.raises(BadInput) as refused:
        parse(text)
    return [(fault.path, fault.expected) for fault in refused.value.faults]


def test_every_format_has_its_needs_and_a_declaration_that_meets_them() -> None:
    assert set(NEEDS) == set(GOOD) == set(get_args(AlertFormat))
    text = "alerts:\n  to:\n" + "".join(f"    - { ({'format': name} | each) }\n" for name, each in GOOD.items())
    assert [each.format for each in alerts(text).to] == list(GOOD)


def test_an_empty_section_turns_alerts_on_and_none_leaves_them_off() -> None:
    assert alerts("alerts: {}\n") == Alerts()
    assert parse(BASE).alerts is None
    assert parse(BASE + "alerts:\n").alerts is None


def test_levels_are_names_or_lists_of_them_and_durations_are_durations() -> None:
    found = alerts("alerts: {on_call: [ada, [bob, eve]], escalate_s: 15m, flap: {calm_s: 2m}}\n")
    assert found.levels == (("ada",), ("bob", "eve"))
    assert (found.escalate_s, found.flap.calm_s) == (900.0, 120.0)


@pytest.mark.parametrize("format_", ["slack", "teams", "apprise"])
def test_an_address_that_is_a_secret_is_not_written_down(format_: str) -> None:
    ((path, expected),) = faults({"format": format_, "to": "https://hooks.example/services/T/B/secret"})
    assert path == "alerts.to[0].to"
    assert "env:NAME" in expected


def test_all_faults_are_told_at_once() -> None:
    found = faults(
        {"format": "pagerduty", "to": "https://user:pw@events.example"},
        {"format": "email", "to": "nobody", "user": "ada", "project": "OPS"},
        {"format": "github", "to": "nowhere", "token": "T"},
        {"format": "github", "to": "a/b", "token": "T"},
        {"format": "jira", "to": "https://firm.example", "token": "T"},
    )
    assert {path for path, _ in found} == {
        "alerts.to[0].to",
        "alerts.to[0].token",
        "alerts.to[1].to",
        "alerts.to[1].server",
        "alerts.to[1].sender",
        "alerts.to[1].token",
        "alerts.to[1].project",
        "alerts.to[2].to",
        "alerts.to[3].name",
        "alerts.to[4].project",
    }


def test_names_are_unique_among_events_too() -> None:
    more = "\nevents: [{format: cdevents, to: 'file:events', name: ticket_file}]\n"
    ((path, _),) = faults({"format": "ticket_file", "to": "file:tickets"}, more=more)
    assert path == "alerts.to[0].name"


def test_mails_to_those_on_call_need_somebody_with_an_address() -> None:
    mail = {"format": "email", "to": "on_call", "server": "mail.example", "sender": "a@example.org"}
    ((path, _),) = faults(mail, more="\n  on_call: [ada]\n")
    assert path == "alerts.on_call"


def test_a_rotation_needs_a_start_that_is_known_everywhere_and_levels_that_turn() -> None:
    good = alerts("alerts: {on_call: [ada, bob], rotation: {start: '2026-11-30T09:00:00Z', turn_s: 7d}}\n")
    assert good.rotation is not None
    assert good.rotation.turn_s == 604_800.0
    for start in ("2026-11-30T09:00:00", "monday"):
        ((path, _),) = faults(more=f"\n  on_call: [ada, bob]\n  rotation: {{start: '{start}'}}\n")
        assert path == "alerts.rotation.start"
    found = faults(more="\n  on_call: [ada]\n  rotation: {start: soon, levels: 3}\n")
    assert [path for path, _ in found] == ["alerts.on_call", "alerts.rotation.start"]
    ((path, expected),) = faults(
        more="\n  on_call: [ada, bob]\n  rotation: {start: '2026-11-30T09:00:00Z', levels: 3}\n"
    )
    assert (path, expected) == ("alerts.rotation.levels", "at most 2, the length of on_call")


def test_who_is_told_is_no_policy() -> None:
    assert policy_digest(parse(BASE)) == policy_digest(parse(BASE + "alerts: {on_call: [ada]}\n"))
