"""What one step of a rollout needs before it can answer, and whether it has that by its timeout.

Each guardrail of a canary is asked about two candidates. One is as good as the champion: with probability 1 - beta it
has to be let on by the step's timeout. The other is as bad as the declaration says that it has to be caught: `ratio`
times the champion's rate, or at the `ceiling`, whichever is more (below its ceiling an arm goes on without a
comparison). By the timeout it has to be decided with probability 1 - beta. A step that cannot is *underpowered*: it
ends undecided. A shadow has to come to its pairs.

The *detectable* ratio is another question: the smallest that this step sends back with probability 1 - beta before it
is left or its time is up. A step that its ceiling lets through early sees only what is large.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from flyball.core.declared.guardrails import NO_LIMIT
from flyball.core.record import Record
from flyball.core.rollout_power import Power
from flyball.core.service import Canary, Guardrails, Shadow, Step
from flyball.decide.guardrail_power import Watch, endings
from flyball.decide.rollout import GUARDRAILS
from flyball.stats.sequential_tests.sequential import accept_bound, rollback_bound

QUIET_RPS = 10.0  # below so many rows a second a shadow is shown every row
RUNS = 1_000  # simulated steps of each question


class Traffic(Record):
    """What reaches the champion today, and how often it fails."""

    errors: float  # error events a unit, above 0
    slow: float
    requests_s: float | None = None  # rows a second; None: nobody can tell
    requests_a_unit: float = 1.0  # at least 1
    label_s: float = 0.0  # until a label counts as matured
    source: str = ""  # of the requests a second, in words
    rates_source: str = ""


class Need(Record):
    """What it takes until 1 - beta of such candidates are decided. None: they never are, or nobody can tell."""

    candidate_requests: float | None
    requests: float | None  # of both arms
    seconds: float | None


class GuardrailPlan(Record):
    """One guardrail of a step."""

    guardrail: str  # errors, slow
    base: float  # the champion's events a unit, 0..1
    ratio: float  # that has to be caught, times the base
    rate: float  # the same in events a unit
    good: Need  # an equal candidate is let on
    bad: Need  # one at that rate is decided
    sent_back: float  # chance that this step ever sends an equal one back
    let_on: float  # chance that it ever lets one at that rate on
    detectable: float | None = None  # ratio; None: none within the timeout, or nobody can tell when that is
    reasons: tuple[str, ...] = ()  # why it keeps the step from answering; empty: it does not


class StepPlan(Record):
    """One step."""

    step: str  # its name in this rollout
    index: int
    kind: str
    weight: float | None = None  # share of units, of a shadow share of rows, 0..1
    timeout_s: float | None = None  # None: it has none
    need: Need | None = None  # None: a person or the clock decides
    guardrails: tuple[GuardrailPlan, ...] = ()
    verdict: Power = "POWERED"
    reasons: tuple[str, ...] = ()  # why it is not
    mends: tuple[str, ...] = ()  # each of which would make it powered
    waived: str | None = None  # why an underpowered step is accepted


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is the same for all steps of a rollout."""

    rails: Guardrails
    traffic: Traffic
    dice: Callable[[], np.random.Generator]  # the same one each time, so that two answers differ by what was asked
    detect: bool = True  # whether to look for the detectable ratios, most of the work

    @property
    def sure(self) -> float:
        return 1 - self.rails.beta

    def units_s(self, share: float) -> float | None:
        """The candidate's units a second."""
        rate = self.traffic.requests_s
        return None if rate is None else rate * share / self.traffic.requests_a_unit

    def need(self, units: float, share: float) -> Need:
        """`units`: of the candidate. `share`: its share of the rows."""
        own, units_s = units * self.traffic.requests_a_unit, self.units_s(share)
        if not math.isfinite(units):
            return Need(candidate_requests=None, requests=None, seconds=None)
        return Need(candidate_requests=own, requests=own / share, seconds=units / units_s if units_s else None)


def planned(step: Step, setting: Setting, *, index: int, name: str) -> StepPlan:
    """The plan of one step, without what would mend it."""
    if step.live is not None:
        return _canary(step, step.live, setting, index, name)
    if step.shadow is not None:
        return _shadow(step, step.shadow, setting, index, name)
    timeout = step.approval.timeout_s if step.approval else step.pause.duration_s if step.pause else None
    return StepPlan(step=name, index=index, kind=step.kind, timeout_s=timeout)


def _canary(step: Step, canary: Canary, setting: Setting, index: int, name: str) -> StepPlan:
    units_s = setting.units_s(canary.weight)
    asked = max(1, canary.min_requests) / setting.traffic.requests_a_unit
    floor = asked if units_s is None else max(asked, canary.min_s * units_s)
    horizon = None if units_s is None else step.ends_s * units_s
    if step.soak is not None:
        setting = dataclasses.replace(
            setting, rails=replace(setting.rails, max_errors=step.soak.max_errors or NO_LIMIT)
        )
    found = [_guardrail(each, canary.weight, canary.weight, floor, horizon, setting) for each in GUARDRAILS]
    if horizon is None or floor <= horizon:
        waits = []
    elif asked > horizon and units_s:
        waits = [f"{canary.min_requests} requests of the candidate take {_s(asked / units_s)}, and it ends after "]
    else:
        waits = [f"min_s is {_s(canary.min_s)}, and it ends after "]
    reasons = [why + _s(step.ends_s) for why in waits]
    ends_s = step.ends_s if units_s else None
    found = [replace(told, reasons=tuple(_undecided(told, setting.rails, ends_s, waits=bool(waits)))) for told in found]
    reasons += [why for told in found for why in told.reasons]
    awaited = [each.name for each in setting.rails.metrics if step.soak is not None or each.labels == "required"]
    if awaited and setting.traffic.label_s >= step.ends_s:
        reasons.append(f"labels of {', '.join(awaited)} come after {_s(setting.traffic.label_s)}, and it ends before")
    unknown = [f"how many units {each} takes is not simulated" for each in awaited]
    return StepPlan(
        step=name,
        index=index,
        kind=step.kind,
        weight=canary.weight,
        timeout_s=step.ends_s,
        need=_most([need for told in found for need in (told.good, told.bad)]),
        guardrails=tuple(found),
        verdict="UNDERPOWERED" if reasons else "UNKNOWN" if units_s is None or unknown else "POWERED",
        reasons=(*reasons, *unknown),
    )


def _shadow(step: Step, shadow: Shadow, setting: Setting, index: int, name: str) -> StepPlan:
    rate = setting.traffic.requests_s
    share = 1.0 if rate is not None and rate < QUIET_RPS else shadow.share
    units_s = setting.units_s(share) if share > 0 else 0.0
    asked = max(1, shadow.min_pairs) / setting.traffic.requests_a_unit
    floor = asked if not units_s else max(asked, shadow.min_s * units_s)
    need = Need(candidate_requests=None, requests=None, seconds=None) if not share else setting.need(floor, share)
    if shadow.labels == "required" and need.seconds is not None:
        need = replace(need, seconds=need.seconds + setting.traffic.label_s)
    reasons = []
    if not share or (need.seconds is not None and need.seconds > step.ends_s):
        took = "never come" if need.seconds is None else f"take {_s(need.seconds)}"
        labels = " with their labels" if shadow.labels == "required" else ""
        reasons = [f"{max(1, shadow.min_pairs)} pairs{labels} {took}, and it ends after {_s(step.ends_s)}"]
    found = [_guardrail(each, 0.5, share, floor, floor, setting) for each in GUARDRAILS] if units_s else []
    return StepPlan(
        step=name,
        index=index,
        kind="shadow",
        weight=share,
        timeout_s=step.ends_s,
        need=need,
        guardrails=tuple(found),
        verdict="UNDERPOWERED" if reasons else "UNKNOWN" if rate is None else "POWERED",
        reasons=tuple(reasons),
    )


def _guardrail(
    guardrail: str, compared: float, share: float, floor: float, horizon: float | None, setting: Setting
) -> GuardrailPlan:
    """`compared`: the candidate's share of the units that are compared; 0.5 where each row has both arms' answers, and
    then nothing but the floor keeps it. `share`: of the rows. `floor`, `horizon`: candidate's units."""
    rails, beside = setting.rails, compared != share
    base = setting.traffic.errors if guardrail == "errors" else setting.traffic.slow
    rail = rails.errors if guardrail == "errors" else rails.slow
    watch = Watch(
        share=compared,
        ratio=rail.ratio,
        upper=rollback_bound(rails.alpha, rails.count),
        lower=math.inf if beside else accept_bound(rails.beta),
        ceiling=0.0 if beside else rail.ceiling,
        beta=rails.beta,
        floor=floor,
        requests=setting.traffic.requests_a_unit,
        most=rails.max_errors if guardrail == "errors" else None,
    )
    rate = min(1.0, max(rail.ratio * base, rail.ceiling))
    equal, worse = (endings(watch, base, each, rng=setting.dice(), runs=RUNS) for each in (base, rate))
    return GuardrailPlan(
        guardrail=guardrail,
        base=base,
        ratio=rate / base,
        rate=rate,
        good=setting.need(equal.on_within(setting.sure), share),
        bad=setting.need(worse.within(setting.sure), share),
        sent_back=equal.by(math.inf)[1],
        let_on=worse.by(math.inf)[0],
        detectable=_detectable(watch, base, horizon, setting) if setting.detect and horizon is not None else None,
    )


def _detectable(watch: Watch, base: float, horizon: float, setting: Setting) -> float | None:
    """The smallest ratio above 1 that is sent back within the horizon with probability 1 - beta, to 2 %."""

    def seen(ratio: float) -> bool:
        found = endings(watch, base, min(1.0, ratio * base), rng=setting.dice(), runs=RUNS)
        return found.by(horizon)[1] >= setting.sure

    low, high = 1.0, 1 / base
    if not seen(high) or seen(low):  # it sees nothing, or sends back whatever comes
        return None
    while high / low > 1.02:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def _undecided(told: GuardrailPlan, rails: Guardrails, ends_s: float | None, *, waits: bool) -> Iterator[str]:
    """Why one of the two candidates of a guardrail is not decided in time. `waits`: the step waits for more than it."""
    end = "" if ends_s is None else f", and it ends after {_s(ends_s)}"
    good, bad = told.good, told.bad
    if good.candidate_requests is None:
        by = f": max_errors {rails.max_errors} comes first" if told.sent_back > rails.alpha else ""
        yield f"{told.guardrail}: of those as good as the champion {told.sent_back:.0%} are sent back{by}"
    elif not waits and ends_s is not None and (good.seconds or 0.0) > ends_s:
        yield f"{told.guardrail}: one as good as the champion is let on within {_s(good.seconds or 0.0)}{end}"
    if bad.candidate_requests is None or (ends_s is not None and (bad.seconds or 0.0) > ends_s):
        took = "never decided" if bad.candidate_requests is None else f"decided within {_s(bad.seconds or 0.0)}"
        yield f"{told.guardrail}: one at {told.rate:.3g} a unit ({told.ratio:.3g} times today's) is {took}{end}"


def _most(needs: list[Need]) -> Need:
    """The largest; None where one of them never comes."""

    def largest(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return max(known) if len(known) == len(values) else None

    return Need(
        candidate_requests=largest([each.candidate_requests for each in needs]),
        requests=largest([each.requests for each in needs]),
        seconds=largest([each.seconds for each in needs]),
    )


def _s(seconds: float) -> str:
    return f"{seconds:,.0f} s"
