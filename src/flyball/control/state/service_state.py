"""Where a service stands: what the fold over its facts (`control.fold`) comes to, and the only memory of the loop.

Every wait is a value in here (a step that has started, an approval asked for, a ticket that is open), so a
controller that starts anew goes on where the last one stopped.
"""

from flyball.control.state.ab_state import AbState
from flyball.control.state.alert_state import AlertBook
from flyball.control.state.exception_state import ExceptionsState
from flyball.control.state.given_up_order import GivenUp
from flyball.control.state.healing_state import BY, HealingState
from flyball.control.state.health_state import HealthStanding
from flyball.control.state.incident_state import IncidentBook
from flyball.control.state.recent_state import Recent
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.routine_state import RoutineState
from flyball.control.state.ticket_state import Asked as Asked
from flyball.control.state.ticket_state import TicketState as TicketState
from flyball.control.state.ticket_state import trigger_of as trigger_of
from flyball.core import events as e
from flyball.core.record import Record
from flyball.core.release import Release
from flyball.core.routing import Routing
from flyball.decide.accepted import Accepted
from flyball.decide.admission import Spent
from flyball.decide.ladder import Standing


class ServiceState(Record):
    """Everything the planner may know of one service that is on the ledger."""

    service: str
    version: int = 0  # sequence number of the newest fact folded in
    turn: int = 0  # the same, less the facts that only care for it: what names are made of
    policy: str = ""
    declared: str = ""  # digest of the whole declaration
    champion: str | None = None
    previous: str | None = None
    releases: dict[str, Release] = {}  # by root
    proposed: dict[str, str] = {}  # release -> the person who had it trained
    waiting: tuple[str, ...] = ()  # qualified releases that no rollout has taken up, oldest first
    withdrawn: frozenset[str] = frozenset()  # rolled back or rejected: never rolled out again by itself
    epoch: int = 0  # highest routing epoch ever ordered
    routing: Routing | None = None  # the newest order
    applied: int = -1  # highest epoch that the gateway has confirmed
    rollout: RolloutState | None = None
    ab: AbState | None = None  # the A/B test that runs
    ticket: TicketState | None = None
    incident: e.IncidentOpened | None = None  # of the quality of the data: it blocks retraining
    incidents: IncidentBook = IncidentBook()  # all kinds
    health: HealthStanding = HealthStanding()
    alerts: AlertBook = AlertBook()
    healing: HealingState = HealingState()
    routine: RoutineState = RoutineState()
    normal_since_row: int = 0  # training rows start here
    accepted: Accepted | None = None  # a person's word on the data's quality: what was broken then is known since
    backfills: tuple[str, ...] = ()  # those that made rows again, in order
    gateways: tuple[str, ...] = ()  # lives of its gateway that are known, the newest last
    frozen: e.Frozen | None = None
    rollback_ordered: e.RollbackOrdered | None = None
    signals: dict[str, e.SignalRaised] = {}  # open signals by `kind/feature`
    appointed_at: str = ""  # when the champion was appointed
    retrained_at: str = ""  # when the last training was ordered
    retrained_row: int = 0  # stream position of its ticket
    without_gain: int = 0  # retrainings in a row that did not lead to a promotion
    ticketed_at: str = ""  # when the last ticket was opened
    rested_at: str = ""  # when the last rollout, or training that the loop had a ticket for, was over
    asked: dict[str, Asked] = {}  # by trigger
    ladders: dict[str, Standing] = {}  # by remedy
    exceptions: ExceptionsState = ExceptionsState()  # failed gates that people let pass
    waived: dict[str, e.StepWaived] = {}  # by the name of a step that may be underpowered under this policy
    spent: Spent = Spent()  # of the last seven days
    recent: Recent = Recent()  # rollouts, rollbacks, questions: as rules count them
    decisions: dict[str, e.DecisionTaken] = {}  # the last word on each action
    decided_at: dict[str, str] = {}  # when that was, RFC 3339, UTC
    given_up: GivenUp | None = None  # the newest routing did not arrive
    repeated: str | None = None  # key of the order that gives it once more, while that is under way

    @property
    def frozen_by_person(self) -> bool:
        """Somebody wants things to stay as they are; what the loop froze itself is not meant."""
        return self.frozen is not None and self.frozen.by != BY

    def ladder(self, remedy: str) -> Standing:
        """Where reviews have left a remedy."""
        return self.ladders.get(remedy, Standing())


def signal_key(signal: str, feature: str | None) -> str:
    """Name of an open signal: `psi/amount`, `risk`."""
    return f"{signal}/{feature}" if feature else signal
