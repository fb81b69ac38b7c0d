"""From panes to an order: a concept that is lost by and by leads to a training by the triggers of the default."""

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from tests.control.loop import Loop
from tests.control.world import FIRST, service
from tests.monitor.streams import contract, log, segment
from tests.monitor.test_expected_risk import promise, world

from flyball.control.reconcile import TelemetrySensor
from flyball.core import events as e
from flyball.core.ports import Segment
from flyball.core.service import Autonomy, LiveMetric, Monitor, Remedy, Service
from flyball.monitor.watch import Watcher

ROWS, DAYS, DAY_S = 1000, 31, 86_400.0  # a trend is told from 30 windows on


def declared(stands: Remedy) -> Service:
    """No trigger is named. The bound of the loss is so wide that the risk is not what asks."""
    monitor = Monitor(window_rows=ROWS, live_metric=LiveMetric(name="accuracy", max_loss=0.45))
    return replace(service(autonomy=Autonomy(retrain=stands)), monitor=monitor)


class Sealed:
    """A pane a day whose labels come at once; each day a larger share of them is turned round."""

    def __init__(self, loop: Loop, flipped_a_day: float) -> None:
        self.loop, self.begin = loop, loop.clock.now().timestamp()
        rng = np.random.default_rng(3)
        self.tables = [world(rng, ROWS, flipped=flipped_a_day * day) for day in range(DAYS)]

    def sealed(self, service: str, after: int) -> list[Segment]:
        over = int((self.loop.clock.now().timestamp() - self.begin) / DAY_S)
        return [self._pane(day) for day in range(after + 1, min(over, DAYS))]

    def _pane(self, day: int) -> Segment:
        table, first = self.tables[day], day * ROWS
        ids = pl.Series("id", [f"p{first + k}" for k in range(ROWS)])
        at = pl.Series("at", self.begin + day * DAY_S + np.linspace(0, DAY_S, ROWS, endpoint=False))
        rows = log(ids).with_columns(table["prediction"], table["score"], at, pl.lit(1.0).alias("x.a"))
        rows = rows.with_columns(pl.lit(str(FIRST)).alias("release"))
        labels = pl.DataFrame({"id": ids, "label": table["label"], "at": at})
        found, start = segment(day, rows, labels, first_row=first), self.begin + day * DAY_S
        return replace(found, pane=replace(found.pane, start=start, end=start + DAY_S))


def lived(stands: Remedy, flipped_a_day: float) -> Loop:
    loop = Loop(declared(stands))
    telemetry, said = Sealed(loop, flipped_a_day), promise()
    watcher = Watcher(loop.service, contract(telemetry.tables[0], ["label"]), lambda _: said)
    loop.sensor = TelemetrySensor(loop.service, telemetry, watcher)  # type: ignore[assignment]
    loop.reconciler.stop()
    loop.reconciler = loop.another("another")
    for _ in range(DAYS + 1):
        loop.tick(seconds=DAY_S)
    return loop


@pytest.mark.parametrize(("stands", "ordered"), [("auto", ["trend"]), ("suggest", [])])
def test_a_slow_loss_of_five_points_a_week_is_trained_against_or_proposed(stands: Remedy, ordered: list[str]) -> None:
    loop = lived(stands, flipped_a_day=0.02)  # an accuracy of 0.75 loses about a point a day
    opened = [fact for fact in loop.facts(e.TicketOpened) if isinstance(fact, e.TicketOpened)]
    assert [one.reason for one in opened] == ["trend"]
    orders = [fact for fact in loop.facts(e.RetrainOrdered) if isinstance(fact, e.RetrainOrdered)]
    assert [(one.reason, one.proof) for one in orders] == [(reason, "policy") for reason in ordered]


def test_a_loss_of_two_points_a_week_asks_for_nothing() -> None:
    loop = lived("auto", flipped_a_day=0.005)
    assert loop.facts(e.TicketOpened) == []
