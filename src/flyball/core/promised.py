"""The objectives of a declared service, each with its window, and which of their budgets freeze promotions."""

from msgspec.structs import replace

from flyball.core.declared.objectives import Objective, Slo
from flyball.core.service import Service

LATENCY_TARGET = 0.99  # of rows within `serving.objectives.latency_p99_ms`: that is what p99 says


def objectives_of(service: Service) -> tuple[Objective, ...]:
    """Every objective with its window: what the serving contract promises, unless the section says it otherwise, then
    those of the section in their order.

    >>> from flyball.core.service import Data, Experiment, Metadata, Service
    >>> service = Service(
    ...     apiVersion="flyball/v1", kind=Service, metadata=Metadata(name="a", owner="b"),
    ...     data=Data(contract="c", source="s", label="y"), experiment=Experiment(task="binary", metric="accuracy"))
    >>> [(each.name, each.target, each.limit_ms) for each in objectives_of(service)]
    [('availability', 0.999, None), ('latency', 0.99, 100.0)]
    """
    slo, goals = service.slo or Slo(), service.serving.objectives
    said = {each.name for each in slo.objectives} | {each.sli for each in slo.objectives}
    contract = (
        Objective(name="availability", sli="availability", target=goals.availability),
        Objective(name="latency", sli="latency", target=LATENCY_TARGET, limit_ms=goals.latency_p99_ms),
    )
    found = (*(each for each in contract if each.name not in said), *slo.objectives)
    return tuple(_whole(each, slo, goals.latency_p99_ms) for each in found)


def _whole(objective: Objective, slo: Slo, limit_ms: float) -> Objective:
    if objective.sli == "latency" and objective.limit_ms is None:
        objective = replace(objective, limit_ms=limit_ms)
    return objective if objective.window_s is not None else replace(objective, window_s=slo.window_s)


def freezes(service: Service, name: str) -> bool:
    """Whether promotions stand still while the budget of this objective is spent.

    Never by default for quality: a better release is its cure, and the gates say whether it is better.
    """
    if service.slo is None:
        return False
    for each in objectives_of(service):
        if each.name == name:
            return each.freeze if each.freeze is not None else service.slo.freeze and each.sli != "quality"
    return False


def latency_limits_ms(service: Service) -> tuple[float, ...]:
    """Limits of its latency objectives, in ms: bounds that a histogram has to have, so that each can be asked for."""
    return tuple(each.limit_ms for each in objectives_of(service) if each.limit_ms is not None)
