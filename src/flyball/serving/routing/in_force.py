"""The table that one worker goes by: as it was ordered, what the gateway has stopped of it, and what follows. Pure."""

from flyball.core.prediction import ArmName
from flyball.core.routing import Routing, Stopped
from flyball.serving.routing.assign import owners
from flyball.serving.routing.relieving import Relieving
from flyball.serving.routing.stopping import counted, effective


class InForce:
    """Of one service. Nothing before the first order."""

    def __init__(self) -> None:
        self.ordered: Routing | None = None
        self.stopped: Stopped | None = None  # of the rollout, or the A/B test, of this order
        self.routing: Routing | None = None  # that is obeyed
        self.owners: tuple[ArmName, ...] | None = None  # of the buckets, while an A/B test runs
        self.relieving = Relieving()

    def order(self, routing: Routing, stopped: Stopped | None = None) -> None:
        """Another table. What was stopped stays so until another rollout or test begins."""
        self.ordered = routing
        self.relieving.order(routing)
        self._stop(stopped or self.stopped)

    def stop(self, stopped: Stopped) -> None:
        """Some of it goes, by our own authority."""
        self._stop(stopped)

    @property
    def counted(self) -> Routing | None:
        """The table whose step is counted."""
        return None if self.ordered is None else counted(self.ordered, self.stopped)

    def _stop(self, stopped: Stopped | None) -> None:
        assert self.ordered is not None, "there is nothing to stop before the first order"
        self.stopped = stopped if stopped is not None and stopped.rollout == self.ordered.rollout else None
        self.routing = effective(self.ordered, self.stopped)
        self.owners = owners(self.routing.arms) if self.routing.arms else None
