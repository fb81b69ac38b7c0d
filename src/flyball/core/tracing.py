"""Traces as a port: one a request, and the spans in it, told after they have happened."""

from collections.abc import Mapping
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]


class Trace(Protocol):
    """Of one request."""

    @property
    def recorded(self) -> bool:
        """Whether spans of it are kept; a trace that is not still has an id to hand on."""
        ...

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        ...

    def context(self) -> Mapping[str, str]:
        """Headers of the W3C trace context that name this trace and its span."""
        ...

    def span(self, name: str, begin: float, end: float, attributes: Attributes) -> None:
        """A part of the request. Times in seconds since the epoch."""
        ...

    def end(self, end: float, attributes: Attributes, *, failed: bool) -> None:
        """The request is answered, at `end`, seconds since the epoch."""
        ...


class Tracing(Protocol):
    """Where traces begin."""

    def begin(self, name: str, headers: Mapping[str, str], begin: float, attributes: Attributes) -> Trace:
        """`headers`: `traceparent` and `tracestate` of the caller, whose decision and trace are taken over."""
        ...

    def close(self) -> None:
        """Send what waits; called once, not on the event loop."""
        ...
