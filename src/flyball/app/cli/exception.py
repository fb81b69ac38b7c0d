"""`flyball exception ...`: two people let a failed gate pass, for one release and a short time."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from flyball.app import exceptions
from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.cli.rollout_reading import declared_state, ledger_in
from flyball.contracts.durations import seconds
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import short

app = App(name="exception", help="Let a failed gate pass, by two people, for one release and a short time.")

ServiceArgument = Annotated[str, Parameter(help="The service.")]
NameArgument = Annotated[str, Parameter(help="The exception: ex-...")]


@app.command
def request(
    service: ServiceArgument,
    release: Annotated[str, Parameter(help="Its root, or 8 or more digits of it.")],
    /,
    *,
    gate: Annotated[str, Parameter(help="The gate that failed, by its name, or by its metric where one gate has it.")],
    why: Annotated[str, Parameter(help="Your reason, for the ledger; it has to be given.")],
    expires: Annotated[
        str | None, Parameter(help="When it ends by itself: 90m, 24h; else as late as the policy allows.")
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Ask for it. Nothing happens before somebody else confirms."""
    said, lasts_s, now = _given(why), _lasts(expires), datetime.now(UTC)
    with ledger_in(home) as reading:
        state, declared = declared_state(reading, service)
    act(
        lambda ledger, person: exceptions.request(
            ledger, state.service, release, gate, person, said, declared=declared, now=now, lasts_s=lasts_s
        ),
        service,
        home=home,
        as_json=json,
    )


@app.command
def confirm(
    service: ServiceArgument,
    exception: NameArgument,
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """The second word: the release waits for its rollout from now on."""
    now = datetime.now(UTC)
    with ledger_in(home) as reading:
        _, declared = declared_state(reading, service)
    act(
        lambda ledger, person: exceptions.confirm(ledger, service, exception, person, why, declared=declared, now=now),
        service,
        home=home,
        as_json=json,
    )


@app.command
def revoke(
    service: ServiceArgument,
    exception: NameArgument,
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger; it has to be given.")],
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Take it back. A rollout that stands on it goes back too."""
    said = _given(why)
    act(
        lambda ledger, person: exceptions.revoke(ledger, service, exception, person, said),
        service,
        home=home,
        as_json=json,
    )


@app.command(name="list")
def list_(service: ServiceArgument, /, *, home: HomeOption = None, json: JsonFlag = False) -> None:
    """Those that stand, how many were ever given, and releases that went ahead by one."""
    with ledger_in(home) as ledger:
        state, _ = declared_state(ledger, service)
    found = state.exceptions
    lines = [
        f"{name}: gate {one.requested.gate} of release {short(one.requested.release)}, asked by {one.requested.by}, "
        + (f"confirmed by {one.confirmed.by}" if one.confirmed else "waits for a second person")
        + f", until {one.requested.expires_at}"
        for name, one in found.standing.items()
    ]
    lines += [f"release {short(root)} was tried by {', '.join(names)}" for root, names in found.tried.items()]
    document = {"service": service, "given": found.given, "standing": found.standing, "tried": found.tried}
    text = "\n".join([f"{service}: {found.given} exceptions were given so far", *lines])
    emit(document, as_json=json, text=lambda: text)


def _given(why: str) -> str:
    if not why.strip():
        fault = Fault(where="command", path="--why", expected="a reason", found="an empty text")
        raise BadInput("a reason is needed", (fault,))
    return why


def _lasts(text: str | None) -> float | None:
    if text is None:
        return None
    found = seconds(text)
    if found is None:
        fault = Fault(where="command", path="--expires", expected="a duration: 90m, 24h", found=f"text {text!r}")
        raise BadInput("the duration cannot be read", (fault,))
    return found
