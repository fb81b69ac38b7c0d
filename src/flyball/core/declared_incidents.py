"""`incidents` of service.yaml: when one is over, and what is kept of it."""

from typing import Annotated

from msgspec import Meta

from flyball.core.declared_kinds import Seconds
from flyball.core.record import Record


class Incidents(Record):
    settle_s: Seconds = (
        300.0  # its cause has been gone for so long: closed; a cause that is back before is the same one
    )
    before_s: Seconds = 3600.0  # of the timeline, ahead of its beginning
    examples: Annotated[int, Meta(ge=0, le=1000)] = 50  # rows of the prediction log that are kept
