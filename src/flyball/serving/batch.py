"""The rows of one request on their way through the gateway, and what is asked of whom."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Literal

from flyball.core.cohorts import Placed
from flyball.core.contract import Checked
from flyball.core.prediction import Answer, ArmName, ArmReply, Failure, Predictor
from flyball.core.routing import Relief, Routing
from flyball.serving.outcome import cut_short, own_service_ms

Part = Literal["champion", "candidate", "pinned", "fallback", "shadow"]  # an arm of an A/B test: as the candidate
Caught = Literal["links", "chain"]  # by links of the chain that ask nobody, or by releases that have room, too

_BY_ROW = (
    *("rows", "ids", "at", "units", "hashes", "verdicts", "arms"),
    *("own", "own_ms", "queue_ms", "final", "fallback", "answered_by"),
)


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
    refusal: str = "overload"  # why rows are shed, where some are
    caught: Caught | None = None  # who may answer shed rows all the same: `resilience/catching.py`
    placed: Sequence[Placed] | None = None  # by the service's rules; None: the weight decides about every row
    relief: Relief | None = None  # in force when the rows came
    excluded: bool = False  # synthetic: answered and logged, left out of analysis
    marks: dict[int, str] = field(default_factory=dict)  # of filters that fired, by place
    withheld: frozenset[int] = frozenset()  # places whose answer a filter keeps back
    cached: frozenset[int] = frozenset()  # places that the answer cache answered in place of their arm
    hurried: bool = False  # the client's deadline was shorter than the service's
    turned_away: frozenset[int] = frozenset()  # places that are shed though others of the request are not
    joined: bool = False  # each row came alone, and we put them together; else they are one client's request
    own: list[Answer | Failure | None] = field(init=False)  # the assigned arm's word
    own_ms: list[float] = field(init=False)  # the row's own service time there, queue excluded
    queue_ms: list[float] = field(init=False)  # how long the row waited for its arm
    final: list[Answer | None] = field(init=False)  # what the client gets
    fallback: list[str | None] = field(init=False)  # who gave it, if not the arm
    answered_by: list[str | None] = field(init=False)  # the release that gave it
    asked: set[tuple[int, str]] = field(default_factory=set)  # (place, release) of stand-ins that have had their chance

    def __post_init__(self) -> None:
        n = len(self.rows)
        self.own, self.final, self.fallback = [None] * n, [None] * n, [None] * n
        self.answered_by = [None] * n
        self.own_ms, self.queue_ms = [0.0] * n, [0.0] * n

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, places: Sequence[int]) -> "Batch":
        """Some of its rows as a batch of their own, as far as they have come."""
        at = {place: index for index, place in enumerate(places)}
        made = copy(self)
        for name in _BY_ROW:
            setattr(made, name, [getattr(self, name)[place] for place in places])
        if self.placed is not None:
            made.placed = [self.placed[place] for place in places]
        made.turned_away = frozenset(at[place] for place in self.turned_away if place in at)
        made.cached = frozenset(at[place] for place in self.cached if place in at)
        made.withheld = frozenset(at[place] for place in self.withheld if place in at)
        made.marks = {at[place]: mark for place, mark in self.marks.items() if place in at}
        made.asked = {(at[place], root) for place, root in self.asked if place in at}
        return made

    def split(self, place: int) -> bool:
        """Whether the weight decided about the arm of this row: only such rows can be compared."""
        return self.placed is None or self.placed[place] == "split"

    def is_shed(self, place: int) -> bool:
        """Whether there was no room for the row at its arm, which was not asked."""
        return self.shed or place in self.turned_away

    def judges(self, place: int) -> bool:
        """Whether the row says something of its arm: not where the cache answered in its place, nor where the client's
        own deadline cut it short, nor where the arm was spared or had no room."""
        if self.is_shed(place) or place in self.cached or (self.hurried and cut_short(self.own[place])):
            return False
        return self.relief is None or not self.spared(place)

    def spared(self, place: int) -> bool:
        """Whether the champion is not asked about the row: the fallback chain answers in its place."""
        relief = self.relief
        return relief is not None and relief.fall_back and self.pinned is None and self.arms[place] == "champion"

    def root(self, arm: ArmName | None) -> str:
        """Release of the assigned arm."""
        if self.pinned is not None:
            return self.pinned
        if arm is None or arm == "champion":
            return self.routing.champion
        if arm == "candidate" and self.routing.candidate is not None:
            return self.routing.candidate
        return next((each.release for each in self.routing.arms if each.name == arm), self.routing.champion)


def first_asks(batch: Batch) -> list[Ask]:
    """One ask for each arm that accepted rows were assigned to."""
    places: dict[ArmName, list[int]] = {}
    for place, (arm, verdict) in enumerate(zip(batch.arms, batch.verdicts, strict=True)):
        if arm is not None and verdict is None and not (batch.relief is not None and batch.spared(place)):
            places.setdefault(arm, []).append(place)
    if batch.pinned is not None:
        mine = sorted(place for own in places.values() for place in own)
        return [ask_for(batch, batch.pinned, "pinned", mine)] if mine else []
    return [
        ask_for(batch, batch.root(arm), "champion" if arm == "champion" else "candidate", own)
        for arm, own in places.items()
    ]


def ask_for(batch: Batch, release: str, role: Part, places: Sequence[int]) -> Ask:
    """These rows of the batch, for this release."""
    rows = batch.rows
    return Ask(release=release, role=role, places=tuple(places), rows=tuple(rows[place] for place in places))


def asked(predictors: Mapping[str, Predictor], ask: Ask) -> ArmReply | Failure:
    """The reply of a predictor in this process; a release that is not among them is dead."""
    predictor = predictors.get(ask.release)
    if predictor is None:
        return Failure(reason="dead", message=f"release {ask.release} is not loaded")
    return predictor.predict(ask.rows)


def own_ms(batch: Batch, ask: Ask, reply: ArmReply | Failure) -> float:
    """The own service time of each row of the ask, ms; 0 where there was no answer."""
    if isinstance(reply, Failure):
        return 0.0
    return own_service_ms(reply.service_ms, len(ask.places), joined=batch.joined)
