"""A path as the name of its route: few names whatever is asked, and none of the values in it."""

from collections.abc import Collection

_OF_THE_SERVER: tuple[list[str], ...] = (
    [],
    ["models"],
    ["health", "live"],
    ["health", "ready"],
    ["repository", "index"],
)
UNKNOWN = "unknown"


def known(service: str, services: Collection[str]) -> str:
    """A service as telemetry names it: what a stranger made up may be anything, and there is no end of it.

    >>> known("fraud", ["fraud"]), known("4929-1111", ["fraud"]), known("", ["fraud"])
    ('fraud', 'unknown', '')
    """
    return service if not service or service in services else UNKNOWN


def route_name(path: str) -> tuple[str, str]:
    """(name of the route, service or an empty text). What is no route of ours is `other`.

    >>> route_name("/v1/services/fraud/predict"), route_name("/v2/models/fraud/versions/4e86/infer")
    (('/v1/services/{service}/predict', 'fraud'), ('/v2/models/{service}/versions/{version}/infer', 'fraud'))
    >>> route_name("/v1/models/fraud:predict"), route_name("/v1/services/x/4929-1111"), route_name("/4929-1111")
    (('/v1/models/{service}:predict', 'fraud'), ('other', ''), ('other', ''))
    """
    match path.strip("/").split("/"):
        case [("livez" | "readyz" | "metrics" | "ping" | "invocations" | "openapi.json") as name]:
            return f"/{name}", ""
        case ["v1", "services", service, ("predict" | "invocations") as verb]:
            return f"/v1/services/{{service}}/{verb}", service
        case ["v1", "labels" | "health" as name]:
            return f"/v1/{name}", ""
        case ["v1", "health", service]:
            return "/v1/health/{service}", service
        case ["v1", "models", name] if name.endswith(":predict"):
            return "/v1/models/{service}:predict", name.removesuffix(":predict")
        case ["v1", "models", name]:
            return "/v1/models/{service}", name
        case ["v2", "models", service, "versions", _, ("infer" | "ready" | "stats" | "config") as verb]:
            return f"/v2/models/{{service}}/versions/{{version}}/{verb}", service
        case ["v2", "models", service, "versions", _]:
            return "/v2/models/{service}/versions/{version}", service
        case ["v2", "models", service, ("infer" | "ready" | "stats" | "config") as verb]:
            return f"/v2/models/{{service}}/{verb}", service
        case ["v2", "models", service]:
            return "/v2/models/{service}", service
        case ["v2", *rest] if rest in _OF_THE_SERVER:
            return "/".join(["/v2", *rest]), ""
        case _:
            return "other", ""
