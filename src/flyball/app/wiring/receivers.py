"""The receiver of a destination, put together: who sends, with which secret, to where."""

from collections.abc import Mapping
from pathlib import Path

from flyball.adapters.content.keys import PUBLIC
from flyball.adapters.messages.receiver_file import FileLines
from flyball.adapters.messages.receiver_http import HttpReceiver
from flyball.adapters.messages.receiver_thread import InThread
from flyball.app.home import Home
from flyball.app.wiring.alert_receivers import alert_receiver
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.declared.alerts import AlertDestination
from flyball.core.declared.destination import Destination
from flyball.core.errors import Unavailable
from flyball.core.events import ServiceDeclared
from flyball.core.ledger import Ledger
from flyball.core.outbox import Receiver
from flyball.registry.telling.known import declared_alerts, destinations
from flyball.registry.telling.messages import address_of

FILE_DEADLINE_S, MLFLOW_DEADLINE_S = 10.0, 60.0


class Directory:
    """Who is declared in a home: the destinations of the newest declaration of each service, by address."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._seq = ledger, 0
        self._found: dict[str, tuple[Destination | AlertDestination, ...]] = {}

    def declared(self) -> dict[str, Destination | AlertDestination]:
        """As it stands now; only what is new is read."""
        for entry in self._ledger.read(self._seq):
            self._seq = entry.seq
            if isinstance(entry.fact, ServiceDeclared):
                alerts = declared_alerts(entry.fact.declaration)
                told = alerts.to if alerts is not None else ()
                self._found[entry.subject] = (*destinations(entry.fact.declaration), *told)
        return {address_of(service, each): each for service, found in self._found.items() for each in found}


def receiver_of(
    address: str, destination: Destination | AlertDestination, home: Home, environment: Mapping[str, str]
) -> Receiver:
    """Raises: Unavailable: a variable that it names is not set, or an extra is not installed."""
    if isinstance(destination, AlertDestination):
        return alert_receiver(address, destination, home, environment)
    unset = [name for name in (destination.secret, destination.token) if name is not None and not environment.get(name)]
    if unset:
        raise Unavailable(f"{address}: the environment variable {' and '.join(unset)} is not set")
    secret = environment[destination.secret] if destination.secret else None
    token = environment[destination.token] if destination.token else None
    if destination.format == "mlflow":
        from flyball.adapters.mlflow_mirror import MlflowMirror

        mirror = MlflowMirror(_tracking(destination.to, home), ReleaseStore(home).verified, home.keys / PUBLIC)
        return InThread(mirror.send, name=address, deadline_s=MLFLOW_DEADLINE_S)
    if destination.to.startswith("file:"):
        lines = FileLines(_path(destination.to, home))
        return InThread(lines.send, name=address, deadline_s=FILE_DEADLINE_S)
    return HttpReceiver(destination.to, destination.format, secret=secret, token=token)


def _path(to: str, home: Home) -> Path:
    return home.root / to.removeprefix("file:").removeprefix("//")


def _tracking(to: str, home: Home) -> str:
    """A relative SQLite file lies in the home, as other files do."""
    path = to.removeprefix("sqlite:///")
    return f"sqlite:///{home.root / path}" if path != to else to
