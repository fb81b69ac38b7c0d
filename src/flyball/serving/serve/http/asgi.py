"""The HTTP door: raw ASGI, a table of routes, every error as `{"error": ...}`.

A request whose handler fails by a fault of ours gets a 500 without a traceback; the fault goes to `complain`.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from flyball.core.access import Grant
from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.core.prediction import LabelRecord
from flyball.serving.access.own_probe import HEADER as OWN_PROBE
from flyball.serving.access.own_probe import is_own
from flyball.serving.access.refusals import Refusals
from flyball.serving.counting.report import Report
from flyball.serving.counting.totals import encoded
from flyball.serving.identity import service_of
from flyball.serving.protocols import plain
from flyball.serving.protocols.bodies import line, refusal
from flyball.serving.protocols.compression import CODINGS, UnknownCoding
from flyball.serving.protocols.labels import WHERE
from flyball.serving.protocols.openapi import Described, document
from flyball.serving.protocols.route_name import route_name
from flyball.serving.protocols.terms import PLAIN
from flyball.serving.released import Releases
from flyball.serving.serve.answering.joined import Joined
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.complaints import where_raised
from flyball.serving.serve.http.exchange import (
    ALONE,
    JSON,
    MOST_ID,
    RETRY_AFTER,
    Gone,
    Header,
    Receive,
    Scope,
    Send,
    TooLarge,
    body_of,
    header,
    is_quiet,
    retry_after,
    send_body,
    send_error,
    send_json,
    send_packed,
    terms_in,
    wrong_method,
)
from flyball.serving.serve.http.exposition import Budgets, Windows, exposition
from flyball.serving.serve.http.form_routes import FormRoutes
from flyball.serving.serve.http.guard import GRANT, seen
from flyball.serving.serve.http.health_routes import HealthRoutes
from flyball.serving.serve.http.oip_routes import OipRoutes
from flyball.serving.serve.http.own_probes import send_probed


class Door:
    """The ASGI application of one worker."""

    def __init__(
        self,
        services: Mapping[str, Served],
        clock: Clock,
        *,
        secret: bytes,
        request_prefix: str,
        start: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        complain: Callable[[str], None],
    ) -> None:
        """`secret`: of prediction ids. `request_prefix`: of request ids that clients leave to us."""
        self._services, self._clock, self._secret = services, clock, secret
        self._prefix, self._numbers = request_prefix, itertools.count(1)
        self._start, self._stop, self._complain = start, stop, complain
        self.failure: Exception | None = None
        self._predicting: dict[str, str] = {}  # paths, to the names of their services
        self._joined: dict[str, Joined] = {}
        self.short: dict[bytes, Joined] = {}  # targets of requests that may go the short way
        self.sums: Callable[[], Awaitable[Report]] | None = None  # of all workers; None: there is only this one
        self.windows: Windows = lambda _: None  # the newest of a service, for metrics
        self.budgets: Budgets = lambda _: None  # its error budgets, for metrics
        self.refusals = Refusals()  # of the guard before it
        self.health = HealthRoutes(services)
        self._oip = OipRoutes(services, self._request_id, self._statistics, self.own)
        self._forms = FormRoutes(services, self._request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            await self._route(scope, receive, send)
        except Gone:
            return  # nobody is there to be answered
        except Exception as error:
            status, words, headers = self.refusal(error, f"{scope['method']} {route_name(scope['path'])[0]}")
            await send_error(send, status, words, headers)

    def refusal(self, error: BaseException, route: str) -> tuple[int, str, list[Header]]:
        """Status, words and headers for what was raised while a request of this route was answered."""
        match error:
            case BadInput():
                return 400, line(error), []
            case TooLarge():
                return 413, f"the body is larger than {error.args[0]} bytes (unpacked): send several requests", []
            case UnknownCoding():
                words = f"content-encoding {error}: expected {' or '.join(CODINGS)}"
                return 415, words, [(b"accept-encoding", ", ".join(CODINGS).encode())]
            case Unavailable():  # the label book refuses for now: nothing was taken, send it again
                self._complain(f"{route}: {error}")
                return 503, str(error), [RETRY_AFTER]
            case LookupError() if type(error) is LookupError:  # nothing to serve by; a KeyError is a fault
                return 503, str(error.args[0] if error.args else error), [RETRY_AFTER]
            case _:  # ours: the client learns that, and no more; the operator where, but no text that may quote a row
                self._complain(f"{route}: {where_raised(error)}")
                return 500, "internal error", []

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        method: str = scope["method"]
        if method == "POST" and (known := self._predicting.get(path)) is not None:
            await self._predict(known, scope, receive, send)
            return
        parts = path.strip("/").split("/")
        match parts:
            case ["v2", *rest]:
                await self._oip.route(rest, scope, receive, send)
                return
            case ["v1", "services", _, "predict"] | ["v1", "labels"]:
                allowed = "POST"
            case ["metrics" | "livez" | "readyz" | "openapi.json"] | ["v1", "health"] | ["v1", "health", _]:
                allowed = "GET"
            case _:
                if not await self._forms.route(parts, scope, receive, send):
                    await send_error(send, 404, f"no route {path}")
                return
        if await wrong_method(allowed, method, send):
            return
        match parts:
            case ["v1", "services", name, _]:
                if name in self._services and path == f"/v1/services/{name}/predict":  # one path a service, no more
                    self._predicting[path] = name  # next time it is not taken apart
                    self._shorten(path, name)
                await self._predict(name, scope, receive, send)
            case ["v1", "health"]:
                await self.health.all(scope, send)
            case ["v1", "health", name]:
                await self.health.one(name, send)
            case ["v1", _]:
                await self._labels(scope, receive, send)
            case ["metrics"]:
                await self._metrics(scope, send)
            case ["openapi.json"]:
                await send_packed(scope, send, 200, self._described(scope), [JSON])
            case ["livez"]:
                await send_json(send, 200, b'{"live":true}')
            case _:
                await self.health.ready(scope, send)

    async def _predict(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        quiet = is_quiet(scope)
        body = await body_of(scope, receive, coded=not quiet)
        served = self._services.get(name)
        if served is None:
            await send_error(
                send, 404, f"no service {name}: this gateway serves {', '.join(seen(scope, self._services))}"
            )
            return
        if (
            quiet
            and served.overloads.turning_away
            and (refused := self._joining(served).stile.refuse(body)) is not None
        ):
            await send_json(send, refused.status, refused.body, retry_after(refused.status, refused.retry_after_s))
            return
        if not quiet and self.own(scope):
            asked = plain.rows_of(body, f"/v1/services/{name}/predict", max_rows=1)
            await send_probed(send, await served.probe(asked))
            return
        terms = PLAIN if quiet and not served.cohort else terms_in(scope, served.cohort)
        if terms is PLAIN and (row := self._one_row(served, body, scope)) is not None:
            name = self.next_id() if quiet else self._request_id(scope)
            batch, place, record = await self._joined[served.name].predict(row, name)
            status, answer = plain.prediction_body(batch, place, record)
            more = () if status == 200 else retry_after(status, served.overloads.retry_after_s)
            await send_body(send, status, answer, [JSON, *more])
            return
        most = served.core.service.serving.max_rows
        rows = served.reader.rows(body) if served.reader else None
        accepted = rows is not None and len(rows) <= most
        if rows is None or not accepted:
            rows = plain.rows_of(body, f"/v1/services/{name}/predict", max_rows=most)
        batch, records = await served.predict(rows, request_id=self._request_id(scope), terms=terms, accepted=accepted)
        status, answer = plain.predictions_body(batch, records)
        await send_json(send, status, answer, retry_after(status, served.overloads.retry_after_s))
        served.shadow.offer(batch)

    def own(self, scope: Scope) -> bool:
        """Whether the home itself asks, and not a client."""
        text = header(scope, OWN_PROBE)
        now = self._clock.now().timestamp()
        return text is not None and is_own(self._secret, text, now, scope["method"], scope["path"])

    def _one_row(self, served: Served, body: bytes, scope: Scope) -> dict[str, Any] | None:
        """What most requests are: one row that the contract accepts, and that may be joined. None: it is not that."""
        if served.reader is None or ALONE in scope:
            return None
        return served.reader.row(body) if self._joining(served).open else None

    def _joining(self, served: Served) -> Joined:
        return self._joined.get(served.name) or self._joined.setdefault(served.name, Joined(served))

    def _shorten(self, path: str, name: str) -> None:
        """From now on requests of the path may go the short way, unless a rule looks at their headers."""
        served = self._services.get(name)
        if served is not None and served.reader is not None and not served.cohort:
            self.short[path.encode()] = self._joining(served)

    async def _labels(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = plain.labels_of(await body_of(scope, receive), WHERE, now=self._clock.now().timestamp())
        by_service: dict[str, list[tuple[int, LabelRecord]]] = {}
        strangers: list[str] = []
        for place, label in enumerate(found):
            name = service_of(label.id, self._secret)
            if name is None or name not in self._services:
                strangers.append(label.id)
            else:
                by_service.setdefault(name, []).append((place, label))
        grant: Grant | None = scope.get(GRANT)
        if grant is not None and (foreign := [name for name in by_service if not grant.allows(name, "labels")]):
            lack = f"these credentials lack the scope labels for service {', '.join(foreign)}: no label was taken"
            await send_error(send, 403, lack)
            return
        faults: list[Fault] = []
        for name, placed in by_service.items():
            if (rule := self._services[name].label_rule) is not None:
                faults += rule.faults(placed)
        if faults:
            raise refusal(WHERE, faults)
        sums = [0, 0, 0]
        for name, placed in by_service.items():
            # the label book waits for its disk: not on the event loop
            counts = await asyncio.to_thread(self._services[name].labels.put, [label for _, label in placed])
            self._services[name].label_tally.took(accepted=counts[0], duplicate=counts[1], corrected=counts[2])
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
        for stranger in strangers:
            if (named := self._services.get(stranger.partition(".")[0])) is not None:
                named.label_tally.took(unmatched=1)
        await send_json(send, 200, plain.labels_body(sums[0], sums[1], sums[2], len(strangers)))

    def _described(self, scope: Scope) -> bytes:
        """The OpenAPI document, made from what the services declare that the client may ask."""
        described = [
            Described(signature=served.signature, max_rows=served.core.service.serving.max_rows)
            for served in seen(scope, self._services).values()
        ]
        return msgspec.json.encode(document(described, version("flyball")))

    async def _metrics(self, scope: Scope, send: Send) -> None:
        accepted = header(scope, b"accept") or ""
        if self.sums is not None:
            kind, body = encoded((await self.sums()).metrics, accepted)
        else:
            told = self.windows, self.health.healths, self.budgets, self.refusals.counts
            kind, body = exposition(self._services.values(), accepted, *told)
        await send_body(send, 200, body, [(b"content-type", kind.encode())])

    async def _statistics(self, served: Served) -> Releases:
        """Of all workers."""
        return served.statistics.releases if self.sums is None else (await self.sums()).statistics.get(served.name, {})

    def _request_id(self, scope: Scope) -> str:
        given = header(scope, b"x-request-id")
        return given[:MOST_ID] if given else self.next_id()

    def next_id(self) -> str:
        """The name of a request whose client gave it none."""
        return f"{self._prefix}{next(self._numbers):x}"

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:  # kept for whoever runs the server: its kind decides the exit code
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})
