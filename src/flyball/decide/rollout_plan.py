"""A rollout told before it starts: what each step will be able to see, what it needs, and which step cannot answer.

Error rates of the whole: a candidate as good as the champion is ever sent back with probability at most alpha, however
many steps there are; one that has to be caught passes a step with probability at most beta (`decide.rollout`).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from flyball.core.record import Record
from flyball.core.rollout_power import Power, RolloutPower, WeakStep
from flyball.core.service import Guardrails, Step
from flyball.core.step_names import step_names
from flyball.decide.step_mends import mends
from flyball.decide.step_plan import Setting, StepPlan, Traffic, planned


class RolloutPlan(Record):
    """All of it."""

    service: str
    verdict: Power  # of the steps that are not waived: the worst
    alpha: float  # chance that a candidate as good as the champion is ever sent back by the tests, over all steps
    beta: float  # chance, a step, that one to be caught is let on
    traffic: Traffic
    seconds: float | None  # of the steps that collect evidence, together; None: one never ends, or nobody can tell
    steps: tuple[StepPlan, ...]


def plan(
    service: str,
    steps: Sequence[Step],
    rails: Guardrails,
    traffic: Traffic,
    *,
    dice: Callable[[], np.random.Generator],
    brief: bool = False,
) -> RolloutPlan:
    """Args: steps: as they will run. dice: gives a generator of the same seed whenever it is asked. brief: only whether
        each step can answer, not what it detects and what would mend it, which is most of the work.

    >>> from flyball.core.service import Canary
    >>> steps = (Step(canary=Canary(weight=0.01)), Step(canary=Canary(weight=0.5)))
    >>> told = plan("fraud", steps, Guardrails(), Traffic(requests_s=5.0, errors=0.001, slow=0.01),
    ...             dice=lambda: np.random.default_rng(1))
    >>> [(each.step, each.verdict) for each in told.steps]
    [('canary-1%', 'UNDERPOWERED'), ('canary-50%', 'POWERED')]
    >>> waive(told, "canary-1%", "the next step looks again").verdict
    'POWERED'
    """
    setting = Setting(rails=rails, traffic=traffic, dice=dice, detect=not brief)
    found = []
    for index, (name, step) in enumerate(zip(step_names(steps), steps, strict=True)):
        told = planned(step, setting, index=index, name=name)
        if told.verdict == "UNDERPOWERED" and not brief:
            told = replace(told, mends=mends(step, told, setting, below=_next_weight(steps[index + 1 :])))
        found.append(told)
    needs = [each.need.seconds for each in found if each.need is not None]
    return RolloutPlan(
        service=service,
        verdict=_worst(found),
        alpha=rails.alpha,
        beta=rails.beta,
        traffic=traffic,
        seconds=None if None in needs else sum(each for each in needs if each is not None),
        steps=tuple(found),
    )


def waive(told: RolloutPlan, step: str, why: str) -> RolloutPlan:
    """The plan with that step accepted as it is.

    Raises: ValueError: no underpowered step is called so.
    """
    names = [each.step for each in told.steps if each.verdict == "UNDERPOWERED"]
    if step not in names:
        raise ValueError(f"an underpowered step ({', '.join(names) or 'there is none'})")
    steps = tuple(replace(each, waived=why) if each.step == step else each for each in told.steps)
    return replace(told, steps=steps, verdict=_worst(steps))


def power(told: RolloutPlan, waivers: Mapping[str, str]) -> RolloutPower:
    """What of a plan keeps a rollout from opening. Args: waivers: name of a step -> who accepts it, and why.

    >>> from flyball.core.service import Canary
    >>> told = plan("fraud", (Step(canary=Canary(weight=0.01)),), Guardrails(), Traffic(requests_s=5.0, errors=0.001,
    ...             slow=0.01), dice=lambda: np.random.default_rng(1), brief=True)
    >>> power(told, {}).verdict, power(told, {"canary-1%": "ada: the next step looks again"}).verdict
    ('UNDERPOWERED', 'POWERED')
    """
    weak = [each for each in told.steps if each.verdict == "UNDERPOWERED"]
    for each in weak:
        if each.step in waivers:
            told = waive(told, each.step, waivers[each.step])
    rate = told.traffic.requests_s
    return RolloutPower(
        verdict=told.verdict,
        traffic="nobody can tell" if rate is None else f"{rate:.4g} requests a second ({told.traffic.source})",
        steps=tuple(WeakStep(step=each.step, reasons=each.reasons, waived=waivers.get(each.step, "")) for each in weak),
    )


def _next_weight(steps: Sequence[Step]) -> float:
    return next((step.live.weight for step in steps if step.live is not None), 1.0)


def _worst(steps: Sequence[StepPlan]) -> Power:
    found = {each.verdict for each in steps if each.waived is None}
    return "UNDERPOWERED" if "UNDERPOWERED" in found else "UNKNOWN" if "UNKNOWN" in found else "POWERED"
