"""The facts of alerts: who is told what, who has it, and what was not told and why."""

from typing import Literal

from flyball.core.fact import Fact, Proof

Urgency = Literal["page", "ticket"]
HeldBy = Literal["inhibited", "past", "silenced", "canary", "flapping", "healing"]


class AlertRaised(Fact, tag="alert.raised"):
    """A person is told: at once where clients suffer (`page`), else as work to do (`ticket`)."""

    alert: str  # id of this time
    cause: str  # fingerprint: the same cause is one alert however often it is seen
    name: str  # CamelCase
    urgency: Urgency
    summary: str
    detail: str
    runbook: str  # name
    owner: str
    to: tuple[str, ...]  # people on call
    incident: str | None = None
    labels: dict[str, str] = {}
    test: bool = False  # sent to see whether it arrives


class AlertHeld(Fact, tag="alert.held"):
    """An alert of this cause is due, and nobody is told."""

    cause: str
    name: str
    by: HeldBy
    why: str
    alert: str = ""  # id of this time: whoever is told of it in the end, or that it is over, is told by it
    behind: str = ""  # the cause that it is a symptom of; empty: of none
    incident: str = ""  # that `why` names; empty: none. Once it is closed the reason is said anew


class AlertAcked(Fact, tag="alert.acked"):
    alert: str
    by: str
    proof: Proof
    why: str = ""


class AlertEscalated(Fact, tag="alert.escalated"):
    """Nobody has taken it in time: the next ones are told."""

    alert: str
    level: int  # from 1
    to: tuple[str, ...]
    why: str


class AlertResolved(Fact, tag="alert.resolved"):
    alert: str
    why: str


def further(told: tuple[str, ...], to: tuple[str, ...]) -> tuple[str, ...]:
    """Everybody who was told of an alert after an escalation, each once, the first one first.

    >>> further(("ada", "bob"), ("eve", "ada"))
    ('ada', 'bob', 'eve')
    """
    return tuple(dict.fromkeys((*told, *to)))


class AlertsTested(Fact, tag="alerts.tested"):
    """A test alert went to destinations, and this is what they said."""

    alert: str  # that was raised and resolved for it
    by: str
    proof: Proof
    arrived: tuple[str, ...]  # names of destinations that took it
    missed: dict[str, str] = {}  # the others, and what they said


class AlertsSilenced(Fact, tag="alerts.silenced"):
    silence: str  # id
    match: str  # a name or a fingerprint, with `*`
    until: str  # RFC 3339, UTC
    by: str
    proof: Proof
    why: str


class SilenceEnded(Fact, tag="silence.ended"):
    silence: str
    by: str
    why: str
