"""`flyball events list | log | redeliver | send`: what the world outside was told, what waits, and telling it again."""

from contextlib import closing
from typing import Annotated, Protocol

from cyclopts import App, Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.home import Home, find_home
from flyball.core.errors import NotFound
from flyball.core.outbox import Delivery, Outbox, Queue
from flyball.core.record import Record

app = App(name="events", help="What receivers outside were told, what waits, and telling it again.")


class Ledger(Outbox, Protocol):
    """The outbox of a home, to be closed."""

    def close(self) -> None: ...


class Queues(Record):
    """What `list --json` prints, and `send --json` and `redeliver --json` after their work."""

    queues: tuple[Queue, ...]


class Log(Record):
    """What `log --json` prints: attempts, newest first."""

    deliveries: tuple[Delivery, ...]


@app.command(name="list")
def list_(*, home: HomeOption = None, json: JsonFlag = False) -> None:
    """How each destination stands."""
    with closing(_ledger(find_home(home))) as ledger:
        queues = ledger.queues()
    emit(Queues(queues=queues), as_json=json, text=lambda: _text(queues))


@app.command
def log(
    *,
    destination: Annotated[str | None, Parameter(help="Of this destination only: `service/name`.")] = None,
    lines: Annotated[int, Parameter(name=["--lines", "-n"], help="How many attempts.")] = 20,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """The newest attempts: which message, when, and what came of it."""
    with closing(_ledger(find_home(home))) as ledger:
        found = ledger.deliveries(destination=destination, limit=lines)
    emit(
        Log(deliveries=found),
        as_json=json,
        text=lambda: "\n".join(
            f"{each.at[:19]}Z  {each.outcome:<9}  attempt {each.attempt}  {each.message}  {each.status}"
            for each in found
        ),
    )


@app.command
def redeliver(
    destination: Annotated[str, Parameter(help="Destination: `service/name`.")],
    /,
    *,
    message: Annotated[str | None, Parameter(help="This message only; else all that are kept.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Send again what had arrived, was refused, or rests: the same ids, the same bytes. `up` or `send` sends them."""
    with closing(_ledger(find_home(home))) as ledger:
        if ledger.redeliver(destination=destination, message=message) == 0:
            known = ", ".join(queue.destination for queue in ledger.queues()) or "none"
            what = f"message {message}" if message else "message"
            raise NotFound(f"{destination}: no such {what} is kept", hint=f"destinations: {known}")
        queues = ledger.queues()
    emit(Queues(queues=queues), as_json=json, text=lambda: _text(queues))


@app.command
def send(
    *,
    within_s: Annotated[float, Parameter(help="Seconds after which the rest waits.")] = 30.0,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Send what is due now, without a running `up`. Exit code 1: messages wait still."""
    from flyball.app.wiring.relay import flush

    place = find_home(home)
    _ledger(place).close()
    waiting, _ = flush(place, within_s=within_s)
    with closing(_ledger(place)) as ledger:
        queues = ledger.queues()
    emit(Queues(queues=queues), as_json=json, text=lambda: _text(queues))
    return 1 if waiting else 0


def _ledger(home: Home) -> Ledger:
    from flyball.app.wiring.ledger import open_ledger

    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    return open_ledger(home, told=False)


def _text(queues: tuple[Queue, ...]) -> str:
    if not queues:
        return "nobody was ever told anything: see `events` in service.yaml"
    return "\n".join(
        f"{each.destination:<30}  {each.waiting} wait, {each.delivered} arrived, {each.refused} refused"
        + (f"; last: {each.status}" if each.status else "")
        for each in queues
    )
