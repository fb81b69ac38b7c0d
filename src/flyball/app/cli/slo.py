"""`flyball slo status`: where the objectives of a service and their error budgets stand."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.home import Home, find_home

if TYPE_CHECKING:
    from flyball.control.state.service_state import ServiceState
    from flyball.core.service import Service

app = App(name="slo", help="Objectives and error budgets: where they stand, and what other tools are told of them.")

ServiceArgument = Annotated[str, Parameter(help="service.yaml or its folder, or a service on the ledger by its name.")]


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
