"""The word of the drill that runs, as whatever is injected reads it from a file: which fault, how much, until when."""

from flyball.core.record import Record


class DrillLease(Record):
    """Who does what it says looks at the clock himself: over is over, whoever wrote it was killed or not."""

    drill: str  # id
    fault: str
    service: str
    share: float  # of the rows, 0..1
    until: float  # seconds since the epoch
    driver: int  # process id of whoever began it


VARIABLE = "FLYBALL_DRILLS"  # names the file; `flyball up --allow-drills` sets it for its processes
