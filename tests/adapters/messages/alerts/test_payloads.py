"""Each vendor's payload, field by field against what its documentation asks for."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.messages.alerts.notices import AT, notice

from flyball.adapters.messages.alerts import alertmanager, pagerduty, slack, teams
from flyball.adapters.messages.alerts.words import text

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_alertmanager_knows_an_alert_by_labels_that_never_change_and_is_told_when_it_is_over() -> None:
    (raised,) = alertmanager.postable(notice())
    (over,) = alertmanager.postable(notice("resolved", at="2026-11-21T11:00:00.000000Z"))
    assert raised["labels"] == over["labels"]
    assert raised["labels"] == {
        "alertname": "ErrorsHigh",
        "service": "fraud",
        "severity": "page",
        "cause": "errors",
        "owner": "risk",
    }
    assert (raised["startsAt"], over["startsAt"], over["endsAt"]) == (AT, AT, "2026-11-21T11:00:00.000000Z")
    assert raised["endsAt"] > "2027-11-01"  # not over by itself
    assert raised["annotations"]["runbook_url"].endswith("/bad-rollout.md")
    assert all(isinstance(value, str) and value for value in (raised["labels"] | raised["annotations"]).values())
    assert all(RFC3339.fullmatch(raised[name]) for name in ("startsAt", "endsAt"))


def test_a_test_alert_shares_no_key_with_a_real_one() -> None:
    real, trial = notice(), notice(test=True)
    assert alertmanager.postable(real)[0]["labels"] != alertmanager.postable(trial)[0]["labels"]
    assert pagerduty.event(real, "k")["dedup_key"] != pagerduty.event(trial, "k")["dedup_key"]


def test_pagerduty_triggers_acknowledges_and_resolves_under_one_key() -> None:
    events = [pagerduty.event(notice(event), "R0UT1NG") for event in ("raised", "escalated", "acked", "resolved")]
    assert [each["event_action"] for each in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in events} == {"flyball/fraud/errors"}
    assert {each["routing_key"] for each in events} == {"R0UT1NG"}
    payload = events[0]["payload"]
    assert {"summary", "source", "severity"} <= set(payload)
    assert payload["severity"] in ("critical", "error", "warning", "info")
    assert pagerduty.event(notice(urgency="ticket"), "k")["payload"]["severity"] == "warning"
    assert events[0]["links"] == [{"href": "https://runbooks.example/bad-rollout.md", "text": "Runbook bad-rollout"}]
    assert "payload" not in events[2]


@given(st.text(max_size=4000), st.text(max_size=9000), st.text(min_size=1, max_size=400))
def test_whatever_a_fact_says_fits_the_limits_of_each_vendor(summary: str, detail: str, cause: str) -> None:
    made = notice(summary=summary, detail=detail, cause=cause)
    event = pagerduty.event(made, "k")
    assert len(event["dedup_key"]) <= 255
    assert len(event["payload"]["summary"]) <= 1024
    header, section = slack.message(made)["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert 0 < len(section["text"]["text"]) <= 3000
    assert not re.search(r"[<>]", section["text"]["text"])
    assert not re.search(r"&(?!(amp|lt|gt);)", section["text"]["text"])
    assert len(json.dumps(teams.message(made), ensure_ascii=False)) < 28_000


def test_slack_gets_text_and_blocks_and_nothing_in_them_mentions_the_channel() -> None:
    made = slack.message(notice(summary="<!channel> look"))
    assert set(made) == {"text", "blocks"}
    assert "<!channel>" not in json.dumps(made["blocks"][1]) + made["text"]
    assert [each["type"] for each in made["blocks"]] == ["header", "section"]
    assert "flyball alerts ack al-0123456789ab" in made["blocks"][1]["text"]["text"]


def test_teams_gets_one_adaptive_card_with_the_runbook_as_its_action() -> None:
    made = teams.message(notice())
    (attachment,) = made["attachments"]
    card: dict[str, Any] = attachment["content"]
    assert (made["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["actions"][0]["url"] == "https://runbooks.example/bad-rollout.md"
    assert [each["type"] for each in card["body"]] == ["TextBlock", "TextBlock", "FactSet"]
    assert all(set(fact) == {"title", "value"} and fact["value"] for fact in card["body"][-1]["facts"])
    assert "](http" not in card["body"][1]["text"]  # what a fact says is no link


def test_people_read_who_is_told_why_and_how_to_take_it() -> None:
    said = text(notice())
    assert said.splitlines()[0] == "ErrorsHigh of fraud: 5 % of answers are errors <limit 1 %> & more"
    assert "For ada, bob@example.org; owner risk" in said
    assert "https://runbooks.example/bad-rollout.md" in said
    assert text(notice("acked", by="eve", why="on it")).startswith("taken: ErrorsHigh of fraud")
    assert "flyball alerts ack" not in text(notice("resolved"))
