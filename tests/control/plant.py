"""A service that ages, under the real loop: each hour closes a window whose PSI and loss the test says."""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from msgspec.structs import replace
from tests.control.loop import Learner, Loop
from tests.control.world import NAME, registered

from flyball.control.reconcile import TelemetrySensor
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ids import ReleaseRoot
from flyball.core.ledger import Claimed
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.release import Estimate
from flyball.core.routing import PairEvidence
from flyball.core.service import Service
from flyball.core.watching import Pane, Signal, WindowReport

HOUR_S = 3600.0
ROWS = 100
EMPTY = pl.DataFrame()


class Hour:
    """What the world is like in one window."""

    def __init__(self, psi: float, loss: float | None = None) -> None:
        self.psi, self.loss = psi, loss


class Plant:
    """Telemetry and monitor in one: hour after hour, as `world` says of the release that serves.

    `world`: (hour, hour at which the champion was trained) -> that hour.
    """

    def __init__(self, declared: Service, world: Callable[[int, int], Hour], *, gain: Callable[[int], bool]) -> None:
        """`gain`: whether the n-th retraining passes its gates."""
        self.loop, self.world, self.hour, self.streak = Loop(declared), world, 0, 0
        self.trained: dict[str, int] = {}  # release -> hour
        self.served: list[str] = []  # in each hour
        self.loop.learner = Trainer(self, gain)
        self.hours = 0
        self.anew()

    def anew(self) -> None:
        """A controller that remembers nothing takes over."""
        self.loop.reconciler.stop()
        self.loop.sensor = TelemetrySensor(self.loop.service, self, self)  # type: ignore[assignment]
        self.loop.reconciler = self.loop.another("another")

    def run(self, hours: int) -> "Plant":
        for _ in range(hours):
            self.hours += 1
            self.loop.tick(seconds=HOUR_S)
        return self

    @property
    def orders(self) -> list[float]:
        """Hours at which trainings were ordered."""
        return self.at(e.RetrainOrdered)

    def at(self, kind: type[e.Fact]) -> list[float]:
        """Hours at which facts of a kind were written."""
        entries = [entry for entry in self.loop.ledger.read() if isinstance(entry.fact, kind)]
        begin = moment(next(iter(self.loop.ledger.read())).at)
        return [(moment(entry.at) - begin).total_seconds() / HOUR_S for entry in entries]

    def sealed(self, service: str, after: int) -> list[Segment]:
        while len(self.served) < self.hours:
            self.served.append(str(self.loop.reconciler.state.champion))
        end = self.loop.clock.now().timestamp()
        return [
            Segment(
                pane=Pane(
                    service=service,
                    index=n,
                    start=end - HOUR_S * (self.hours - n),
                    end=end - HOUR_S * (self.hours - n - 1),
                    first_row=n * ROWS,
                    last_row=(n + 1) * ROWS - 1,
                ),
                predictions=pl.DataFrame({"arm": ["champion"], "release": [self.served[n]]}),
                shadows=EMPTY,
                labels=EMPTY,
            )
            for n in range(after + 1, self.hours)
        ]

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        pane = segment.pane
        self.hour = pane.index
        now = self.world(pane.index, self.trained.get(champion, 0))
        again = pane.index > 0 and self.served[pane.index - 1] == champion
        self.streak = (self.streak if again else 0) + 1 if now.psi > 0.25 else 0
        signals = [self._signal("psi", now.psi, 0.25, champion, pane, self.streak)] if now.psi > 0.10 else []
        if now.loss is not None and now.loss > 0.05:
            signals.append(self._signal("risk", now.loss, 0.05, champion, pane, 1))
        return [
            WindowReport(
                index=pane.index,
                release=champion,
                first_row=pane.first_row,
                last_row=pane.last_row,
                rows=ROWS,
                psi={"amount": now.psi},
                signals=tuple(signals),
                metric=None if now.loss is None else Estimate(value=0.9 - now.loss, low=0.0, high=1.0, n=ROWS),
                loss=None if now.loss is None else Estimate(value=now.loss, low=now.loss - 0.01, high=1.0, n=ROWS),
                start=pane.start,
                end=pane.end,
            )
        ]

    def _signal(self, kind: Any, value: float, limit: float, release: str, pane: Pane, streak: int) -> Signal:
        return Signal(
            signal=kind,
            level="act" if value > limit else "warn",
            value=value,
            limit=limit,
            release=release,
            window=pane.index,
            first_row=pane.first_row,
            last_row=pane.last_row,
            feature="amount" if kind == "psi" else None,
            consecutive=max(1, streak),
        )

    def captured(self, rows: int, since_row: int | None = None) -> None:
        return None

    def matured_rows(self, since_row: int) -> int:
        return max(0, self.hours * ROWS - since_row)

    def pairs(self, candidate: str) -> PairEvidence | None:
        return None

    def compare(self, trial: MetricTrial | None) -> None:
        """No metric is compared here."""

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        return ()


class Trainer(Learner):
    """Makes a release of what is known now; every n-th of them as good as the test says."""

    def __init__(self, plant: Plant, gain: Callable[[int], bool]) -> None:
        super().__init__(plant.loop.ledger)
        self._plant, self._gain = plant, gain

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        number = len(self.asked)
        root = ReleaseRoot("sha256:" + f"{number + 1:064x}")
        self._plant.trained[root] = self._plant.hour
        self.facts = registered(root, passed=self._gain(number), ticket=str(claimed.command.body["ticket"]))
        first = self.facts[0]
        assert isinstance(first, e.ReleaseRegistered)
        self.facts[0] = replace(first, release=replace(first.release, last_row=self._plant.hour * ROWS))
        super().learn(state, claimed)


def most_in(hours: Sequence[float], span: float) -> int:
    """The most of these that lie within any span of hours."""
    return max((sum(first <= each < first + span for each in hours) for first in hours), default=0)


__all__ = ["HOUR_S", "NAME", "Hour", "Plant", "most_in"]
