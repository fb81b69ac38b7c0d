"""The HTTP application: routes, and what stands behind each. What it needs of the world outside is handed in."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec
from fastapi import FastAPI, Request, Response

from flyball.app.alert_list import AlertList
from flyball.app.api import bodies
from flyball.app.api.books import Books
from flyball.app.api.describing import Alive, described, operation
from flyball.app.api.flagger import Asked, CanaryHook, answered
from flyball.app.api.judgement import Judged, of_verdict
from flyball.app.api.messages import HEADER, Message, heard, keyed
from flyball.app.api.refusals import RETRY_S, Lacking, NoCredentials, Refusal, refusal
from flyball.app.api.words import OF_ALERTS, OF_THE_SERVICE, WORDS, Said, speak, speak_of_alerts, speaker
from flyball.app.people import Act
from flyball.app.rollout_standing import RolloutStanding
from flyball.core.access import Grant
from flyball.core.clock import Clock
from flyball.core.errors import FlyballError
from flyball.core.ledger import Ledger
from flyball.decide.borrowed import Question, verdict_on

Found = TypeVar("Found")

SHORT_B = 16_384  # bytes of a hook, or of what a person says: read on the event loop


class Desk(Protocol):
    """Port: the ledger of this process, asked by one at a time and never on the event loop."""

    async def read(self, question: Callable[[Books], Found]) -> Found: ...

    async def write(self, word: Callable[[Ledger], Found]) -> Found:
        """With a ledger whose newest head is signed. Raises: Unavailable."""
        ...

    async def compute(self, work: Callable[[], Found]) -> Found:
        """What takes a while and needs no ledger."""
        ...


class Visitors(Protocol):
    """Port: who asks."""

    @property
    def asked(self) -> bool:
        """Whether anybody has to say who they are."""
        ...

    def of(self, scope: Any) -> Grant | None:
        """What the request's credentials allow. None: they were not asked for."""
        ...

    def judge(self, text: str, scope: Any) -> Grant | None:
        """A credential that did not come in a header. None: it is not valid."""
        ...


def application(
    desk: Desk, visitors: Visitors, clock: Clock, complain: Callable[[str], None], *, version: str
) -> FastAPI:
    """`complain` is told of faults of ours; `version`: of Flyball."""
    app = FastAPI(title="Flyball control API", version=version, docs_url=None, redoc_url=None)
    _errors(app, complain)
    _reading(app, desk)
    _flagger(app, desk, visitors)
    _writing(app, desk, visitors, clock)
    return described(app)


def _reading(app: FastAPI, desk: Desk) -> None:
    @app.get("/livez", **operation("Whether the process runs", Alive, refusals=()))
    async def livez() -> Response:
        return _json(Alive())

    @app.get("/v1/services/{service}/rollout", **operation("Where the rollout stands", RolloutStanding))
    async def standing(service: str) -> Response:
        return _json(await desk.read(lambda books: books.standing(service)))

    @app.get("/v1/services/{service}/alerts", **operation("What is open, held and silenced", AlertList))
    async def alerts(service: str) -> Response:
        return _json(await desk.read(lambda books: books.alerts(service)))

    @app.get(
        "/v1/services/{service}/rollout/verdict",
        **operation("What is thought of a release; for Argo Rollouts' web metrics", Judged),
    )
    async def verdict(service: str, release: str | None = None) -> Response:
        found = await desk.read(lambda books: books.verdict(service, release))
        return _json(Judged(data=found))

    @app.post("/v1/decide", **operation("A verdict on counts that you bring", Judged, body=Question))
    async def decide(request: Request) -> Response:
        body = await request.body()
        return _json(Judged(data=of_verdict(await desk.compute(lambda: verdict_on(bodies.read(body, Question))))))


def _flagger(app: FastAPI, desk: Desk, visitors: Visitors) -> None:
    async def hook(request: Request, asked: Asked) -> Response:
        told = bodies.read(await request.body(), CanaryHook, most_b=SHORT_B)
        _let_in(visitors, request, told)
        found = await desk.read(lambda books: books.verdict(told.service, told.release))
        return _json(Judged(data=answered(asked, found)))

    @app.post("/v1/flagger/go", **operation("200 on PROMOTE, for Flagger's confirming hooks", Judged, body=CanaryHook))
    async def go(request: Request) -> Response:
        return await hook(request, "go")

    @app.post(
        "/v1/flagger/rollback",
        **operation("200 on ROLL_BACK, for Flagger's rollback hooks", Judged, body=CanaryHook),
    )
    async def rollback(request: Request) -> Response:
        return await hook(request, "rollback")


def _let_in(visitors: Visitors, request: Request, told: CanaryHook) -> None:
    """By a header, else by `metadata.token`. Raises: NoCredentials, Lacking."""
    grant = visitors.of(request.scope)
    if told.token is not None and (grant is None or not grant.scopes) and visitors.asked:
        grant = visitors.judge(told.token, request.scope)
    if not visitors.asked:
        return
    if grant is None or not grant.scopes:
        raise NoCredentials("no valid credentials", hint="a key of ours in metadata.token, or in a header")
    if not grant.allows(told.service, "verdict"):
        raise Lacking(f"these credentials lack the scope verdict for service {told.service}")


def _writing(app: FastAPI, desk: Desk, visitors: Visitors, clock: Clock) -> None:
    async def say(request: Request, service: str, verb: str) -> Response:
        person = speaker(visitors.of(request.scope), service)
        said = bodies.read(await request.body(), Said, most_b=SHORT_B)
        await desk.read(lambda books: books.known(service))
        now = clock.now()
        return _json(await desk.write(lambda ledger: speak(ledger, verb, service, person, said, now)))

    for verb in WORDS:
        base = "/v1/services/{service}" + ("" if verb in OF_THE_SERVICE else "/rollout")
        summary = f"As `flyball {'' if verb in OF_THE_SERVICE else 'rollout '}{verb}`"
        app.post(f"{base}/{verb}", name=verb, **operation(summary, Act, body=Said))(_word(say, verb))

    async def say_of_alerts(request: Request, service: str, verb: str) -> Response:
        person = speaker(visitors.of(request.scope), service)
        said = bodies.read(await request.body(), Said, most_b=SHORT_B)
        await desk.read(lambda books: books.known(service))
        now = clock.now()
        return _json(await desk.write(lambda ledger: speak_of_alerts(ledger, verb, service, person, said, now)))

    for verb in OF_ALERTS:
        path = f"/v1/services/{{service}}/alerts/{verb}"
        app.post(path, name=f"alerts {verb}", **operation(f"As `flyball alerts {verb}`", Act, body=Said))(
            _word(say_of_alerts, verb)
        )

    @app.post(
        "/v1/services/{service}/triggers",
        **operation("Something is new: the policy may want to train", Act, body=Message, headers=(HEADER,)),
    )
    async def triggers(request: Request, service: str) -> Response:
        sender = speaker(visitors.of(request.scope), service)
        message = keyed(bodies.read(await request.body(), Message, most_b=SHORT_B), request.headers.get(HEADER))
        await desk.read(lambda books: books.known(service))
        return _json(await desk.write(lambda ledger: heard(ledger, service, sender, message)))


def _word(
    say: Callable[[Request, str, str], Awaitable[Response]], verb: str
) -> Callable[[Request, str], Awaitable[Response]]:
    async def word(request: Request, service: str) -> Response:
        return await say(request, service, verb)

    return word


def _errors(app: FastAPI, complain: Callable[[str], None]) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        status, body = refusal(error)
        if status >= 500:
            complain(f"{request.method} {request.url.path}: {type(error).__name__}: {error}")
        return _json(body, status)

    async def nowhere(request: Request, _: Exception) -> Response:
        return _json(Refusal(error=f"there is no {request.url.path} (GET /openapi.json tells what there is)"), 404)

    async def otherwise(request: Request, error: Exception) -> Response:
        found = _json(Refusal(error=f"method {request.method}: this path takes another (GET /openapi.json)"), 405)
        found.headers.update(getattr(error, "headers", None) or {})  # `Allow`
        return found

    app.add_exception_handler(FlyballError, refused)
    app.add_exception_handler(Exception, refused)
    app.add_exception_handler(404, nowhere)
    app.add_exception_handler(405, otherwise)


def _json(body: Any, status: int = 200) -> Response:
    headers = {"retry-after": str(RETRY_S)} if status == 503 else {}
    headers |= {"www-authenticate": 'Bearer realm="flyball"'} if status == 401 else {}
    # a verdict is of this moment: no cache between us may tell it again
    headers["cache-control"] = "no-store"
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json", headers=headers)
