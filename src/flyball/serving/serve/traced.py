"""Traces of a gateway: one span a request, and in it check, queue, predict and capture.

Nothing of this file is in the way where tracing is off: the door, the core and the capture are then the plain ones.
Where it is on, the core and the capture note times for the request in whose task they are called. A request that is
recorded is answered by itself, not joined with others, so that its spans are its own.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any

from flyball.core.clock import Clock
from flyball.core.prediction import ArmReply, Failure, PredictionRecord
from flyball.core.tracing import Attributes, Trace, Tracing
from flyball.serving.batch import Ask, Batch
from flyball.serving.counting.tally import Labelled, Tally, labelled
from flyball.serving.gateway import Gateway
from flyball.serving.protocols.route_name import known, route_name
from flyball.serving.serve.answering.capture import Capture
from flyball.serving.serve.http.exchange import ALONE, Receive, Scope, Send

_CONTEXT_HEADERS = frozenset({b"traceparent", b"tracestate"})
_QUIET = frozenset({"/livez", "/readyz", "/metrics", "/ping", "/v2/health/live", "/v2/health/ready"})


class Moments:
    """The times of one recorded request, seconds since the epoch, by the monotonic clock."""

    def __init__(self, trace: Trace, clock: Clock) -> None:
        self.trace, self._clock = trace, clock
        self._epoch, self._since = clock.now().timestamp(), clock.monotonic()
        self.asked: float | None = None  # when the arms were asked
        self.asked_again: float | None = None  # when stand-ins were
        self.finished = 0.0

    def now(self) -> float:
        return self._epoch + self._clock.monotonic() - self._since


MOMENTS: ContextVar[Moments | None] = ContextVar("MOMENTS", default=None)


class Traced:
    """An ASGI application around another one: takes the caller's trace over, and tells the caller ours."""

    def __init__(
        self,
        inner: Callable[[Scope, Receive, Send], Awaitable[None]],
        tracing: Tracing,
        clock: Clock,
        services: Collection[str],
    ) -> None:
        self._inner, self._tracing, self._clock, self._services = inner, tracing, clock, frozenset(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        route, service = route_name(scope["path"])
        if route in _QUIET:
            await self._inner(scope, receive, send)
            return
        carrier = {k.decode(): v.decode("latin-1") for k, v in scope["headers"] if k in _CONTEXT_HEADERS}
        about: dict[str, str] = {"http.request.method": scope["method"], "http.route": route}
        if service:
            about["flyball.service"] = known(service, self._services)
        trace = self._tracing.begin(f"{scope['method']} {route}", carrier, self._clock.now().timestamp(), about)
        moments = Moments(trace, self._clock)
        if trace.recorded:
            scope[ALONE] = True
        # of this request's own task; one that came in a pipeline begins with a copy of what the one before it had
        MOMENTS.set(moments if trace.recorded else None)
        told = [(name.encode(), value.encode()) for name, value in trace.context().items()]
        status = 0

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *told]
            await send(message)

        try:
            await self._inner(scope, receive, sent)
        finally:
            end: Attributes = {"http.response.status_code": status}
            trace.end(moments.now(), end, failed=status >= 500 or status == 0)


class TracedGateway(Gateway):
    """The core that notes when it checked, asked and was answered."""

    def begin(self, *arguments: Any, **options: Any) -> tuple[Batch, list[Ask]]:
        moments = MOMENTS.get()
        if moments is None:
            return super().begin(*arguments, **options)
        began = moments.now()
        batch, asks = super().begin(*arguments, **options)
        moments.asked = moments.now()
        moments.trace.span("check", began, moments.asked, {"flyball.rows": len(batch)})
        return batch, asks

    def take(self, batch: Batch, ask: Ask, reply: ArmReply | Failure) -> None:
        moments = MOMENTS.get()
        if moments is not None and moments.asked is not None:
            self._tell(moments, ask, reply)
        super().take(batch, ask, reply)

    def stand_ins(self, batch: Batch) -> list[Ask]:
        asks = super().stand_ins(batch)
        moments = MOMENTS.get()
        if asks and moments is not None:
            moments.asked_again = moments.now()
        return asks

    def finish(self, batch: Batch, *, ended: float) -> list[PredictionRecord]:
        moments = MOMENTS.get()
        if moments is not None:
            moments.finished = moments.now()
        return super().finish(batch, ended=ended)

    def _tell(self, moments: Moments, ask: Ask, reply: ArmReply | Failure) -> None:
        """Queue until the model began, then the model: its own time is part of the reply."""
        again = moments.asked_again if ask.role == "fallback" else None
        now, asked = moments.now(), again or moments.asked or 0.0
        about: dict[str, str | int] = {
            "flyball.role": ask.role,
            "flyball.release": ask.release,
            "flyball.rows": len(ask.places),
        }
        if isinstance(reply, Failure):
            about["flyball.failure"] = reply.reason  # its message may quote a row
        began = now if isinstance(reply, Failure) else max(asked, now - reply.service_ms / 1000.0)
        moments.trace.span("queue", asked, began, about)
        if not isinstance(reply, Failure):
            moments.trace.span("predict", began, now, about)


class TracedCapture(Capture):
    """The capture that notes how long records took to be made and handed over."""

    def offer(self, predictions: Sequence[PredictionRecord]) -> None:
        super().offer(predictions)
        moments = MOMENTS.get()
        if moments is not None and moments.finished:
            moments.trace.span("capture", moments.finished, moments.now(), {"flyball.rows": len(predictions)})


class TracedTally(Tally):
    """The sums whose exemplars are traced rows, where a bucket has had one."""

    def __init__(self, limits_ms: Iterable[float] = ()) -> None:
        super().__init__(limits_ms)
        self._traced: dict[int, tuple[PredictionRecord, str]] = {}  # by bucket: its newest traced row, and the trace

    def add(self, records: Sequence[PredictionRecord]) -> None:
        super().add(records)
        moments = MOMENTS.get()
        if moments is not None:
            for record in records:
                self._traced[self.bucket_of(record)] = record, moments.trace.trace_id

    def exemplars(self) -> list[Labelled | None]:
        found = super().exemplars()
        for place, (record, trace_id) in self._traced.items():
            found[place] = labelled(record, trace_id=trace_id)
        return found
