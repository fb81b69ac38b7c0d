"""What the section `drills` may get wrong: what nobody can drill. Findings are (path, expected, found, fix)."""

from collections.abc import Iterator

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.schema_faults import nearest
from flyball.core.declared.drills import DRILLED, FALLBACK, Schedule
from flyball.core.declared.serving import Serving
from flyball.core.service import Service
from flyball.core.undrillable import undrillable


def of_drills(drills: Schedule, serving: Serving | None) -> Iterator[Finding]:
    """`serving`: None where it cannot be judged."""
    for name in drills:
        if name not in DRILLED:
            yield ("drills", name), f"one of {', '.join(DRILLED)}", f"text {name!r}", nearest(name, DRILLED)
        elif name == FALLBACK and serving is not None and not serving.exercise.share:
            fix = "let the gateway try the links (serving.exercise.share), or leave this out"
            yield ("drills", name), "links that are tried", "serving.exercise.share is 0", fix


def unpayable(service: Service) -> tuple[str, ...]:
    """Notes on what is scheduled and cannot be made while the service runs, so that it is overdue for ever."""
    return tuple(
        f"drills.{name}: it will stay overdue, as it cannot be made while the service runs: {why}"
        for name, why in undrillable(service).items()
        if name in service.drills
    )
