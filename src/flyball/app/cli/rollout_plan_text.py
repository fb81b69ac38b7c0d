"""The plan of a rollout in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flyball.decide.rollout_plan import RolloutPlan
from flyball.decide.step_plan import StepPlan

if TYPE_CHECKING:
    from rich.console import Group

_HEAD = ("step", "weight", "needs", "requests", "timeout", "errors from", "slow from", "")
_STANDING = {"POWERED": "", "UNDERPOWERED": "underpowered", "UNKNOWN": "nobody can tell"}


def page(told: RolloutPlan) -> "Group":
    """What the command prints."""
    from rich.console import Group
    from rich.table import Column, Table
    from rich.text import Text

    rows = [row(each) for each in told.steps]
    widths = [max(len(name), *(len(cells[place]) for cells in rows)) for place, name in enumerate(_HEAD)]
    heads = [Column(name, no_wrap=True, min_width=width) for name, width in zip(_HEAD, widths, strict=True)]
    table = Table(*heads, box=None)
    for cells in rows:
        table.add_row(*cells)
    return Group(Text("\n".join(heading(told))), table, Text("\n".join(remarks(told))))


def heading(told: RolloutPlan) -> list[str]:
    """The traffic and the error rates."""
    seen = told.traffic
    rate = (
        "nobody can tell how many requests come: give --rate"
        if seen.requests_s is None
        else (f"{seen.requests_s:.4g} requests a second ({seen.source})")
    )
    return [
        f"{told.service}: {_verdict(told)}",
        f"{rate}; {_share(seen.errors)} of the units err and {_share(seen.slow)} are slow ({seen.rates_source})",
        f"one as good as the champion is sent back in at most {_share(told.alpha)} of all rollouts; one that has to be "
        f"caught passes a step in at most {_share(told.beta)}",
    ]


def row(step: StepPlan) -> list[str]:
    """Of the table: what is caught is told as a multiple of the champion's rate, with the rate."""
    need = step.need
    return [
        step.step,
        "" if step.weight is None else _share(step.weight),
        "" if need is None else _s(need.seconds),
        "" if need is None else _n(need.requests),
        _s(step.timeout_s) if step.timeout_s is not None else "",
        *(_caught(step, guardrail) for guardrail in ("errors", "slow")),
        "waived" if step.waived is not None else _STANDING[step.verdict],
    ]


def remarks(told: RolloutPlan) -> Iterator[str]:
    """Each step that cannot answer, with what would mend it."""
    for each in told.steps:
        if each.waived is not None:
            yield f"{each.step} is underpowered and waived: {each.waived}"
        elif each.verdict == "UNDERPOWERED":
            yield f"{each.step} is underpowered:"
        yield from (f"  {why}" for why in each.reasons)
        if each.mends and each.waived is None:
            yield f"  mended by any of: {'; '.join(each.mends)}"
    if told.verdict == "UNDERPOWERED":
        names = [each.step for each in told.steps if each.verdict == "UNDERPOWERED" and each.waived is None]
        yield f"or accept it: --waive {' --waive '.join(names)} --why TEXT"


def _verdict(told: RolloutPlan) -> str:
    match told.verdict:
        case "POWERED":
            took = "" if told.seconds is None else f" within {_s(told.seconds)}, people's waits aside"
            return f"every step can answer{took}" if not _waivers(told) else f"accepted with {_waivers(told)} waived"
        case "UNDERPOWERED":
            return "a step cannot answer before its time is up"
        case "UNKNOWN":
            return "no step can be judged"


def _waivers(told: RolloutPlan) -> str:
    return ", ".join(each.step for each in told.steps if each.waived is not None)


def _caught(step: StepPlan, guardrail: str) -> str:
    for each in step.guardrails:
        if each.guardrail == guardrail:
            return "-" if each.detectable is None else f"{each.detectable:.2g}x ({_share(each.detectable * each.base)})"
    return ""


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"


def _s(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:,.0f} s"


def _n(count: float | None) -> str:
    return "-" if count is None else f"{count:,.0f}"
