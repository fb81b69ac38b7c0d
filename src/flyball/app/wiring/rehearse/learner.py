"""A simulated training: it takes its time, dies with its controller, and knows the features as they are today."""

from collections.abc import Callable

from flyball.app.rehearse.models import Made
from flyball.app.rehearse.witness import Effect
from flyball.app.wiring.rehearse.models import Models, Weather
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.codec import digest
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.ledger import Claimed, Ledger
from flyball.core.release import GateResult, Release
from flyball.core.service import Task

TRAINING_S = 300.0


class SimulatedLearner:
    """`control.reconcile.Learner`. One training at a time; its facts are idempotent by the ticket."""

    def __init__(
        self,
        models: Models,
        weather: Weather,
        ledger: Ledger,
        *,
        task: Task,
        now_s: Callable[[], float],
        row: Callable[[], int],
        done: Callable[[Effect], None],
    ) -> None:
        """`now_s`: monotonic seconds. `row`: stream position of the newest row. `done`: told that one begins."""
        self._models, self._weather, self._ledger, self._task = models, weather, ledger, task
        self._now_s, self._row, self._done = now_s, row, done
        self._running: tuple[str, float, Made, int] | None = None  # ticket, since when, what comes of it, newest row

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        command = claimed.command
        ticket = str(command.body["ticket"])
        wanted = state.ticket is not None and state.ticket.ticket == ticket and state.ticket.release is None
        if not wanted:
            self._ledger.append((), finished=[command.key])
            return
        if self._running is None or self._running[0] != ticket:
            made = Made(root=root_of(command.subject, ticket), learned=dict(self._weather.shifts))
            self._running = ticket, self._now_s(), made, self._row()
            self._done(Effect(kind="train", key=command.key))
        _, since, made, row = self._running
        left_s = since + TRAINING_S - self._now_s()
        if left_s > 0:
            self._ledger.postpone(command.key, delay_s=left_s, error="the training runs", failed=False)
            return
        self._models.made[made.root] = made
        name, why = ServiceName(command.subject), state.ticket.reason if state.ticket is not None else "manual"
        facts = offered(made, self._models, name, self._task, last_row=row, ticket=ticket, reason=why)
        self._ledger.append(facts, ids=[f"{ticket}/registered", f"{ticket}/judged"], finished=[command.key])


def root_of(service: str, name: str) -> ReleaseRoot:
    """The root of a simulated release."""
    return ReleaseRoot(digest("flyball/rehearsed/v1", [service, name]))


def offered(
    made: Made,
    models: Models,
    service: ServiceName,
    task: Task,
    *,
    last_row: int,
    ticket: str | None = None,
    reason: e.Reason = "manual",
) -> list[e.AnyFact]:
    """The facts of a release that has passed its gates, or failed the one that it was made to fail."""
    gates = () if made.fails is None else (_failed(made.fails),)
    release = Release(
        root=ReleaseRoot(made.root),
        experiment=ExperimentDigest(f"fx1:{made.root}"),
        service=service,
        task=task,
        snapshot=Digest(made.root),
        metrics=models.promise(made.root).metrics,
        gates=gates,
        passed=not gates,
        last_row=last_row,
        trained_last_row=last_row,
        reason=reason,
    )
    return [
        e.ReleaseRegistered(service=service, release=release, ticket=ticket),
        e.GatesJudged(service=service, release=release.root, passed=release.passed, results=gates),
    ]


def _failed(metric: str) -> GateResult:
    name, reason = f"{metric} >= 0.9", "0.89 is below 0.9"
    return GateResult(name=name, metric=metric, passed=False, verdict="FAIL", reason=reason, value=0.89, limit=0.9)
