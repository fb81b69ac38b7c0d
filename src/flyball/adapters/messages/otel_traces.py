"""Traces by OpenTelemetry's SDK, posted as OTLP over HTTP in batches by a thread of its own. Extra: `otel`."""

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from flyball.core.tracing import Attributes

TIMEOUT_S = 5.0  # of one post; what the collector does not take in time is lost, and no request waits for it
_CONTEXT = TraceContextTextMapPropagator()


class OtelTracing:
    """`core.tracing.Tracing`."""

    def __init__(self, to: str, share: float, headers: Mapping[str, str], complain: Callable[[str], None]) -> None:
        """`to`: where spans are posted. `share`: of the requests whose caller has not decided, in 0..1."""
        resource = Resource.create({"service.name": "flyball-gateway", "service.version": version("flyball")})
        self._provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(share), resource=resource, shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=to, headers=headers, timeout=TIMEOUT_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
        self._tracer = self._provider.get_tracer("flyball")
        _told_by(complain)

    def begin(self, name: str, headers: Mapping[str, str], begin: float, attributes: Attributes) -> "OtelTrace":
        span = self._tracer.start_span(
            name,
            context=_CONTEXT.extract(headers),
            kind=SpanKind.SERVER,
            attributes=dict(attributes),
            start_time=_ns(begin),
        )
        return OtelTrace(self._tracer, span)

    def close(self) -> None:
        self._provider.shutdown()


class OtelTrace:
    """`core.tracing.Trace`."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span = tracer, span
        self.recorded = span.is_recording()
        self.trace_id = format_trace_id(span.get_span_context().trace_id)

    def context(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        _CONTEXT.inject(carrier, context=set_span_in_context(self._span))
        return carrier

    def span(self, name: str, begin: float, end: float, attributes: Attributes) -> None:
        parent = set_span_in_context(self._span)
        span = self._tracer.start_span(name, context=parent, attributes=dict(attributes), start_time=_ns(begin))
        span.end(_ns(end))

    def end(self, end: float, attributes: Attributes, *, failed: bool) -> None:
        self._span.set_attributes(dict(attributes))
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(_ns(end))


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)


def _told_by(complain: Callable[[str], None]) -> None:
    """What the SDK logs, such as a collector that is away, goes where all complaints go."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complain(f"traces: {record.getMessage().splitlines()[0][:200]}")

    logger = logging.getLogger("opentelemetry")
    logger.handlers = [Handler(level=logging.WARNING)]
    logger.propagate = False
