"""What the guard, the bounds and the traces cost a request, in microseconds of processor time.

    python -m benchmarks guard          (half a minute)

Processor time of this process alone, so that neighbours do not count; the variants take turns, and the median of the
rounds is told. The requests go through uvicorn's protocol and the application, onto a transport that throws the answer
away: no socket, no model. Each line is the difference to the one before it that it is compared with.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

import uvicorn
import uvloop
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from flyball.adapters.clock import SystemClock
from flyball.adapters.jwt_tokens import TokenVerifier
from flyball.core.declared.gateway_file import Tokens
from flyball.serving.access.api_keys import granted, made
from flyball.serving.access.token_bucket import Buckets
from flyball.serving.serve.http.bounds import Bounds, bounded
from flyball.serving.serve.http.guard import Guard
from flyball.serving.serve.traced import Traced

ROUNDS, REQUESTS = 9, 3_000
CLOCK = SystemClock()


class Nowhere:
    """A transport that takes everything."""

    def write(self, data: bytes) -> None:
        """Thrown away."""

    def close(self) -> None:
        """Stays open."""

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, _name: str) -> None:
        """Nothing is known of it."""

    pause_reading = resume_reading = close


async def answer(_scope: Any, receive: Any, send: Any) -> None:
    """The least that an application can do."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def request(*headers: str) -> bytes:
    lines = ["POST /v1/services/shop/predict HTTP/1.1", "host: x", "accept: */*", "content-length: 250", *headers]
    return "\r\n".join([*lines, "", "x" * 250]).encode()


async def microseconds(protocol: type[HttpToolsProtocol], application: Any, data: bytes) -> float:
    config = uvicorn.Config(
        application, http=protocol, lifespan="off", log_level="critical", ws="none", access_log=False
    )
    config.load()
    connection = protocol(config, ServerState(), {})
    connection.connection_made(Nowhere())  # type: ignore[arg-type]
    began = time.process_time()
    for _ in range(REQUESTS):
        connection.data_received(data)
        while not connection.cycle.response_complete:
            await asyncio.sleep(0)
    return (time.process_time() - began) / REQUESTS * 1e6


def variants() -> dict[str, Callable[[], Any]]:
    plain, ours = request(), bounded(Bounds())
    text, entry = made(bytes(range(54)), ["shop:predict"], now=0.0)
    key = ECKey.generate_key("P-256", {"kid": "one"})
    declared = Tokens(jwks="file:none", issuer="i", audience="a")
    claims = {"iss": "i", "aud": "a", "sub": "s", "exp": time.time() + 3600, "scope": "shop:predict"}
    verifier = TokenVerifier(declared, KeySet([key]))
    token = jwt.encode({"alg": "ES256", "kid": "one"}, claims, key, algorithms=["ES256"])

    def guard(judged: Any, rate: float | None = None) -> Guard:
        return Guard(answer, judged, CLOCK, print, rate_rps=rate, burst=10**9, only="shop")

    by_key = guard(lambda text, now: granted({entry.id: entry}, text, now=now))
    limited = guard(lambda text, now: granted({entry.id: entry}, text, now=now), 1e9)
    by_token = guard(lambda text, now: verifier.granted(text, now=now))
    forgetful = guard(lambda text, now: verifier.granted(text, now=now))
    forgetful._credentials._known = _Forgetful()  # type: ignore[assignment]
    forgetful._credentials._strangers = _Patient()
    with_key, with_token = request(f"authorization: Bearer {text}"), request(f"authorization: Bearer {token}")
    found: dict[str, Callable[[], Any]] = {
        "uvicorn's protocol": lambda: microseconds(HttpToolsProtocol, answer, plain),
        "bounds (always on)": lambda: microseconds(ours, answer, plain),
        "+ an API key": lambda: microseconds(ours, by_key, with_key),
        "+ an API key and a rate": lambda: microseconds(ours, limited, with_key),
        "+ a token, remembered": lambda: microseconds(ours, by_token, with_token),
        "+ a token, verified anew": lambda: microseconds(ours, forgetful, with_token),
    }
    return found | _traced(ours, plain)


def _traced(ours: type[HttpToolsProtocol], plain: bytes) -> dict[str, Callable[[], Any]]:
    from flyball.adapters.messages.otel_traces import OtelTracing

    none = Traced(answer, OtelTracing("http://127.0.0.1:9/v1/traces", 0.0, {}, _silent), CLOCK, ["shop"])
    return {"+ traces on, this request not recorded": lambda: microseconds(ours, none, plain)}


class _Patient(Buckets):
    """Lets everybody in."""

    def take(self, subject: str, **_: float) -> float:
        return 0.0 * len(subject)


class _Forgetful(dict[bytes, Any]):
    """Remembers nothing."""

    def __setitem__(self, key: bytes, value: Any) -> None:
        """Forgotten at once."""


def _silent(_message: str) -> None:
    """A collector that is away is no news here."""


def main() -> None:
    taken: dict[str, list[float]] = {}
    measured = variants()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for turn in range(ROUNDS):
            names = list(measured) if turn % 2 else list(measured)[::-1]
            for name in names:
                taken.setdefault(name, []).append(runner.run(measured[name]()))
    names = list(measured)
    for name in names:
        before = names[0] if name == names[1] else names[1]
        more = statistics.median(own - other for own, other in zip(taken[name], taken[before], strict=True))
        told = f"{more:+6.2f}" if name != names[0] else "      "
        print(f"{name:40} {statistics.median(taken[name]):7.2f} us {told}")
