"""A canary and a soak in the real loop, over rows of which everything is known: what each arm would have answered.

A row comes each second, its label with it, and counts when its label window has passed. Who is assigned to which arm is
drawn beforehand: a unit is the candidate's where its number lies below the weight in force. So the same rows under
another policy are the same units in the same arms for as long as both do the same.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from msgspec.structs import replace
from tests.control.loop import Loop
from tests.control.world import FIRST, NAME, SECOND, registered, service
from tests.monitor.streams import contract, log, segment
from tests.monitor.test_arm_metrics import promised
from tests.monitor.test_watch import world

from flyball.adapters.ledger.memory import EPOCH
from flyball.app.backtest.past import past
from flyball.app.backtest.policies import AS_RECORDED, Policy
from flyball.app.backtest.report import Backtest
from flyball.app.wiring.backtest.driving import Tick
from flyball.app.wiring.backtest.from_rows import ticks_of
from flyball.app.wiring.backtest.run import Asked, Run
from flyball.control.reconcile import TelemetrySensor
from flyball.control.reconcile.sensing import Watching
from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.ports import Segment
from flyball.core.routing import WHOLE, ArmCounts, Routing, StepCounts, TestSums
from flyball.core.service import Autonomy, Canary, Data, LiveMetric, Promote, Retrain, Service, Soak, Step
from flyball.monitor.watch import Watcher

PANE, BEGINS, WINDOW_S = 100, 500, 200.0  # rows; rows before the rollout; label window
ROWS = 6000  # that are drawn, however many of them a record has
STEPS = (
    Step(canary=Canary(weight=0.5, min_requests=400, min_s=800, timeout_s=1e6)),
    Step(soak=Soak(holdback=0.1, min_requests=400, min_s=1500, timeout_s=1e6)),
    Step(promote=Promote()),
)


def declared(*metrics: MetricGuardrail, alpha: float = 0.05) -> Service:
    base = service(steps=STEPS, autonomy=Autonomy(retrain="observe", promote="auto"))
    monitor = replace(base.monitor, window_rows=1000, live_metric=LiveMetric(name="accuracy", max_loss=0.05))
    return replace(
        base,
        data=Data(contract="c", source="s", label="label", label_window_s=WINDOW_S),
        monitor=monitor,
        retrain=Retrain(triggers=()),
        rollout=replace(base.rollout, guardrails=Guardrails(alpha=alpha, metrics=metrics)),
    )


def accuracy(max_loss: float = 0.02) -> MetricGuardrail:
    return MetricGuardrail(name="accuracy", max_loss=max_loss)


class TwoArms:
    """The record of one policy. `right`: share of right answers of the champion, and of the candidate."""

    def __init__(self, made: Service, right: tuple[float, float], *, panes: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.made = made
        self._draw = rng.integers(0, WHOLE, ROWS)
        hit, label = rng.random(ROWS), rng.integers(0, 2, ROWS)
        self._said = [np.where(hit < share, label, 1 - label) for share in right]
        self._table = world(rng, ROWS).with_columns(pl.Series("label", label))
        self.segments: list[Segment] = []
        self.loop = Loop(made)
        self.loop.sensor = TelemetrySensor(made, self, self.watcher(made))  # type: ignore[assignment]
        self.loop.gateways.seen = self._counts
        self.loop.reconciler.stop()
        self.loop.reconciler = self.loop.another("rows")
        self._arms: dict[tuple[int, str], int] = {}  # epoch and arm -> rows
        for number in range(panes):
            if number * PANE == BEGINS:
                self.loop.write(*registered(SECOND))
            self._answer(number)
            self.loop.tick(PANE)

    def watcher(self, policy: Service) -> Watcher:
        return Watcher(policy, contract(self._table, ["a", "label"]), promised)

    def sealed(self, service: str, after: int) -> Iterable[Segment]:
        return self.segments[after + 1 :]

    def backtest(
        self, *policies: Service, segments: Sequence[Segment] | None = None, names: Sequence[str] = ()
    ) -> Backtest:
        """Each policy on this record, by its rows."""
        rows = self.segments if segments is None else segments

        def source(policy: Service) -> tuple[Watching, Iterable[Tick], object]:
            return self.watcher(policy), ticks_of(rows), lambda: 0

        run = Run(service=NAME, recorded=self.made, past=past(NAME, self.loop.ledger.read()), kind="rows")
        told = [Policy(name=AS_RECORDED, service=self.made)]
        called = names or [f"policy {at}" for at in range(len(policies))]
        told += [Policy(name=name, service=policy) for name, policy in zip(called, policies, strict=True)]
        asked = Asked(files=(), sweeps=(), changes=(), within_rows=None)
        return run.backtest(told, asked, source, lambda _: None)  # type: ignore[arg-type]

    def candidate_rows(self, until: int) -> int:
        """Rows of the candidate's arm up to a stream position, as the log has them."""
        rows = pl.concat([one.predictions for one in self.segments]).head(until + 1)
        return int((rows["arm"] == "candidate").sum())

    def _answer(self, number: int) -> None:
        """A pane of rows under the routing in force."""
        routing = self.loop.gateways.routing
        weight, epoch = (0, 1) if routing is None else (routing.weight, routing.epoch)
        champion = FIRST if routing is None else routing.champion
        here = slice(number * PANE, (number + 1) * PANE)
        mine = self._draw[here] < weight
        old, new = (said[here] for said in self._said)
        said = new if champion == SECOND else np.where(mine, new, old)
        ids = pl.Series("id", [f"p{row}" for row in range(here.start, here.stop)], dtype=pl.String)
        table = self._table[here]
        arms = pl.Series("arm", np.where(mine, "candidate", "champion"))
        releases = pl.Series("release", np.where(mine, SECOND, champion))
        at = pl.Series("at", EPOCH.timestamp() + np.arange(here.start, here.stop, dtype=np.float64))
        rows = log(ids).with_columns(
            pl.Series("prediction", said), table["score"], table["a"].alias("x.a"), arms, releases, at
        )
        rows = rows.with_columns(epoch=pl.lit(epoch, dtype=pl.Int64))
        made = segment(number, rows, pl.DataFrame({"id": ids, "label": table["label"], "at": at}), first_row=here.start)
        start, end = EPOCH.timestamp() + here.start, EPOCH.timestamp() + here.stop
        self.segments.append(replace(made, pane=replace(made.pane, service=NAME, start=start, end=end)))
        for arm, of_arm in (("candidate", mine), ("champion", ~mine)):
            self._arms[epoch, arm] = self._arms.get((epoch, arm), 0) + int(of_arm.sum())

    def _counts(self, routing: Routing) -> StepCounts:
        """As a gateway without errors counts them."""
        rows = {arm: self._arms.get((routing.epoch, arm), 0) for arm in ("candidate", "champion")}
        counts = {arm: ArmCounts(requests=n, units=n) for arm, n in rows.items()}
        whole = sum(n for (_, arm), n in self._arms.items() if arm == "candidate")
        return StepCounts(
            service=routing.service,
            epoch=routing.epoch,
            rollout=routing.rollout,
            step=routing.step,
            champion=counts["champion"],
            candidate=counts["candidate"],
            step_tests=TestSums(),
            rollout_candidate=ArmCounts(requests=whole, units=whole),
            received=sum(rows.values()),
            written=sum(rows.values()),
        )
