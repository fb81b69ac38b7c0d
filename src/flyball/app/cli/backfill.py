"""`flyball backfill`: after a repair, features, labels and counts of a span are made again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import os_user
from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.app.home import Home, find_home
from flyball.app.people import Person, may
from flyball.core.errors import BadInput, Fault, NotFound

if TYPE_CHECKING:
    from flyball.app.declared import Declared
    from flyball.app.wiring.backfill.doing import Backfilled


def backfill(
    service: Annotated[str, Parameter(help="service.yaml, its folder, or the name of a service beside its home.")],
    /,
    *,
    since: Annotated[str, Parameter(help="Rows that arrived at or after: 24h (ago), a date, a time.")],
    until: Annotated[str, Parameter(help="Rows that arrived before.")],
    rows: Annotated[Path | None, Parameter(help="Repaired rows: Parquet or CSV, by `id`, or by the key.")] = None,
    labels: Annotated[Path | None, Parameter(help="Labels of rows of the span: `id`, `label`, perhaps `at`.")] = None,
    incident: Annotated[str | None, Parameter(help="The incident that it repairs.")] = None,
    rest_is_lost: Annotated[
        bool,
        Parameter(
            name="--rest-is-lost",
            negative="",
            help="Rows that the table does not bring: no ticket asks for them again.",
        ),
    ] = False,
    dry_run: Annotated[bool, Parameter(name="--dry-run", negative="", help="Check and count; change nothing.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Rows of the span take the place of those that came, for the monitor and for trainings; what clients were
    answered stays as it was. Doing it twice changes nothing. Exit code 1: rows violate the contract."""
    from flyball.app.incidents.book import known_incidents
    from flyball.app.wiring.asking.log_questions import folders, moment_of
    from flyball.app.wiring.backfill import doing
    from flyball.app.wiring.backfill.reading import prepared
    from flyball.app.wiring.ledger import ledger_of

    file = Path(service) / "service.yaml" if Path(service).is_dir() else Path(service)
    place = find_home(home, (file,) if file.exists() else ())
    declared = _declared(place, service, file)
    now, name = datetime.now(UTC), declared.service.metadata.name
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    first, last = moment_of("--since", since, now), moment_of("--until", until, now)
    person = Person(name=os_user(), proof="os_user")
    may(declared.service.metadata, person, ("operator", "approver"))
    with ledger_of(place) as ledger:
        if incident is not None:
            _known(incident, name, [one.incident for one in known_incidents(ledger.read(subject=name))])
        assert first is not None
        assert last is not None
        with progress("backfill", folders(place, name)) as advance:
            made = prepared(
                *(place, declared),
                since=first,
                until=last,
                rows=rows,
                labels=labels,
                now=now,
                advance=advance,
                rest_is_lost=rest_is_lost,
            )
            if made.report is not None and not made.report.accepted.all():
                found = doing.told(made, name, why="rows violate the data contract")
            elif doing.done_before(ledger, name, made):
                again = not dry_run and doing.rewritten(place, name, made)
                what = "its rows were gone and are written again" if again else "nothing is changed"
                found = doing.told(made, name, why=f"it was done before: {what}")
            elif dry_run:
                found = doing.told(made, name, why="dry run: nothing is changed")
            else:
                found = doing.backfill(place, declared, made, ledger, person, incident=incident, advance=advance)
    emit(found, as_json=json, text=lambda: _text(found))
    return 1 if found.broken else 0


def _declared(place: Home, service: str, file: Path) -> "Declared":
    """What the file declares, or the one of this name beside the home. Raises: NotFound: none there has the name."""
    from flyball.app.declared import load

    if file.exists():
        return load(file)
    folder = place.folder_of(service)
    declared = load(folder) if folder is not None else None
    if declared is None or declared.service.metadata.name != service:
        beside = [declared.service.metadata.name] if declared is not None else place.beside()
        raise NotFound(
            f"no service is called {service!r} beside {place.root}, and no file",
            hint="there are: " + (", ".join(beside) or "none; name its service.yaml"),
        )
    return declared


def _known(incident: str, service: str, there: list[str]) -> None:
    if incident not in there:
        fault = Fault(
            where="command", path="--incident", expected=", ".join(there) or "none: there is none", found=incident
        )
        raise BadInput(f"{service} has no such incident.", (fault,))


def _text(found: "Backfilled") -> str:
    lines = [
        f"{found.service}, {found.since} to {found.until}: {found.rows} of {found.originals} rows made again, "
        f"{found.left_out} left out",
        f"labels: {found.labels} given in, {found.new_labels} new, {found.corrected_labels} corrected",
        f"counts: {found.panes} buckets of five minutes made again",
        f"backfill {found.backfill}",
    ]
    lines += [f"contract: {rule} is broken by {rows} rows" for rule, rows in found.broken.items()]
    lines += [f"warning: {found.warning}"] if found.warning else []
    lines += [found.why] if found.why else []
    return "\n".join(lines)
