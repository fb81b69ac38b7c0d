"""The steps that a rollout really takes, and the routing that each of them means."""

from msgspec import UNSET
from msgspec.structs import replace

from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core.declared.guardrails import NO_LIMIT
from flyball.core.ids import Epoch, ReleaseRoot, RolloutId, ServiceName
from flyball.core.routing import WHOLE, Routing
from flyball.core.service import Approval, Promote, Service, Step


def effective_steps(service: Service) -> tuple[Step, ...]:
    """The declared steps with what policy adds: an approval before live traffic, and promotion as the end.

    >>> from flyball.core.service import Autonomy, Canary, Data, Experiment, Metadata, Rollout
    >>> service = Service(
    ...     apiVersion="flyball/v1", kind="Service", metadata=Metadata(name="a", owner="b"),
    ...     data=Data(contract="c", source="s", label="y"), experiment=Experiment(task="binary", metric="accuracy"),
    ...     rollout=Rollout(steps=(Step(canary=Canary(weight=0.1)),)))
    >>> [step.kind for step in effective_steps(service)]
    ['approval', 'canary', 'promote']
    """
    steps = list(service.rollout.steps)
    kinds = [step.kind for step in steps]
    if service.autonomy.promote == "approval" and "approval" not in kinds:
        live = next((i for i, kind in enumerate(kinds) if kind in ("canary", "soak", "promote")), len(steps))
        steps.insert(live, Step(approval=Approval()))
    if not steps or steps[-1].kind != "promote":
        steps.append(Step(promote=Promote()))
    return tuple(steps)


def routing_of(step: Step, index: int, rollout: RolloutState, state: ServiceState, service: Service) -> Routing:
    """The routing that a step means, one epoch up. Approvals and pauses leave the traffic as it is."""
    assert state.champion is not None, "a rollout needs a champion to compare with"
    base = Routing(
        service=ServiceName(state.service),
        epoch=Epoch(state.epoch + 1),
        champion=ReleaseRoot(state.champion),
        previous=ReleaseRoot(state.previous) if state.previous else None,
        candidate=ReleaseRoot(rollout.release),
        salt=rollout.salt,
        rollout=RolloutId(rollout.rollout),
        step=index,
        guardrails=service.rollout.guardrails,
        relief_=state.routing.relief_ if state.routing is not None else UNSET,
    )
    match step.kind:
        case "shadow":
            assert step.shadow is not None
            return replace(base, shadow=step.shadow.share)
        case "approval" | "pause":
            running = rollout.step.routing if rollout.step else base
            return replace(base, shadow=running.shadow, weight=running.weight)
        case "canary":
            assert step.canary is not None
            return replace(base, weight=round(step.canary.weight * WHOLE))
        case "soak":
            assert step.soak is not None
            # days of nearly all traffic: a number of errors that is right for a canary would send everybody back
            rails = replace(service.rollout.guardrails, max_errors=step.soak.max_errors or NO_LIMIT)
            return replace(base, weight=round(step.soak.canary.weight * WHOLE), guardrails=rails)
        case "promote":
            return settled(state, champion=rollout.release, previous=state.champion)


def settled(state: ServiceState, *, champion: str, previous: str | None) -> Routing:
    """All traffic to one release, nothing on trial. A relief stays with the champion that it was put beside."""
    now = state.routing
    return Routing(
        service=ServiceName(state.service),
        epoch=Epoch(state.epoch + 1),
        champion=ReleaseRoot(champion),
        previous=ReleaseRoot(previous) if previous else None,
        relief_=now.relief_ if now is not None and now.champion == champion else UNSET,
    )
