"""What the steps of a rollout are called."""

from collections import Counter
from collections.abc import Sequence

from flyball.core.service import Step


def step_names(steps: Sequence[Step]) -> tuple[str, ...]:
    """A name for each step, no two the same. Steps without a weight change no other's name.

    >>> from flyball.core.service import Approval, Canary, Shadow
    >>> ten = Step(canary=Canary(weight=0.1))
    >>> step_names((Step(shadow=Shadow()), Step(approval=Approval()), ten, ten))
    ('shadow', 'approval', 'canary-10%', 'canary-10%-2')
    """
    plain = [f"{step.kind}-{100 * step.live.weight:.4g}%" if step.live else step.kind for step in steps]
    seen, names = Counter[str](), []
    for name in plain:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return tuple(names)


def timed_names(steps: Sequence[Step]) -> tuple[str, ...]:
    """Of the steps that collect evidence in a limited time, which only they can fail to.

    >>> from flyball.core.service import Canary, Promote
    >>> timed_names((Step(canary=Canary(weight=0.1)), Step(promote=Promote())))
    ('canary-10%',)
    """
    named = zip(step_names(steps), steps, strict=True)
    return tuple(name for name, step in named if step.live is not None or step.shadow is not None)
