"""`flyball monitor status | history | selftest`: what the monitor saw, and how well it sees."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.app.home import find_home
from flyball.core.errors import BadInput, Fault, NotFound

if TYPE_CHECKING:
    from flyball.app.home import Home
    from flyball.control.state.service_state import ServiceState

app = App(name="monitor", help="What the monitor saw, window by window, and how well it sees.")

ServiceArgument = Annotated[str, Parameter(help="The service.")]


@app.command
def status(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """The newest window of each service, feature by feature, each arm over time, and what the monitor waits for.
    Changes nothing."""
    from flyball.app.monitor.standing import standing
    from flyball.app.monitor.words import page
    from flyball.app.wiring.asking.kept_windows import kept_windows
    from flyball.app.wiring.asking.windows import newest
    from flyball.app.wiring.ledger import open_ledger

    place = find_home(home)
    states = _states(place, service)
    with closing(open_ledger(place)) as ledger:
        arms = kept_windows(place, ledger, states)
    found = [standing(state, newest(place, name), arms[name]) for name, state in states.items()]
    emit({"home": str(place.root), "services": found}, as_json=json, text=lambda: page(found))


@app.command
def history(
    service: ServiceArgument,
    /,
    *,
    from_: Annotated[
        str | None, Parameter(name="--from", help="Windows that ended since: 24h, 7d, 2026-11-26 or a time.")
    ] = None,
    to: Annotated[str | None, Parameter(help="Windows that ended until then.")] = None,
    last: Annotated[int, Parameter(help="At most so many, the newest.", validator=Number(gte=1))] = 50,
    html: Annotated[
        Path | None, Parameter(help="Write one page there: PSI and risk on two axes, and every window.")
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Windows over time: PSI, verdicts, metric and signals of each. Changes nothing."""
    from flyball.app.monitor.history import history as history_of
    from flyball.app.monitor.history import page
    from flyball.app.monitor.history_lines import lines
    from flyball.app.wiring.asking.log_questions import span
    from flyball.app.wiring.asking.windows import between

    place = find_home(home)
    _states(place, service)
    since, until = span(from_, to, ("--from", "--to"))
    found = history_of(service, between(place, service, since=since, until=until, last=last))
    if html is not None:
        _write(html, page(found, _limits(place, service)))
    nothing = f"{service}: no window has closed in this span"
    emit(found, as_json=json, text=lambda: "\n".join(lines(found.windows)) if found.windows else nothing)


@app.command
def selftest(
    service: ServiceArgument,
    /,
    *,
    since: Annotated[str, Parameter(help="Traffic since: 24h, 7d, 2026-11-26 or a time.")] = "24h",
    feature: Annotated[
        list[str] | None, Parameter(help="Plant into this feature, once for each; without it into --features of them.")
    ] = None,
    features: Annotated[
        int, Parameter(help="Features each kind of drift is planted into, drawn by the seed.", validator=Number(gte=1))
    ] = 3,
    seed: Annotated[int, Parameter(help="Of all that is drawn: the same seed, the same answer.")] = 1,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Plant known drifts in a copy of today's traffic and see how soon the service's own monitor finds them, and how
    often it alarms where nothing was planted. Changes nothing."""
    from flyball.app.monitor.selftest_words import page
    from flyball.app.wiring.asking import monitor_selftest
    from flyball.app.wiring.asking.log_questions import span
    from flyball.app.wiring.ledger import open_ledger

    place = find_home(home)
    state = _states(place, service)[service]
    begin, _ = span(since, None)
    with closing(open_ledger(place)) as ledger:
        subject = monitor_selftest.subject(place, ledger, service, state.champion, since=begin)
    wanted = tuple(feature or ())
    with progress("copies of the traffic", monitor_selftest.trials(wanted, features)) as advance:
        told = monitor_selftest.selftest(subject, seed=seed, features=wanted, most_features=features, advance=advance)
    emit(told, as_json=json, text=lambda: page(told))


def _limits(place: "Home", service: str) -> tuple[float, float]:
    """PSI at which the service warns and acts, as it was declared last."""
    from flyball.app.wiring.asking.declarations import declaration
    from flyball.app.wiring.ledger import open_ledger

    with closing(open_ledger(place)) as ledger:
        psi = declaration(ledger, service).monitor.psi
    return psi.warn, psi.act


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        fault = Fault(where="--html", path=str(file), expected="a file that can be written", found=str(error.strerror))
        raise BadInput("The page cannot be written.", (fault,)) from error


def _states(place: "Home", service: str | None) -> "dict[str, ServiceState]":
    """By name. Raises: NotFound."""
    from flyball.app.people import states_of
    from flyball.app.wiring.ledger import open_ledger

    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    with closing(open_ledger(place)) as ledger:
        states = states_of(ledger)
    if service is not None and service not in states:
        raise NotFound(f"no service {service!r} on this ledger", hint=f"services: {', '.join(states) or 'none'}")
    return {name: state for name, state in sorted(states.items()) if service in (None, name)}
