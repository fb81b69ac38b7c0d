"""The rows of one request on their way through the gateway, and what is asked of whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flyball.core.contract import Checked
from flyball.core.prediction import Answer, ArmName, Failure
from flyball.core.routing import Routing

Part = Literal["champion", "candidate", "pinned", "fallback", "shadow"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """Rows that one release is to answer together."""

    release: str
    role: Part
    places: tuple[int, ...]  # of the rows within the batch
    rows: tuple[dict[str, Any], ...]


@dataclass(kw_only=True, slots=True)
class Batch:
    """What is known of each row so far; one entry a row in every list."""

    routing: Routing  # in force when the rows came
    step_key: int  # of the step they belong to
    rows: Sequence[dict[str, Any]]
    ids: list[str]
    at: Sequence[float]  # arrival, seconds since the epoch
    started: float  # monotonic seconds
    units: list[str]
    hashes: list[int]
    verdicts: Sequence[Checked | None]
    arms: list[ArmName | None]
    pinned: str | None = None  # release root that the client named: bypasses the arms, left out of analysis
    shed: bool = False
    joined: bool = False  # each row came alone, and we put them together; else they are one client's request
    own: list[Answer | Failure | None] = field(default_factory=list)  # the assigned arm's word
    own_ms: list[float] = field(default_factory=list)  # the row's own service time there, queue excluded
    final: list[Answer | None] = field(default_factory=list)  # what the client gets
    fallback: list[str | None] = field(default_factory=list)  # who gave it, if not the arm
    answered_by: list[str | None] = field(default_factory=list)  # the release that gave it
    asked: set[tuple[int, str]] = field(default_factory=set)  # (place, release) of stand-ins that have had their chance

    def __post_init__(self) -> None:
        n = len(self.rows)
        self.own, self.final, self.fallback = [None] * n, [None] * n, [None] * n
        self.answered_by = [None] * n
        self.own_ms = [0.0] * n

    def __len__(self) -> int:
        return len(self.rows)

    def root(self, arm: ArmName | None) -> str:
        """Release of the assigned arm."""
        if self.pinned is not None:
            return self.pinned
        if arm == "candidate" and self.routing.candidate is not None:
            return self.routing.candidate
        return self.routing.champion


def first_asks(batch: Batch) -> list[Ask]:
    """One ask for each arm that accepted rows were assigned to."""
    places: dict[ArmName, list[int]] = {}
    for place, (arm, verdict) in enumerate(zip(batch.arms, batch.verdicts, strict=True)):
        if arm is not None and verdict is None:
            places.setdefault(arm, []).append(place)
    if batch.pinned is not None:
        mine = sorted(place for own in places.values() for place in own)
        return [ask_for(batch, batch.pinned, "pinned", mine)] if mine else []
    return [ask_for(batch, batch.root(arm), arm, own) for arm, own in places.items()]


def ask_for(batch: Batch, release: str, role: Part, places: Sequence[int]) -> Ask:
    """These rows of the batch, for this release."""
    rows = batch.rows
    return Ask(release=release, role=role, places=tuple(places), rows=tuple(rows[place] for place in places))
