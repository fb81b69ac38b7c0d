"""A person's words to a rollout, as they come over HTTP: which there are, and who says them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flyball.app import rollouts
from flyball.app.alert_words import LONGEST_S, ack, silence, unsilence
from flyball.app.api.refusals import Lacking, NoCredentials
from flyball.app.people import Act, Person, approve, reject, told
from flyball.app.subjects import Reading
from flyball.app.waivers import waive
from flyball.core.access import Grant
from flyball.core.errors import BadInput, Fault, NotFound
from flyball.core.ledger import Entry, Ledger
from flyball.core.record import Record


class Said(Record):
    """What a word comes with."""

    why: str = ""
    about: str = ""  # of `approve` and `reject`: the rollout, ticket, incident or release that is meant
    steps: tuple[str, ...] = ()  # of `waive`, `start` and `retry`: underpowered steps that are accepted, by their names
    match: str = ""  # of `silence`: a name or a cause of alerts, `*` for anything
    for_s: float = 0.0  # of `silence`: how long
    release: str | None = None  # of `start` and `retry`: its root or 8 or more digits; null: the newest that waits


Spoken = Callable[[Ledger, str, Person, Said, datetime], Sequence[Entry]]
WORDS: Mapping[str, Spoken] = {
    "approve": lambda ledger, service, person, said, now: approve(ledger, service, person, said.why, now=now),
    "reject": lambda ledger, service, person, said, _: reject(ledger, service, person, said.why),
    "start": lambda ledger, service, person, said, _: _want(ledger, service, person, said),
    "retry": lambda ledger, service, person, said, _: _want(ledger, service, person, said),
    "waive": lambda ledger, service, person, said, _: waive(ledger, service, said.steps, person, said.why),
    "pause": lambda ledger, service, person, said, _: rollouts.pause(ledger, service, person, said.why),
    "resume": lambda ledger, service, person, said, _: rollouts.resume(ledger, service, person, said.why),
    "promote": lambda ledger, service, person, said, _: rollouts.promote(ledger, service, person, said.why),
    "abort": lambda ledger, service, person, said, _: rollouts.abort(ledger, service, person, said.why),
    "undo": lambda ledger, service, person, said, _: rollouts.undo(ledger, service, person, said.why),
}
OF_THE_SERVICE = frozenset({"approve", "reject"})  # said to what waits there, by its name; else to its rollout
OF_ALERTS: Mapping[str, Spoken] = {  # said to an alert, or to alerts
    "ack": lambda ledger, service, person, said, _: ack(ledger, said.about, person, said.why, service=service),
    "silence": lambda ledger, service, person, said, now: silence(
        ledger, service, said.match, person, said.why, lasts_s=said.for_s, now=now
    ),
    "unsilence": lambda ledger, service, person, said, _: unsilence(ledger, service, said.about, person, said.why),
}
WITH_REASON = frozenset({"reject", "retry", "promote", "waive"})
WITH_RELEASE = frozenset({"start", "retry"})


def speak(ledger: Ledger, verb: str, service: str, person: Person, said: Said, now: datetime) -> Act:
    """Write it. Raises: BadInput: a reason is missing, or a release is named that has no place. NotFound, Refused."""
    faults = []
    if (verb in WITH_REASON or said.steps) and not said.why.strip():
        faults.append(_fault("why", "a reason, for the ledger", "nothing"))
    if (verb in OF_THE_SERVICE) != bool(said.about) or said.about == service:
        meant = "the rollout, ticket, incident or release that is meant"  # what waits first may be another by now
        faults.append(_fault("about", meant if verb in OF_THE_SERVICE else "nothing", said.about or "nothing"))
    if said.release is not None and verb not in WITH_RELEASE:
        faults.append(_fault("release", f"nothing: {verb} is said to what runs", said.release))
    if verb == "waive" and not said.steps:
        faults.append(_fault("steps", "the names of the steps that may be underpowered", "none"))
    if said.steps and verb not in (*WITH_RELEASE, "waive"):
        faults.append(_fault("steps", f"nothing: {verb} waives no step", ", ".join(said.steps)))
    if faults:
        raise BadInput("the body is faulty", tuple(faults))
    if said.about and Reading(ledger).find(said.about)[0].service != service:
        raise NotFound(f"nothing of {service} is called {said.about!r}")
    return told(service, person, WORDS[verb](ledger, said.about or service, person, said, now))


def speak_of_alerts(ledger: Ledger, verb: str, service: str, person: Person, said: Said, now: datetime) -> Act:
    """The same of alerts. Raises: BadInput, NotFound, Refused."""
    faults = []
    if verb == "silence":
        if not said.why.strip():
            faults.append(_fault("why", "a reason, for the ledger", "nothing"))
        if not said.match.strip():
            faults.append(_fault("match", "a name or a cause of alerts", "nothing"))
        if not 0 < said.for_s <= LONGEST_S:
            faults.append(_fault("for_s", f"more than 0 and at most {LONGEST_S:g} s", f"{said.for_s:g}"))
    elif not said.about:
        faults.append(_fault("about", "the alert" if verb == "ack" else "the silence", "nothing"))
    if faults:
        raise BadInput("the body is faulty", tuple(faults))
    return told(service, person, OF_ALERTS[verb](ledger, service, person, said, now))


def _want(ledger: Ledger, service: str, person: Person, said: Said) -> Sequence[Entry]:
    return rollouts.want(ledger, service, said.release, person, said.why, waive=said.steps)


def speaker(grant: Grant | None, service: str) -> Person:
    """Who speaks, by the credentials of the request; None: nobody had to say who they are.

    Raises: NoCredentials: so it is not known whose word it would be. Lacking: they have no `admin` on the service.
    """
    if grant is None:
        raise NoCredentials(
            "who says this has to be proven, and this API was given no credentials to judge",
            hint="start it with --gateway and a file that has auth: flyball keys new --scope admin makes a key",
        )
    if not grant.allows(service, "admin"):
        raise Lacking(f"these credentials lack the scope admin for service {service}")
    return Person(name=grant.person or grant.subject, proof="token")


def _fault(path: str, expected: str, found: str) -> Fault:
    return Fault(where="body", path=path, expected=expected, found=found)
