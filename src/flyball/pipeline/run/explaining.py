"""Step explain: why the model answers as it does. Runs after registration, so that no rollout waits for it."""

from pathlib import Path

from flyball.core.record import Record
from flyball.core.service import Service


class Explained(Record):
    """Attributions by feature; empty where nobody asked for them."""

    attributions: dict[str, float] = {}  # feature -> mean absolute share in the score
    reason: str = "not provided"  # why it is empty


def explain(folder: Path, service: Service) -> Explained:  # noqa: ARG001 -- the seam: what a method will need
    """What is known about a registered release in its verified folder. No method is declared today: not provided."""
    return Explained()
