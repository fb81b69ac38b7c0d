"""`flyball status`: who serves what, and what is waiting for whom."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, say
from flyball.app.cli.health_text import in_short
from flyball.app.home import Home, find_home
from flyball.app.label_delays import LabelDelays
from flyball.core.errors import BadInput, Fault, NotFound, Unavailable
from flyball.core.health import Health
from flyball.core.health_report import SILENT_S
from flyball.core.ids import short
from flyball.core.pressure import Pressure
from flyball.core.realised import LabelState, RealisedWindow

if TYPE_CHECKING:
    from rich.table import Table

    from flyball.control.state.service_state import ServiceState
    from flyball.core.ledger import Ledger


class ServiceStatus(msgspec.Struct, kw_only=True):
    service: str
    standing: str
    champion: str | None
    previous: str | None
    epoch: int
    rollout: str | None
    step: int | None
    ab_test: str | None
    ticket: str | None
    incident: str | None
    health: Health  # as its controller judged it last; UNKNOWN where none keeps it
    health_since: str  # RFC 3339, UTC; empty: never told
    remedies: tuple[str, ...]  # under way, or whose relief stands: id, kind, cause
    frozen: bool
    exceptions: tuple[str, ...]  # failed gates that people let pass, or are asked to; that stand
    exceptions_given: int  # ever
    champion_by_exception: bool  # it failed a gate, and serves
    champion_alone: str  # the rule of the policy by which nobody was asked about it; empty: a person was
    signals: tuple[str, ...]
    alerts: tuple[str, ...]  # that are open, pages first, and who has them
    waiting_for: tuple[str, ...]
    label_delay: LabelDelays | None = None  # of what this home's log holds; None: no label
    labels: LabelState | None = None  # the stream of labels, as the controller saw it last
    failing: dict[str, str] = {}  # parts of the loop that raise, and what: nothing new is begun meanwhile
    refused: str = ""  # why the loop's own check refuses its plan; empty: it does not
    controller_seen_s: float | None = None  # since a controller last kept it; None: none has been seen in this home
    realised: RealisedWindow | None = None  # the newest window whose figures may be compared, without its examples
    pressures: tuple[Pressure, ...] = ()  # of drift and loss for a retraining; empty: not known


def status(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    whether: Annotated[
        Literal["troubled"] | None,
        Parameter(help="Exit code 1 where it is not so: something of the service is not as it should be."),
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Where each service stands, folded from the ledger."""
    from flyball.app.people import states_of
    from flyball.app.troubled import troubles
    from flyball.app.wiring.ledger import open_ledger

    if whether is not None and service is None:
        fault = Fault(where="command", path="SERVICE", expected="one service", found="none, and --whether")
        raise BadInput("A question is about one service.", (fault,))

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    ledger = open_ledger(place)
    states = states_of(ledger)
    if service is not None and service not in states:
        raise NotFound(f"no service {service!r} on this ledger", hint=f"services: {', '.join(states) or 'none'}")
    found = [_status(state, place, ledger) for name, state in sorted(states.items()) if service in (None, name)]
    emit({"home": str(place.root), "services": found}, as_json=json, text=lambda: _table(found))
    return 1 if whether is not None and not troubles(states[str(service)]) else 0


def _status(state: "ServiceState", home: Home, ledger: "Ledger") -> ServiceStatus:
    from flyball.control.explain import standing
    from flyball.control.failing import called, failing
    from flyball.control.refusing import refusal

    waits = tuple(wait for decision in state.decisions.values() for wait in decision.waiting_for)
    if state.champion is None and state.waiting:  # without a champion no controller has decided anything
        waits = (f"a person to make {short(state.waiting[-1])} the first champion: flyball approve {state.service}",)
    elif state.waiting and state.rollout is None and not state.decisions:  # none has looked at this service yet
        waits = (f"a controller to open the rollout of {short(state.waiting[-1])}: flyball up",)
    step = state.rollout.step if state.rollout else None
    seen_s = _controller_seen(home, state.service)
    if seen_s is not None and seen_s > SILENT_S:
        waits = (*waits, f"a controller: none has kept it for {seen_s:.0f} s (flyball up)")
    fails, refused = failing(state), refusal(state) or ""
    waits += tuple(f"a Flyball in which {called(name)} does not fail: {why}" for name, why in fails.items())
    waits += (f"a plan that breaks no rule of the loop's own: {refused}",) if refused else ()
    labels, window = _realised(home, state.service)
    return ServiceStatus(
        service=state.service,
        standing=standing(state),
        champion=state.champion,
        previous=state.previous,
        epoch=state.epoch,
        rollout=state.rollout.rollout if state.rollout else None,
        step=step.index if step else None,
        ab_test=state.ab.started.test if state.ab else None,
        ticket=state.ticket.ticket if state.ticket else None,
        incident=state.incident.incident if state.incident else None,
        health=_health(home, state),
        health_since=state.health.since,
        remedies=tuple(
            f"{one.begun.remedy} {one.begun.kind} {one.begun.cause}" for one in state.healing.tried.values() if one.acts
        ),
        frozen=state.frozen is not None,
        exceptions=tuple(state.exceptions.standing),
        exceptions_given=state.exceptions.given,
        champion_by_exception=state.champion in state.exceptions.tried,
        champion_alone=state.recent.alone.get(state.champion or "", ""),
        signals=tuple(sorted(state.signals)),
        alerts=_alerts(state),
        waiting_for=waits,
        label_delay=_label_delay(home, state.service),
        labels=labels,
        failing=fails,
        refused=refused,
        controller_seen_s=seen_s,
        realised=window,
        pressures=_pressures(home, ledger, state),
    )


def _health(home: Home, state: "ServiceState") -> Health:
    """As of now where a controller keeps it; what the ledger says where none ever wrote more (a replay, a backup)."""
    from flyball.app.wiring.health_seen import health_seen

    seen = health_seen(home, state.service)
    return seen.standing if seen.report is not None or seen.unreadable else state.health.health


def _alerts(state: "ServiceState") -> tuple[str, ...]:
    from flyball.app.alert_list import standing

    return tuple(
        f"{one.urgency} {one.name}{f' of drill {one.drill}' if one.drill else ''} ({one.alert}):"
        f" {f'{one.acked_by} has it' if one.acked_by else 'nobody has it'}"
        for one in standing([state]).alerts
    )


def _pressures(home: Home, ledger: "Ledger", state: "ServiceState") -> tuple[Pressure, ...]:
    from flyball.app.wiring.asking.pressing import pressing_now

    try:
        return pressing_now(home, ledger, state)
    except Unavailable as error:
        say(f"{state.service}: how hard it presses is not known: {error}")
        return ()


def _controller_seen(home: Home, service: str) -> float | None:
    from flyball.app.wiring.loop.beats import seen_s

    try:
        return seen_s(home, service)
    except Unavailable as error:
        say(str(error))
        return None


def _label_delay(home: Home, service: str) -> LabelDelays | None:
    """Null where the label book refuses: where the service stands can be told all the same."""
    from flyball.app.wiring.label_delays import label_delays

    try:
        return label_delays(home, service)
    except Unavailable as error:
        say(f"{service}: how long labels take is not known: {error}")
        return None


def _realised(home: Home, service: str) -> tuple[LabelState | None, RealisedWindow | None]:
    """Null where no controller has written it, or another version has."""
    from flyball.app.wiring.loop.realised_file import realised_state

    try:
        found = realised_state(home, service)
    except Unavailable as error:
        say(f"{service}: {error}")
        return None, None
    if found is None:
        return None, None
    window = found.newest
    if window is not None:
        groups = tuple(msgspec.structs.replace(group, examples=()) for group in window.groups)
        window = msgspec.structs.replace(window, groups=groups)
    return found.labels, window


def _table(found: list[ServiceStatus]) -> "Table":
    """A block of lines a service: side by side in columns, sentences had a third of a narrow terminal each."""
    from rich.table import Column, Table

    table = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
    for number, each in enumerate(found):
        if number:
            table.add_row("", "")
        table.add_row(each.service, each.standing)
        for name, words in _block(each):
            table.add_row(f"  {name}", words)
    return table


def _block(one: ServiceStatus) -> Iterator[tuple[str, str]]:
    pressed = [f"{each.of} presses {each.value:.2f} of {each.enter:g}" for each in one.pressures if each.windows]
    yield "health", in_short(one.health, one.health_since)
    yield "signals", "\n".join([", ".join(one.signals) or "-", *pressed])
    yield "alerts", "\n".join(one.alerts) or "-"
    yield "labels after", one.label_delay.words if one.label_delay else "-"  # p50, p90, p99
    yield "waits for", "\n".join(one.waiting_for) or "-"
