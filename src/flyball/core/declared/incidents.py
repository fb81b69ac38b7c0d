"""`incidents` of service.yaml: when one is over, and what is kept of it."""

from typing import Annotated

from msgspec import Meta

from flyball.core.declared.kinds import Seconds
from flyball.core.record import Record

PLACE = "{incident}"


class Incidents(Record):
    settle_s: Seconds = (
        300.0  # its cause has been gone for so long: closed; a cause that is back before is the same one
    )
    before_s: Seconds = 3600.0  # of the timeline, ahead of its beginning
    examples: Annotated[int, Meta(ge=0, le=1000)] = 50  # rows of the prediction log that are kept
    repairs: str | None = None  # where repaired rows come to lie, with `{incident}` for its name; null: nowhere

    def repaired(self, incident: str) -> str | None:
        """Path of the repaired rows of an incident, seen from the folder of service.yaml.

        >>> Incidents(repairs="repairs/{incident}.parquet").repaired("in-upstream-4")
        'repairs/in-upstream-4.parquet'
        """
        return None if self.repairs is None else self.repairs.replace(PLACE, incident)
