"""Keeps one service: its loop is built from the file, and anew when the declaration or a repair has changed it."""

import sys
import threading
import time
import traceback
from functools import partial
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.keys import signing_key
from flyball.adapters.prediction_log.pane_states import STATES, PaneStates
from flyball.adapters.prediction_log.segments import Segments
from flyball.adapters.window_book import SqliteWindows
from flyball.app.declared import Declared, load
from flyball.app.home import Home
from flyball.app.wiring.loop.around import Around
from flyball.app.wiring.loop.budgets_file import BudgetsFile
from flyball.app.wiring.loop.health_file import HealthFile
from flyball.app.wiring.loop.kept_memory import checkpointed
from flyball.app.wiring.loop.kept_states import KeptStates
from flyball.app.wiring.loop.learner import PipelineLearner
from flyball.app.wiring.loop.live import BehindSource, Source, WithSpool
from flyball.app.wiring.loop.mended import Mended, Repairs, backfills_of, taken_of
from flyball.app.wiring.loop.noticing import CodeNotice
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.loop.realised_file import RealisedFile
from flyball.app.wiring.loop.remembering import Remembering
from flyball.app.wiring.traffic import dice, traffic_today
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.app.worth import worths
from flyball.control.failing import PlannerFailed, failing
from flyball.control.failure import MONITOR
from flyball.control.reconcile import Foretelling, HealthWatch, Reconciler, TelemetrySensor
from flyball.control.rollout.powering import foretold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.service import Incidents, Service
from flyball.monitor.labels import ROW as CAPTURED_POSITION
from flyball.monitor.watch import Watcher

TICK_S = 0.2
BACK_OFF_S = 5.0  # after an error that nobody expected, and before a file that cannot be read is read again
ANEW_S = 600.0  # a monitor that fails is built anew as often: one that raised in the midst of a pane goes no further
# msgspec prepares a record type when it is first used, and may crash where two threads do that at once (seen with
# 0.22): so each service's first round, which uses them all, has the process to itself
_FIRST_ROUND = threading.Lock()


class Keeper:
    """Keeps one service: builds its loop from the file, and builds it anew when the declaration has changed."""

    def __init__(
        self,
        file: Path,
        home: Home,
        pipeline: Pipeline,
        ledger: Ledger,
        gateways: WithSpool,
        owner: str,
        around: Around,
    ) -> None:
        self._file, self._home, self._pipeline, self._ledger = file, home, pipeline, ledger
        self._gateways, self._owner, self._around = gateways, owner, around
        self._reconciler: Reconciler | None = None
        self._service: Service | None = None
        self._realised: RealisedFile | None = None
        self._health: HealthFile | None = None
        self._budgets: BudgetsFile | None = None
        self._learner: PipelineLearner | None = None
        self._windows: Remembering | None = None
        self._notice: CodeNotice | None = None
        self._told = ""
        self._unread = ""  # why the changed file could not be read
        self._built_at = 0.0  # monotonic seconds
        self._anew_at: float | None = None  # when the loop is to be built anew, monotonic seconds; None: it is not
        self._started = False
        self._backfills: tuple[str, ...] = ()  # that its monitor knows of
        self._repairs: Repairs | None = None
        self.name = file.parent.name  # of the service, once its file was read
        self.kept_at: float | None = None  # when its last round ended, seconds since the epoch

    @property
    def standing(self) -> tuple[ServiceState, Incidents] | None:
        """Where its loop has it, for who works beside the loop; None: it has not begun."""
        loop = self._reconciler
        return None if loop is None else (loop.state, loop.service.incidents)

    def round(self) -> float:
        """One tick, and how long to wait for the next. An error is told once, and the next one tries again."""
        try:
            self._tick()
            self._told, self.kept_at = "", time.time()
        except PlannerFailed as error:  # all else of the round was made: the service is kept, and not in all of it
            self._tell(f"{error}\n{error.hint}")
            self.kept_at = time.time()
        except FlyballError as error:
            self._tell(str(error))
        except Exception:  # a fault of ours in one service must not take the others down
            self._tell(traceback.format_exc())
            return BACK_OFF_S
        return TICK_S

    def held(self) -> tuple[ServiceState, Service] | None:
        """The service as its loop holds it; None: it is not built."""
        loop, service = self._reconciler, self._service
        return None if loop is None or service is None else (loop.state, service)

    def stop(self) -> None:
        """Give the lease back."""
        if self._reconciler is not None:
            self._reconciler.stop()

    def join(self) -> None:
        """Wait for the training that runs, which ends when the trainer is closed."""
        if self._learner is not None:
            self._learner.join()

    def _tick(self) -> None:
        loop = self._reconciler
        anew = loop is None or (self._anew_at is not None and time.monotonic() >= self._anew_at)
        declared = self._read(loop) if anew else None
        if declared is not None:
            with _FIRST_ROUND:
                self._reconciler = None  # whatever goes wrong from here on, the next round builds it
                loop = self._reconciler = self._build(declared, before=loop)
                self._built_at, self._anew_at = time.monotonic(), None
                failed = _ticked(loop)
        else:
            assert loop is not None, "what cannot be read is raised where nothing is kept yet"
            failed = _ticked(loop)
        self._beside(loop)
        if failed is not None:
            raise failed

    def _beside(self, loop: Reconciler) -> None:
        """What is written and looked at behind each tick."""
        if self._windows is not None:
            self._windows.write()
        rollout, test = loop.state.rollout, loop.state.ab
        running = rollout.rollout if rollout else test.started.test if test else None
        self._gateways.clear(loop.state.service, running)
        self._gateways.record(loop.state.service, self._ledger)
        if self._realised is not None:
            self._realised.write()
        if self._health is not None:
            self._health.write(loop.seen.health, loop.state, self._around.of(loop.state.service))
        if self._budgets is not None:
            self._budgets.write()
        if self._notice is not None:
            self._notice.look(time.monotonic())
        others = loop.state.backfills != self._backfills
        others = others or (MONITOR in failing(loop.state) and time.monotonic() - self._built_at >= ANEW_S)
        if loop.declared_anew or others or (self._repairs is not None and self._repairs.came_back(time.monotonic())):
            self._anew_at = self._anew_at or time.monotonic()  # the log is read again, through the repair

    def _read(self, loop: Reconciler | None) -> Declared | None:
        """The folder as it is now. None: it cannot be read, which is told, and the loop that there is goes on as it is:
        it answers for its service, and waits with whatever the other declaration may change.

        Raises: BadInput: the service folder is faulty, and there is no loop.
        """
        try:
            declared = load(self._file)
        except FlyballError as error:
            if loop is None:
                raise
            if str(error) != self._unread:
                _complain(self._file, f"the service is kept as it was declared before: {error}")
            self._unread, self._anew_at = str(error), time.monotonic() + BACK_OFF_S
            return None
        self._unread = ""
        return declared

    def _tell(self, words: str) -> None:
        if words != self._told:
            _complain(self._file, words)
        self._told = words

    def _build(self, declared: Declared, *, before: Reconciler | None) -> Reconciler:
        """`before`: the loop whose place it takes."""
        service, name = declared.service, declared.service.metadata.name
        self.name, self._service = name, service
        self._pipeline.declare(declared)
        source = Source(self._pipeline, name)
        worth = worths(declared)
        watcher = Watcher(service, declared.contract, promises(self._pipeline.releases), worth=worth)
        complain = partial(_complain, self._file)
        remembered = self._home.windows(name).exists()  # else whoever deleted it wants it written again
        windows = self._windows = Remembering(watcher, SqliteWindows(self._home.windows(name)), complain)
        done = backfills_of(self._ledger, name)
        self._backfills = tuple(fact.backfill for fact in done)
        folder = self._home.telemetry(name)
        repairs = self._repairs = Repairs(folder, done, complain, taken_of(self._ledger, name))
        log = Mended(Segments(folder.parent), repairs.there, repairs.lost, repairs.taken)
        telemetry = KeptStates(
            BehindSource(log, source.count),
            PaneStates(self._home.telemetry(name) / STATES),
            promises(self._pipeline.releases),
            without=watcher.unwatched,
            complain=complain,
        )
        self._realised = RealisedFile(self._home, name, watcher)
        self._health = HealthFile(self._home, name, complain)
        self._notice = CodeNotice(declared, partial(load, self._file), self._ledger)
        clock = SystemClock()
        learner = PipelineLearner(
            partial(load, self._file),
            self._pipeline,
            self._ledger,
            clock,
            captured=watcher.captured,
            source=source.read,
            position=CAPTURED_POSITION,
            in_background=True,
            rereads_source=True,
            backfills=log.inside,
            repaired=log.repaired,
        )
        learner.take_over(self._learner)
        self._learner = learner
        inputs = tuple(column for column in declared.contract.columns if column.name != service.data.label)
        self._around.watch(service, inputs, lambda: self._reconciler.state.champion if self._reconciler else None)
        health = HealthWatch(service, around=partial(self._around.of, name), levels=declared.contract.levels)
        eyes = TelemetrySensor(service, telemetry, windows, health=health)
        self._budgets = BudgetsFile(self._home, name, eyes)
        sensor = checkpointed(
            eyes,
            telemetry,
            declared,
            self._home,
            signing_key(self._home.keys),
            worth=worth,
            repairs=repairs.known,
            beside={"watcher": watcher, "windows": windows},
            covered=lambda index: remembered and telemetry.covers(index),
            complain=complain,
        )
        self._begin(ServiceName(name), taken_up=before is not None and before.declared_anew)
        return Reconciler(
            service,
            ledger=self._ledger,
            gateways=self._gateways,
            sensor=sensor,
            learner=learner,
            clock=clock,
            owner=self._owner,
            foretelling=Foretelling(service, lambda: foretold(service, traffic_today(self._home, service), dice)),
        )

    def _begin(self, name: ServiceName, *, taken_up: bool) -> None:
        """A process starts once, however often it builds its loop; that it took up another declaration is said too."""
        if not self._started:
            self._ledger.append([e.ProcessStarted(service=name, process="controller", owner=self._owner)])
            self._started = True
        elif taken_up:
            why = "taken up: the controller has read the declaration as it is now"
            self._ledger.append([e.DecisionTaken(service=name, action="declaration", why=why)])


def _ticked(loop: Reconciler) -> PlannerFailed | None:
    """A tick. What is behind it is done although a planner or the monitor failed, and then that is raised."""
    try:
        loop.tick()
    except PlannerFailed as failed:
        return failed
    return None


def _complain(file: Path, words: str) -> None:
    sys.stderr.write(f"controller: {file}: {words}\n")
