"""The ports of one controller, each call of which may be struck (`striking.Points`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from flyball.app.wiring.rehearse.gateway import GatewayProcess
from flyball.app.wiring.rehearse.striking import Points
from flyball.control.reconcile import Learner
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import StaleEpoch, Unavailable
from flyball.core.events import AnyFact
from flyball.core.ledger import Claimed, Command, Entry, Head, Lease, Ledger, Message
from flyball.core.ports import Segment, Telemetry
from flyball.core.routing import Observed, Routing


class StruckLedger:
    """`core.ledger.Ledger`: an append, and a lease or claim, may be struck; what is read is what is there."""

    def __init__(self, ledger: Ledger, points: Points) -> None:
        self._ledger, self._points = ledger, points

    def append(
        self,
        facts: Sequence[AnyFact],
        *,
        expected: int | None = None,
        ids: Sequence[str] | None = None,
        fence: Lease | None = None,
        outbox: Sequence[Message] = (),
        commands: Sequence[Command] = (),
        finished: Sequence[str] = (),
    ) -> tuple[Entry, ...]:
        return self._points.call(
            "ledger.append",
            lambda: self._ledger.append(
                facts, expected=expected, ids=ids, fence=fence, outbox=outbox, commands=commands, finished=finished
            ),
        )

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        return self._ledger.read(after, subject=subject)

    def head(self) -> Head:
        return self._ledger.head()

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        return self._points.call("ledger.claim", lambda: self._ledger.lease(name, owner, ttl_s=ttl_s))

    def release(self, lease: Lease) -> None:
        self._ledger.release(lease)

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        return self._points.call("ledger.claim", lambda: self._ledger.claim(subject, owner, ttl_s=ttl_s))

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        self._ledger.postpone(key, delay_s=delay_s, error=error, failed=failed)


class StruckGateways:
    """`core.ports.Gateways` over a wire that loses, repeats and reorders."""

    def __init__(self, gateway: GatewayProcess, points: Points, wall: Callable[[], float]) -> None:
        self._gateway, self._points, self._wall = gateway, points, wall
        self._late: tuple[str, Routing] | None = None  # a copy that is still on its way

    def apply(self, key: str, routing: Routing) -> None:
        self._points.call(
            "gateway.apply", lambda: self._apply(key, routing), lambda kind: self._wire(kind, key, routing)
        )

    def observe(self, service: str) -> Observed:
        return self._points.call("gateway.observe", lambda: self._gateway.observe(service, self._wall()))

    def recycle(self, key: str, service: str, epoch: int) -> None:
        self._points.call("gateway.apply", lambda: self._gateway.recycle(key, service, epoch))

    def _apply(self, key: str, routing: Routing) -> None:
        self._gateway.apply(key, routing)
        late, self._late = self._late, None
        if late is not None and late[0] != key:
            self._again(*late)

    def _wire(self, kind: str, key: str, routing: Routing) -> None:
        match kind:
            case "lost":
                raise Unavailable("the order was lost")
            case "lost_answer":
                self._gateway.apply(key, routing)
                raise Unavailable("the answer was lost")
            case "duplicated":
                self._gateway.apply(key, routing)
            case "reordered":
                self._late = key, routing
            case _:
                raise ValueError(f"no such kind: {kind}")

    def _again(self, key: str, routing: Routing) -> None:
        """An old copy arrives behind a newer order: whoever obeyed it would fall back."""
        try:
            self._gateway.apply(key, routing)
        except StaleEpoch:
            self._late = None  # refused, as it has to be


class StruckLearner:
    """`control.reconcile.Learner`."""

    def __init__(self, learner: Learner, points: Points) -> None:
        self._learner, self._points = learner, points

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        def other(kind: str) -> None:
            if kind == "lost":
                raise Unavailable("the order to train was lost")
            self._learner.learn(state, claimed)

        self._points.call("learner.learn", lambda: self._learner.learn(state, claimed), other)


class StruckTelemetry:
    """`core.ports.Telemetry`."""

    def __init__(self, telemetry: Telemetry, points: Points) -> None:
        self._telemetry, self._points = telemetry, points

    def sealed(self, service: str, after: int) -> Iterable[Segment]:
        return self._points.call("telemetry.sealed", lambda: self._telemetry.sealed(service, after))
