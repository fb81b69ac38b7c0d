"""The world of a rehearsal: everything that is put together for one seed of one scenario."""

from collections.abc import Callable

from flyball.adapters.checkpoints import MemoryCheckpoints
from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.adapters.prediction_log.memory_telemetry import MemoryTelemetry
from flyball.app.rehearse.approved import Approved, Rules, TimeBox
from flyball.app.rehearse.arriving import Arrives, Holdback, Labelled
from flyball.app.rehearse.faults import Schedule
from flyball.app.rehearse.healed import Healed
from flyball.app.rehearse.invariants import Exposure, Intent, NoOscillation, OneChampion, WarmTarget
from flyball.app.rehearse.models import Made
from flyball.app.rehearse.report import Fingerprint
from flyball.app.rehearse.spending import NothingOnCredit
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.controller import ControllerProcess
from flyball.app.wiring.rehearse.gateway import GatewayProcess
from flyball.app.wiring.rehearse.labels import LabelSupply
from flyball.app.wiring.rehearse.learner import SimulatedLearner, offered, root_of
from flyball.app.wiring.rehearse.models import Weather
from flyball.app.wiring.rehearse.people import People
from flyball.app.wiring.rehearse.ports import StruckGateways, StruckLearner, StruckLedger, StruckTelemetry
from flyball.app.wiring.rehearse.speaking import Speaking
from flyball.app.wiring.rehearse.streams import streams
from flyball.app.wiring.rehearse.striking import Meanwhile, Points, Side
from flyball.app.wiring.rehearse.traffic import PANE_ROWS, Traffic
from flyball.app.wiring.rehearse.watching import Watching
from flyball.app.wiring.rehearse.witnessed import WitnessedLedger
from flyball.contracts.declaration.service_file import declaration
from flyball.control.reconcile import Foretelling, Reconciler, TelemetrySensor
from flyball.control.reconcile.checkpoint import EVERY_PANES, CheckpointedSensor
from flyball.core import events as e
from flyball.core.ids import ReleaseRoot, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.log_tables import log_tables
from flyball.core.policy import policy_digest
from flyball.core.ports import Judge
from flyball.decide.rollout import judge as production_judge
from flyball.monitor.watch import Watcher
from flyball.registry import chain
from flyball.serving.redact import personal

MakeLedger = Callable[[SimulatedClock], Ledger]
FIRST = "first"


class World:
    """One seed."""

    def __init__(
        self,
        cast: Cast,
        seed: int,
        *,
        make_ledger: MakeLedger | None = None,
        judge: Judge = production_judge,
        crash_at: tuple[int, Side] | None = None,
        checkpoint_panes: int = EVERY_PANES,
        meanwhile: Meanwhile,
    ) -> None:
        """`crash_at`: the controller also dies at its n-th call. `meanwhile`: lets the world go on, see `striking`."""
        self.checkpoints, self._checkpoint_panes = MemoryCheckpoints(), checkpoint_panes
        self.cast, self.dice, service = cast, streams(seed), cast.service
        self.clock, self.weather, self.fingerprint = SimulatedClock(), Weather(), Fingerprint()
        self.schedule, self._judge = Schedule(cast.scenario.faults), judge
        bare = make_ledger(self.clock) if make_ledger else MemoryLedger(sealer=chain, clock=self.clock)
        invariants = (
            Exposure(service, lambda root: cast.models.made[root].error_ratio),
            OneChampion(),
            WarmTarget(),
            Intent(),
            Approved(service),
            Rules(service),
            TimeBox(),
            Arrives(),
            Holdback(),
            Labelled(service),
            NoOscillation(service, self.now_s),
            NothingOnCredit(service),
            Healed(service),
        )
        self.watching = Watching(bare, invariants, seed=seed, now_s=self.now_s)
        self.ledger = WitnessedLedger(bare, self.watching.acknowledged, self._ledger_is_full)
        self.points = Points(self.schedule, self.now_s, meanwhile, crash_at=crash_at)
        self.gateway = GatewayProcess(
            service,
            cast.contract,
            load=lambda root: cast.models.loaded(root, self.weather, self.dice["models"]),
            judge=judge,
            done=self.watching.effect,
        )
        hidden = personal(cast.contract.columns)
        tables = log_tables(cast.contract, label=service.data.label, task=service.experiment.task, hidden=hidden)
        self.telemetry = MemoryTelemetry(service.metadata.name, tables, first_row=1, pane_rows=PANE_ROWS)
        self.supply = LabelSupply(cast.labels, self.telemetry, self.dice["labels"], delay_s=cast.scenario.label_delay_s)
        self.traffic = Traffic(
            cast.law,
            self.gateway,
            self.telemetry,
            self.supply,
            self.fingerprint,
            weather=self.weather,
            rows=self.dice["rows"],
            arrivals=self.dice["arrivals"],
            rps=cast.scenario.traffic_rps,
        )
        self.people = People(self.ledger, self.dice["people"])
        self.speaking = Speaking(service, self.ledger, cast.scenario.words)

    def now_s(self) -> float:
        """Seconds since the beginning, whatever the wall clock says."""
        return self.clock.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch, by the wall clock."""
        return self.clock.now().timestamp()

    def controller(self, name: str) -> ControllerProcess:
        return ControllerProcess(name, self._loop, now_s=self.now_s, complain=self._broke_down, ticked=self._ticked)

    def begin(self) -> None:
        """The service is declared and its first release serves."""
        service = self.cast.service
        name, first = ServiceName(service.metadata.name), Made(root=root_of(service.metadata.name, FIRST))
        self.cast.models.made[first.root] = first
        declared = e.ServiceDeclared(
            service=name, policy=policy_digest(service), declaration=declaration(service), folder=name
        )
        facts = offered(first, self.cast.models, name, service.experiment.task, last_row=0)
        appointed = e.ChampionAppointed(
            service=name, release=ReleaseRoot(first.root), previous=None, rubber_stamped=True
        )
        self.ledger.append([declared, *facts, appointed])
        self.gateway.start(self.wall())

    def offer(self, index: int) -> None:
        """Somebody has trained a release by hand, on the features as they are now. Raises: Unavailable."""
        service, candidate = self.cast.service, self.cast.scenario.candidates[index]
        made = Made(
            root=root_of(service.metadata.name, f"candidate {index}"),
            error_ratio=candidate.error_ratio,
            slow_ratio=candidate.slow_ratio,
            metric_change=candidate.metric_change,
            fails=candidate.fails,
            learned=dict(self.weather.shifts),
        )
        self.cast.models.made[made.root] = made
        name = ServiceName(service.metadata.name)
        facts = offered(made, self.cast.models, name, service.experiment.task, last_row=self.traffic.requests)
        self.ledger.append(facts)

    def _loop(self, owner: str) -> Reconciler:
        """A loop as after a start: it knows what the ledger and the log say, and nothing else."""
        cast, service = self.cast, self.cast.service
        ledger = StruckLedger(self.ledger, self.points)
        watcher = Watcher(service, cast.contract, cast.models.promise)
        telemetry = StruckTelemetry(self.telemetry, self.points)
        sensor = TelemetrySensor(service, telemetry, watcher)
        learner = SimulatedLearner(
            cast.models,
            self.weather,
            ledger,
            task=service.experiment.task,
            now_s=self.now_s,
            row=lambda: sensor.row,
            done=self.watching.effect,
        )
        return Reconciler(
            service,
            ledger=ledger,
            gateways=StruckGateways(self.gateway, self.points, self.wall),
            sensor=CheckpointedSensor(
                sensor,
                telemetry,
                self.checkpoints,
                key=service.metadata.name,
                beside={"watcher": watcher},
                every_panes=self._checkpoint_panes,
            ),
            learner=StruckLearner(learner, self.points),
            clock=self.clock,
            owner=owner,
            foretelling=Foretelling(service, lambda: cast.plan),
        )

    def _ticked(self, loop: Reconciler) -> None:
        self.gateway.clear(loop.state.rollout.rollout if loop.state.rollout else None)

    def _ledger_is_full(self) -> bool:
        return "disk_full" in self.schedule.lasting("ledger.append", self.now_s())

    def _broke_down(self, what: str) -> None:
        self.watching.complain("controller", what)
