"""The world of a replay put together: everything real but the clock, the wires between processes, and the people."""

from dataclasses import dataclass, replace

import polars as pl
from msgspec.structs import replace as with_fields

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.models.predictor import FolderPredictor, load
from flyball.adapters.prediction_log.memory_telemetry import MemoryTelemetry
from flyball.app.declared import Declared
from flyball.app.people import Person, approve
from flyball.app.wiring.loop.learner import PipelineLearner
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.loop.remembering import Remembering
from flyball.app.wiring.processes.arm import behind
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.app.worth import worths
from flyball.contracts.rows.compiled import CompiledRows
from flyball.control.reconcile import Reconciler, TelemetrySensor
from flyball.control.state.rollout_state import RolloutState
from flyball.core.clock import moment
from flyball.core.errors import Refused, Unavailable
from flyball.core.ledger import Ledger
from flyball.core.log_tables import log_tables
from flyball.core.ports import Releases
from flyball.core.prediction import LabelRecord, PredictionRecord, Predictor
from flyball.core.routing import Observed, Routing
from flyball.core.seen_windows import WindowBook
from flyball.core.service import Service, Step
from flyball.decide.rollout import judge
from flyball.monitor.labels import ROW as CAPTURED_POSITION
from flyball.monitor.watch import Watcher
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import in_memory
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.redact import personal, redactor
from flyball.serving.resilience.answer_cache import AnswerCache

SECRET = b"replay"  # ids and hashed fields of a recorded stream prove nothing to anybody
APPROVER = Person(name="simulated approver", proof="simulated", every_role=True)
FOREVER_S = 1e12  # one process, one world: nobody else can take the lease


def on_rows(declared: Declared, label_delay_rows: int) -> Declared:
    """The service with its times counted in rows: steps count rows, so `min_s` is 0; labels come after their delay."""
    service = declared.service
    steps = tuple(_without_waiting(step) for step in service.rollout.steps)
    service = with_fields(
        service,
        data=with_fields(service.data, label_window_s=float(label_delay_rows)),
        rollout=with_fields(service.rollout, steps=steps),
    )
    # what is rehearsed is the judgement: an export that has to answer alike is left to the training that is served
    if service.experiment.export == "auto":
        service = with_fields(service, experiment=with_fields(service.experiment, export="pickle"))
    return replace(declared, service=service)


def _without_waiting(step: Step) -> Step:
    if step.shadow is not None:
        return with_fields(step, shadow=with_fields(step.shadow, min_s=0.0))
    if step.canary is not None:
        return with_fields(step, canary=with_fields(step.canary, min_s=0.0))
    if step.soak is not None:
        return with_fields(step, soak=with_fields(step.soak, min_s=0.0))
    return step


class InProcess:
    """`core.ports.Gateways` where gateway and controller share a process; releases are verified when loaded."""

    def __init__(self, gateway: Gateway, releases: Releases) -> None:
        self._gateway, self._releases = gateway, releases
        self.predictors: dict[str, Predictor] = {}

    def apply(self, key: str, routing: Routing) -> None:  # noqa: ARG002 -- idempotent by the epoch alone here
        arms = [arm.release for arm in routing.arms]
        wanted = [root for root in (routing.champion, routing.previous, routing.candidate, *arms) if root is not None]
        self.predictors = {root: self.predictors.get(root) or self._asked(root) for root in wanted}
        self._gateway.route(routing)

    def _asked(self, root: str) -> Predictor:
        """As a gateway asks it: behind the filters of its own code."""
        return behind(self._releases.verified(root), self.loaded(root), self._gateway.service.serving.filters)

    def loaded(self, root: str) -> FolderPredictor:
        return load(self._releases.verified(root), release=root)

    def recycle(self, key: str, service: str, epoch: int) -> None:  # noqa: ARG002 -- it is one process
        raise Refused(f"{service} is answered by this process alone")

    def observe(self, service: str) -> Observed:  # noqa: ARG002 -- there is one
        return self._gateway.observe()


@dataclass
class World:
    """One service and all that acts on it."""

    service: Service
    clock: SimulatedClock
    gateway: Gateway
    gateways: InProcess
    telemetry: MemoryTelemetry
    sensor: TelemetrySensor
    reconciler: Reconciler
    ledger: Ledger
    inputs: tuple[str, ...]  # columns that a client sends
    windows: Remembering  # the monitor, whose windows are written down

    def answer(self, rows: list[dict[str, object]], first_row: int) -> list[PredictionRecord]:
        """A pane of rows, answered and written down. `first_row`: stream position of the first."""
        start = self.clock.now().timestamp()
        at = [start + i for i in range(len(rows))]
        records, shadows = self.gateway.answer(rows, self.gateways.predictors, at, f"row-{first_row}")
        self.telemetry.add(records, shadows)
        return records

    def label(self, labels: list[LabelRecord]) -> None:
        self.telemetry.put(labels)

    def settle(self, rows: int, *, approve_after_rows: int | None) -> None:
        """The pane is over: time passes, the gateway asks its judge, the controller ticks, the person answers."""
        self.clock.advance(rows)
        self.telemetry.seal()
        self.gateway.ask_judge(judge, at=self.clock.now().timestamp())
        self.reconciler.tick()
        while approve_after_rows is not None and self._person(approve_after_rows):
            self.reconciler.tick()

    def _person(self, after_rows: int) -> bool:
        """Approve what has waited long enough; start a suggested retraining at once. True where something was said."""
        state = self.reconciler.state
        rollout, ticket = state.rollout, state.ticket
        if rollout is not None and rollout.asked is not None and rollout.approved is None and rollout.step is not None:
            waited = (self.clock.now() - moment(rollout.step.started_at)).total_seconds()
            if waited >= after_rows:
                approve(self.ledger, rollout.rollout, _another(rollout), "simulated: a replay needs no person")
                return True
        if ticket is not None and ticket.ordered is None and self._may_start():
            return bool(approve(self.ledger, ticket.ticket, APPROVER, "simulated: a suggestion is taken at once"))
        return False

    def _may_start(self) -> bool:
        """A person starts a suggested retraining when nothing but the person is missing."""
        asked = self.service.autonomy.retrain in ("suggest", "approval")
        enough = self.reconciler.seen.learning.new_rows >= self.service.retrain.min_new_rows
        return asked and enough and self.reconciler.state.incident is None


def build(
    declared: Declared,
    pipeline: Pipeline,
    ledger: Ledger,
    clock: SimulatedClock,
    source: pl.DataFrame,
    first_row: int,
    book: WindowBook,
) -> World:
    """The world at the moment when the stream begins.

    Args: source: the rows before it, with their positions. book: where its windows are written down.
    """
    service, contract = declared.service, declared.contract
    label, task = service.data.label, service.experiment.task
    checker = CompiledRows(contract, label=label)
    hidden = personal(contract.columns)
    accounting = Accounting(in_memory())
    kinds = {column.name: column.kind for column in contract.columns if column.name != label}
    gateway = Gateway(
        service,
        checker,
        accounting,
        PredictionIds(service.metadata.name, SECRET, b"play"),
        redactor(checker.columns, hidden, SECRET),
        kinds=kinds,
        cache=AnswerCache(service.serving.cache, kinds, SECRET) if service.serving.cache.max_rows else None,
    )
    gateways = InProcess(gateway, pipeline.releases)
    telemetry = MemoryTelemetry(
        service.metadata.name,
        log_tables(contract, label=label, task=task, hidden=hidden),
        first_row=first_row,
        written=accounting.written,
    )
    watcher = Watcher(service, contract, promises(pipeline.releases), worth=worths(declared))
    sensor = TelemetrySensor(service, telemetry, windows := Remembering(watcher, book, complain=_refuse))
    learner = PipelineLearner(
        lambda: declared,
        pipeline,
        ledger,
        clock,
        captured=watcher.captured,
        source=lambda: source,
        position=CAPTURED_POSITION,
        in_background=False,
        rereads_source=False,  # the recorded stream is all there is: the file may hold rows that are still to come
    )
    reconciler = Reconciler(
        service,
        ledger=ledger,
        gateways=gateways,
        sensor=sensor,
        learner=learner,
        clock=clock,
        owner="replay",
        lease_s=FOREVER_S,
    )
    return World(
        service=service,
        clock=clock,
        gateway=gateway,
        gateways=gateways,
        telemetry=telemetry,
        sensor=sensor,
        reconciler=reconciler,
        ledger=ledger,
        inputs=checker.columns,
        windows=windows,
    )


def _refuse(said: str) -> None:
    """Raises: Unavailable: nobody watches a replay who could mend it, and a home without its windows is half a home."""
    raise Unavailable(said)


def _another(rollout: RolloutState) -> Person:
    """A quorum is of different people."""
    said = len(rollout.approvals)
    return with_fields(APPROVER, name=f"{APPROVER.name} {said + 1}") if said else APPROVER
