"""The `policy` of a service: what people may let pass, and for how long."""

from typing import Annotated

from msgspec import Meta, field

from flyball.core.record import Record

WEEK_S = 7 * 86_400.0


class Exceptions(Record):
    """Of the separate two-person exception for a failed gate."""

    longest_s: Annotated[float, Meta(gt=0, le=WEEK_S)] = 86_400.0  # from the request to the end


class Policy(Record):
    exceptions: Exceptions = field(default_factory=Exceptions)
