"""Between orders, answers and evidence: a routing arrives, a holdback is left alone, labels were seen. Pure."""

from collections.abc import Iterator
from math import log
from typing import Final

from flyball.app.rehearse.invariants import Invariant
from flyball.app.rehearse.witness import Effect, Stand
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.service import Service

ARRIVES_S: Final = 1800.0  # with nothing broken: longer than an order that was given up waits to be given again


class Arrives(Invariant):
    """Whatever became of an order, a gateway that answers gets the newest routing in the end."""

    name = "arrival"

    def __init__(self) -> None:
        self._newest = 0  # epoch that was ordered
        self._refused: set[int] = set()
        self._frozen = False
        self._since_s: float | None = None

    def entry(self, entry: Entry) -> Iterator[str]:
        match entry.fact:
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                self._newest, self._since_s = max(self._newest, routing.epoch), None
            case e.RoutingRefused(epoch=epoch):
                self._refused.add(epoch)
            case e.Frozen() | e.Thawed():
                self._frozen = isinstance(entry.fact, e.Frozen)
            case _:
                pass
        yield from ()

    def stand(self, stand: Stand) -> Iterator[str]:
        there = stand.routing.epoch if stand.routing is not None else 0
        if there >= self._newest or self._newest in self._refused or self._frozen:
            self._since_s = None
            return
        if self._since_s is None:
            self._since_s = stand.now_s
        if min(stand.now_s - self._since_s, stand.calm_s) > ARRIVES_S:
            yield f"epoch {self._newest} was ordered, and the gateway still holds epoch {there}"


class Holdback(Invariant):
    """While a candidate soaks, a unit of the holdback never gets it, and never got it in this rollout. The holdback is
    whom the champion answers at the step's own weight: units between it and even shares may go back and forth."""

    name = "holdback"

    def __init__(self) -> None:
        self._full: dict[int, int] = {}  # step of the running rollout -> weight at which its soak began
        self._soaks: set[int] = set()  # epochs of a soak
        self._whole: set[int] = set()  # of these, at the step's own weight
        self._steps: set[int] = set()  # epochs of the running rollout
        self._tried: set[str] = set()  # units that the candidate of this rollout answered
        self._held: set[str] = set()  # units of the holdback
        self._told: set[tuple[int, str]] = set()  # once an epoch
        self._stopped = False

    def entry(self, entry: Entry) -> Iterator[str]:
        match entry.fact:
            case e.RolloutOpened():
                self._full, self._steps, self._tried, self._held, self._stopped = {}, set(), set(), set(), False
            case e.StepStarted(kind=kind, routing=routing, step=step):
                self._steps.add(routing.epoch)
                if kind == "soak":
                    self._soaks.add(routing.epoch)
                    if routing.weight == self._full.setdefault(step, routing.weight):
                        self._whole.add(routing.epoch)
            case _:
                pass
        yield from ()

    def effect(self, effect: Effect) -> Iterator[str]:
        self._stopped |= effect.kind == "stop"
        yield from ()

    def stand(self, stand: Stand) -> Iterator[str]:
        if self._stopped:  # from then on everybody gets the champion
            return
        for epoch, unit, arm in stand.assigned:
            if epoch not in self._steps:
                continue
            if arm == "candidate":
                self._tried.add(unit)
                if unit in self._held and epoch in self._soaks:
                    yield from self._once(epoch, arm, f"unit {unit} of the holdback got the candidate in epoch {epoch}")
            elif epoch in self._whole:
                self._held.add(unit)
                if unit in self._tried:
                    why = f"unit {unit} had the candidate, and is in the holdback of epoch {epoch}"
                    yield from self._once(epoch, arm, why)

    def _once(self, epoch: int, arm: str, why: str) -> Iterator[str]:
        if (epoch, arm) not in self._told:
            self._told.add((epoch, arm))
            yield why


class Labelled(Invariant):
    """A step that waits for a metric is left with evidence of it, or by a person's word."""

    name = "metric evidence"

    def __init__(self, service: Service) -> None:
        rails = service.rollout.guardrails
        self._least = log(1 / rails.beta)
        self._all = tuple(rail.name for rail in rails.metrics)
        self._required = tuple(rail.name for rail in rails.metrics if rail.labels == "required")
        self._step: tuple[int, str] | None = None  # that runs, and its kind
        self._left: dict[int, dict[str, float]] = {}  # step -> figures with which it was left
        self._skipped: set[int] = set()

    def entry(self, entry: Entry) -> Iterator[str]:
        match entry.fact:
            case e.RolloutOpened():
                self._step, self._left, self._skipped = None, {}, set()
            case e.StepJudged(step=step, verdict=verdict) if verdict.kind == "PROMOTE":
                self._left[step] = verdict.numbers
            case e.StepSkipped(step=step):
                self._skipped.add(step)
            case e.StepStarted(step=step, kind=kind):
                yield from self._lacking(f"step {step} of {entry.fact.rollout} began")
                self._step = step, kind
            case _:
                return

    def _lacking(self, what: str) -> Iterator[str]:
        if self._step is None or self._step[0] in self._skipped or self._step[1] not in ("canary", "soak"):
            return
        figures = self._left.get(self._step[0], {})
        for name in self._all if self._step[1] == "soak" else self._required:
            units = min(figures.get(f"{name}_units_{arm}", 0.0) for arm in ("candidate", "champion"))
            if not units or figures.get(f"step_log_e_{name}", 0.0) < self._least - 1e-9:
                yield f"{what}, and step {self._step[0]} was left without evidence on {name}"
