"""Which faults a service cannot have while it runs, by its declaration alone, and why. Pure."""

from flyball.core.service import Service

LATE = 4 / 3  # times the objective: an answer that a drill slows down comes so late
NEAR = 0.8  # of the deadline: what comes later may be no answer at all


def undrillable(service: Service) -> dict[str, str]:
    """Fault -> why not; what is not named can be made where `flyball up --allow-drills` runs."""
    found: dict[str, str] = {}
    serving = service.serving
    if serving.workers < 2:
        found["crash_loop"] = "one process answers (serving.workers: 1): nobody would, while it is gone"
    if serving.recycle.memory_mb is None:
        found["memory_leak"] = "serving.recycle.memory_mb is not declared: nobody would make room"
    if slow_ms(service) > NEAR * serving.deadline_ms:
        objective, deadline = serving.objectives.latency_p99_ms, serving.deadline_ms
        found["latency"] = (
            f"the objective (latency_p99_ms: {objective:g}) is too near the deadline (deadline_ms: {deadline:g}): what"
            " is slow would be no answer"
        )
    if service.experiment.task != "binary":
        found["poisoned_labels"] = "only labels of two classes are turned round"
    return found


def slow_ms(service: Service) -> float:
    """How much later an answer comes that is to be slow."""
    return LATE * service.serving.objectives.latency_p99_ms
