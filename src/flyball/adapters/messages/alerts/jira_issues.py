"""Notices as issues of Jira: opened, commented, moved to the first status that its workflow counts as done.

Source: developer.atlassian.com, Jira REST API 2 (issue, comment, transitions); issues are found by JQL, in the cloud at
`/rest/api/3/search/jql`, which took the place of `/rest/api/2/search` there. An issue carries our alert as a label, a
comment our message in its last line. Jira's index lags by seconds: a message that comes again before it has seen the
issue opens a second one; the pause before another attempt makes that rare.
"""

from base64 import b64encode

from flyball.adapters.messages.alerts.rest import NotTaken, RestApi
from flyball.adapters.messages.alerts.words import lines, notice_of
from flyball.adapters.messages.http_client import DEADLINE_S
from flyball.core.ledger import Message
from flyball.core.notice import Notice
from flyball.core.outbox import Answer

SUMMARY = 255  # characters


class JiraIssues:
    """`core.outbox.Receiver`. User: whose token of Jira Cloud it is; None: a personal access token of a data center."""

    def __init__(
        self,
        url: str,
        project: str,
        token: str,
        *,
        user: str | None = None,
        hide: tuple[str, ...] = (),
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._project, self._cloud = project, user is not None
        basic = b64encode(f"{user}:{token}".encode()).decode()
        said = f"Basic {basic}" if user is not None else f"Bearer {token}"
        headers = {"accept": "application/json", "content-type": "application/json", "authorization": said}
        self._api = RestApi(url, headers, hide=(token, basic, *hide), deadline_s=deadline_s)

    async def send(self, message: Message) -> Answer:
        """Never raises for anything that a server or a network does."""
        notice = notice_of(message.body)
        try:
            key = await self._issue(notice) or await self._opened(notice)
            if notice.event == "raised":
                return Answer(ok=True, status=f"issue {key}")
            if not await self._said(key, notice):
                body = "\n\n".join([notice.title, *lines(notice), _marker(notice)])
                await self._api.ask("POST", f"/rest/api/2/issue/{key}/comment", {"body": body})
            closed = notice.event != "resolved" or await self._done(key)
        except NotTaken as failed:
            return failed.answer
        said = notice.event if closed else "resolved, but its workflow has no way to a status that is done"
        return Answer(ok=True, status=f"issue {key}, {said}")

    async def close(self) -> None:
        await self._api.close()

    async def _issue(self, notice: Notice) -> str | None:
        jql = f'project = "{self._project}" AND labels = "{_label(notice)}" ORDER BY created ASC'
        path = "/rest/api/3/search/jql" if self._cloud else "/rest/api/2/search"
        found = await self._api.ask("GET", path, params={"jql": jql, "fields": "labels", "maxResults": "1"})
        issues = found.get("issues", [])
        return str(issues[0]["key"]) if issues else None

    async def _opened(self, notice: Notice) -> str:
        fields = {
            "project": {"key": self._project},
            "issuetype": {"name": "Task"},
            "summary": " ".join(notice.title.split())[:SUMMARY],
            "description": "\n\n".join(lines(notice)),
            "labels": ["flyball", notice.urgency, _label(notice)],
        }
        made = await self._api.ask("POST", "/rest/api/2/issue", {"fields": fields})
        return str(made["key"])

    async def _said(self, key: str, notice: Notice) -> bool:
        found = await self._api.ask("GET", f"/rest/api/2/issue/{key}/comment", params={"maxResults": "1000"})
        return any(_marker(notice) in (each.get("body") or "") for each in found.get("comments", []))

    async def _done(self, key: str) -> bool:
        """Whether it is done now; a workflow may have no way there."""
        found = await self._api.ask("GET", f"/rest/api/2/issue/{key}/transitions")
        for each in found.get("transitions", []):
            if each.get("to", {}).get("statusCategory", {}).get("key") == "done":
                await self._api.ask("POST", f"/rest/api/2/issue/{key}/transitions", {"transition": {"id": each["id"]}})
                return True
        return False


def _label(notice: Notice) -> str:
    """A label has no spaces; an alert's id has none."""
    return f"flyball-{notice.service}-{notice.alert}"


def _marker(notice: Notice) -> str:
    return f"flyball message {notice.id}"
