"""What a running service is, as far as it decides which faults can be made there."""

import asyncio
from collections.abc import Mapping

import aiohttp

from flyball.adapters.machine import memory_free_mb
from flyball.app.declared import Declared, load
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.here import Here, costs, why_not
from flyball.app.drills.lease import Allowed
from flyball.app.drills.watchers import pid_of, workers_of
from flyball.app.home import Home
from flyball.core.errors import NotFound, Refused, Unavailable
from flyball.core.record import Record

REFUSES = 401
RUNNING_SHARE = 0.05
WIDE = ("ledger_gone", "crash_loop", "memory_leak")  # they hit all services of the home


def here_of(home: Home, declared: Declared, *, keys: bool) -> Here:
    """As it is now. `keys`: whether the gateway asks for them."""
    key = declared.service.data.key
    texts = {each.name for each in declared.contract.columns if each.kind == "string"}
    pid = pid_of(home, "gateway")
    return Here(
        service=declared.service,
        column=key if key is not None and key in texts else "",
        workers=len(workers_of(pid)) or int(pid is not None),
        free_mb=memory_free_mb(),
        keys=keys,
        database=home.database is not None,
    )


async def asks_for_keys(up: Allowed) -> bool:
    """Whether a request without a key is refused. Raises: Unavailable: the gateway does not answer."""
    try:
        async with aiohttp.ClientSession(up.url) as session, session.get("/metrics") as response:
            return response.status == REFUSES
    except aiohttp.ClientError as error:
        raise Unavailable(f"{up.url} does not answer: {error}") from error


class Place(Record):
    """Where a drill would be made: a service that runs."""

    name: str
    here: Here

    @property
    def why_not(self) -> Mapping[str, str]:
        """Faults that cannot be made there now, and why."""
        return why_not(self.here)


def look(home: Home, up: Allowed, service: str | None) -> Place:
    """Raises: Refused: of several services none is named. NotFound: no such one. Unavailable: nobody answers."""
    name, file = service_of(up, service)
    return Place(name=name, here=here_of(home, load(file), keys=asyncio.run(asks_for_keys(up))))


def asked_for(place: Place, fault: str, up: Allowed, share: float | None) -> str:
    """What a person agrees to: where, and what may be felt. `fault`: its name, or `all`."""
    may = {name: words for name, words in costs(place.here, share or RUNNING_SHARE).items() if words}
    said = [f"{fault} on {place.name} at {up.url}"]
    for each in FAULTS.values():
        if fault not in ("all", each.name) or each.name in place.why_not:
            continue
        bound = f" for up to {each.running_s:g} s" if each.running_s else ""
        whose = f", of {', '.join(up.services)}" if each.name in WIDE else ""
        if each.name in WIDE or each.name in may:
            said.append("; ".join(filter(None, (f"{each.what}{bound}{whose}", may.get(each.name, "")))))
    return "; ".join(said)


def service_of(up: Allowed, service: str | None) -> tuple[str, str]:
    """Name and file of the service that is meant. Raises: Refused: of several none is named. NotFound: no such one."""
    names = ", ".join(up.services)
    if service is None and len(up.services) > 1:
        raise Refused(f"several services run here: {names}", hint="name one by --service")
    name = service or next(iter(up.services))
    if name not in up.services:
        raise NotFound(f"no service {name!r} runs here", hint=f"services: {names}")
    return name, up.services[name]
