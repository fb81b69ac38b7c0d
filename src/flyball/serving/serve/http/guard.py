"""The guard before the door: who asks, whether they may, and how often. Without `auth` there is none.

The client learns that its credentials are not valid, and no more; the operator learns why, once.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from flyball.core.access import SCOPES, Denied, Grant
from flyball.core.clock import Clock
from flyball.serving.access.api_keys import PREFIX
from flyball.serving.access.refusals import Refusals
from flyball.serving.access.token_bucket import Buckets
from flyball.serving.protocols.needed import Need, lacking, needed, satisfied
from flyball.serving.serve.http.credentials import Credentials, Judged
from flyball.serving.serve.http.exchange import Receive, Scope, Send, header, send_error

GRANT = "flyball.grant"  # in the ASGI scope: what the routes may look at more closely
_One = TypeVar("_One")
NOBODY = Grant(subject="", scopes=frozenset())
OWN = Grant(subject="own probe", scopes=frozenset({"*:predict"}))
_CHALLENGE = (b"www-authenticate", b'Bearer realm="flyball"')


class Guard:
    """An ASGI application around another one."""

    def __init__(
        self,
        inner: Callable[[Scope, Receive, Send], Awaitable[None]],
        judged: Judged,
        clock: Clock,
        complain: Callable[[str], None],
        *,
        rate_rps: float | None,
        burst: int,
        only: str,
        buckets: Buckets | None = None,
        needs: Callable[[str], Need | None] | None = None,
        own: Callable[[Scope], bool] = lambda _: False,
        refusals: Refusals | None = None,
    ) -> None:
        """`refusals`: where those are counted; None: here. `buckets`: of rates and strangers; None: of this process.
        `only`: the service that is meant where a path names none; `*` where there are several. `needs`: what a path of
        the inner application asks for; None: it is the gateway's door. `own`: whether the home itself asks: it needs no
        credentials and has no rate."""
        self._inner, self._clock = inner, clock
        self._buckets = Buckets() if buckets is None else buckets
        self._credentials = Credentials(judged, clock, complain, self._buckets)
        self._rate_rps, self._burst = rate_rps, burst
        self._own, self.refusals = own, refusals or Refusals()
        self._needs = needs or partial(needed, only=only)

    def exchange(self, judged: Judged) -> None:
        """From the next request on these credentials are good, and only these."""
        self._credentials.exchange(judged)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._own(scope):
            scope[GRANT] = OWN
        elif scope["type"] == "http":
            need = self._needs(scope["path"])
            if need is not None:
                found = self._grant(scope)
                if isinstance(found, Denied):
                    self.refusals.tell(found, self._clock.now().timestamp())
                    await send_error(send, 401, "the credentials are not valid", [_CHALLENGE])
                    return
                wait_s = found if isinstance(found, float) else self._wait_s(found)
                if wait_s or isinstance(found, float):
                    after = (b"retry-after", str(math.ceil(wait_s)).encode())
                    self.refusals.counts["rate"] += 1
                    words = "credentials" if isinstance(found, float) else "requests with these credentials"
                    await send_error(send, 429, f"too many {words}", [after])
                    return
                if not satisfied(need, found):
                    self.refusals.counts["scope"] += 1
                    where = {None: "any service", "*": "this gateway"}.get(need.service, f"service {need.service}")
                    await send_error(send, 403, f"these credentials lack the scope {need.scope} for {where}")
                    return
                if (name := lacking(scope["headers"], need, found)) is not None:
                    self.refusals.counts["scope"] += 1
                    await send_error(send, 403, f"these credentials lack the scope admin for the header {name}")
                    return
                scope[GRANT] = found
            else:
                scope[GRANT] = self._recognised(scope)
        await self._inner(scope, receive, send)

    def judge(self, text: str, address: str) -> Grant | None:
        """What a credential allows that did not come in a header; None: it is not valid, or too many were tried."""
        found = self._credentials.found(text, address)
        return found if isinstance(found, Grant) else None

    def _grant(self, scope: Scope) -> Grant | Denied | float:
        text = credential(scope)
        if text is None:
            return Denied(reason="none were sent", kind="missing")
        client = scope.get("client")
        return self._credentials.found(text, str(client[0]) if client else "")

    def _recognised(self, scope: Scope) -> Grant:
        """Who asks where nobody has to say so; credentials that are not valid are none."""
        found = self._grant(scope) if credential(scope) is not None else NOBODY
        return found if isinstance(found, Grant) else NOBODY

    def _wait_s(self, grant: Grant) -> float:
        rate = grant.rate_rps or self._rate_rps
        if rate is None:
            return 0.0
        return self._buckets.take(grant.subject, rate_rps=rate, burst=self._burst, now=self._clock.monotonic())


def seen(scope: Scope, services: Mapping[str, _One]) -> dict[str, _One]:
    """The services that whoever asks may ask for predictions: of others not even the names are told."""
    grant: Grant | None = scope.get(GRANT)
    return {name: one for name, one in services.items() if grant is None or grant.allows(name, "predict")}


def known(scope: Scope, name: str) -> bool:
    """Whether whoever asks may do anything with this service, and so may know that it is there."""
    grant: Grant | None = scope.get(GRANT)
    return grant is None or any(grant.allows(name, each) for each in SCOPES)


def credential(scope: Scope) -> str | None:
    """`Authorization: Bearer ...`, or an API key in `X-API-Key`. Both at once, or one twice, is none."""
    found = [value.decode("latin-1") for name, value in scope["headers"] if name in (b"authorization", b"x-api-key")]
    if len(found) != 1:
        return None
    given = header(scope, b"authorization")
    if given is None:
        return found[0].strip() if found[0].strip().startswith(PREFIX) else None
    kind, _, text = given.partition(" ")
    return text.strip() if kind.lower() == "bearer" and text.strip() else None
