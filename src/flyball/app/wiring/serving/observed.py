"""What `gateway.yaml` makes of the telemetry of requests: their ids, an access log, traces."""

import itertools
import os
from collections.abc import Callable, Sequence

from flyball.app import references
from flyball.app.wiring.serving.journal import JOURNAL
from flyball.app.wiring.serving.secured import Secured
from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.core.tracing import Tracing
from flyball.serving.serve.http.access_log import AccessLog
from flyball.serving.serve.http.server import Application
from flyball.serving.serve.traced import Traced


def tracing_of(secured: Secured, complain: Callable[[str], None]) -> Tracing | None:
    """None: nothing is traced. Raises: Unavailable: the extra is not installed. BadInput: headers that are none."""
    declared = secured.file.telemetry.traces
    if declared is None:
        return None
    try:
        from flyball.adapters.messages.otel_traces import OtelTracing
    except ImportError as error:
        hint = "pip install 'flyball[otel]'"
        raise Unavailable("traces need OpenTelemetry, which is not installed", hint=hint) from error
    headers: dict[str, str] = {}
    if declared.headers is not None:
        text = references.content(declared.headers, secured.folder).decode("latin-1")
        pairs = [part.partition("=") for part in text.strip().split(",") if part.strip()]
        headers = {name.strip(): value.strip() for name, equals, value in pairs if equals and name.strip()}
        if len(headers) != len(pairs) or not headers:
            expected = "name=value, separated by commas"
            fault = Fault(where=declared.headers, path="(reference)", expected=expected, found="another text")
            raise BadInput("The headers for the collector cannot be read.", (fault,))
    return OtelTracing(declared.to, declared.share, headers, complain)


def observed(
    secured: Secured,
    inner: Application,
    tracing: Tracing | None,
    clock: Clock,
    services: Sequence[str],
) -> Application:
    """What stands around the guard; the same application where no telemetry is asked for."""
    declared = secured.file.telemetry
    JOURNAL.form = declared.logs
    if declared.access_log or declared.logs == "json":
        prefix, numbers = f"req-{os.urandom(4).hex()}-", itertools.count(1)
        inner = AccessLog(
            inner, JOURNAL, clock, lambda: f"{prefix}{next(numbers):x}", services, told=declared.access_log
        )
    return inner if tracing is None else Traced(inner, tracing, clock, services)
