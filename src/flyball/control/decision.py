"""What the planner answers: the facts to write, the commands to give, and always why and what it waits for."""

from flyball.control.failure import MONITOR, Failure
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment
from flyball.core.events import AnyFact, Reason
from flyball.core.health import Health
from flyball.core.ledger import Command
from flyball.core.pressure import Pressure
from flyball.core.record import Record
from flyball.core.rollout_power import RolloutPower
from flyball.core.routing import Observed, PairEvidence, Routing, Verdict
from flyball.core.service import Service
from flyball.core.watching import Diagnosis, Signal


class Decision(Record):
    """One thing done or left undone. Without facts it is only an explanation."""

    action: str  # `rollout`, `rollback`, `retrain`, `incident`, `routing`
    what: str  # the answer in a few words: `start step 2`, `wait`
    why: str
    waiting_for: tuple[str, ...] = ()
    facts: tuple[AnyFact, ...] = ()
    commands: tuple[Command, ...] = ()
    told: bool = False  # its facts say why themselves: no explanation is written beside them


class Outlook(Record):
    """What the running step's evidence says, judged by `decide` before the planner is asked."""

    verdict: Verdict | None = None
    labels: PairEvidence | None = None  # the labelled shadow pairs
    power: RolloutPower | None = None  # of the rollout that would open; None: none would, or nobody looked


class Learning(Record):
    """What the monitor and `decide` say about training again."""

    fired: Reason | None = None  # the trigger that stands
    why: str = ""
    waiting_for: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
    evidence: tuple[Signal, ...] = ()
    pressures: tuple[Pressure, ...] = ()  # of drift and loss
    row: int = 0  # stream position of the newest sealed row
    marks: tuple[tuple[float, int], ...] = ()  # when panes began, seconds since the epoch, and their first rows
    new_rows: int = 0  # accepted rows with labels that the champion has not learned from
    fresh_rows: int = 0  # of these, rows that came since the last training was wanted, whatever became of it


class Situation(Record):
    """All that the planner may look at."""

    state: ServiceState
    service: Service
    now: str  # RFC 3339, UTC
    observed: Observed | None = None  # None: the gateway does not answer
    silent_s: float = 0.0  # for so long no gateway has answered before this, or does not yet
    outlook: Outlook = Outlook()
    learning: Learning = Learning()
    stale: bool = False  # the declaration on the ledger is another than the one this controller runs
    watched: tuple[AnyFact, ...] = ()  # signals and incidents that begin or end with the newest windows
    refused: bool = False  # the check has refused the plan of this moment: only who has to hear of it is asked for
    changed: tuple[AnyFact, ...] = ()  # that the service is as well as it is, where the ledger says otherwise
    health: Health = Health()  # as judged now, for its figures alone: which signs stand is what the ledger says
    failures: tuple[Failure, ...] = ()  # parts of the look that raised: what they would have said is missing here
    answered: tuple[str, ...] = ()  # parts of the look that did not

    @property
    def unseen(self) -> bool:
        """Whether nobody knows how the service is now: what stands on the ledger is neither over nor mended."""
        return any(each.planner == MONITOR for each in self.failures)


def elapsed_s(since: str, now: str) -> float:
    """Seconds between two moments of the ledger, never negative: a clock that jumped back counts as no time."""
    return max(0.0, (moment(now) - moment(since)).total_seconds())


def order(routing: Routing) -> Command:
    """The command that carries a routing to the gateway; its key is the epoch, so it can be given twice."""
    return Command(
        key=f"route/{routing.service}/{routing.epoch}",
        kind="route",
        subject=routing.service,
        body={"epoch": routing.epoch},
    )
