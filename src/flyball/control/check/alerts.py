"""What no plan may do with alerts: tell one cause twice, tell what is silenced, end or escalate what is not there."""

import fnmatch
from collections.abc import Sequence
from datetime import datetime

from flyball.control.state.service_state import ServiceState
from flyball.core import events as e


def of_alerts(facts: Sequence[e.AnyFact], state: ServiceState, now: str) -> list[str]:
    """Broken rules, in words. The facts are taken in their order; now: the moment of the plan, empty: none is known."""
    found: list[str] = []
    open_ = {one.raised.alert: cause for cause, one in state.alerts.open.items()}
    acked = {one.raised.alert for one in state.alerts.open.values() if one.acked is not None}
    held = {one.alert for one in state.alerts.held.values()}
    for fact in facts:
        match fact:
            case e.AlertRaised():
                if fact.cause in open_.values():
                    found.append(f"a second alert of {fact.cause}, which is open")
                if fact.test:
                    found.append("a test of alerts that no person asked for")
                if not fact.to:
                    found.append(f"an alert of {fact.cause} that is for nobody")
                if silence := _silenced(fact, state, now):
                    found.append(f"{fact.cause} is told although silence {silence} is in force")
                open_[fact.alert] = fact.cause
            case e.AlertResolved():
                if fact.alert not in open_ and fact.alert not in held:
                    found.append(f"alert {fact.alert} is ended, which is not open")
                open_.pop(fact.alert, None)
            case e.AlertEscalated():
                if fact.alert not in open_ or fact.alert in acked:
                    found.append(f"alert {fact.alert} is escalated, which is over or taken")
            case e.AlertHeld() if fact.cause in open_.values():
                found.append(f"{fact.cause} is held, and was told")
            case e.AlertAcked() | e.AlertsSilenced() | e.AlertsTested():
                found.append(f"{type(fact).__name__} is a person's word, and no plan's")
            case _:
                pass
    return found


def _silenced(fact: e.AlertRaised, state: ServiceState, now: str) -> str:
    if not now:
        return ""
    moment = datetime.fromisoformat(now)
    for name, silence in state.alerts.silences.items():
        over = datetime.fromisoformat(silence.until) <= moment
        if not over and any(fnmatch.fnmatchcase(text, silence.match) for text in (fact.cause, fact.name)):
            return name
    return ""
