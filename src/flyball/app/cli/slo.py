"""`flyball slo status | rules | export | lint`: objectives and their error budgets, here and for other tools."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, say
from flyball.app.home import Home, find_home

if TYPE_CHECKING:
    from flyball.control.state.service_state import ServiceState
    from flyball.core.service import Service

app = App(name="slo", help="Objectives and error budgets: where they stand, and what other tools are told of them.")

ServiceArgument = Annotated[str, Parameter(help="service.yaml or its folder, or a service on the ledger by its name.")]
OutOption = Annotated[Path | None, Parameter(help="Write to this file; without it to standard output.")]


@app.command
def status(
    service: ServiceArgument,
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Each objective: how well it is kept, what is left of its budget, how fast it burns, and what follows.

    Exit code 0: no budget is spent. 1: one is.
    """
    from flyball.app.slo.standing import slo_standing
    from flyball.app.slo.words import page
    from flyball.app.wiring.loop.budgets_file import budgets_state

    declared, state, place = subject(service, home)
    found = slo_standing(declared, state, budgets_state(place, declared.metadata.name))
    emit(found, as_json=json, text=lambda: page(found))
    return 1 if any(each.spent or (each.left is not None and each.left <= 0) for each in found.objectives) else 0


@app.command
def rules(
    service: ServiceArgument,
    /,
    *,
    out: OutOption = None,
    runbooks_url: Annotated[
        str | None, Parameter(help="Where the runbooks are published; else alerts.runbooks_url of the declaration.")
    ] = None,
    dashboard_url: Annotated[
        str | None, Parameter(help="A dashboard that alerts link to; else slo.dashboard_url.")
    ] = None,
    scale: Annotated[
        float, Parameter(help="Factor on every window and wait. For tests of the rules; anything but 1 is no promise.")
    ] = 1.0,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Recording and alerting rules of Prometheus for each objective: burn rates by pairs of windows, a rule for little
    traffic, a spent budget, and one for an objective that nobody measures. No alert without a runbook that exists."""
    from flyball.app.slo.prometheus import Links, rules_text, runbooks_of
    from flyball.app.slo.prometheus import rules as rules_of
    from flyball.app.slo.runbook_links import checked, known_runbooks
    from flyball.core.declared.objectives import Slo
    from flyball.core.promised import objectives_of

    declared, _, _ = subject(service, home)
    slo, alerts = declared.slo or Slo(), declared.alerts
    published = runbooks_url or (alerts.runbooks_url if alerts is not None else None)
    base = checked(published, runbooks_of(objectives_of(declared)), known_runbooks())
    links = Links(runbooks=base, dashboard=dashboard_url or slo.dashboard_url)
    text = rules_text(declared, links, scale=_scale(scale))
    _leave(text, out, rules_of(declared, links, scale=scale), json)


@app.command
def export(
    service: ServiceArgument,
    /,
    *,
    out: OutOption = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Each objective as an SLO of OpenSLO v1. Read again they are the same objectives."""
    import msgspec

    from flyball.contracts.openslo.writing import document, text_of
    from flyball.core.promised import objectives_of

    declared, _, _ = subject(service, home)
    name, objectives = declared.metadata.name, objectives_of(declared)
    documents = [msgspec.to_builtins(document(name, each)) for each in objectives]
    _leave(text_of(name, objectives), out, {"documents": documents}, json)


@app.command
def lint(
    file: Annotated[Path, Parameter(help="A file of OpenSLO v1 documents.")],
    /,
    *,
    service: Annotated[
        str | None, Parameter(help="Whose objectives are wanted; without it those of every service.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Read a file of OpenSLO v1: its objectives as Flyball takes them, all its faults at once, what is left undone."""
    from flyball.app.declared import read_text
    from flyball.app.slo.words import lint_page
    from flyball.contracts.openslo.reading import parse

    found = parse(read_text(file, where=str(file)), file=file.name, service=service)
    emit(found, as_json=json, text=lambda: lint_page(found))


def _leave(text: str, out: Path | None, document: object, as_json: bool) -> None:
    """The text into its file, or on standard output; the document where it is asked for."""
    from flyball.app.wiring.whole_files import write_text

    if out is not None:
        write_text(out, text, make_folder=False)
        say(f"written to {out}")
    if as_json or out is None:
        emit(document, as_json=as_json, text=lambda: text.rstrip("\n"))


def _scale(scale: float) -> float:
    from flyball.core.errors import BadInput, Fault

    if not 0 < scale <= 1:
        fault = Fault(where="command line", path="--scale", expected="above 0, at most 1", found=f"{scale:g}")
        raise BadInput("The command line is faulty.", (fault,))
    return scale


def subject(service: str, home: str | None) -> "tuple[Service, ServiceState | None, Home]":
    """The service, as it is declared, and where it stands; None: nothing of it is on a ledger.

    Raises: BadInput: faulty files. NotFound: no ledger, or nothing on it is called so.
    """
    from flyball.app.cli.rollout_reading import declared_state, ledger_in

    path = Path(service)
    if path.is_file() or (path / "service.yaml").is_file():
        from flyball.app.declared import load

        place = find_home(home, (path if path.is_file() else path / "service.yaml",))
        declared = load(path).service
        return declared, _state(place, declared.metadata.name), place
    with ledger_in(home) as ledger:
        state, declared = declared_state(ledger, service)
        return declared, state, find_home(home)


def _state(place: Home, service: str) -> "ServiceState | None":
    from flyball.app.subjects import Reading
    from flyball.app.wiring.ledger import open_ledger

    if not place.has_ledger:
        return None
    with closing(open_ledger(place)) as ledger:
        return Reading(ledger).states().get(service)
