"""`flyball drill`: a real fault on purpose, and what is seen of it."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, say

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.app.drills.report import DrillReport
    from flyball.app.home import Home


def drill(
    name: Annotated[str, Parameter(help="A fault, `all`, `disaster`, `list`, or `abort` for the one that runs.")],
    /,
    *,
    service: Annotated[
        str | None,
        Parameter(help="Which of a flyball up; for `disaster` where none runs, its file."),
    ] = None,
    share: Annotated[float | None, Parameter(help="Of the traffic, at most; else 0.05 on a running service.")] = None,
    within: Annotated[
        str | None,
        Parameter(
            help="The fault ends after so long, and again after so long nobody waits: not seen or not over by then is "
            "exit code 1. 90s, 10m (else 10m, and 20m for the recovery; 60s each on a service of its own)."
        ),
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="Drill a running service without asking.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Make a fault, measure how soon it is seen and over, and write a report.

    Where no flyball up runs in the home, the drill starts a service of its own and breaks that; one that runs has to
    be started with --allow-drills. Exit code 0: every drill came to its report. 1: refused, all or some; with
    --within: a fault was not seen and over in that time; of a disaster: something differs. 3: no running service can
    be broken so.
    """
    from flyball.app.home import find_home

    place = find_home(home)
    if name == "list":
        return _list(place, service, as_json=json)
    if name == "abort":
        return _abort(place, as_json=json)
    within_s = _checked(name, share, within)
    if name == "disaster":
        return _disaster(place, home, service, yes=yes, as_json=json)
    return _faults(place, home, name, service, share, within_s, yes=yes, as_json=json)


def _faults(
    place: "Home",
    option: str | None,
    name: str,
    service: str | None,
    share: float | None,
    within_s: float | None,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    from flyball.app.cli.acting import os_user
    from flyball.app.drills.faults import FAULTS
    from flyball.app.people import Person
    from flyball.app.wiring.drills.looking import asked_for, look
    from flyball.app.wiring.drills.run import allowing_up, own_home, run
    from flyball.app.wiring.drills.turns import Wanted
    from flyball.core.errors import Unavailable

    up = allowing_up(place)
    if up is not None:
        where_it_runs = look(place, up, service)
        if (why := where_it_runs.why_not.get(_fault(name))) is not None:
            raise Unavailable(f"{_fault(name)} was not made: {why}", hint="flyball drill list names what can be made")
        _consent(asked_for(where_it_runs, _fault(name), up, share), yes=yes)
    wanted = Wanted(faults=tuple(FAULTS) if name == "all" else (_fault(name),), share=share, within_s=within_s)
    where = place if up is not None else own_home(option, place)
    report = run(where, wanted, Person(name=os_user(), proof="os_user"), say, service=service)
    emit(report, as_json=as_json, text=lambda: _text(report))
    return 0 if report.met else 1


def _abort(place: "Home", *, as_json: bool) -> int:
    from flyball.app.cli.acting import os_user
    from flyball.app.drills.lease import lease_path
    from flyball.app.people import Person
    from flyball.app.wiring.drills.turns import abort
    from flyball.app.wiring.ledger import ledger_of
    from flyball.core.errors import NotFound

    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    with ledger_of(place) as ledger:
        word = abort(ledger, lease_path(place), Person(name=os_user(), proof="os_user"))
    emit(
        {"aborted": word.drill, "fault": word.fault}, as_json=as_json, text=lambda: f"{word.drill} ({word.fault}) ends"
    )
    return 0


def _disaster(place: "Home", option: str | None, service: str | None, *, yes: bool, as_json: bool) -> int:
    from flyball.app.cli.acting import os_user
    from flyball.app.drills.disaster import markdown
    from flyball.app.people import Person
    from flyball.app.wiring.drills.run import allowing_up, disaster, own_home

    up = allowing_up(place)
    if up is not None:
        _consent(f"backup, restore and a training beside {service or ', '.join(up.services)} at {up.url}", yes=yes)
    where = place if up is not None or service is not None else own_home(option, place)
    report = disaster(where, Person(name=os_user(), proof="os_user"), say, service=service)
    emit(report, as_json=as_json, text=lambda: markdown(report))
    return 0 if report.ok else 1


def _checked(name: str, share: float | None, within: str | None) -> float | None:
    """`--within` in seconds. Raises: BadInput: all that is wrong with the options."""
    from flyball.app.drills.faults import FAULTS
    from flyball.contracts.durations import seconds
    from flyball.core.errors import BadInput, Fault

    faults = []
    if name not in ("all", "disaster") and name.replace("-", "_") not in FAULTS:
        expected = f"{', '.join(FAULTS)}, all, disaster, list or abort"
        faults.append(Fault(where="command line", path="NAME", expected=expected, found=name))
    if share is not None and not 0 < share <= 0.5:
        faults.append(
            Fault(where="command line", path="--share", expected="above 0 and at most 0.5", found=f"{share:g}")
        )
    within_s = None if within is None else seconds(within)
    if within is not None and not within_s:
        faults.append(Fault(where="command line", path="--within", expected="a duration: 90s, 10m", found=within))
    if faults:
        raise BadInput("The drill cannot be made.", tuple(faults))
    return within_s


def _list(place: "Home", service: str | None, *, as_json: bool) -> int:
    """All faults; where a `flyball up` runs, also which cannot be made on its service now, and why."""
    from flyball.app.drills.faults import FAULTS
    from flyball.app.wiring.drills.looking import look
    from flyball.app.wiring.drills.run import running_up

    up = running_up(place)
    head, against, name = "on a service of the drill's own, as no flyball up runs here:", dict[str, str](), ""
    if up is not None and not up.allow_drills:
        head = "on none: the flyball up that runs here allows no drills"
        against = dict.fromkeys(FAULTS, "it was started without --allow-drills")
    elif up is not None:
        where = look(place, up, service)
        head, against, name = f"on {where.name}, which runs here:", dict(where.why_not), where.name
    found = [
        {"fault": each.name, "what": each.what, "can": each.name not in against, "why_not": against.get(each.name, "")}
        for each in FAULTS.values()
    ]
    lines = [head, *(_line(one.name, one.what, against.get(one.name, "")) for one in FAULTS.values())]
    emit({"service": name, "faults": found}, as_json=as_json, text=lambda: "\n".join(lines))
    return 0


def _line(name: str, what: str, why_not: str) -> str:
    return f"{name:<16} " + (f"not here: {why_not}" if why_not else what)


def _fault(name: str) -> str:
    return name.replace("-", "_")


def _consent(what: str, *, yes: bool) -> None:
    """Raises: BadInput: nobody is there to say yes. Refused: somebody says no."""
    from flyball.core.errors import BadInput, Fault, Refused

    if yes:
        return
    if not sys.stdin.isatty():
        fault = Fault(
            where="command line",
            path="--yes",
            expected="your word that this running service may be broken on purpose",
            found="nobody to ask",
            fix="add --yes",
        )
        raise BadInput("A running service is not drilled unasked.", (fault,))
    say(f"{what}: real clients may notice. Go on? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("nothing was done")


def _text(report: "DrillReport") -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from flyball.app.drills.report import HEADER, cells, goals

    table = Table(*HEADER, box=None, padding=(0, 2, 0, 0))
    for row in report.drills:
        table.add_row(*cells(row))
    lines = [Text(line) for line in goals(report.drills)]
    lines += [Text(f"not met: {each}") for each in report.unmet]
    lines += [Text(f"{each.fault} was left out: {each.why}") for each in report.left_out]
    return Group(table, *lines, Text(f"report: {report.report}"))
