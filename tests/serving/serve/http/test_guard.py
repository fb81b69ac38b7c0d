"""What a client with a key for one service learns of the others of the gateway: nothing."""

import asyncio
import json
from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Any

import pytest
from tests.serving.parts import CHAMPION, CONTRACT
from tests.serving.serve.http.test_door import door_of

from flyball.adapters.clock import SystemClock
from flyball.core.access import Denied, Grant
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.oip_stats import Statistics
from flyball.serving.serve.http.guard import GRANT, Guard


def service(name: str) -> Any:
    return SimpleNamespace(
        name=name,
        ready=True,
        refused="",
        signature=Signature(service=name, task="binary", columns=CONTRACT.columns, label="integer"),
        core=SimpleNamespace(service=SimpleNamespace(serving=SimpleNamespace(max_rows=5))),
        arms=SimpleNamespace(releases=(CHAMPION,)),
        statistics=Statistics(),
    )


def asked(method: str, path: str, *scopes: str) -> str:
    door = door_of({name: service(name) for name in ("mine", "secret")}, [])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": []}
    if scopes:
        scope[GRANT] = Grant(subject="key", scopes=frozenset(scopes))
    asyncio.run(door(scope, receive, send))
    return str(json.loads(sent[1]["body"]))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/openapi.json"),
        ("GET", "/v1/models"),
        ("GET", "/v2/models"),
        ("POST", "/v2/repository/index"),
        ("GET", "/v2/models/nobody"),
        ("GET", "/v1/models/nobody"),
        ("POST", "/v1/services/nobody/predict"),
    ],
)
def test_a_key_of_one_service_is_told_of_no_other(method: str, path: str) -> None:
    told = asked(method, path, "mine:predict", "secret:labels")
    assert "mine" in told
    assert "secret" not in told
    for everything in (asked(method, path, "*:predict"), asked(method, path)):
        assert "mine" in everything
        assert "secret" in everything


@pytest.mark.parametrize(
    ("scopes", "named"),
    [((), {}), (("mine:labels",), {"mine": True}), (("*:metrics",), {"mine": True, "secret": False})],
)
def test_readiness_is_told_to_everybody_and_names_to_those_who_have_a_scope(
    scopes: tuple[str, ...], named: dict[str, bool]
) -> None:
    services = {name: service(name) for name in ("mine", "secret")}
    services["secret"].ready, services["secret"].refused = False, "its release was altered"
    told = {"ready": False} | ({"services": named} if named else {})
    more = {"reasons": {"secret": "its release was altered"}} if "secret" in named else {}
    assert guarded(services, scopes) == told | more


def test_credentials_that_are_not_valid_are_none_where_none_are_needed() -> None:
    services = {"mine": service("mine")}
    assert guarded(services, ("mine:predict",), sent="another") == {"ready": True}
    assert guarded(services, ("mine:predict",), sent=None) == {"ready": True}


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/v1/labels", "labels for any service"),
        ("/v1/services/secret/predict", "predict for service secret"),
        ("/metrics", "metrics for this gateway"),
    ],
)
def test_a_lack_is_told_in_words(path: str, where: str) -> None:
    told = guarded({"mine": service("mine")}, ("mine:admin",), path=path)
    assert told == {"error": f"these credentials lack the scope {where}"}


def guarded(
    services: dict[str, Any], scopes: tuple[str, ...], sent: str | None = "mine", *, path: str = "/readyz"
) -> Any:
    """What this path says to a client that sends this text, where `mine` is good for these scopes."""

    def judged(text: str, _: float) -> Grant | Denied:
        known = Grant(subject=text, scopes=frozenset(scopes))
        return known if text == "mine" else Denied(reason="who is that?", kind="unknown")

    guard = Guard(door_of(services, []), judged, SystemClock(), print, rate_rps=None, burst=1, only="*")
    answers: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    headers = [] if sent is None else [(b"authorization", b"Bearer " + sent.encode())]
    asyncio.run(guard({"type": "http", "method": "GET", "path": path, "headers": headers}, receive, send))
    return json.loads(answers[1]["body"])
