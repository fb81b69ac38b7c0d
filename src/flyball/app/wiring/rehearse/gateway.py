"""The gateway of a rehearsal: the real core in a process that can die, and a disk that outlives it.

It obeys as `serving.serve.workers.supervisor` does: a lower epoch is refused, a key is obeyed once, what gives traffic
is on the disk before it is in force, what takes traffic away is in force whatever the disk says, and a stop of its own
is in force first, then on the disk and in the spool.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flyball.app.rehearse.witness import Effect
from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.contract import DataContract
from flyball.core.errors import StaleEpoch, Unavailable
from flyball.core.ports import Judge
from flyball.core.prediction import PredictionRecord, Predictor, ShadowRecord
from flyball.core.routing import Observed, Routing, Stopped
from flyball.core.service import Service
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import SLOT_BYTES, Slot
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.redact import personal, redactor
from flyball.serving.resilience.answer_cache import AnswerCache
from flyball.serving.routing.lowering import lowers

SECRET = b"rehearse"  # ids and hashed fields of made-up rows prove nothing to anybody
KEYS_KEPT = 20


@dataclass
class Disk:
    """What a gateway finds when it starts again."""

    routing: Routing | None = None
    stopped: Stopped | None = None
    keys: tuple[str, ...] = ()
    spool: dict[str, Stopped] = field(default_factory=dict)  # by rollout
    counters: bytearray = field(default_factory=lambda: bytearray(SLOT_BYTES))
    full: bool = False


class GatewayProcess:
    """`core.ports.Gateways` over one process. It is down until it is started."""

    def __init__(
        self,
        service: Service,
        contract: DataContract,
        *,
        load: Callable[[str], Predictor],
        judge: Judge,
        done: Callable[[Effect], None],
    ) -> None:
        """`load`: a release, from the store. `judge`: its own. `done`: told what it takes and what it stops."""
        self._service, self._contract, self._load, self._judge, self._done = service, contract, load, judge, done
        self._checker = CompiledRows(contract, label=service.data.label)
        self.disk = Disk()
        self.core: Gateway | None = None
        self.ordered: Routing | None = None  # in this process
        self.predictors: dict[str, Predictor] = {}
        self.errors: Counter[str] = Counter()  # own error events of each release as candidate and as shadow
        self.champions: set[tuple[int, str]] = set()  # (epoch, release) that answered as champion
        self.assigned: list[tuple[int, str, str]] = []  # (epoch, unit, arm) of each row, while there are two arms
        self.recycled: list[str] = []  # keys of the orders to begin anew
        self._starts = 0

    def start(self, at: float) -> None:
        """Serve by the table on disk. Args: at: seconds since the epoch."""
        self._starts += 1
        service, checker = self._service, self._checker
        hidden = personal(self._contract.columns)
        kinds = {each.name: each.kind for each in self._contract.columns if each.name != service.data.label}
        boot = self._starts.to_bytes(4, "big")
        self.core = Gateway(
            service,
            checker,
            Accounting(Slot(self.disk.counters)),
            PredictionIds(service.metadata.name, SECRET, boot),
            redactor(checker.columns, hidden, SECRET),
            kinds=kinds,
            cache=AnswerCache(service.serving.cache, kinds, SECRET) if service.serving.cache.max_rows else None,
        )
        self.ordered, self.predictors = self.disk.routing, {}
        if self.ordered is not None:
            self.predictors = self._loaded(self.ordered)
            self.core.route(self.ordered, self.disk.stopped)
            self.judge(at)

    def kill(self) -> None:
        """What was in memory is gone."""
        self.core, self.ordered, self.predictors = None, None, {}

    def apply(self, key: str, routing: Routing) -> None:
        core, held = self._up(), self.ordered
        if key in self.disk.keys:
            return
        if held is not None and (routing.epoch < held.epoch or (routing.epoch == held.epoch and routing != held)):
            raise StaleEpoch(f"epoch {held.epoch} is in force, the order says {routing.epoch}")
        predictors = self._loaded(routing)
        if self.disk.full and not (held is not None and lowers(held, routing)):
            raise Unavailable("the disk does not take the table")
        stopped = core.stopped if core.stopped is not None and core.stopped.rollout == routing.rollout else None
        self._write(routing, stopped, (*self.disk.keys, key)[-KEYS_KEPT:])
        self.predictors, self.ordered = predictors, routing
        core.route(routing, stopped)
        self._done(Effect(kind="route", key=key, routing=routing))

    def observe(self, service: str, at: float) -> Observed:  # noqa: ARG002 -- it serves one
        """A stop is known though the gateway died right after it: it lies in the spool."""
        left = next(reversed(self.disk.spool.values()), None)
        if self.core is None and left is not None:
            return Observed(routing=None, counts=None, stopped=left)
        core = self._up()
        self.judge(at)
        return core.observe()

    def recycle(self, key: str, service: str, epoch: int) -> None:  # noqa: ARG002 -- it serves one
        """Its process is a fresh one: what leaked in the one before is gone, what is on the disk stays."""
        self._up()
        if self.ordered is not None and epoch < self.ordered.epoch:
            raise StaleEpoch(f"epoch {self.ordered.epoch} is in force, the order says {epoch}")
        if key not in self.recycled:
            self.recycled.append(key)
            self._done(Effect(kind="recycle", key=key, routing=self.ordered))

    def clear(self, running: str | None) -> None:
        """Forget stops that are on the ledger: those of rollouts that no longer run."""
        self.disk.spool = {name: each for name, each in self.disk.spool.items() if name == running}

    def answer(
        self, rows: Sequence[dict[str, Any]], at: Sequence[float], request: str
    ) -> tuple[list[PredictionRecord], list[ShadowRecord]] | None:
        """None: nobody is there to answer. The judge is asked afterwards, as it is ten times a second."""
        if self.core is None or self.core.routing is None:
            return None
        records, shadows = self.core.answer(rows, self.predictors, at, request)
        if self.core.routing.candidate is not None and self.core.routing.weight:
            self.assigned += [(each.epoch, each.unit, each.arm) for each in records if each.arm is not None]
        for record in records:
            if record.arm == "candidate":
                self.errors[record.release] += record.error
            elif record.arm == "champion":
                self.champions.add((record.epoch, record.release))
        for shadow in shadows:
            self.errors[shadow.release] += shadow.error
        self.judge(at[-1])
        return records, shadows

    def judge(self, at: float) -> None:
        """Stop the candidate where the judge says so."""
        core = self.core
        if core is None or (stopped := core.ask_judge(self._judge, at=at)) is None:
            self._catch_up()
            return
        self._catch_up()
        self._done(Effect(kind="stop", key=stopped.rollout, routing=self.ordered))

    def _catch_up(self) -> None:
        """The disk follows what is in force, as soon as it takes it."""
        core = self.core
        if core is None or self.ordered is None or self.disk.full:
            return
        self.disk.routing, self.disk.stopped = self.ordered, core.stopped
        if core.stopped is not None:
            self.disk.spool.setdefault(core.stopped.rollout, core.stopped)

    def _write(self, routing: Routing, stopped: Stopped | None, keys: tuple[str, ...]) -> None:
        if not self.disk.full:
            self.disk.routing, self.disk.stopped, self.disk.keys = routing, stopped, keys

    def _loaded(self, routing: Routing) -> dict[str, Predictor]:
        """Verified and loaded before weight moves. Raises: NotFound."""
        roots = [root for root in (routing.champion, routing.previous, routing.candidate) if root is not None]
        return {root: self.predictors.get(root) or self._load(root) for root in roots}

    def _up(self) -> Gateway:
        if self.core is None:
            raise Unavailable("no gateway answers")
        return self.core
