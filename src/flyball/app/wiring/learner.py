"""Carries out a training that the loop has ordered: puts rows together, freezes them, trains, says what came of it."""

import threading
from collections.abc import Callable

import polars as pl

from flyball.app.declared import Declared
from flyball.app.wiring.pipeline import Pipeline
from flyball.control.state import ServiceState
from flyball.core import events as e
from flyball.core.clock import Clock, timestamp
from flyball.core.contract import DataContract
from flyball.core.errors import FlyballError, TrainingFailed
from flyball.core.frames import conform, schema
from flyball.core.ids import ExperimentDigest, ServiceName
from flyball.core.ledger import Claimed, Ledger
from flyball.pipeline.split import ROW as POSITION

Captured = Callable[[int, int | None], "pl.DataFrame | None"]  # newest labelled rows, from a stream position on

HEARTBEAT_S = 30.0  # a running training keeps its command this long ahead; a dead one is taken up again after it


class PipelineLearner:
    """`control.reconcile.Learner` over the pipeline. One training at a time."""

    def __init__(
        self,
        declared: Callable[[], Declared],
        pipeline: Pipeline,
        ledger: Ledger,
        clock: Clock,
        *,
        captured: Captured,
        source: Callable[[], pl.DataFrame],
        position: str,
        in_background: bool,
    ) -> None:
        """Args: declared: the service folder as it is now. source: rows of the first snapshot with POSITION.
        position: that column's name among captured rows.
        """
        self._declared, self._pipeline, self._ledger, self._clock = declared, pipeline, ledger, clock
        self._captured, self._source, self._position = captured, source, position
        self._in_background = in_background
        self._running: threading.Thread | None = None

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        """Train now, or see that a running training keeps its command."""
        key = claimed.command.key
        if self._running is not None and self._running.is_alive():
            self._ledger.postpone(key, delay_s=HEARTBEAT_S, error="the training runs")
            return
        table = self._rows(state)
        if not self._in_background:
            self._train(table, claimed)
            return
        self._ledger.postpone(key, delay_s=HEARTBEAT_S, error="the training runs")
        self._running = threading.Thread(target=self._train, args=(table, claimed), name="training", daemon=True)
        self._running.start()

    def keep(self) -> bool:
        """Whether a training runs at this moment."""
        return self._running is not None and self._running.is_alive()

    def _train(self, table: pl.DataFrame, claimed: Claimed) -> None:
        command = claimed.command
        ticket, name = str(command.body["ticket"]), ServiceName(command.subject)
        as_of = timestamp(self._clock.now())
        facts: list[e.AnyFact] = []
        try:
            declared = self._declared()
            snapshot = self._pipeline.snapshot_frame(declared, table, source="captured", as_of=as_of)
            trained = self._pipeline.train(
                declared, snapshot, reason=command.body["reason"], ticket=ticket, as_of=as_of
            )
            if trained.cached:
                facts = [_nothing_new(name, ticket)]
        except TrainingFailed:
            facts = []  # the pipeline has written what the code said, with the ticket
        except FlyballError as error:
            facts = [
                e.TrainingFailed(service=name, experiment=ExperimentDigest("fx1:none"), error=str(error), ticket=ticket)
            ]
        self._ledger.append(facts, finished=[command.key])

    def _rows(self, state: ServiceState) -> pl.DataFrame:
        """The newest accepted rows with labels, and older rows of the source where they do not fill the window.

        After a broken supply has become the new normal, nothing from before it is learned from.
        """
        declared = self._declared()
        service = declared.service
        wanted = service.retrain.window_rows
        since = state.normal_since_row or None
        contract = declared.contract
        if service.retrain.from_ == "source":
            return typed(self._source(), contract).tail(wanted)
        found = self._captured(wanted, since)
        captured = typed(found.rename({self._position: POSITION}), contract) if found is not None else None
        height = captured.height if captured is not None else 0
        parts = [] if since is not None or height >= wanted else [typed(self._source(), contract).tail(wanted - height)]
        if captured is not None:
            parts.append(captured)
        return pl.concat(parts) if parts else typed(self._source(), contract).clear()


def typed(table: pl.DataFrame, contract: DataContract) -> pl.DataFrame:
    """The contract's columns and POSITION, in one form wherever the rows come from."""
    return conform(table, schema(contract) | {POSITION: pl.Int64()})


def _nothing_new(service: ServiceName, ticket: str) -> e.TicketClosed:
    return e.TicketClosed(
        service=service, ticket=ticket, outcome="no_gain", reason="the same inputs had given a release before"
    )
