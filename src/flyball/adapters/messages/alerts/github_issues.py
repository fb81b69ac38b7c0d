"""Notices as issues of a GitHub repository: opened, commented, closed.

Source: docs.github.com, REST API, "Issues" and "Issue comments" (version 2022-11-28). An issue is known by a comment in
its text that names our alert, a comment by one that names our message; both are looked for before anything is written,
so a message that comes twice changes nothing. Issues are listed, not searched: GitHub's search lags behind. Not by a
label either: of somebody who may not push to the repository GitHub drops labels without a word.
"""

from typing import Any

from flyball.adapters.messages.alerts.rest import NotTaken, RestApi
from flyball.adapters.messages.alerts.ticket_file import marker
from flyball.adapters.messages.alerts.words import lines, notice_of
from flyball.adapters.messages.http_client import DEADLINE_S
from flyball.core.ledger import Message
from flyball.core.notice import Notice
from flyball.core.outbox import Answer

API = "https://api.github.com"
PAGE, PAGES = 100, 20  # issues, and comments, that are looked through


class GitHubIssues:
    """`core.outbox.Receiver`. Repository: `owner/name`, or the whole address of it in a server of one's own."""

    def __init__(
        self, repository: str, token: str, *, hide: tuple[str, ...] = (), deadline_s: float = DEADLINE_S
    ) -> None:
        whole = repository.startswith(("http://", "https://"))
        headers = {
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
            "authorization": f"Bearer {token}",
        }
        base = repository if whole else f"{API}/repos/{repository}"
        self._api = RestApi(base, headers, hide=(token, *hide), deadline_s=deadline_s)

    async def send(self, message: Message) -> Answer:
        """Never raises for anything that a server or a network does."""
        notice = notice_of(message.body)
        try:
            number = await self._issue(notice)
            if number is None:
                number = await self._opened(notice)
            if notice.event == "raised":
                return Answer(ok=True, status=f"issue {number}")
            if not await self._said(number, notice):
                text = "\n\n".join([notice.title, *lines(notice), marker(notice.id)])
                await self._api.ask("POST", f"/issues/{number}/comments", {"body": text})
            if notice.event == "resolved":
                await self._api.ask("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
        except NotTaken as failed:
            return failed.answer
        return Answer(ok=True, status=f"issue {number}, {notice.event}")

    async def close(self) -> None:
        await self._api.close()

    async def _issue(self, notice: Notice) -> int | None:
        """Its number. It was opened after the alert was raised, so older ones are not looked at."""
        wanted = marker(notice.alert)
        since = {"state": "all", "sort": "created", "direction": "desc", "since": f"{notice.since[:19]}Z"}
        found = await self._pages("/issues", since)
        return next((each["number"] for each in reversed(found) if wanted in (each.get("body") or "")), None)

    async def _opened(self, notice: Notice) -> int:
        text = "\n\n".join([*lines(notice), marker(notice.alert)])
        labels = ["flyball", notice.urgency]
        made = await self._api.ask("POST", "/issues", {"title": notice.title[:256], "body": text, "labels": labels})
        number: int = made["number"]
        return number

    async def _said(self, number: int, notice: Notice) -> bool:
        found = await self._pages(f"/issues/{number}/comments", {})
        return any(marker(notice.id) in (each.get("body") or "") for each in found)

    async def _pages(self, path: str, params: dict[str, str]) -> list[Any]:
        found: list[Any] = []
        for page in range(1, PAGES + 1):
            part = await self._api.ask("GET", path, params=params | {"per_page": str(PAGE), "page": str(page)})
            found += part
            if len(part) < PAGE:
                break
        return found
