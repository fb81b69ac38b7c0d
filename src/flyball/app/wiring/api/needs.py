"""What a request to the control API needs to be allowed: read off its path, and denied where the path is not known."""

from flyball.core.access import EVERY
from flyball.serving.protocols.needed import Need


def needed(path: str) -> Need | None:
    """None: open to everybody, as probes have no keys, or looked at behind the guard.

    >>> needed("/livez"), needed("/v1/services/fraud/rollout/verdict")
    (None, Need(scope='verdict', service='fraud'))
    >>> needed("/v1/services/fraud/rollout/pause"), needed("/v1/decide")
    (Need(scope='admin', service='fraud'), Need(scope='verdict', service=None))
    """
    match path.strip("/").split("/"):
        case ["livez" | "openapi.json"]:
            return None
        case ["v1", "flagger", "go" | "rollback"]:
            return None  # its credentials are in the body
        case ["v1", "decide"]:
            return Need(scope="verdict", service=None)
        case ["v1", "services", service, "rollout" | "alerts"] | ["v1", "services", service, "rollout", "verdict"]:
            return Need(scope="verdict", service=service)
        case ["v1", "services", service, *_]:
            return Need(scope="admin", service=service)
        case _:
            return Need(scope="admin", service=EVERY)
