"""`flyball alerts list | ack | silence | unsilence | test`: who is told what, who has it, and what is to be quiet."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from flyball.app import alert_words
from flyball.app.cli.acting import act, os_user
from flyball.app.cli.door import HomeOption, JsonFlag, emit, say
from flyball.app.cli.rollout_reading import ledger_in
from flyball.contracts.durations import seconds
from flyball.core.clock import timestamp
from flyball.core.errors import BadInput, Fault, NotFound

app = App(name="alerts", help="Who is told what is wrong, who has it, and what nobody wants to hear for a while.")

ServiceOption = Annotated[str | None, Parameter(help="Of this service only; else of each in the home.")]


@app.command(name="list")
def list_(
    *,
    service: ServiceOption = None,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="Those that are over too.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """What is open, what is held and why, what is silenced."""
    from msgspec.structs import replace

    from flyball.app.alert_list import history, in_words, standing
    from flyball.app.home import find_home
    from flyball.app.subjects import Reading
    from flyball.app.wiring.asking.newest_figures import newest_figures

    place, now = find_home(home), timestamp(datetime.now(UTC))
    with ledger_in(home) as ledger:
        states = Reading(ledger).states()
        if service is not None and service not in states:
            raise NotFound(f"no service is called {service!r}", hint=f"services: {', '.join(sorted(states)) or 'none'}")
        asked = [state for name, state in sorted(states.items()) if service in (None, name)]
        found = standing(asked, lambda name: newest_figures(place, name, now))
        if all_:
            found = replace(found, alerts=history(ledger.read(0, subject=service), found.alerts))
    emit(found, as_json=json, text=lambda: in_words(found))


@app.command
def ack(
    alert: Annotated[str, Parameter(help="The alert: al-...")],
    /,
    *,
    why: Annotated[str, Parameter(help="What you do about it, for the ledger.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """You have it: it goes no level up. It is over when its cause is."""
    act(lambda ledger, person: alert_words.ack(ledger, alert, person, why), alert, home=home, as_json=json)


@app.command
def silence(
    match: Annotated[str, Parameter(help="A name (ErrorsHigh) or a cause (drift/amount); * stands for anything.")],
    /,
    *,
    for_: Annotated[str, Parameter(name="--for", help="How long: 30m, 2h, 7d; at most 30 days.")],
    why: Annotated[str, Parameter(help="Your reason, for the ledger; it has to be given.")],
    service: Annotated[str | None, Parameter(help="The service; not needed where the home has one.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Nobody is told of what matches until then. It is on the ledger all the same, and told then if it still stands."""
    lasts_s, now = _given(for_, why), datetime.now(UTC)
    name = service or _only_service(home)
    act(
        lambda ledger, person: alert_words.silence(ledger, name, match, person, why, lasts_s=lasts_s, now=now),
        name,
        home=home,
        as_json=json,
    )


@app.command
def unsilence(
    name: Annotated[str, Parameter(help="The silence: si-...")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "",
    service: Annotated[str | None, Parameter(help="The service; not needed where the home has one.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """End a silence before its time."""
    of = service or _only_service(home)
    act(lambda ledger, person: alert_words.unsilence(ledger, of, name, person, why), of, home=home, as_json=json)


@app.command(name="test")
def try_(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    to: Annotated[str | None, Parameter(help="The name of one destination; else each.")] = None,
    within_s: Annotated[float, Parameter(help="Seconds after which what has not arrived counts as missed.")] = 30.0,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Send a test alert, and that it is over, through each destination; what they said. Exit code 1: one missed it."""
    from flyball.app.home import find_home
    from flyball.app.people import Person
    from flyball.app.wiring.alert_test import run_test

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    person = Person(name=os_user(), proof="os_user")
    found = run_test(place, service, person, only=to, within_s=within_s, say=say)
    lines = [
        f"{each.destination:<20}  {'arrived' if each.arrived else 'MISSED '}  {each.said}"
        for each in found.destinations
    ]
    emit(found, as_json=json, text=lambda: "\n".join(lines))
    return 0 if all(each.arrived for each in found.destinations) else 1


def _given(lasts: str, why: str) -> float:
    """All faults at once."""
    found, faults = seconds(lasts), []
    if found is None or not 0 < found <= alert_words.LONGEST_S:
        faults.append(Fault(where="command", path="--for", expected="a duration: 30m, 2h, at most 30d", found=lasts))
    if not why.strip():
        faults.append(Fault(where="command", path="--why", expected="a reason", found="an empty text"))
    if faults or found is None:
        raise BadInput("the silence is faulty", tuple(faults))
    return found


def _only_service(home: str | None) -> str:
    from flyball.app.subjects import Reading

    with ledger_in(home) as ledger:
        names = sorted(Reading(ledger).states())
    if len(names) != 1:
        found = ", ".join(names) or "none"
        fault = Fault(where="command", path="--service", expected="the name of a service", found=f"services: {found}")
        raise BadInput("which service is meant?", (fault,))
    return names[0]
