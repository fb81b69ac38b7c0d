"""Where the objectives of a service stand: its declaration, what its controller counted, and its ledger. Pure."""

from flyball.control.state.service_state import ServiceState
from flyball.core.budget_standing import BudgetsState, BudgetStanding, Burn, Burning
from flyball.core.declared.objectives import Objective
from flyball.core.events import BudgetBurning
from flyball.core.promised import freezes, objectives_of
from flyball.core.record import Record
from flyball.core.service import Service

NOBODY = "no controller has counted its events yet"
OTHERWISE = "its controller has not counted it as it is declared now"


class ObjectiveStanding(Record):
    """One objective. What nobody knows is null, with the reason."""

    name: str
    sli: str
    target: float
    window_s: float
    value: float | None  # share of good events in the window
    bad: float | None  # events in the window, or slices
    total: float | None
    left: float | None  # share of the error budget; below 0: more than all of it is spent
    unknown: str  # why `left` is null
    burns: tuple[Burn, ...]
    burning: Burning | None
    exhausted_in_s: float | None  # at the burn rate of six hours
    since: float | None  # start of the oldest events counted, seconds since the epoch
    early_s: float  # seconds until its events reach back far enough for it to be spent; 0: they do
    spent: bool  # as the ledger has it
    told: BudgetBurning | None  # the newest burn on the ledger that is not over
    freezes: bool  # promotions, while it is spent


class SloStanding(Record):
    """A service."""

    service: str
    declared: bool  # whether it has a policy for its budgets
    as_of: float | None  # the minute asked about, or the end of a newer pane; seconds since the epoch
    frozen_by: tuple[str, ...]  # objectives whose spent budgets freeze promotions now
    objectives: tuple[ObjectiveStanding, ...]


def slo_standing(service: Service, state: ServiceState | None, counted: BudgetsState | None) -> SloStanding:
    """Args: state: None: nothing is on the ledger. counted: None: no controller wrote anything down."""
    known = {each.objective.name: each for each in counted.budgets} if counted is not None else {}
    objectives = tuple(_of(service, each, state, known.get(each.name)) for each in objectives_of(service))
    return SloStanding(
        service=service.metadata.name,
        declared=service.slo is not None,
        as_of=counted.as_of if counted is not None else None,
        frozen_by=tuple(each.name for each in objectives if each.spent and each.freezes),
        objectives=objectives,
    )


def _of(
    service: Service, objective: Objective, state: ServiceState | None, counted: BudgetStanding | None
) -> ObjectiveStanding:
    why = NOBODY if counted is None else ""
    if counted is not None and counted.objective != objective:
        counted, why = None, OTHERWISE
    found = counted or BudgetStanding(objective=objective, unknown=why)
    return ObjectiveStanding(
        name=objective.name,
        sli=objective.sli,
        target=objective.target,
        window_s=objective.window_s or 0.0,
        value=found.sli,
        bad=found.events.bad if found.sli is not None else None,
        total=found.events.total if found.sli is not None else None,
        left=found.left,
        unknown=found.unknown,
        burns=found.burns,
        burning=found.burning,
        exhausted_in_s=found.exhausted_in_s,
        since=found.since,
        early_s=found.early_s,
        spent=state is not None and objective.name in state.health.spent,
        told=state.health.burning.get(objective.name) if state is not None else None,
        freezes=freezes(service, objective.name),
    )
