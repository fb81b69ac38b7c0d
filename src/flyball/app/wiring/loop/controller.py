"""Process: the controller of one or more services. Kill it between any two lines; the next one goes on.

python -m flyball.app.wiring.loop.controller --home FOLDER SERVICE.yaml...
"""

import argparse
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.keys import signing_key
from flyball.adapters.heartbeat import Beat, write_beat
from flyball.adapters.ids import TimeIds
from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.adapters.prediction_log.pane_states import STATES, PaneStates
from flyball.adapters.prediction_log.segments import Segments
from flyball.adapters.window_book import SqliteWindows
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import recorder
from flyball.app.wiring.loop import forensics, rounds
from flyball.app.wiring.loop.around import Around
from flyball.app.wiring.loop.budgets_file import BudgetsFile
from flyball.app.wiring.loop.health_file import HealthFile
from flyball.app.wiring.loop.kept_memory import checkpointed
from flyball.app.wiring.loop.kept_states import KeptStates
from flyball.app.wiring.loop.learner import PipelineLearner
from flyball.app.wiring.loop.live import BehindSource, Source, WithSpool
from flyball.app.wiring.loop.log_keeping import keep_all
from flyball.app.wiring.loop.mended import Mended, Repairs, backfills_of, taken_of
from flyball.app.wiring.loop.noticing import CodeNotice
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.loop.realised_file import RealisedFile
from flyball.app.wiring.loop.remembering import Remembering
from flyball.app.wiring.loop.told_to_stop import until_told
from flyball.app.wiring.reviewing.digesting import keep_digests
from flyball.app.wiring.secret import secret_of
from flyball.app.wiring.traffic import dice, traffic_today
from flyball.app.wiring.training.executors import Executors
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.app.worth import worths
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
BEAT_S = 1.0
BACK_OFF_S = 5.0  # after an error that nobody expected
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
        self._learners: list[PipelineLearner] = []
        self._windows: Remembering | None = None
        self._notice: CodeNotice | None = None
        self._told = ""
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
        """Wait for trainings, which end when the trainer is closed."""
        for learner in self._learners:
            learner.join()

    def _tick(self) -> None:
        loop = self._reconciler
        if loop is None:
            with _FIRST_ROUND:
                loop = self._reconciler = self._build()
                loop.tick()
        else:
            loop.tick()
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
        if loop.declared_anew or others or (self._repairs is not None and self._repairs.came_back(time.monotonic())):
            self._reconciler = None  # the log is read again, through the repair

    def _tell(self, words: str) -> None:
        if words != self._told:
            _complain(self._file, words)
        self._told = words

    def _build(self) -> Reconciler:
        """Raises: BadInput: the service folder is faulty."""
        declared = load(self._file)
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
        self._learners.append(learner)
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
        self._ledger.append([e.ProcessStarted(service=ServiceName(name), process="controller")])
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


def _complain(file: Path, words: str) -> None:
    sys.stderr.write(f"controller: {file}: {words}\n")


def run(files: Sequence[Path], home: Home, stopping: threading.Event, *, owner: str | None = None) -> None:
    """Keep all of them until told to stop.

    `owner`: holds the leases; no two controllers that live at the same time may share one. None: a new one.
    """
    clock = SystemClock()
    ids = TimeIds(clock)
    gateways = WithSpool(SocketGateways(home.socket), home)
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(recorder(home.made())))
        trainer = Executors()
        pipeline = Pipeline(home, ledger, clock, ids, signing_key(home.keys), trainer)
        name = owner or ids.new("controller")
        around = Around(home, secret_of(home))
        keepers = [Keeper(file, home, pipeline, ledger, gateways, name, around) for file in files]
        for keeper in keepers:
            stack.callback(keeper.join)
        stack.callback(trainer.close)  # first of all: the trainings end, then their threads, then the ledger
        with ThreadPoolExecutor(max_workers=6, thread_name_prefix="beside") as threads:
            beside = (
                threads.submit(rounds.keep, keepers, stopping),
                threads.submit(keep_all, files, home, ledger, stopping),
                threads.submit(keep_digests, [keeper.held for keeper in keepers], home, ledger, stopping),
                threads.submit(_beat, keepers, home, name, stopping),
                threads.submit(forensics.keep_all, keepers, home, ledger, stopping),
                threads.submit(around.run, stopping),
            )
            try:
                for kept in as_completed(beside):  # the first that ends by a fault is heard at once
                    kept.result()
            finally:
                stopping.set()  # nothing goes on without one of them: whoever looks after the process starts it anew


def _beat(keepers: Sequence[Keeper], home: Home, owner: str, stopping: threading.Event) -> None:
    """Tell every second which services were kept, and when; a disk that is full is said once, and tried again."""
    said = ""
    while not stopping.wait(BEAT_S):
        kept = {keeper.name: keeper.kept_at for keeper in keepers if keeper.kept_at is not None}
        try:
            write_beat(home.heartbeat, Beat(owner=owner, at=time.time(), kept=kept))
            said = ""
        except OSError as error:
            if said != str(error):
                sys.stderr.write(f"controller: {home.heartbeat}: {error}\n")
            said = str(error)


def main() -> None:
    parser = argparse.ArgumentParser(prog="flyball controller")
    parser.add_argument("--home", required=True)
    parser.add_argument("--owner")
    parser.add_argument("services", nargs="+", type=Path)
    options = parser.parse_args()
    until_told(partial(run, options.services, Home(Path(options.home)), owner=options.owner))


if __name__ == "__main__":
    main()
