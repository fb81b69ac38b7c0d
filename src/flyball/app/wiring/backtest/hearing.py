"""What stands between a record and the production sensor: segments handed over tick by tick, reports overheard."""

from collections.abc import Iterable

from flyball.app.wiring.loop.passed_on import PassedOn
from flyball.control.reconcile.sensing import Watching
from flyball.core.ports import Segment
from flyball.core.watching import WindowReport


class Feed:
    """`core.ports.Telemetry` of what was fed and not yet read."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def sealed(self, service: str, after: int) -> Iterable[Segment]:  # noqa: ARG002 -- there is one service, in order
        segments, self.segments = self.segments, []
        return segments


class Overheard(PassedOn):
    """`Watching` whose reports are kept."""

    def __init__(self, watching: Watching) -> None:
        super().__init__(watching)
        self.reports: list[WindowReport] = []

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        found = super().feed(segment, champion=champion)
        self.reports += found
        return found
