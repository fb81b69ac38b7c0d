"""The draft of a postmortem: what the facts say filled in, what they do not know said, and questions left as questions.

Blameless: a person's name is not in it, neither as who did something nor out of a reason that the ledger holds.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from flyball.app.incidents.impact import Impact
from flyball.control.incidents.timeline import Timeline, TimelineLine
from flyball.core.clock import moment

ACTS = (  # what somebody or something did, each once
    *("approval.given", "approval.rejected", "backfill.done", "champion.appointed", "remedy.begun", "retrain.ordered"),
    *("rollback.ordered", "rollout.opened", "rollout.rolled_back", "routing.ordered", "runbook.step_done"),
    *("service.frozen", "service.thawed", "step.started"),
)
LEFT_OUT = ("decision", "process")  # many, and told better by what came of them
SOMEBODY = "a person"


def postmortem(found: Timeline, impact: Impact, *, people: Sequence[str]) -> str:
    """Markdown. `people`: names that it must not hold."""
    lines = tuple(_without(people, line) for line in found.lines)
    shown = [line for line in lines if line.kind not in LEFT_OUT]
    began = found.began or impact.since or None
    acts = [line for line in lines if line.type in ACTS and line.at >= (began or found.opened_at)]
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = lambda text: text.replace("|", "\\|")
    template = files("flyball.app.incidents").joinpath("postmortem.md.jinja").read_text(encoding="utf-8")
    text = environment.from_string(template).render(
        t=found,
        impact=impact,
        how=(found.how or "").replace("_", " "),
        closing=_nameless(people, found.closing or ""),
        detected=None if began is None else (moment(found.opened_at) - moment(began)).total_seconds(),
        first_alert=next((line for line in lines if line.type == "alert.raised"), None),
        remedies=[line for line in lines if line.kind == "remedy"],
        acts=len(acts),
        automatic=sum(line.automatic for line in acts),
        shown=shown,
        left_out=len(lines) - len(shown),
        seconds=_seconds,
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _without(people: Sequence[str], line: TimelineLine) -> TimelineLine:
    return TimelineLine(
        seq=line.seq,
        at=line.at,
        kind=line.kind,
        type=line.type,
        text=_nameless(people, line.text),
        automatic=line.automatic,
    )


def _nameless(people: Sequence[str], text: str) -> str:
    for name in sorted(filter(None, people), key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", SOMEBODY, text)
    return text


def _seconds(value: float) -> str:
    """
    >>> _seconds(12.3), _seconds(3720)
    ('12 s', '1:02:00')
    """
    return f"{value:.0f} s" if value < 120 else str(timedelta(seconds=round(value)))
