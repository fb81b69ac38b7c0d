"""`flyball status`: who serves what, and what is waiting for whom."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.home import find_home
from flyball.core.errors import NotFound
from flyball.core.ids import short

if TYPE_CHECKING:
    from rich.table import Table

    from flyball.control.state import ServiceState


class ServiceStatus(msgspec.Struct, kw_only=True):
    service: str
    standing: str
    champion: str | None
    previous: str | None
    epoch: int
    rollout: str | None
    step: int | None
    ticket: str | None
    incident: str | None
    frozen: bool
    signals: tuple[str, ...]
    waiting_for: tuple[str, ...]


def status(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Where each service stands, folded from the ledger."""
    from flyball.app.people import states_of
    from flyball.app.wiring.ledger import open_ledger

    place = find_home(home)
    if not place.ledger.exists():
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    states = states_of(open_ledger(place))
    if service is not None and service not in states:
        raise NotFound(f"no service {service!r} on this ledger", hint=f"services: {', '.join(states) or 'none'}")
    found = [_status(state) for name, state in sorted(states.items()) if service in (None, name)]
    emit({"home": str(place.root), "services": found}, as_json=json, text=lambda: _table(found))


def _status(state: "ServiceState") -> ServiceStatus:
    from flyball.control.explain import standing

    waits = tuple(wait for decision in state.decisions.values() for wait in decision.waiting_for)
    if state.champion is None and state.waiting:  # without a champion no controller has decided anything
        waits = (f"a person to make {short(state.waiting[-1])} the first champion: flyball approve {state.service}",)
    step = state.rollout.step if state.rollout else None
    return ServiceStatus(
        service=state.service,
        standing=standing(state),
        champion=state.champion,
        previous=state.previous,
        epoch=state.epoch,
        rollout=state.rollout.rollout if state.rollout else None,
        step=step.index if step else None,
        ticket=state.ticket.ticket if state.ticket else None,
        incident=state.incident.incident if state.incident else None,
        frozen=state.frozen is not None,
        signals=tuple(sorted(state.signals)),
        waiting_for=waits,
    )


def _table(found: list[ServiceStatus]) -> "Table":
    from rich.table import Table

    table = Table("service", "standing", "signals", "waits for", box=None)
    for each in found:
        table.add_row(each.service, each.standing, ", ".join(each.signals) or "-", "\n".join(each.waiting_for) or "-")
    return table
