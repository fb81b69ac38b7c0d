"""`flyball incident list | show | close | postmortem`: what was wrong, how it went, and what is learned from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.cli.rollout_reading import ledger_in
from flyball.app.home import find_home
from flyball.app.incidents import book
from flyball.core.errors import BadInput, Fault, NotFound

if TYPE_CHECKING:
    from flyball.app.incidents.book import KnownIncident
    from flyball.control.incidents.timeline import Timeline, TimelineLine
    from flyball.core.ledger import Entry

app = App(name="incident", help="What was wrong, how it went, that it is over, and what is learned from it.")

IncidentArgument = Annotated[str, Parameter(help="The incident: in-...")]


@app.command(name="list")
def list_(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    open_: Annotated[bool, Parameter(name="--open", negative="", help="Only those that are open.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Every incident on the ledger, newest first."""
    with ledger_in(home) as ledger:
        found = book.known_incidents(ledger.read(subject=service))
    found = tuple(one for one in found if not (open_ and one.closed_at))
    emit({"incidents": found}, as_json=json, text=lambda: "\n".join(map(_line, found)) or "no incident is known")


@app.command
def show(
    incident: IncidentArgument,
    /,
    *,
    whole: Annotated[
        bool,
        Parameter(name="--all", negative="", help="From before it began everything, not its possible causes alone."),
    ] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """One incident: where it stands, its timeline, and what came some time before it began and may have caused it."""
    found, _, _ = _found(home, incident, whole=whole)
    emit(found, as_json=json, text=lambda: _told(found))


@app.command
def close(
    incident: IncidentArgument,
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger; it has to be given.")],
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Say that it is over, or known: it opens again only when its cause was gone once, or is graver. Of data quality:
    the data are accepted as they are."""
    if not why.strip():
        fault = Fault(where="command", path="--why", expected="a reason", found="an empty text")
        raise BadInput("a reason is needed", (fault,))
    act(lambda ledger, person: book.close(ledger, incident, person, why), incident, home=home, as_json=json)


@app.command
def postmortem(
    incident: IncidentArgument,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Write it to this file, which must not be there.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """The draft of a blameless postmortem in Markdown: facts filled in, questions left open."""
    from flyball.app.incidents.postmortem import postmortem as drafted
    from flyball.app.incidents.postmortem import unanswered_s
    from flyball.app.wiring.asking.incidents import impact_of

    found, entries, before_s = _found(home, incident)
    impact = impact_of(find_home(home), found, entries)
    text = drafted(incident, entries, impact, before_s=before_s)
    if out is not None:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            fault = Fault(where="--out", path=str(out), expected="a new file", found=str(error.strerror))
            raise BadInput("The postmortem cannot be written.", (fault,)) from error
    document = {"incident": incident, "impact": impact, "failed": impact.failed, "timeline": found, "text": text}
    document["unanswered_s"] = unanswered_s(found, impact)
    emit(document, as_json=json, text=lambda: text.rstrip() if out is None else f"written to {out}")


def _found(home: str | None, incident: str, *, whole: bool = False) -> "tuple[Timeline, list[Entry], float]":
    """Its timeline, all facts of its service, and how long before its beginning that goes back, seconds."""
    from flyball.app.subjects import Reading
    from flyball.control.incidents.timeline import timeline
    from flyball.core.events import IncidentOpened
    from flyball.core.service import Incidents

    with ledger_in(home) as ledger:
        opened = [one for one in ledger.read() if isinstance(one.fact, IncidentOpened)]
        service = next((one.subject for one in opened if getattr(one.fact, "incident", "") == incident), None)
        if service is None:
            raise NotFound(f"no incident is called {incident!r}", hint="flyball incident list names them")
        entries = list(ledger.read(subject=service))
        reading = Reading(ledger)
        reading.states()
        declared = reading.section(service, "incidents", Incidents)
    return timeline(incident, entries, before_s=declared.before_s, whole=whole), entries, declared.before_s


def _line(one: "KnownIncident") -> str:
    end = f"{one.how} at {one.closed_at}" if one.closed_at else "open"
    named = (("detected", one.detected_s), ("recovered", one.recovered_s))
    times = [f"{name} {value:.0f} s" for name, value in named if value is not None]
    told = f" ({', '.join(times)})" if times else ""
    return f"{one.incident}  {one.service}  {one.kind}  {one.opened_at}  {end}{told}: {one.reason}"


def _told(found: "Timeline") -> str:
    end = f"{found.how} at {found.closed_at}: {found.closing}" if found.closed_at else "open"
    lines = [
        f"{found.incident} ({found.service}, {found.kind}, cause {found.cause}): {found.reason}",
        f"  began {found.began or 'at a time that nobody knows'}, opened {found.opened_at}, {end}",
    ]
    if not found.closed_at:
        lines.append(f"  what to do: flyball runbook run {found.runbook} --service {found.service} --dry-run")
    if found.forensics is not None:
        lines.append(f"  kept: {', '.join(found.files) or 'nothing'} in incidents/{found.incident}/")
        lines += [f"  missing: {name}: {why}" for name, why in found.missing.items()]
    if found.examples_deleted:
        lines.append(f"  deleted by the retention of the prediction log: its example rows, {found.examples_deleted}")
    began = min(found.began or found.opened_at, found.opened_at)
    before = [one for one in found.lines if one.at < began]
    lines += [f"  before it, since {found.since[:19]}Z:"] if before else []
    lines += [_of_timeline(one) for one in before]
    lines += ["  from its beginning on:"] if before else []
    lines += [_of_timeline(one) for one in found.lines[len(before) :]]
    if found.left_out:
        lines.append(f"  {found.left_out} facts from before it that can have caused nothing are left out (--all)")
    return "\n".join(lines)


def _of_timeline(one: "TimelineLine") -> str:
    return f"  {one.seq:>6}  {one.at[:19]}Z  {one.kind:<12}{one.text}"
