"""The draft of a postmortem: what the facts say filled in, what they do not know said, and questions left as questions.

Blameless: a person's name is not in it, neither as who did something or was told of it, nor out of a reason that the
ledger holds. People are called by their role.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from msgspec.structs import replace

from flyball.app.incidents.impact import Impact
from flyball.app.incidents.roles import nameless, roles_of, to_roles
from flyball.control.incidents.timeline import Timeline, timeline
from flyball.control.unanswered import seconds_of
from flyball.core.clock import moment
from flyball.core.events import AlertRaised
from flyball.core.ledger import Entry

ACTS = (  # what somebody or something did, each once
    *("approval.given", "approval.rejected", "backfill.done", "champion.appointed", "remedy.begun", "retrain.ordered"),
    *("rollback.ordered", "rollout.opened", "rollout.rolled_back", "routing.ordered", "runbook.step_done"),
    *("service.frozen", "service.thawed", "step.started"),
)
LEFT_OUT = ("decision", "process")  # many, and told better by what came of them


def postmortem(incident: str, entries: Sequence[Entry], impact: Impact, *, before_s: float) -> str:
    """Markdown. Args: entries: of its service, in order. before_s: as for the timeline. Raises: NotFound."""
    roles = roles_of(entries)
    owners = {one.fact.alert: one.fact.owner for one in entries if isinstance(one.fact, AlertRaised)}
    found = timeline(incident, [to_roles(one, roles, owners) for one in entries], before_s=before_s)
    lines = tuple(replace(line, text=nameless(line.text, roles)) for line in found.lines)
    silent = {each.seq for each in found.unanswered}
    shown = [line for line in lines if line.kind not in LEFT_OUT or line.seq in silent]
    began = found.began or impact.since or None
    acts = [line for line in lines if line.type in ACTS and line.at >= (began or found.opened_at)]
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = lambda text: text.replace("|", "\\|")
    template = files("flyball.app.incidents").joinpath("postmortem.md.jinja").read_text(encoding="utf-8")
    text = environment.from_string(template).render(
        t=found,
        impact=impact,
        how=(found.how or "").replace("_", " "),
        reason=nameless(found.reason, roles),
        closing=nameless(found.closing or "", roles),
        detected=None if began is None else (moment(found.opened_at) - moment(began)).total_seconds(),
        first_alert=next((line for line in lines if line.seq == found.first_alert), None),
        remedies=[line for line in lines if line.seq in found.tried],
        unanswered_s=unanswered_s(found, impact),
        acts=len(acts),
        automatic=sum(line.automatic for line in acts),
        shown=shown,
        left_out=len(lines) - len(shown),
        seconds=_seconds,
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def unanswered_s(found: Timeline, impact: Impact) -> float:
    """For how long of its time no gateway answered: what was asked then is in no count of rows."""
    return seconds_of(found.unanswered, since=found.began or impact.since or found.opened_at, until=found.closed_at)


def _seconds(value: float) -> str:
    """
    >>> _seconds(12.3), _seconds(3720)
    ('12 s', '1:02:00')
    """
    return f"{value:.0f} s" if value < 120 else str(timedelta(seconds=round(value)))
