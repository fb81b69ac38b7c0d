"""GitHub's and Jira's issues on loopback: real HTTP, as much of their APIs as is documented and asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tests.loopback import beside, http_server


@dataclass
class Tracker:
    """`fail`: how many of the next writes are done, and answered with a broken connection all the same."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    fail: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, dict(request.query)))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = await request.json() if request.can_read_body else None
        status, answer = self.answer(request.method, request.path, dict(request.query), body)
        if self.fail and request.method != "GET":
            self.fail -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer, status=status) if answer is not None else web.Response(status=status)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        raise NotImplementedError


@dataclass
class GitHub(Tracker):
    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        parts = path.removeprefix("/repos/risk/alerts/").split("/")
        page, size = int(query.get("page", 1)), int(query.get("per_page", 30))
        match method, parts:
            case "GET", ["issues"]:
                newest = self.issues[::-1]
                return 200, newest[(page - 1) * size : page * size]
            case "POST", ["issues"]:
                if set(body) - {"title", "body", "labels", "assignees", "milestone"} or not body["title"]:
                    return 422, {"message": "Validation Failed"}
                self.issues.append({"number": len(self.issues) + 1, "state": "open", **body})
                return 201, self.issues[-1]
            case "GET", ["issues", number, "comments"]:
                return 200, self.comments.get(number, [])[(page - 1) * size : page * size]
            case "POST", ["issues", number, "comments"]:
                self.comments.setdefault(number, []).append(body)
                return 201, body
            case "PATCH", ["issues", number]:
                self.issues[int(number) - 1].update(body)
                return 200, self.issues[int(number) - 1]
            case _:
                return 404, {"message": "Not Found"}


@dataclass
class Jira(Tracker):
    search: str = "/rest/api/3/search/jql"
    done: bool = True  # whether its workflow has a way to a status that is done

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if (method, path) == ("GET", self.search):
            label = query["jql"].split('labels = "')[1].split('"')[0]
            return 200, {"issues": [each for each in self.issues if label in each["fields"]["labels"]]}
        if (method, path) == ("POST", "/rest/api/2/issue"):
            fields = body["fields"]
            if not all(fields.get(name) for name in ("project", "issuetype", "summary")) or "\n" in fields["summary"]:
                return 400, {"errors": {"summary": "is required"}}
            self.issues.append({"key": f"OPS-{len(self.issues) + 1}", "fields": fields, "status": "To Do"})
            return 201, {"key": self.issues[-1]["key"]}
        key, _, what = path.removeprefix("/rest/api/2/issue/").partition("/")
        match method, what:
            case "GET", "comment":
                return 200, {"comments": self.comments.get(key, [])}
            case "POST", "comment":
                self.comments.setdefault(key, []).append(body)
                return 201, body
            case "GET", "transitions":
                ways = [{"id": "11", "to": {"statusCategory": {"key": "indeterminate"}}}]
                ways += [{"id": "31", "to": {"statusCategory": {"key": "done"}}}] if self.done else []
                return 200, {"transitions": ways}
            case "POST", "transitions" if body["transition"]["id"] == "31":
                next(each for each in self.issues if each["key"] == key)["status"] = "Done"
                return 204, None
            case _:
                return 404, {"errorMessages": ["nothing here"]}


@contextmanager
def tracking(tracker: Tracker) -> Iterator[Tracker]:
    """On loopback, until the block ends."""
    with beside(http_server(tracker.handle)) as tracker.url:
        yield tracker
