"""What a controller wrote down of a service's health, for those who ask a gateway or the command line."""

from flyball.core.health import Health
from flyball.core.record import Record
from flyball.core.surroundings import Surroundings


class HealthReport(Record):
    """As of the newest judgement, figures and all; the ledger has the changes."""

    service: str
    health: Health
    since: str = ""  # of the state, RFC 3339, UTC; empty: the ledger does not say yet
    at: float = 0.0  # when it was written, seconds since the epoch
    around: Surroundings = Surroundings()
    failing: tuple[str, ...] = ()  # planners of the loop, and parts of its look, that raise


class HealthSeen(Record):
    """The report beside how long ago anybody kept the service."""

    report: HealthReport | None  # None: there is none
    kept_s: float | None  # since a controller last kept it; None: none was seen
    unreadable: str = ""  # why there is no report, where there is a file

    @property
    def standing(self) -> Health:
        """The health that may be believed now: of a report that nobody keeps any more nothing is known."""
        if self.unreadable:
            return Health(why=self.unreadable)
        if self.report is None or self.kept_s is None:
            return Health(why="no controller has judged it yet")
        if self.kept_s > SILENT_S:
            return Health(why=f"no controller has kept it for {self.kept_s:.0f} s; it was {self.report.health.state}")
        return self.report.health


SILENT_S = 15.0  # without a round: a controller makes five a second
