"""`/v1/health`: how well the services of a gateway are, for load balancers and for people."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from flyball.core.health import HealthState
from flyball.core.health_report import HealthSeen
from flyball.serving.health import of_all, told
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.http.exchange import Scope, Send, send_error, send_json
from flyball.serving.serve.http.guard import known

Healths = Callable[[str], HealthSeen]


class HealthRoutes:
    """Of one worker."""

    def __init__(self, services: Mapping[str, Served]) -> None:
        self._services = services
        self.healths: Healths = unseen

    async def all(self, scope: Scope, send: Send) -> None:
        """The worst state for everybody; by name those that whoever asks may know of."""
        found = {name: self._told(served) for name, served in self._services.items()}
        states: list[tuple[int, HealthState]] = [(status, body["state"]) for status, body in found.values()]
        status, state = of_all(states)
        document: dict[str, Any] = {"state": state}
        if mine := {name: body for name, (_, body) in found.items() if known(scope, name)}:
            document["services"] = mine
        await send_json(send, status, msgspec.json.encode(document))

    async def one(self, name: str, send: Send) -> None:
        served = self._services.get(name)
        if served is None:
            await send_error(send, 404, f"no service {name}")
            return
        status, body = self._told(served)
        await send_json(send, status, msgspec.json.encode({"service": name} | body))

    async def ready(self, scope: Scope, send: Send) -> None:
        """Whether all are ready; by name those that whoever asks may know of."""
        body: dict[str, Any] = {"ready": all(served.ready for served in self._services.values())}
        if told := {name: served for name, served in self._services.items() if known(scope, name)}:
            body["services"] = {name: served.ready for name, served in told.items()}
        if reasons := {name: served.refused for name, served in told.items() if served.refused}:
            body["reasons"] = reasons
        await send_json(send, 200 if body["ready"] else 503, msgspec.json.encode(body))

    def _told(self, served: Served) -> tuple[int, dict[str, Any]]:
        routing = served.core.routing
        broken = routing is not None and routing.champion in served.arms.broken
        return told(self.healths(served.name), ready=served.ready, refused=served.refused, broken=broken)


def unseen(_: str) -> HealthSeen:
    """Of a gateway without a home: nobody says anything."""
    return HealthSeen(report=None, kept_s=None)
