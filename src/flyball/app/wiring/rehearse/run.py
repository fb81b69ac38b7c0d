"""A rehearsal of one seed, step by step.

Theory of operation. While a rollout or an incident is open a step is `BUSY_S`: each request comes alone through the
gateway core, and the judge is asked after each. Else it is up to `QUIET_S`: one draw says how many rows came, and a
sample of them goes through the same core in one batch. At the end of a step labels arrive, controllers tick, people
look, and every invariant is asked. A call that takes time, or a controller that stands still in the middle of one, lets
the world go on meanwhile: steps within a step, without that controller.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from flyball.app.rehearse.faults import COMMON_CAUSE, JUMP_S, RESTART_S
from flyball.app.rehearse.report import Run
from flyball.app.rehearse.scenario import DAY_S
from flyball.app.rehearse.story import story
from flyball.app.rehearse.witness import Stand
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.controller import ControllerProcess
from flyball.app.wiring.rehearse.striking import Side
from flyball.app.wiring.rehearse.world import MakeLedger, World
from flyball.control.reconcile.checkpoint import EVERY_PANES
from flyball.control.state.fold import fold
from flyball.control.state.healing_state import SLOW
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.errors import Unavailable
from flyball.core.ports import Judge
from flyball.decide.rollout import judge as production_judge

BUSY_S: Final = 10.0
SOON_S: Final = 60.0  # while a training or a person is waited for
QUIET_S: Final = 3600.0
SOON_AFTER_S: Final = 900.0  # a remedy: what it was against may be back


class Rehearsal:
    """One seed, from its beginning to its end."""

    def __init__(
        self,
        cast: Cast,
        seed: int,
        *,
        make_ledger: MakeLedger | None = None,
        judge: Judge = production_judge,
        crash_at: tuple[int, Side] | None = None,
        checkpoint_panes: int = EVERY_PANES,
    ) -> None:
        """`checkpoint_panes`: a controller keeps what it has learned each so many panes of the log."""
        self.cast, self.seed = cast, seed
        self.world = World(
            cast,
            seed,
            make_ledger=make_ledger,
            judge=judge,
            crash_at=crash_at,
            checkpoint_panes=checkpoint_panes,
            meanwhile=self._meanwhile,
        )
        self.state = ServiceState(service=cast.service.metadata.name)
        self._controllers = [self.world.controller("one")]
        self._second: ControllerProcess | None = None  # beside the first
        self._waiting = list(range(len(cast.scenario.candidates)))  # not yet offered
        self._drifts = sorted(cast.scenario.drift, key=lambda each: each.at)
        self._gateway_back_s: float | None = None
        self._depth = 0

    def run(self, advance: Callable[[float], None] = lambda _: None) -> Run:
        """Rehearse the whole scenario. Args: advance: told of simulated days that have passed."""
        world, scenario = self.world, self.cast.scenario
        world.begin()
        self._tick()
        while (left_s := scenario.length_s - (before_s := world.now_s())) > 0:
            self.step(left_s)
            advance((world.now_s() - before_s) / DAY_S)
        world.watching.whole()
        return self._report()

    def step(self, most_s: float) -> None:
        """One step, of at most so many seconds."""
        world = self.world
        now_s = world.now_s()
        self._events(now_s)
        seconds = min(most_s, self._length(now_s))
        kinds = world.schedule.lasting("traffic", now_s) | world.schedule.lasting("data", now_s)
        watched = self._watched
        world.traffic.come(seconds, now_s, world.wall(), alone=self._on_trial or watched, kinds=kinds, watched=watched)
        world.clock.advance(seconds)
        of_labels = world.schedule.lasting("labels", world.now_s())
        if "outage" not in of_labels:
            world.supply.deliver(world.now_s(), twice="duplicated" in of_labels)
        self._tick()
        spoke = world.speaking.say(self._read(), world.now_s(), world.clock.now())
        if world.people.act(self._read(), world.now_s()) or spoke:
            self._tick()
        self._witness()

    @property
    def _on_trial(self) -> bool:
        return self.state.rollout is not None or self.state.incident is not None

    @property
    def _watched(self) -> bool:
        """Whether the champion fails, or a remedy has to show that it helps, stands, or was over a moment ago: the
        cause may be back. A pane that stayed open for an hour would hide what a gateway tells within a minute."""
        if self.world.weather.sick is not None and self.world.weather.sick == self.state.champion:
            return True
        healing, since = self.state.healing, timestamp(self.world.clock.now() - timedelta(seconds=SOON_AFTER_S))
        quick = [one for one in healing.tried.values() if one.begun.kind not in SLOW]
        return any(one.verified is None or one.stands or one.last_at > since for one in quick)

    def _length(self, now_s: float) -> float:
        """Until the next thing happens, and no longer than one look may take."""
        state, ticket = self.state, self.state.ticket
        most = QUIET_S
        if ticket is not None or self.world.speaking.due(now_s):
            most = SOON_S
        away = self._gateway_back_s is not None or not any(each.acted for each in self._controllers)
        if self._on_trial or self._watched or state.waiting or away or state.applied < state.epoch:
            most = BUSY_S
        coming = [each.at for each in self._drifts] + list(self.world.schedule.times)
        coming += [each.at for each in self.cast.scenario.words]
        coming += [self.cast.scenario.candidates[index].at for index in self._waiting]
        return min([most, *(at - now_s for at in coming if at > now_s)])

    def _events(self, now_s: float) -> None:
        """What is due at this moment."""
        world = self.world
        while self._drifts and self._drifts[0].at <= now_s:
            drift = self._drifts.pop(0)
            world.weather.shifts = world.weather.shifts | {drift.feature: drift.shift}
            world.traffic.moved()
        self._read()
        for index in [each for each in self._waiting if self.cast.scenario.candidates[each].at <= now_s]:
            try:
                world.offer(index)
            except Unavailable:
                continue  # the ledger takes nothing now: they try again
            self._waiting.remove(index)
        world.weather.errors = COMMON_CAUSE if "errors" in world.schedule.lasting("traffic", now_s) else 1.0
        self._champion_fails("errors" in world.schedule.lasting("champion", now_s))
        self._gateway(now_s)
        if (kind := world.schedule.strike("clock", now_s)) is not None:
            jump = timedelta(seconds=JUMP_S if kind == "forward" else -JUMP_S)
            world.clock.set(world.clock.now() + jump)
        if world.schedule.strike("controller", now_s) == "crash":
            self._controllers[0].kill()
        self._beside("second" in world.schedule.lasting("controller", now_s))
        self._read()

    def _champion_fails(self, now: bool) -> None:
        """The release that serves when it begins is the one that fails, wherever it is asked, until it is over."""
        weather = self.world.weather
        if now and weather.sick is None:
            weather.sick = self.state.champion
        elif not now:
            weather.sick = None

    def _gateway(self, now_s: float) -> None:
        """It dies, stays away, comes back, and its disk fills up."""
        world, gateway = self.world, self.world.gateway
        lasting = world.schedule.lasting("gateway", now_s)
        gateway.disk.full = "disk_full" in lasting
        crashed = world.schedule.strike("gateway", now_s) == "crash"
        if gateway.core is not None and (crashed or "dead" in lasting):
            gateway.kill()
            self._gateway_back_s = now_s + RESTART_S
        if gateway.core is None and "dead" not in lasting and now_s >= (self._gateway_back_s or 0.0):
            gateway.start(world.wall())
            self._gateway_back_s = None

    def _beside(self, wanted: bool) -> None:
        """A second controller, for as long as it is wanted."""
        if wanted and self._second is None:
            self._second = self.world.controller("two")
            self._controllers.append(self._second)
        elif not wanted and self._second is not None:
            self._second.stop()
            self._controllers.remove(self._second)
            self._second = None

    def _tick(self) -> None:
        for controller in tuple(self._controllers):
            controller.tick()
        self._read()

    def _meanwhile(self, seconds: float, *, stand_in: bool) -> None:
        """The world goes on while one controller is inside a call. Steps within such a step pass time, and no more."""
        if self._depth:
            self.world.clock.advance(seconds)
            return
        self._depth += 1
        other = self.world.controller("stand-in") if stand_in else None
        if other is not None:
            self._controllers.append(other)
        until_s = self.world.now_s() + seconds
        while (left_s := until_s - self.world.now_s()) > 1e-6:
            self.step(left_s)
        if other is not None:
            other.stop()
            self._controllers.remove(other)
        self._depth -= 1

    def _read(self) -> ServiceState:
        for entry in self.world.ledger.read(self.state.version, subject=self.state.service):
            self.state = fold(self.state, entry)
        return self.state

    def _witness(self) -> None:
        world, gateway = self.world, self.world.gateway
        core = gateway.core
        slot = core.accounting.slot if core is not None else None
        champions, gateway.champions = frozenset(gateway.champions), set()
        assigned, gateway.assigned = tuple(gateway.assigned), []
        world.watching.stand(
            Stand(
                routing=gateway.ordered,
                warm=frozenset(gateway.predictors),
                champions=champions,
                errors=dict(gateway.errors),
                weight=core.routing.weight if core is not None and core.routing is not None else 0,
                received=slot.count("received") if slot else 0,
                written=slot.count("written") if slot else 0,
                dropped=slot.count("dropped") if slot else 0,
                assigned=assigned,
                now_s=world.now_s(),
                at=world.wall(),
                calm_s=world.schedule.calm_s(world.now_s()),
            )
        )

    def _report(self) -> Run:
        world, last = self.world, ""
        facts: Counter[str] = Counter()
        counts = {"promoted": 0, "rolled_back": 0, "retrained": 0}
        for entry in world.ledger.read():
            last = entry.hash
            facts[entry.type] += 1
            match entry.fact:
                case e.RolloutClosed(outcome="promoted"):
                    counts["promoted"] += 1
                case e.RolloutClosed(outcome="rolled_back"):
                    counts["rolled_back"] += 1
                case e.RetrainOrdered():
                    counts["retrained"] += 1
                case _:
                    continue
        return Run(
            seed=self.seed,
            days=round(world.now_s() / DAY_S, 6),
            violations=world.watching.violations,
            digest=world.fingerprint.close(last),
            rows=world.traffic.requests,
            entries=world.watching.seq,
            faults=world.schedule.met,
            words=world.speaking.said,
            unsaid=world.speaking.unsaid,
            facts=dict(facts),
            story=story(world.ledger.read()),
            **counts,
        )
