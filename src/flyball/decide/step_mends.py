"""What would make an underpowered step answer in time: each by itself, the smallest that does."""

import dataclasses
import math
from collections.abc import Iterator

from msgspec.structs import replace

from flyball.core.service import Guardrail, Step
from flyball.decide.step_plan import Setting, StepPlan, planned

WEIGHTS = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50, 0.75, 0.90)
RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0)  # times the declared one
CALLS = (2, 5, 10, 20, 50)  # times max_errors


def mends(step: Step, told: StepPlan, setting: Setting, *, below: float) -> tuple[str, ...]:
    """In words that name the key and its value.

    Args: below: weight of the next canary, which has to stay above this step's.
    """
    return tuple(_found(step, told, dataclasses.replace(setting, detect=False), below))


def _found(step: Step, told: StepPlan, setting: Setting, below: float) -> Iterator[str]:
    timed = step.live or step.shadow
    if timed is None:
        return
    if told.need is not None and told.need.seconds is not None:
        yield f"timeout_s: {_rounded(told.need.seconds * timed.timeout_s / step.ends_s)}"
    if step.shadow is not None:
        yield from _shadow(step, told)
        return
    if step.soak is not None:
        return
    assert step.canary is not None
    for weight in WEIGHTS:
        changed = Step(canary=replace(step.canary, weight=weight))
        if step.canary.weight < weight < below and _powered(changed, setting):
            yield f"weight: {weight:g}"
            break
    yield from _larger_ratio(step, told, setting)
    fewest = _fewest_requests(step, setting)
    if fewest:
        yield f"min_requests: {fewest}"
    for factor in CALLS:
        rails = replace(setting.rails, max_errors=setting.rails.max_errors * factor)
        if any(each.sent_back > rails.beta for each in told.guardrails) and _powered(
            step, dataclasses.replace(setting, rails=rails)
        ):
            yield f"guardrails.max_errors: {rails.max_errors}"
            break


def _shadow(step: Step, told: StepPlan) -> Iterator[str]:
    """A larger share, where there is a share to grow."""
    assert step.shadow is not None
    if told.need is None or told.need.seconds is None or told.weight is None or told.timeout_s is None:
        return
    share = math.ceil(100 * told.weight * told.need.seconds / told.timeout_s) / 100
    if told.weight < share <= 1.0 and step.shadow.labels != "required":
        yield f"share: {share:g}"


def _larger_ratio(step: Step, told: StepPlan, setting: Setting) -> Iterator[str]:
    """Of the guardrails that cannot answer, all by the same factor."""
    rails = setting.rails
    named = [each.guardrail for each in told.guardrails if each.reasons]
    for factor in RATIOS if named else ():
        larger = {each: _scaled(getattr(rails, each), factor) for each in named}
        if _powered(step, dataclasses.replace(setting, rails=replace(rails, **larger))):
            yield ", ".join(f"guardrails.{each}.ratio: {larger[each].ratio:g}" for each in named)
            return


def _fewest_requests(step: Step, setting: Setting) -> int | None:
    """min_requests that fit into the step, if it is they that do not."""
    assert step.canary is not None
    rate = setting.traffic.requests_s
    fits = None if rate is None else int(step.ends_s * rate * step.canary.weight)
    if fits is None or step.canary.min_requests <= fits:
        return None
    changed = Step(canary=replace(step.canary, min_requests=fits))
    return fits if fits >= 1 and _powered(changed, setting) else None


def _powered(step: Step, setting: Setting) -> bool:
    return planned(step, setting, index=0, name="").verdict == "POWERED"


def _scaled(rail: Guardrail, factor: float) -> Guardrail:
    return replace(rail, ratio=rail.ratio * factor)


def _rounded(seconds: float) -> int:
    """Up, to two digits."""
    if seconds < 10:
        return math.ceil(seconds)
    scale = int(10 ** (math.floor(math.log10(seconds)) - 1))
    return math.ceil(seconds / scale - 1e-9) * scale
