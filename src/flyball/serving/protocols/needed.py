"""What a request needs to be allowed: read off its path, and denied where the path is not known.

The path is split just as the door splits it, so that both see the same route.
"""

from collections.abc import Iterable

from flyball.core.access import EVERY, AccessScope, Grant
from flyball.core.record import Record
from flyball.serving.protocols.terms import OVERRIDE, PROBE

_OF_TESTERS = frozenset({PROBE.encode(), OVERRIDE.encode()})


class Need(Record):
    """A scope on a service. `service` None: on at least one, and the route looks closer."""

    scope: AccessScope
    service: str | None


def needed(path: str, *, only: str = EVERY) -> Need | None:
    """None: open to everybody, as probes have no keys. `only`: the service that is meant where a path names none.

    >>> needed("/livez"), needed("/v2/models/fraud/infer")
    (None, Need(scope='predict', service='fraud'))
    >>> needed("/metrics"), needed("/made/up")
    (Need(scope='metrics', service='*'), Need(scope='admin', service='*'))
    """
    match path.strip("/").split("/"):
        case ["" | "livez" | "readyz" | "ping"] | ["v2", "health", "live" | "ready"] | ["v1", "health"]:
            return None
        case ["v1", "health", service]:
            return Need(scope="predict", service=service)
        case ["v1", "services", service, "predict" | "invocations"] | ["v2", "models", service, *_]:
            return Need(scope="predict", service=service)
        case ["v1", "models", name]:
            return Need(scope="predict", service=name.partition(":")[0])
        case ["invocations"]:
            return Need(scope="predict", service=only)
        case ["v1", "labels"]:
            return Need(scope="labels", service=None)
        case ["v2"] | ["v2" | "v1", "models"] | ["v2", "repository", "index"] | ["openapi.json"]:
            return Need(scope="predict", service=None)
        case ["metrics"]:
            return Need(scope="metrics", service=EVERY)
        case _:
            return Need(scope="admin", service=EVERY)


def lacking(headers: Iterable[tuple[bytes, bytes]], need: Need, grant: Grant) -> str | None:
    """The first header that these credentials may not send: what it does is to keep rows out of every analysis.

    >>> need, grant = Need(scope="predict", service="a"), Grant(subject="k", scopes=frozenset({"a:predict"}))
    >>> lacking([(b"accept", b"*/*"), (b"x-flyball-probe", b"1")], need, grant)
    'x-flyball-probe'
    """
    for name, _ in headers:
        if name in _OF_TESTERS and not grant.allows(need.service or EVERY, "admin"):
            return name.decode()
    return None


def satisfied(need: Need, grant: Grant) -> bool:
    """Whether the grant has what is needed.

    >>> grant = Grant(subject="key-1", scopes=frozenset({"fraud:predict"}))
    >>> satisfied(Need(scope="predict", service="fraud"), grant), satisfied(Need(scope="labels", service=None), grant)
    (True, False)
    """
    return grant.anywhere(need.scope) if need.service is None else grant.allows(need.service, need.scope)
