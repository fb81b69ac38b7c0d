"""An alert is one issue, whatever comes twice: opened, commented, closed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.messages.alerts.notices import message
from tests.adapters.messages.alerts.trackers import GitHub, Jira, Tracker, tracking

from flyball.adapters.messages.alerts.github_issues import GitHubIssues
from flyball.adapters.messages.alerts.jira_issues import JiraIssues
from flyball.adapters.messages.alerts.ticket_file import TicketFiles
from flyball.core.ledger import Message
from flyball.core.outbox import Answer

TOKEN = "s3cr3t-t0k3n"


def sent(receiver: Any, *messages: Message) -> list[Answer]:
    async def send() -> list[Answer]:
        try:
            return [await receiver.send(each) for each in messages]
        finally:
            await receiver.close()

    return asyncio.run(send())


def github(tracker: Tracker) -> GitHubIssues:
    return GitHubIssues(f"{tracker.url}/repos/risk/alerts", TOKEN)


def test_a_github_issue_is_opened_commented_and_closed_once_although_each_message_comes_twice() -> None:
    story = [message(), message("acked", by="eve", why="on it"), message("resolved", why="errors is over")]
    with tracking(GitHub()) as found:
        answers = sent(github(found), *(each for each in story for _ in range(2)))
    assert all(answer.ok for answer in answers), answers
    (issue,) = found.issues
    assert (issue["state"], issue["state_reason"], issue["labels"]) == ("closed", "completed", ["flyball", "page"])
    assert issue["title"].startswith("ErrorsHigh of fraud")
    taken, over = found.comments["1"]
    assert "Taken by eve." in taken["body"]
    assert "errors is over" in over["body"]
    assert {each["authorization"] for each in found.headers} == {f"Bearer {TOKEN}"}


def test_a_github_issue_that_was_made_although_no_answer_came_is_found_again_behind_a_hundred_others() -> None:
    with tracking(GitHub()) as found:
        found.fail = 1
        lost, again = sent(github(found), message(), message())
        assert (lost.ok, again.ok) == (False, True)
        assert len(found.issues) == 1
        for number in range(150):
            found.issues.append({"number": number + 2, "state": "open", "body": None, "title": "other"})
        (closed,) = sent(github(found), message("resolved"))
    assert closed.status == "issue 1, resolved"
    assert found.issues[0]["state"] == "closed"
    assert len(found.issues) == 151


def test_of_a_tracker_that_says_no_the_answer_is_kept_without_the_token() -> None:
    class Angry(GitHub):
        def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
            return 401, {"message": f"bad credentials {TOKEN}"}

    with tracking(Angry()) as found:
        (answer,) = sent(github(found), message())
    assert not answer.ok
    assert not answer.final
    assert TOKEN not in answer.status
    assert "HTTP 401" in answer.status


@pytest.mark.parametrize(
    ("user", "search", "scheme"),
    [("ada@example.org", "/rest/api/3/search/jql", "Basic"), (None, "/rest/api/2/search", "Bearer")],
)
def test_a_jira_issue_is_opened_commented_and_moved_to_done_once(user: str | None, search: str, scheme: str) -> None:
    story = [message(), message("escalated", why="nobody took it"), message("resolved")]
    with tracking(Jira(search=search)) as found:
        answers = sent(JiraIssues(found.url, "OPS", TOKEN, user=user), *(each for each in story for _ in range(2)))
    assert all(answer.ok for answer in answers), answers
    (issue,) = found.issues
    assert issue["status"] == "Done"
    assert issue["fields"]["project"] == {"key": "OPS"}
    assert not any(" " in label for label in issue["fields"]["labels"])
    assert len(found.comments["OPS-1"]) == 2
    assert found.headers[0]["authorization"].startswith(f"{scheme} ")


def test_a_jira_workflow_without_a_way_to_done_is_said() -> None:
    with tracking(Jira(done=False)) as found:
        answers = sent(JiraIssues(found.url, "OPS", TOKEN, user="ada"), message(), message("resolved"))
    assert answers[1].ok
    assert "no way to a status that is done" in answers[1].status


def test_a_ticket_is_a_file_that_grows_and_what_people_write_in_it_stays(tmp_path: Path) -> None:
    files = TicketFiles(tmp_path / "tickets")
    assert files.send(message()).ok
    (path,) = (tmp_path / "tickets").iterdir()
    path.write_text(path.read_text() + "\nBob: I look at it.\n")
    assert files.send(message()).status.endswith("has it")
    assert files.send(message("resolved", why="errors is over")).ok
    assert files.send(message("resolved", why="errors is over")).ok
    said = path.read_text()
    assert said.startswith("# ErrorsHigh of fraud")
    assert said.count("errors is over") == 1
    assert "Bob: I look at it." in said
    assert [each.name for each in path.parent.iterdir()] == ["fraud-al-0123456789ab.md"]


def test_a_ticket_that_cannot_be_written_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "tickets").write_text("in the way")
    answer = TicketFiles(tmp_path / "tickets").send(message())
    assert not answer.ok
    assert "Error" in answer.status
