"""Carries out a training that the loop has ordered: puts rows together, freezes them, trains, says what came of it."""

import threading
from collections.abc import Callable, Iterable

import polars as pl

from flyball.app.declared import Declared
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.control.giving_up import given_up
from flyball.control.retries import spent, wait_s
from flyball.control.state.healing_state import KeptOut
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import Clock, timestamp
from flyball.core.contract import DataContract
from flyball.core.errors import Conflict, FlyballError, TrainingFailed, Unavailable
from flyball.core.frames import conform, schema
from flyball.core.ids import ExperimentDigest, ServiceName
from flyball.core.ledger import Claimed, Ledger
from flyball.core.release import Snapshot
from flyball.decide.signals import training_failed
from flyball.pipeline.split import ROW as POSITION
from flyball.pipeline.suites.masking import masked

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
        rereads_source: bool,
        backfills: Callable[[pl.DataFrame], tuple[str, ...]] = lambda captured: (),  # noqa: ARG005 -- there are none
        repaired: Callable[[pl.DataFrame], pl.Series | None] = lambda captured: None,  # noqa: ARG005 -- nor these
    ) -> None:
        """Args: declared: the service folder as it is now. source: rows of the first snapshot with POSITION.
        position: that column's name among captured rows. backfills: whose rows are among captured ones.
        repaired: which captured rows a backfill has put there; None: none of them.
        """
        self._declared, self._pipeline, self._ledger, self._clock = declared, pipeline, ledger, clock
        self._captured, self._source, self._position = captured, source, position
        self._in_background, self._rereads_source, self._backfills = in_background, rereads_source, backfills
        self._repaired = repaired
        self._running: threading.Thread | None = None

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        """Train now, or see that a running training keeps its command."""
        key, ticket = claimed.command.key, str(claimed.command.body["ticket"])
        if self._running is not None and self._running.is_alive():
            self._ledger.postpone(key, delay_s=HEARTBEAT_S, error="the training runs", failed=False)
            return
        if not _wanted(state, ticket):  # it ended between the claim and now
            self._ledger.append((), finished=[key])
            return
        if not self._in_background:
            self._train(state, claimed)
            return
        # the attempt counts from here on: whoever dies of it never comes back to say so
        self._ledger.postpone(key, delay_s=HEARTBEAT_S, error="the training runs")
        self._running = threading.Thread(target=self._train, args=(state, claimed), name="training", daemon=True)
        self._running.start()

    def take_over(self, other: "PipelineLearner | None") -> None:
        """The training that another one began, so that it keeps its command and no second one begins beside it."""
        self._running = None if other is None else other._running

    def join(self) -> None:
        """Wait for the running training, which ends when its trainer is closed."""
        if self._running is not None:
            self._running.join()

    def _train(self, state: ServiceState, claimed: Claimed) -> None:
        """Train and finish the command; what may be better the next time gives it back instead."""
        command = claimed.command
        ticket, name = str(command.body["ticket"]), ServiceName(command.subject)
        as_of = timestamp(self._clock.now())
        facts: list[e.AnyFact] = []
        try:
            declared = self._declared()
            snapshot = self._snapshot(declared, state, as_of)
            trained = self._pipeline.train(
                declared, snapshot, reason=command.body["reason"], ticket=ticket, as_of=as_of
            )
            if trained.cached:
                facts = [_nothing_new(name, ticket)]
        except TrainingFailed:
            facts = []  # the pipeline has written what the code said, with the ticket
        except (Unavailable, Conflict) as error:
            words = masked(str(error))
            if not spent(command.kind, claimed.attempts):
                delay_s = wait_s(command.kind, claimed.attempts, command.key)
                self._ledger.postpone(command.key, delay_s=delay_s, error=words)
                return
            facts = [given_up(claimed, words), self._signal(state, error)]
        except Exception as error:  # whatever it is, the ticket says so, and the same rows are not tried for ever
            facts = [_failed(name, ticket, error), self._signal(state, error)]
        self._ledger.append(facts, finished=[command.key])

    def _signal(self, state: ServiceState, error: Exception) -> e.SignalRaised:
        """It did not come to a run: somebody is to see that as well."""
        failures = self._pipeline.book(state.service).failures + 1
        words = masked(f"{type(error).__name__}: {error}")
        return training_failed(state.service, words, failures=failures, champion=state.champion, last_row=0)

    def _snapshot(self, declared: Declared, state: ServiceState, as_of: str) -> Snapshot:
        """The rows to learn from, frozen: the source read again, or what was captured."""
        if declared.service.retrain.from_ == "source" and self._rereads_source:
            return self._pipeline.snapshot_source(declared)
        table, backfills = self._rows(declared, state)
        return self._pipeline.snapshot_frame(declared, table, source="captured", as_of=as_of, backfills=backfills)

    def _rows(self, declared: Declared, state: ServiceState) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """The newest accepted rows with labels, older rows of the source where they do not fill the window; and the
        backfills that some of them come from.

        After a broken supply has become the new normal, nothing from before it is learned from.
        """
        wanted = declared.service.retrain.window_rows
        since = state.normal_since_row or None
        contract = declared.contract
        found = self._captured(wanted, since)
        if found is not None:
            found = without(found, self._position, state.healing.kept_out.values(), repaired=self._repaired(found))
        captured = typed(found.rename({self._position: POSITION}), contract) if found is not None else None
        height = captured.height if captured is not None else 0
        parts = [] if since is not None or height >= wanted else [typed(self._source(), contract).tail(wanted - height)]
        if captured is not None:
            parts.append(captured)
        backfills = self._backfills(found) if found is not None else ()
        return pl.concat(parts) if parts else typed(self._source(), contract).clear(), backfills


def without(
    rows: pl.DataFrame, position: str, spans: Iterable[KeptOut], *, repaired: pl.Series | None = None
) -> pl.DataFrame:
    """The rows without those that a quarantine keeps out of every training. What a backfill has repaired stays.

    >>> rows = pl.DataFrame({"row": [1, 2, 3, 4]})
    >>> without(rows, "row", [KeptOut(first=2, last=3)])["row"].to_list()
    [1, 4]
    >>> without(rows, "row", [KeptOut(first=3)])["row"].to_list()
    [1, 2]
    >>> without(rows, "row", [KeptOut(first=2)], repaired=pl.Series([False, False, True, False]))["row"].to_list()
    [1, 3]
    """
    at, wrong = pl.col(position), pl.lit(value=False)
    for span in spans:
        wrong = wrong | ((at >= span.first) & (at <= span.last if span.last is not None else True))
    return rows.filter(~wrong if repaired is None else ~wrong | repaired)


def _wanted(state: ServiceState, ticket: str) -> bool:
    """Whether the ticket still waits for a training."""
    open_ticket = state.ticket
    return (
        open_ticket is not None
        and open_ticket.ticket == ticket
        and open_ticket.release is None
        and open_ticket.failed is None
    )


def _failed(service: ServiceName, ticket: str, error: Exception) -> e.TrainingFailed:
    words = str(error) if isinstance(error, FlyballError) else f"{type(error).__name__}: {error}"
    return e.TrainingFailed(
        service=service, experiment=ExperimentDigest("fx1:none"), error=masked(words), ticket=ticket
    )


def typed(table: pl.DataFrame, contract: DataContract) -> pl.DataFrame:
    """The contract's columns and POSITION, in one form wherever the rows come from."""
    return conform(table, schema(contract) | {POSITION: pl.Int64()})


def _nothing_new(service: ServiceName, ticket: str) -> e.TicketClosed:
    return e.TicketClosed(
        service=service, ticket=ticket, outcome="no_gain", reason="the same inputs had given a release before"
    )
